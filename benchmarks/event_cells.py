"""Cells of the comparisons on events: a contestant tuned on a task for so much CPU time, then trained and tested."""

from __future__ import annotations

import json
import re
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from event_tasks import epochs_for, judged_by_valid, worth

from nasturtium import Space, strategies
from nasturtium.errors import NasturtiumError
from nasturtium.estimators import Training
from nasturtium.final.classical import Classical, categories, rows_of, train_classical
from nasturtium.final.leaders import standing, winner
from nasturtium.objective import Goal
from nasturtium.space import Architecture
from nasturtium.strategies.base import Strategy
from nasturtium.strategies.random import RandomSearch
from nasturtium.study import InProcess, Study, open_study, run
from nasturtium.tasks import Task
from nasturtium.trial import Proposal, State, Trial

MOST = 10**6
MARGIN = 0.9
"""Of the time that is left, what a trial that goes on may plan to take."""
SHARES = (0.25, 0.5, 1.0)
"""Of the epochs of a whole training; random search draws one, so that nobody is bound to train too long."""


class Clock:
    """CPU seconds of this process since it was made, of so many that may be spent."""

    def __init__(self, seconds: float) -> None:
        self.begun, self.seconds = time.process_time(), seconds

    @property
    def spent(self) -> float:
        """CPU seconds so far."""
        return time.process_time() - self.begun

    @property
    def over(self) -> bool:
        """Whether all are spent."""
        return self.spent >= self.seconds


class Timed:
    """A strategy that proposes nothing more when the time is over; trials run one after another.

    Args:
        strategy: What proposes.
        clock: The time.
        closing: The share of the time after which nothing new is tried: what is best so far goes on to the end of a
            whole training, or as far as the time allows, if that is twice as far at least; the best first.
        epochs: Of a whole training.
        goal: By which trials are compared.
    """

    def __init__(self, strategy: Strategy, clock: Clock, closing: float, epochs: int, goal: Goal) -> None:
        self.strategy, self.clock, self.closing, self.epochs, self.goal = strategy, clock, closing, epochs, goal
        self.short: dict[int, Trial] = {}
        self.pace: dict[int, float] = {}
        self.begun = 0.0
        self.asked = strategy.asked

    def ask(self, n: int = 1) -> list[Proposal]:
        """What the strategy proposes, or what goes on."""
        self.begun = self.clock.spent
        if not self.late:
            return list(self.strategy.ask(n))
        left = MARGIN * (self.clock.seconds - self.begun)
        for trial in sorted(self.short.values(), key=lambda trial: standing(self.goal, trial.scores)):
            budget = min(self.epochs, trial.budget + int(left / self.pace[trial.number]))
            if budget == self.epochs or budget >= 2 * trial.budget:
                del self.short[trial.number]
                return [Proposal(trial.architecture, budget, trial.number)]
        return []

    def tell(self, trial: Trial) -> None:
        """Take note of what could go on and how long that takes, and of what has gone on."""
        self.short.pop(-1 if trial.parent is None else trial.parent, None)
        if trial.state is State.COMPLETE and trial.budget < self.epochs and not self.late:
            self.short[trial.number] = trial
            known = self.pace.get(-1 if trial.parent is None else trial.parent)
            self.pace[trial.number] = known or max(self.clock.spent - self.begun, 1e-3) / trial.budget
        if not self.late:
            self.strategy.tell(trial)

    @property
    def late(self) -> bool:
        """Whether nothing new is tried any more."""
        return self.clock.spent >= self.closing * self.clock.seconds


class AnyLength(RandomSearch):
    """Random search that draws how long each network is trained, too."""

    def propose(self, number: int, rng: np.random.Generator) -> Proposal:
        """A random architecture, trained for a random share of the epochs."""
        drawn = super().propose(number, rng)
        share = SHARES[int(rng.integers(len(SHARES)))]
        return drawn._replace(budget=max(1, round(share * self.budget)))


@dataclass(frozen=True)
class Tuned:
    """What a contestant came to be by validation.

    Attributes:
        text: The architecture with its recipe, or the settings of the trees.
        epochs: It is trained for; 0 for trees.
        valid: Its validation score.
        trials: How many were begun.
        cpu: CPU seconds of all of them.
        params: Parameters of the network.
    """

    text: str
    epochs: float
    valid: float
    trials: int
    cpu: float
    params: float


Chooser = Callable[[Space, Goal], Strategy]


def explore(
    task: Task, space: Space, chooser: Chooser, seconds: float, seed: int, training: Training, closing: float = 1.0
) -> tuple[Trial, int, float]:
    """The best trial by validation of a search of so much CPU time, how many there were, and the seconds spent.

    A trial that runs when the time is over is stopped after its epoch. After the share ``closing``
    of the time nothing new is tried, and the best go on (see :class:`Timed`).
    """
    goal, clock = Goal.of(task.objective), Clock(seconds)

    def stop(study: Study, trial: Trial) -> bool | str:
        return "the time is over" if clock.over and any(t.state is State.COMPLETE for t in study.trials) else False

    with tempfile.TemporaryDirectory() as folder:
        study = open_study(None, goal, space, {})
        strategy = Timed(chooser(space, goal), clock, closing, epochs_for(task), goal)
        run(study, strategy, InProcess(training), trials=MOST, seed=seed, folder=Path(folder), stop=stop)
        spent, best, trials = clock.spent, winner(study), len(study.trials)
        study.close()
    if best is None:
        raise NasturtiumError(f"{space.name} on {task.name}: nothing was trained in {seconds:.0f} s; give more minutes")
    return best, trials, spent


