"""The plan of the finals: how many networks, seeds and epochs fit into the time that is left."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np

from nasturtium.trial import Budget, Trial

SLOW = 2.0
"""A plain network that takes so many times as long as a finalist is the first thing that is left out."""
SLACK = 1.1
"""Trainings in the end take a little longer than in the search: they are scored, kept, and run side by side."""


@dataclass(frozen=True)
class Plan:
    """What is trained in the end.

    Attributes:
        finalists: How many of the leading trials.
        seeds: How many times each.
        epochs: For how long.
        baselines: Whether a plain network and a scikit-learn model are trained beside them.
        cut: What had to be left out for want of time, for the user.
        plain: Whether the plain network is among the baselines.
    """

    finalists: int
    seeds: int
    epochs: Budget
    baselines: bool
    cut: str = ""
    plain: bool = True

    @property
    def trainings(self) -> int:
        """How many trainings that makes."""
        return (self.finalists + (self.baselines and self.plain)) * self.seeds


def fitted(
    wanted: Plan, leaders: list[Trial], rows: float, workers: int, left: float | None, plain: float = 0.0
) -> Plan:
    """The largest part of a plan that fits into ``left`` seconds.

    First a plain network that is slow is left out, then finalists beyond the second, then seeds beyond the second, then
    epochs down to twice those of the search, the second finalist, the baselines, the second seed, and at last epochs
    down to those of the search.

    Args:
        wanted: What is asked.
        leaders: The leading trials, best first; they say how long an epoch takes.
        rows: Rows of train + valid for each row of train.
        workers: How many trainings run at a time.
        left: Seconds; None for as many as it takes.
        plain: Seconds that an epoch of the plain network would take in the search.
    """
    wanted = replace(wanted, finalists=max(min(wanted.finalists, len(leaders)), 1))
    pace = pace_of(wanted, leaders, rows, workers, plain)
    if left is None or pace is None:
        return wanted
    plan = wanted
    least = min(float(leaders[0].budget), float(wanted.epochs))
    for step in _smaller(wanted, 2 * least, pace.plain > SLOW):
        if pace.seconds(plan) <= left:
            break
        plan = step
    if pace.seconds(plan) > left:
        plan = replace(plan, epochs=min(max(math.floor(left / pace.epoch), least, 1), wanted.epochs))
    return replace(plan, cut=_said(wanted, plan))


@dataclass(frozen=True)
class Pace:
    """How fast final trainings go.

    Attributes:
        epoch: Seconds of an epoch of the slowest finalist.
        plain: How many times as long the plain network takes, at least 1.
        workers: How many trainings run at a time.
    """

    epoch: float
    plain: float
    workers: int

    def seconds(self, plan: Plan) -> float:
        """What a plan takes."""
        beside = self.plain if plan.baselines and plan.plain else 0.0
        work = (plan.finalists + beside) * plan.seeds  # in trainings of a finalist
        return max(math.ceil(work / self.workers), beside) * plan.epochs * self.epoch


def pace_of(wanted: Plan, leaders: list[Trial], rows: float, workers: int, plain: float = 0.0) -> Pace | None:
    """How fast the final trainings go (see :func:`fitted` for what is given); None if no trial tells."""
    known = paces(leaders)[: wanted.finalists]
    return Pace(SLACK * rows * max(known), max(plain / max(known), 1.0), workers) if known else None


def paces(trials: list[Trial]) -> list[float]:
    """Seconds that an epoch of each trial took.

    The first trial of a study also waits for imports, often longer than it trains; it counts for no more than the
    slowest of the others, where there are others.
    """
    timed = [trial for trial in trials if trial.seconds > 0]
    found = {trial.number: trial.seconds / max(trained(trial), 1e-9) for trial in timed}
    others = [pace for number, pace in found.items() if number > 0]
    if others and 0 in found:
        found[0] = min(found[0], max(others))
    return [found[trial.number] for trial in timed]


def foreseen(trials: list[Trial], flops: float) -> float:
    """Seconds that an epoch of a network of so many FLOPs would take, by a line through trials; 0 if none tells."""
    from scipy.optimize import nnls

    known = [trial for trial in trials if trial.seconds > 0 and trial.scores.get("flops", 0.0) > 0]
    if not known:
        return 0.0
    unit = max(trial.scores["flops"] for trial in known)
    table = np.array([[1.0, trial.scores["flops"] / unit] for trial in known])  # (n, 2)
    (once, each), _ = nnls(table, np.array(paces(known)))
    return float(once + each * flops / unit)


def trained(trial: Trial) -> float:
    """Epochs that a trial itself trained: one that goes on where another ended begins its curve there."""
    before = trial.curve[0]["step"] - 1 if trial.parent is not None and trial.curve else 0.0
    return float(trial.budget) - before


def _smaller(plan: Plan, enough: float, slow: bool) -> list[Plan]:
    """Ever smaller plans; ``enough`` epochs are kept, and a ``slow`` plain network is the first to go."""
    steps: list[Plan] = []
    if slow and plan.baselines:
        plan = replace(plan, plain=False)
        steps.append(plan)
    while plan.finalists > 2:
        plan = replace(plan, finalists=plan.finalists - 1)
        steps.append(plan)
    while plan.seeds > 2:
        plan = replace(plan, seeds=plan.seeds - 1)
        steps.append(plan)
    fewer = {"epochs": min(plan.epochs, enough)}
    for change in (fewer, {"finalists": 1}, {"baselines": False}, {"seeds": 1}):
        plan = replace(plan, **change)
        steps.append(plan)
    return steps


def _said(wanted: Plan, plan: Plan) -> str:
    changes = [
        f"{now:g} of {asked:g} {what}"
        for what, asked, now in (
            ("finalists", wanted.finalists, plan.finalists),
            ("seeds", wanted.seeds, plan.seeds),
            ("epochs", wanted.epochs, plan.epochs),
        )
        if now < asked
    ]
    if wanted.baselines:
        changes += ["no baselines"] if not plan.baselines else ["no plain network"] if not plan.plain else []
    return f"the time left allows {', '.join(changes)} in the final training" if changes else ""
