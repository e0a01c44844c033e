"""The one call: :func:`search`."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING, Any

from nasturtium import strategies, tasks
from nasturtium.errors import NasturtiumError, did_you_mean
from nasturtium.objective import STRUCTURAL, Goal, Limit, Objective, Objectives
from nasturtium.sameness import told
from nasturtium.searching.calling import call_of
from nasturtium.searching.result import Result
from nasturtium.searching.screening import Wish, screened
from nasturtium.searching.stages import Kept, Means, Search, space_for
from nasturtium.searching.units import duration, size
from nasturtium.space import Architecture, Space

if TYPE_CHECKING:
    from nasturtium.estimators import Distillation, Recipe
    from nasturtium.study.early import Rule

TRIALS = 50
"""How many there are where neither they nor the time is limited."""
LOSS = "valid_loss"
"""What every training scores beside the metrics of its task."""


def search(
    task: Any,
    space: str | Space | Callable[..., Space] | None = None,
    strategy: str | Callable[..., Any] | None = None,
    trials: int | None = None,
    *,
    epochs: int = 15,
    objectives: Objectives | None = None,
    limits: str | Limit | Iterable[str | Limit] = (),
    start: str | Architecture | Iterable[str | Architecture] | None = None,
    proxy: str | Iterable[str] | None = None,
    proxy_keep: float = 0.25,
    proxy_start: int = 5,
    workers: int = 1,
    time: float | str | None = None,
    seed: int = 0,
    out: str | Path | None = None,
    store: str | None = None,
    recipe: Recipe | None = None,
    distillation: Distillation | None = None,
    final_epochs: int | None = None,
    final_seeds: int = 3,
    finalists: int = 5,
    baselines: bool = True,
    tune: int = 0,
    trial_time: float | str | None = None,
    memory: int | str | None = None,
    isolated: bool = False,
    early_stop: str | Rule | None = None,
    device: str | None = None,
    quiet: bool = False,
    task_options: Mapping[str, Any] | None = None,
    strategy_options: Mapping[str, Any] | None = None,
    space_options: Mapping[str, Any] | None = None,
) -> Result:
    """Search a network for data, then train the best few and plain baselines again and compare them on the test split.

    The strategy sees validation scores alone. The network that is handed over is the first by validation, so that its
    test score is unbiased; ``result.finals`` says how it compares.

    The same call on the same ``out`` goes on where it stopped. With several workers the calling script needs the
    usual ``if __name__ == "__main__":`` guard.

    Args:
        task: A name (``digits``), a path (.npz, .csv, .parquet, a folder of images), arrays (x, y), or a Task.
        space: A name, a Space, or a function ``(input, outputs) -> Space``; chosen by the kind of input if not given.
        strategy: A name in ``nasturtium.strategies.STRATEGIES``, or a class or function that makes a strategy;
            ``evolution`` if not given; for tables of events ``sequences``, or ``asha_sequences`` if the time is all
            that limits the search.
        trials: How many trials there are; if not given 50, or as many as ``time`` allows.
        epochs: Passes over the training rows in each trial.
        objectives: What to optimise; the task's metric if not given.
        limits: What must hold, one or several, such as ``params<=100k`` (before training) or ``accuracy>=0.9`` (after).
        start: Architectures to try first, one or several: values, text, notation, or names of members of the space. If
            neither it nor a strategy is given, searches of tables of events begin with the members of the space, on a
            quarter of the trials at most.
        proxy: Zero-cost proxies that screen what is tried, whatever the strategy: names, several with commas are
            combined by mean rank.
        proxy_keep: Share of the strategy's candidates that are tried: of each four the best one at 0.25; of two and of
            three in turn at 0.4.
        proxy_start: How many are tried before: the best of ``proxy_start / proxy_keep`` drawn ones.
        workers: Trials at a time; one runs in this process, more run in processes of their own.
        time: Seconds, or text such as ``10m``, for everything; of the last four tenths the search takes what
            the final trainings do not need.
        seed: Seed of everything random.
        out: Folder of the study; in memory if None.
        store: URL of a PostgreSQL database that keeps the trials; a file in ``out`` if None.
        memory: Most bytes, or text such as ``4G``, that a worker process may take; a trial that needs more fails.
        recipe: How networks are trained; a good one for the kind of data if not given.
        distillation: How the best networks so far teach those that follow, such as ``Distillation(weight=0.2)``; not at
            all if not given. It needs ``out``.
        final_epochs: Passes over train + valid in each final training; four times ``epochs`` if not given, 0 for none.
        final_seeds: How many times each finalist is trained; the first training of the best is handed over.
        finalists: How many of the best architectures are trained again; fewer where ``time`` does not allow it.
        baselines: Whether a plain network and a scikit-learn model are trained beside them.
        tune: How many recipes (learning rate, weight decay, batch size, dropout) to try on the finalists first.
        trial_time: Time limit of one trial.
        isolated: Run trials in a process of their own even with one worker, as the command line does: then what ends
            the process of a trial does not end the search. Memory and time limits of a trial ask for it too.
        early_stop: Whether and how trials that do not promise enough end early: ``curve`` (the extrapolated curve does
            not beat the best), ``median`` (worse than the median), or a rule (see :mod:`nasturtium.study.early`).
        device: ``cpu``, ``cuda``, ``mps``; picked by itself if not given.
        quiet: Show no progress.
        task_options: For :func:`nasturtium.tasks.load` (target, metric, kind, layout; of events entity, timestamp,
            labels and more).
        strategy_options: For the strategy.
        space_options: For the space, where that is given by its name or as a function.

    Raises:
        NasturtiumError: If what was given cannot be used; the text says what, where and what would do.
    """
    given = dict(locals())
    seconds = duration(time)
    deadline = None if seconds is None else monotonic() + seconds
    if device is not None:
        from nasturtium.estimators.device import check_device

        check_device(device)
    data = tasks.load(task, seed=seed, **(task_options or {}))
    opened = space_for(space, data, space_options or {})
    goal = Goal.of(data.objective if objectives is None else objectives, limits, data.directions)
    wish = Wish.of(proxy, proxy_keep, proxy_start)
    judged(goal, data, wish)
    timed = trials is None and seconds is not None
    trials = TRIALS if trials is None and not timed else trials
    usual = strategies.for_signal(data.inputs[0], len(goal.objectives), timed and epochs > 1)
    asked = usual if strategy is None else strategy
    first = [start] if isinstance(start, str | Architecture) else list(start or ())
    if start is None and strategy is None:
        first = list(strategies.known_first(data.inputs[0], opened, trials) or ())
    chooser = strategies.make(
        asked, space=opened, seed=seed, start=first, budget=epochs, objectives=goal.objectives,
        limits=goal.limits, **(strategy_options or {}),
    )  # fmt: skip
    chooser, screen = screened(chooser, wish, data, goal, device)
    from nasturtium.estimators import Training, default_recipe  # torch, once all else is in order
    from nasturtium.final import Wanted
    from nasturtium.study.early import early_stop as rule_for
    from nasturtium.study.early import text_of

    rule = rule_for(early_stop, goal)
    training = Training(data, recipe or default_recipe(data), device=device, distillation=distillation)
    wanted = Wanted(
        finalists, final_seeds, 4 * epochs if final_epochs is None else final_epochs, baselines, tune, epochs,
        workers, seed, deadline,
    )  # fmt: skip
    folder = None if out is None else Path(out)
    if folder is None and distillation is not None:
        raise NasturtiumError("distillation finds teachers in the folder of the study: give it one by out=")
    named = asked if isinstance(asked, str) else getattr(asked, "__name__", None) or told(asked)
    header = {"task": data.name, **data.custom, "data": data.fingerprint, "strategy": named, "seed": seed,
              "epochs": epochs, "recipe": str(training.recipe), "early_stop": text_of(rule),
              "distillation": None if distillation is None else str(distillation),
              "options": told(sorted((strategy_options or {}).items())), **wish.header}  # fmt: skip
    kept = Kept(folder, store, header, dict(space_options or {}), call_of(search, given, data))
    means = Means(size(memory), duration(trial_time), isolated, quiet, rule)
    return Search(opened, goal, chooser, training, wanted.checked(), kept, means, screen).result(trials, seconds)


def judged(goal: Goal, task: tasks.Task, wish: Wish | None = None) -> None:
    """Makes sure that trials and their validation rows can say what is asked for, before anything is trained.

    Raises:
        NasturtiumError: If they cannot, naming the metric.
    """
    known = [*task.metrics, LOSS, *sorted(STRUCTURAL), *(() if wish is None else wish.scores)]
    asked: list[Objective | Limit] = [*goal.objectives, *goal.limits]
    for each in asked:
        if each.metric not in known:
            raise NasturtiumError(
                f"{each} asks for {each.metric!r}, which no trial of {task.name!r} has"
                f"{did_you_mean(each.metric, known)} (there are: {', '.join(known)})"
            )
    for name in tasks.undefined(set(goal.metrics).intersection(task.metrics), task.valid.targets, task):
        found = len(set(task.valid.targets.reshape(-1).tolist())) if task.kind == "classification" else 0
        what = f", of {found} of {task.outputs} classes" if found else ""
        raise NasturtiumError(
            f"{name} cannot be told from the {len(task.valid)} validation rows of {task.name!r}{what}; give more "
            "rows, another split, or another metric"
        )
