"""Builds a benchmark: trains a sample of a space on a task, several seeds each, and writes a table of results."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nasturtium import tasks
from nasturtium.benchmarks.built import write_built
from nasturtium.benchmarks.table import BenchmarkError
from nasturtium.objective import Goal, Limit
from nasturtium.options import at_least
from nasturtium.searching.settings import versions
from nasturtium.searching.stages import PRELOADED, space_for
from nasturtium.searching.units import duration
from nasturtium.space.architecture import to_json_signal
from nasturtium.strategies.random import RandomSearch
from nasturtium.study import Ending, InProcess, LocalProcesses, Study, make_progress, open_study, run
from nasturtium.tasks.metrics import METRICS
from nasturtium.trial import Budget, Proposal, State, Trial

if TYPE_CHECKING:
    from nasturtium.estimators import Recipe
    from nasturtium.space import Architecture, Space
    from nasturtium.tasks import Task

FILE = "benchmark.parquet"
STUDY = "study.db"


class Sampled(RandomSearch):
    """Proposes distinct random architectures, each so many times in a row: once for every seed.

    Args:
        space: Where they come from.
        seed: Of the draws.
        budget: Epochs of each training.
        seeds: How many times each.
    """

    def __init__(self, space: Space, *, seed: int, budget: Budget, seeds: int) -> None:
        super().__init__(space, seed=seed, budget=budget)
        self.seeds = seeds
        self.latest: Architecture | None = None

    def propose(self, number: int, rng: Any) -> Proposal | None:  # type: ignore[override]
        """The latest architecture again, or a new one when it was proposed for every seed; None when none is left."""
        if self.latest is not None and number % self.seeds:
            return Proposal(self.latest, self.budget)
        proposal = super().propose(number, rng)
        return None if proposal.architecture in self.known else proposal

    def asked(self, proposal: Proposal) -> None:
        """Takes note of what was proposed."""
        super().asked(proposal)
        self.latest = proposal.architecture


def build(
    task: Any,
    space: str | Space | Callable[..., Space] | None = None,
    *,
    count: int,
    out: Path | str,
    seeds: int = 3,
    epochs: int = 15,
    limits: Iterable[str | Limit] = (),
    workers: int = 1,
    time: float | str | None = None,
    seed: int = 0,
    recipe: Recipe | None = None,
    device: str | None = None,
    quiet: bool = False,
    task_options: Mapping[str, Any] | None = None,
    space_options: Mapping[str, Any] | None = None,
) -> Path:
    """Train random architectures and write a table that :func:`nasturtium.benchmarks.load` reads.

    Every training is kept as soon as it ends; the same call on the same ``out`` goes on where it stopped, also with a
    larger ``count``. A time limit that ends it leaves a table of what was trained. The table holds test scores of all
    networks: that is what it is for, and why no network of it may be handed over as if its test score were fresh.

    Args:
        task: As :func:`nasturtium.search` takes it; it must have test rows.
        space: Likewise.
        count: How many architectures.
        out: Folder of the study and of the table.
        seeds: How many times each architecture is trained.
        epochs: Passes over the training rows in each training.
        limits: On structure and cost, such as ``params<=100k``; what breaks one is not trained.
        workers: Trainings at a time.
        time: Seconds, or text such as ``2h``, after which no more trainings start.
        seed: Of draws and trainings.
        recipe: How networks are trained; a good one for the kind of data if not given.
        device: ``cpu``, ``cuda``, ``mps``; picked by itself if not given.
        quiet: Show no progress.
        task_options: For :func:`nasturtium.tasks.load`.
        space_options: For the space.

    Returns:
        The file.

    Raises:
        BenchmarkError: If the task has no test rows, an option cannot be written down, or nothing was trained.
        NasturtiumError: If what was given cannot be used.
        KeyboardInterrupt: If the user stopped it; the table of what was trained is written before.
    """
    at_least("count", count, 1)
    at_least("seeds", seeds, 1)
    at_least("epochs", epochs, 1)
    if device is not None:
        from nasturtium.estimators.device import check_device

        check_device(device)
    data = tasks.load(task, seed=seed, **(task_options or {}))
    if len(data.test) == 0:
        raise BenchmarkError(f"task {data.name!r} has no test rows, and a benchmark is judged by them; give it some")
    opened, folder = space_for(space, data, space_options or {}), Path(out)
    from nasturtium.benchmarks.recorded import RecordedTraining  # torch, once all else is in order
    from nasturtium.estimators import lengths_for

    training = RecordedTraining(data, recipe, device, checkpoints=False)
    goal = Goal.of(data.objective, limits, data.directions)
    for limit in goal.limits:
        if not limit.structural:
            raise BenchmarkError(f"limit {limit} is on scores: a benchmark keeps those of all networks; leave it out")
    header = {"benchmark": data.name, "data": data.fingerprint, "seed": seed, "seeds": seeds, "epochs": epochs,
              "recipe": str(training.recipe), "limits": [str(each) for each in goal.limits]}  # fmt: skip
    facts = _facts(data, opened, header, space_options or {})
    study = open_study(folder / STUDY, goal, opened, header)
    try:
        training.lengths = lengths_for(training.lengths, study.trials)
        executor = InProcess(training) if workers == 1 else LocalProcesses(training, opened, workers, preload=PRELOADED)
        ending = run(
            study, Sampled(opened, seed=seed, budget=epochs, seeds=seeds), executor, trials=count * seeds, seed=seed,
            time=duration(time), repeats=True, cost=training.costs, progress=make_progress(count * seeds, None, quiet),
            seed_of=lambda trial: seed + trial.number % seeds,
        )  # fmt: skip
        failed = sum(trial.state is State.FAILED for trial in study.trials)
        written = write_built(folder / FILE, _rows(study, seeds, seed), {**facts, "failed": failed})
        if ending == Ending.INTERRUPTED:
            raise KeyboardInterrupt
        return written
    finally:
        study.close()


def _rows(study: Study, seeds: int, seed: int) -> list[dict[str, Any]]:
    """One row for each training that ended well.

    Raises:
        BenchmarkError: If there is none.
    """
    rows = [_row(trial, seed + trial.number % seeds) for trial in study.trials if trial.state is State.COMPLETE]
    if not rows:
        reason = next((trial.reason for trial in study.trials if trial.reason), "give it more time")
        raise BenchmarkError(f"no training ended well, so there is no table ({reason})")
    return rows


def _row(trial: Trial, seed: int) -> dict[str, Any]:
    names = [name for name in trial.curve[0] if name not in ("step", "train_loss")]
    curves = {f"val_{name.removeprefix('valid_')}": [point[name] for point in trial.curve] for name in names}
    tests = {name: value for name, value in trial.scores.items() if name.startswith("test_")}
    costs = {name: trial.scores[name] for name in ("params", "flops")}
    losses = [point["train_loss"] for point in trial.curve]
    return {"architecture": str(trial.architecture), "seed": seed, "seconds": trial.seconds, **costs,
            "train_loss": losses, **curves, **tests}  # fmt: skip


def _facts(task: Task, space: Space, header: Mapping[str, Any], options: Mapping[str, Any]) -> dict[str, Any]:
    """What a reader needs to know of the table.

    Raises:
        BenchmarkError: If an option of the space cannot be written as JSON, so that the space could not be made again.
    """
    try:
        plain = json.loads(json.dumps(dict(options)))
    except (TypeError, ValueError) as error:
        raise BenchmarkError(f"the options of the space cannot be written down ({error}); give plain values") from None
    maximise = {name: task.directions.get(name, name in METRICS and METRICS[name].maximise) for name in task.metrics}
    return {
        "name": space.name, "space": space.name, "space_options": plain, "fingerprint": space.fingerprint,
        "task": task.name,
        "signals": [to_json_signal(signal) for signal in task.inputs], "outputs": task.outputs,
        "metric": task.metric, "maximise": {**maximise, "loss": False}, "epochs": header["epochs"],
        "recipe": header["recipe"], "data": header["data"], "limits": header["limits"],
        "summary": task.summary(), "versions": versions(),
        "date": date.today().isoformat(),
    }  # fmt: skip
