"""One call from data to a trained network: puts tasks, spaces, strategies, estimators and studies together."""

from __future__ import annotations

import json
import math
import os
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nasturtium import spaces, strategies, tasks
from nasturtium.errors import NasturtiumError, StudyError
from nasturtium.objective import STRUCTURAL, Goal, Limit, Objectives
from nasturtium.space import Architecture, Space
from nasturtium.tasks import Task
from nasturtium.trial import Scores, State, Trial

if TYPE_CHECKING:
    import torch

    from nasturtium.estimators import Recipe
    from nasturtium.study import Executor, Study

STUDY = "study.db"
SETTINGS = "settings.json"
SHARE = 0.75
"""Share of a time limit that the search itself may take; the rest is for training the best network."""


@dataclass
class Best:
    """The best network of a search.

    Attributes:
        architecture: What it is.
        scores: Its search scores by metric (of the validation split), and ``test_<metric>`` of the final training:
            the mean over its seeds, with ``test_<metric>_sd`` where there are several.
        model: The trained module, on the CPU and in evaluation mode; None if nothing was trained in the end.
        number: The trial it comes from.
    """

    architecture: Architecture
    scores: dict[str, float]
    model: torch.nn.Module | None = field(default=None, repr=False)
    number: int = -1


@dataclass
class Result:
    """What a search found.

    Attributes:
        best: The best network.
        trials: All trials, by number.
        task: The data.
        space: The space.
        out: The folder of the study; None for a search in memory.
        ending: Why the search ended.
    """

    best: Best
    trials: Sequence[Trial]
    task: Task
    space: Space
    out: Path | None
    ending: str


def search(
    task: Any,
    space: str | Space | Callable[..., Space] | None = None,
    strategy: str = "evolution",
    trials: int = 50,
    *,
    epochs: int = 15,
    objectives: Objectives | None = None,
    limits: Iterable[str | Limit] = (),
    start: Iterable[str | Architecture] | None = None,
    workers: int = 1,
    time: float | str | None = None,
    seed: int = 0,
    out: str | Path | None = None,
    recipe: Recipe | None = None,
    final_epochs: int | None = None,
    final_seeds: int = 1,
    trial_time: float | str | None = None,
    device: str | None = None,
    quiet: bool = False,
    task_options: Mapping[str, Any] | None = None,
    strategy_options: Mapping[str, Any] | None = None,
    space_options: Mapping[str, Any] | None = None,
) -> Result:
    """Search a network for data, train it and score it once on the test split.

    The same call on the same ``out`` goes on where it stopped. With several workers the calling script needs the
    usual ``if __name__ == "__main__":`` guard.

    Args:
        task: A name (``digits``), a path (.npz, .csv, .parquet, a folder of images), arrays (x, y), or a Task.
        space: A name, a Space, or a function ``(input, outputs) -> Space``; chosen by the kind of input if not given.
        strategy: A name in ``nasturtium.strategies.STRATEGIES``.
        trials: How many architectures to try.
        epochs: Passes over the training rows in each trial.
        objectives: What to optimise; the task's metric if not given.
        limits: What must hold, such as ``params<=100k`` (before training) or ``accuracy>=0.9`` (after it).
        start: Architectures to try first: values, text, notation, or names of members of the space.
        workers: Trials at a time; one runs in this process, more run in processes of their own.
        time: Seconds, or text such as ``10m``, for everything; a quarter is kept for the final training.
        seed: Seed of everything random.
        out: Folder of the study; in memory if None.
        recipe: How networks are trained; a good one for the kind of data if not given.
        final_epochs: Passes over train + valid for the best network; four times ``epochs`` if not given, 0 for none.
        final_seeds: How many times the best network is trained in the end; the first one is handed over.
        trial_time: Time limit of one trial.
        device: ``cpu``, ``cuda``, ``mps``; picked by itself if not given.
        quiet: Show no progress.
        task_options: For :func:`nasturtium.tasks.load` (target, metric, kind, layout).
        strategy_options: For the strategy.
        space_options: For the space.

    Raises:
        NasturtiumError: If what was given cannot be used; the text says what, where and what would do.
    """
    data = tasks.load(task, seed=seed, **(task_options or {}))
    opened = space if isinstance(space, Space) else _space(space, data, space_options or {})
    goal = Goal.of(data.metric if objectives is None else objectives, limits)
    seconds, longest = duration(time), duration(trial_time)
    chooser = strategies.make(
        strategy, space=opened, seed=seed, start=list(start or ()), budget=epochs, objectives=goal.objectives,
        limits=goal.limits, **(strategy_options or {}),
    )  # fmt: skip
    from nasturtium.estimators import Training, default_recipe, structural  # torch, once all else is in order
    from nasturtium.study import make_progress, open_study, run

    recipe = recipe or default_recipe(data)
    folder = None if out is None else Path(out)
    header = {"task": data.name, "data": data.fingerprint, "strategy": strategy, "seed": seed, "epochs": epochs,
              "recipe": str(recipe), "options": repr(sorted((strategy_options or {}).items()))}  # fmt: skip
    estimator = Training(data, recipe, device=device)
    asked = {objective.metric for objective in goal.objectives} | {limit.metric for limit in goal.limits}
    needed = sorted({"params", "flops"} | (asked & STRUCTURAL))

    def cost(architecture: Architecture) -> Scores:
        return structural(architecture, needed)

    if folder is not None:
        write_settings(folder, data, opened, goal, {**header, "trials": trials})
    study = open_study(None if folder is None else folder / STUDY, goal, opened, header)
    try:
        ending = run(
            study, chooser, _executor(estimator, opened, workers), trials=trials, seed=seed,
            time=None if seconds is None else seconds * SHARE, trial_seconds=longest, cost=cost,
            folder=None if folder is None else folder / "trials", progress=make_progress(trials, seconds, quiet),
        )  # fmt: skip
        return _finish(study, data, opened, estimator, folder, str(ending), final_epochs, final_seeds, epochs, seed)
    finally:
        study.close()


