"""Builds a benchmark: trains a sample of a space on a task, several seeds each, and writes a table of results."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nasturtium import tasks
from nasturtium.benchmarks.built import write_built
from nasturtium.benchmarks.table import BenchmarkError
from nasturtium.errors import NasturtiumError
from nasturtium.objective import Goal, Limit
from nasturtium.options import at_least
from nasturtium.searching.call import judged
from nasturtium.searching.costing import Costing
from nasturtium.searching.settings import versions
from nasturtium.searching.stages import PRELOADED, space_for
from nasturtium.searching.units import duration
from nasturtium.space.architecture import to_json_signal
from nasturtium.strategies.random import RandomSearch
from nasturtium.study import Ending, InProcess, LocalProcesses, Study, make_progress, open_study, run
from nasturtium.tasks.metrics import METRICS
from nasturtium.trial import Budget, Proposal, State, Trial

if TYPE_CHECKING:
    from nasturtium.benchmarks.recorded import RecordedTraining
    from nasturtium.estimators import Recipe
    from nasturtium.space import Architecture, Space
    from nasturtium.tasks import Task

FILE = "benchmark.parquet"
STUDY = "study.db"


class Sampled(RandomSearch):
    """Proposes distinct random architectures, each so many times in a row: once for every seed; infeasible ones once.

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
        self.times = 0
        self.infeasible = False

    def propose(self, number: int, rng: Any) -> Proposal | None:  # type: ignore[override]
        """The latest architecture again, or a new one when it was proposed for every seed; None when none is left."""
        if self.latest is not None and self.times < self.seeds and not self.infeasible:
            return Proposal(self.latest, self.budget)
        proposal = super().propose(number, rng)
        return None if proposal.architecture in self.known else proposal

    def asked(self, proposal: Proposal) -> None:
        """Takes note of what was proposed, and how often in a row."""
        super().asked(proposal)
        if self.latest is None or proposal.architecture.decisions != self.latest.decisions:
            self.times, self.infeasible = 0, False
        self.latest = proposal.architecture
        self.times += 1

    def tell(self, trial: Trial) -> None:
        """Takes note of what breaks a limit: it will with every seed."""
        if self.latest is not None and trial.architecture.decisions == self.latest.decisions:
            self.infeasible = self.infeasible or trial.state is State.INFEASIBLE


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
    larger ``count``. A time limit, Ctrl-C or an error that ends it leaves a table of what was trained. The table holds
    test scores of all networks: that is what it is for, and why no network of it may be handed over as if its score on
    the test rows were fresh.

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
        NasturtiumError: If what was given cannot be used: a metric that the validation rows cannot tell, say.
        StudyError: If nothing keeps the limits, or the study cannot be written.
        KeyboardInterrupt: If the user stopped it.
    """
    for name, given in (("count", count), ("seeds", seeds), ("epochs", epochs)):
        at_least(name, given, 1)
    if device is not None:
        from nasturtium.estimators.device import check_device

        check_device(device)
    seconds, folder = duration(time), Path(out)
    data = tasks.load(task, seed=seed, **(task_options or {}))
    goal = _goal(data, limits)
    opened = space_for(space, data, space_options or {})
    from nasturtium.benchmarks.recorded import RecordedTraining  # torch, once all else is in order

    training = RecordedTraining(data, recipe, device, checkpoints=False)
    header = {"benchmark": data.name, "data": data.fingerprint, "seed": seed, "seeds": seeds, "epochs": epochs,
              "recipe": str(training.recipe), "limits": [str(each) for each in goal.limits]}  # fmt: skip
    facts = _facts(data, opened, header, space_options or {})
    study = open_study(folder / STUDY, goal, opened, header)
    building = Building(study, training, Sampled(opened, seed=seed, budget=epochs, seeds=seeds), folder / FILE, facts)
    try:
        return building.run(count, workers, seconds, quiet)
    finally:
        study.close()


def _goal(task: Task, limits: Iterable[str | Limit]) -> Goal:
    """What trainings must score, and what networks must keep.

    Raises:
        BenchmarkError: If a limit is on scores, or there is nothing that tells them.
        NasturtiumError: If the validation rows cannot tell the metric.
    """
    if len(task.test) == 0:
        raise BenchmarkError(f"task {task.name!r} has no test rows, and a benchmark is judged by them; give it some")
    goal = Goal.of(task.objective, limits, task.directions)
    for limit in goal.limits:
        if not limit.structural:
            raise BenchmarkError(f"limit {limit} is on scores: a benchmark keeps those of all networks; leave it out")
    judged(goal, task)
    return goal


@dataclass
class Building:
    """A benchmark that is being built.

    Attributes:
        study: Its trainings.
        training: How they are done.
        sampled: What is trained.
        file: Of the table.
        facts: What the table is of.
    """

    study: Study
    training: RecordedTraining
    sampled: Sampled
    file: Path
    facts: Mapping[str, Any]

    def run(self, count: int, workers: int, seconds: float | None, quiet: bool) -> Path:
        """Train so many architectures and write the table; also where the user, or something else, ends it before."""
        try:
            ending = self.train(count * self.sampled.seeds, workers, seconds, quiet)
            if ending == Ending.INTERRUPTED:
                raise KeyboardInterrupt
        except (KeyboardInterrupt, NasturtiumError):
            with suppress(BenchmarkError):  # there is nothing to write yet; what is on its way to the user says more
                self.write()
            raise
        return self.write()

    def train(self, trainings: int, workers: int, seconds: float | None, quiet: bool) -> Ending:
        """Train until there are so many trainings, or the time is over."""
        from nasturtium.estimators import lengths_for

        training, study, space = self.training, self.study, self.sampled.space
        training.lengths = lengths_for(training.lengths, study.trials)
        executor = InProcess(training) if workers == 1 else LocalProcesses(training, space, workers, preload=PRELOADED)
        return run(
            study, self.sampled, executor, trials=trainings, seed=self.sampled.seed, time=seconds, repeats=True,
            cost=Costing(training, study.goal, study), progress=make_progress(trainings, None, quiet),
            seed_of=self.seed_of,
        )  # fmt: skip

    def seed_of(self, trial: Trial) -> int:
        """The seed of a training: the same ones for every architecture, whose trainings follow each other."""
        trials, first = self.study.trials, trial.number
        while first and trials[first - 1].architecture.decisions == trial.architecture.decisions:
            first -= 1
        return self.sampled.seed + trial.number - first

    def write(self) -> Path:
        """Write the table of what was trained so far.

        Raises:
            BenchmarkError: If no training ended well, or the file cannot be written.
        """
        trials = self.study.trials
        rows = [_row(trial, self.seed_of(trial)) for trial in trials if trial.state is State.COMPLETE]
        if not rows:
            reason = next((trial.reason for trial in trials if trial.reason), "give it more time")
            raise BenchmarkError(f"no training ended well, so there is no table ({reason})")
        failed = sum(trial.state is State.FAILED for trial in trials)
        return write_built(self.file, rows, {**self.facts, "failed": failed})


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
