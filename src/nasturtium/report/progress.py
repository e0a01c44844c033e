"""How a search went: the best score so far, the front of two metrics, the learning curves worth a look."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from nasturtium.objective import MAXIMISE, STRUCTURAL, Objective, fronts
from nasturtium.report.reading import Reading
from nasturtium.trial import State, Trial

COSTS = ("params", "flops", "latency_ms", "memory_mb")
"""Metrics of cost that fronts are drawn against, where trials have them."""

CURVES = 40
"""At most so many learning curves are drawn."""

LEADING = 5
"""So many of them in colour."""

LONGEST_CURVE = 200
"""Longer curves are drawn with so many of their points."""


@dataclass(frozen=True, slots=True)
class Found:
    """A trial that was better than all before it.

    Attributes:
        number: The trial.
        ended: How many trials had ended with it.
        value: Its score of the first objective.
    """

    number: int
    ended: int
    value: float


def ended_order(reading: Reading) -> list[Trial]:
    """The trials that ended, in the order in which they did."""
    return [reading.study.trials[~mark] for mark in reading.study.history if mark < 0]


def best_so_far(reading: Reading) -> list[Found]:
    """Each trial that was better by the first objective than all that ended before it and keep the limits."""
    objective, able = reading.objective, {trial.number for trial in reading.feasible()}
    found: list[Found] = []
    for place, trial in enumerate(ended_order(reading), 1):
        if trial.number in able and (not found or objective.loss(trial.scores) < _loss(objective, found[-1].value)):
            found.append(Found(trial.number, place, trial.scores[objective.metric]))
    return found


def _loss(objective: Objective, value: float) -> float:
    return objective.loss({objective.metric: value})


def rivals(reading: Reading) -> list[Objective]:
    """What the first objective is drawn against: the other objectives, then costs that trials have and that differ."""
    found = {each.metric: each for each in reading.goal.objectives[1:]}
    for metric in COSTS:
        values = {trial.scores.get(metric) for trial in reading.scored()}
        if metric != reading.metric and metric not in found and len(values) > 1 and None not in values:
            found[metric] = Objective(metric, MAXIMISE.get(metric, False))
    return list(found.values())


def front(trials: Sequence[Trial], first: Objective, second: Objective) -> list[Trial]:
    """The trials that no other dominates in two metrics, by the second; of equal ones the first."""
    able = [trial for trial in trials if first.metric in trial.scores and second.metric in trial.scores]
    losses = [(0.0, first.loss(trial.scores), second.loss(trial.scores)) for trial in able]
    chosen: dict[tuple[float, ...], Trial] = {}
    for place in fronts(losses)[0] if losses else ():
        chosen.setdefault(losses[place], able[place])
    return sorted(chosen.values(), key=lambda trial: trial.scores[second.metric])


def curve_metric(reading: Reading) -> str | None:
    """The metric whose learning curves are drawn: the first objective that curves hold, else the validation loss."""
    held = {name for trial in reading.study.trials[:50] if len(trial.curve) for name in trial.curve[-1]}
    asked = [each.metric for each in reading.goal.objectives if each.metric not in STRUCTURAL]
    task = str(reading.settings.get("metric"))
    return next((name for name in (*asked, task, "valid_loss", "train_loss") if name in held), None)


def curves(reading: Reading, metric: str) -> list[tuple[Trial, list[tuple[float, float]]]]:
    """Learning curves as points (step, score): the best trials first, then others, evenly spread."""
    best = reading.leaders(LEADING)
    chosen = {trial.number for trial in best}
    copies = reading.study.copies
    others = [
        trial for trial in reading.study.trials
        if trial.number not in chosen and trial.number not in copies and len(trial.curve)
        and trial.state is not State.LOST
    ]  # fmt: skip
    stride = max(1, -(-len(others) // (CURVES - LEADING)))
    drawn = [(trial, curve_points(reading, trial, metric)) for trial in (*best, *others[::stride])]
    return [(trial, points) for trial, points in drawn if points]


def curve_points(reading: Reading, trial: Trial, metric: str) -> list[tuple[float, float]]:
    """The points (step, score) of a trial's curve, or of that of the trial whose scores it was given."""
    source = reading.study.trials[reading.study.source(trial.number)]
    points = [(float(p["step"]), float(p[metric])) for p in source.curve if metric in p and "step" in p]
    points = [(step, value) for step, value in points if value - value == 0]  # finite
    stride = max(1, -(-len(points) // LONGEST_CURVE))
    return points[::stride] if stride == 1 or not points else [*points[:-1:stride], points[-1]]
