"""The final trainings as a study: run side by side, resumed, retried, each kept in a folder of its own."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from nasturtium.final.results import TUNED, Network, Run
from nasturtium.final.roster import Replicates, Roster, replicate
from nasturtium.final.training import OUTPUTS, WEIGHTS, FinalTraining
from nasturtium.objective import STRUCTURAL, Goal
from nasturtium.space import Architecture
from nasturtium.study import Executor, Progress, Study, open_study, run
from nasturtium.trial import Budget, Scores, State, Trial

if TYPE_CHECKING:
    from nasturtium.estimators import Training

STUDY = "finals.db"
FOLDER = "finals"
MEASURED = "-test_loss"
"""What every final training can give; some test rows have no value of the task's metric, such as AUROC of one class."""


@dataclass
class Entry:
    """A network that takes part, and what came of its trainings.

    Attributes:
        network: Its line in the results; the runs are filled in.
        architecture: What is trained.
        folders: Where each completed run left its weights and test outputs.
        scores: In the search; with a tuned recipe in the tuning.
    """

    network: Network
    architecture: Architecture
    folders: list[Path]
    scores: Scores = field(default_factory=dict)

    def outputs(self) -> list[npt.NDArray[Any]]:
        """The test outputs (N, K) of the completed runs."""
        return [np.load(folder / OUTPUTS, allow_pickle=False) for folder in self.folders]


def finalist(trial: Trial, training: Training) -> Entry:
    """A trial of the search that is to be trained again."""
    entry = entry_of(trial.architecture, f"trial {trial.number}", "finalist", training, trial.scores)
    entry.network.number = trial.number
    entry.network.valid = trial.scores.get(training.task.metric)
    return entry


def entry_of(
    architecture: Architecture, name: str, kind: str, training: Training, known: Scores | None = None
) -> Entry:
    """A network with its costs; they are worked out where they are not among the known scores."""
    costs = known if known and {"params", "flops"} <= known.keys() else training.costs(architecture)
    network = Network(name, kind, None, str(architecture), None, costs["params"], costs["flops"])
    return Entry(network, architecture, [], dict(known or {}))


def retune(entry: Entry, better: Trial, metric: str) -> None:
    """Take the recipe that the tuning found; of the search's scores those stay that do not follow from training."""
    kept = {name: value for name, value in entry.scores.items() if name in STRUCTURAL or name.startswith("proxy_")}
    entry.architecture, entry.scores = better.architecture, {**kept, **better.scores}
    entry.network.name += TUNED
    entry.network.architecture = str(better.architecture)
    entry.network.valid = better.scores.get(metric)


def train_all(
    entries: Sequence[Entry], training: FinalTraining, executor: Callable[[Any, Any], Executor], seeds: int,
    epochs: Budget, seed: int, folder: Path, seconds: float | None, header: dict[str, Any], progress: Progress | None,
) -> str:  # fmt: skip
    """Train each network once for every seed, where an earlier call has not; fill in the runs of the entries.

    Args:
        entries: The networks, the most wanted first.
        training: Trains and scores on the test rows.
        executor: Makes an executor of an estimator and what makes architectures of decisions.
        seeds: How many times each.
        epochs: For how long each.
        seed: The first seed; the others follow it.
        folder: Of the search.
        seconds: After which no more trainings start.
        header: Of the search, which must not change.
        progress: Is kept up to date.

    Returns:
        Why it ended.
    """
    place = folder / STUDY
    goal = Goal.of(MEASURED)
    roster = Roster(entries[0].architecture.input, _recorded(place, goal))
    numbers = [roster.add(entry.architecture) for entry in entries]
    study = open_study(place, goal, roster, header)  # type: ignore[arg-type]
    try:
        ending = run(
            study, Replicates(roster, numbers, seeds, epochs), executor(training, roster), trials=2**31, seed=seed,
            time=seconds, folder=folder / FOLDER, repeats=True, progress=progress,
            seed_of=lambda trial: seed + replicate(study.trials, trial),
        )  # fmt: skip
        for number, entry in zip(numbers, entries, strict=True):
            _fill(entry, [t for t in study.trials if t.architecture.decisions == (number,) and t.budget == epochs],
                  seeds, seed, folder)  # fmt: skip
        return str(ending)
    finally:
        study.close()


def _recorded(place: Path, goal: Goal) -> list[str]:
    """The networks that earlier calls trained, by number."""
    if not place.exists():
        return []
    study: Study = open_study(place, goal, read_only=True)
    try:
        texts = {trial.architecture.decisions[0]: str(trial.architecture) for trial in study.trials}
        return [texts[number] for number in sorted(texts)]
    finally:
        study.close()


def _fill(entry: Entry, trials: Sequence[Trial], seeds: int, seed: int, folder: Path) -> None:
    """Turn the trials of one network into its runs."""
    for number, trial in enumerate(trials[:seeds]):
        if not trial.state.ended:  # stopped by the user or the clock: the next call trains it
            continue
        kept = folder / FOLDER / f"{trial.number:05d}"
        complete = trial.state is State.COMPLETE and (kept / WEIGHTS).exists() and (kept / OUTPUTS).exists()
        reason = trial.reason
        if trial.state is State.COMPLETE and not complete:
            reason = f"its files in {kept} are gone"
        state = "failed" if trial.state is State.COMPLETE and not complete else str(trial.state)
        entry.network.runs.append(Run(seed + number, state, trial.seconds, reason, dict(trial.scores)))
        if complete:
            entry.folders.append(kept)