def tune(task: Task, space: Space, chooser: Chooser, seconds: float, seed: int, closing: float = 1.0) -> Tuned:
    """The best network by validation that a strategy finds in so much CPU time."""
    best, trials, spent = explore(task, space, chooser, seconds, seed, Training(task, device="cpu"), closing)
    found = best.architecture
    params = Architecture(found.value.network, input=task.inputs).count(flops=False)["params"]
    return Tuned(str(found), best.budget, worth(task, best.scores), trials, spent, params)


def test(task: Task, tuned: Tuned, seed: int) -> tuple[dict[str, float], npt.NDArray[Any]]:
    """Test scores and outputs of the network, trained on train + valid."""
    training = Training(task, device="cpu")
    architecture = Architecture.parse(tuned.text, input=task.inputs)
    model = training.fit_final(architecture, task.merged(), tuned.epochs, seed)
    outputs, scores = training.test(model)
    return scores, outputs


FIXED: dict[str, dict[str, Any]] = {
    "HistGradientBoostingClassifier": {"early_stopping": False},
    "RandomForestClassifier": {"n_estimators": 500},
    "ExtraTreesClassifier": {"n_estimators": 500},
}
"""The models of scikit-learn among which trees are drawn, with what is not drawn."""


def draw_trees(rng: np.random.Generator) -> str:
    """Boosted trees, or one time in three a forest, with settings drawn at random, as JSON."""
    boosted, random, extra = FIXED
    name = (boosted, boosted, boosted, boosted, random, extra)[int(rng.integers(6))]
    drawn: dict[str, list[Any]]
    if name == boosted:
        drawn = {
            "learning_rate": [0.01, 0.02, 0.05, 0.1, 0.2],
            "max_iter": [50, 100, 200, 400],
            "max_leaf_nodes": [4, 8, 16, 31, 63],
            "min_samples_leaf": [5, 10, 20, 50],
            "l2_regularization": [0.0, 0.1, 1.0, 10.0],
            "max_features": [0.3, 0.6, 1.0],
        }
    else:
        drawn = {"max_features": ["sqrt", 0.2, 0.5], "min_samples_leaf": [1, 2, 4, 8]}
    return json.dumps({"model": name, **{key: among[int(rng.integers(len(among)))] for key, among in drawn.items()}})


def read_trees(text: str, task: Task) -> Classical:
    """The model that :func:`draw_trees` wrote; boosted trees take ids of a task as categories."""
    from sklearn import ensemble

    options = json.loads(text)
    name = options.pop("model")
    if "max_iter" in options:
        options["categorical_features"] = categories(task)
    return Classical(name, lambda seed: getattr(ensemble, name)(**options, **FIXED[name], random_state=seed))


def tune_trees(task: Task, seconds: float, seed: int) -> Tuned:
    """The best trees on hand-made aggregates by validation that random search finds in so much CPU time."""
    clock, rng = Clock(seconds), np.random.default_rng(seed)
    judged = judged_by_valid(task)
    rows = rows_of(judged)
    best, trials = None, 0
    while best is None or not clock.over:
        drawn = draw_trees(rng)
        (made,), _ = train_classical(read_trees(drawn, task), judged, [seed], rows=rows)
        trials += 1
        valid = worth(task, made.scores)
        if made.state == "complete" and (best is None or valid > best[0]):
            best = (valid, drawn)
    valid, text = best
    return Tuned(text, 0, valid, trials, clock.spent, 0)


def test_trees(task: Task, tuned: Tuned, seed: int) -> tuple[dict[str, float], npt.NDArray[Any]]:
    """Test scores and outputs of the trees, fitted on train + valid."""
    (made,), outputs = train_classical(read_trees(tuned.text, task), task, [seed])
    if not outputs:
        raise NasturtiumError(f"{tuned.text} on {task.name}: {made.reason}")
    return made.scores, outputs[0]


class Kept:
    """Rows of JSON that are kept as soon as they are known, and found again.

    Args:
        folder: Of ``cells.jsonl`` and of the outputs on the test rows.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.file = folder / "cells.jsonl"
        (folder / "outputs").mkdir(parents=True, exist_ok=True)

    def rows(self, **values: Any) -> list[dict[str, Any]]:
        """Those that have these values; a line that was cut off is none."""
        found = []
        for line in self.file.read_text().splitlines() if self.file.exists() else []:
            try:
                row = json.loads(line)
            except ValueError:
                continue
            if all(row.get(name) == value for name, value in values.items()):
                found.append(row)
        return found

    def add(self, **row: Any) -> None:
        """Keep a row, on a line of its own also where the last one was cut off."""
        with self.file.open("a+b") as file:
            file.seek(max(file.seek(0, 2) - 1, 0))
            begin = "" if file.read(1) in (b"", b"\n") else "\n"
            file.write((begin + json.dumps(row) + "\n").encode())

    def keep_outputs(self, row: dict[str, Any], outputs: npt.NDArray[Any]) -> None:
        """Keep the outputs (N, K) of a test."""
        np.save(self.place(row), np.asarray(outputs, dtype=np.float32))

    def place(self, row: dict[str, Any]) -> Path:
        """Where the outputs of a test are."""
        parts = (row["dataset"], row["contestant"], f"{row['minutes']:g}", str(row["search_seed"]), str(row["seed"]))
        name = re.sub(r"[^A-Za-z0-9.]+", "_", "-".join(parts))
        return self.folder / "outputs" / f"{name}.npy"


def chooser(name: Any, epochs: int, seed: int, start: Any = (), **options: Any) -> Chooser:
    """What makes a strategy for a space and a goal."""

    def made(space: Space, goal: Goal) -> Strategy:
        first = start(space) if callable(start) else start
        return strategies.make(name, space=space, seed=seed, start=first, budget=epochs, objectives=goal.objectives,
                               **options)  # fmt: skip

    return made