def _space(name: str | Callable[..., Space] | None, task: Task, options: Mapping[str, Any]) -> Space:
    if callable(name):
        return name(input=task.inputs, outputs=task.outputs, **options)
    name = spaces.for_signal(task.inputs[0]) if name is None else name
    return spaces.make(name, task.inputs, task.outputs, **options)


def _executor(estimator: Any, space: Space, workers: int) -> Executor:
    from nasturtium.study import InProcess, LocalProcesses

    if workers < 1:
        raise NasturtiumError(f"workers must be at least 1, not {workers}")
    return (
        InProcess(estimator)
        if workers == 1
        else LocalProcesses(estimator, space, workers, preload=("torch", "torch._dynamo"))
    )


def _finish(
    study: Study, task: Task, space: Space, estimator: Any, out: Path | None, ending: str,
    final_epochs: int | None, final_seeds: int, epochs: int, seed: int,
) -> Result:  # fmt: skip
    from nasturtium.final import train_best

    leader = winner(study)
    if leader is None and ending == "interrupted":
        raise KeyboardInterrupt
    if leader is None:
        raise StudyError(no_winner(study))
    best = Best(leader.architecture, dict(leader.scores), number=leader.number)
    wanted = 4 * epochs if final_epochs is None else final_epochs
    if wanted > 0 and ending != "interrupted":
        best.model, scores = train_best(best.architecture, task, estimator, wanted, final_seeds, seed, out)
        best.scores |= scores
    return Result(best, tuple(study.trials), task, space, out, ending)


def leading(study: Study, count: int) -> list[Trial]:
    """The best complete trials that keep all limits, each architecture once, by the first objective.

    Where several are equally good, the one with the least validation loss comes first: on small validation splits
    many networks make no error at all, and the loss still tells them apart.
    """
    first = study.goal.objectives[0]

    def order(trial: Trial) -> tuple[float, float, int]:
        return first.loss(trial.scores), trial.scores.get("valid_loss", math.inf), trial.number

    return sorted(study.top(len(study.trials)), key=order)[:count]


def winner(study: Study) -> Trial | None:
    """The first of the leading trials, if there is one."""
    return next(iter(leading(study, 1)), None)


def no_winner(study: Study) -> str:
    """Why a study has no best trial, for the user."""
    if not study.trials:
        return "nothing was tried: give more trials or more time"
    counts = ", ".join(f"{count} {state}" for state, count in study.counts.items() if count)
    reasons = [t.reason for t in study.trials if t.state in (State.FAILED, State.INFEASIBLE) and t.reason]
    last = f"; the last reason: {reasons[-1]}" if reasons else ""
    limits = f" that keeps {', '.join(map(str, study.goal.limits))}" if study.goal.limits else ""
    return f"no trial ended with a score{limits} ({counts}){last}"


def write_settings(out: Path, task: Task, space: Space, goal: Goal, header: Mapping[str, Any]) -> None:
    """Note beside a study how it was made, so that it can be shown without its data."""
    content = {**header, "summary": task.summary(), "notes": list(task.notes), "metric": task.metric,
               "space": space.name, "objectives": [str(each) for each in goal.objectives],
               "limits": [str(each) for each in goal.limits]}  # fmt: skip
    try:
        out.mkdir(parents=True, exist_ok=True)
        (out / f"{SETTINGS}.part").write_text(json.dumps(content, indent=1))
        os.replace(out / f"{SETTINGS}.part", out / SETTINGS)
    except OSError as error:
        raise StudyError(f"cannot write to {out}: {error.strerror}; give another folder") from None


UNITS = {"s": 1.0, "m": 60.0, "min": 60.0, "h": 3600.0, "d": 86400.0, "": 1.0}


def duration(given: float | str | None) -> float | None:
    """Seconds from a number or from text such as ``90s``, ``10m``, ``1h30m``.

    Raises:
        NasturtiumError: If it is neither, or not positive.

    >>> duration("1h30m")
    5400.0
    """
    if given is None:
        return None
    if isinstance(given, str):
        found = re.findall(r"(\d+(?:\.\d+)?)\s*([a-z]*)", given.strip().lower())
        written = "".join(number + unit for number, unit in found)
        if not found or written != re.sub(r"\s", "", given.lower()) or any(unit not in UNITS for _, unit in found):
            raise NasturtiumError(f"cannot read {given!r} as a time; write 90s, 10m or 1h30m")
        given = sum(float(number) * UNITS[unit] for number, unit in found)
    if not given > 0:
        raise NasturtiumError(f"a time must be positive, not {given:g} s")
    return float(given)
