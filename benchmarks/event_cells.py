"""Cells of the comparisons on events: a contestant tuned on a task for so much CPU time, then trained and tested."""

from __future__ import annotations

import json
import re
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import torch
from event_tasks import epochs_for, worth

from nasturtium import Space, strategies
from nasturtium.errors import NasturtiumError
from nasturtium.estimators import Distillation, Training
from nasturtium.estimators.lesson import Lesson
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
        said: What its teachers say of the rows of train, then valid, (teachers, N, K); None if it has none.
    """

    text: str
    epochs: float
    valid: float
    trials: int
    cpu: float
    params: float
    said: npt.NDArray[Any] | None = None

    @property
    def row(self) -> dict[str, Any]:
        """All but what teachers say."""
        return {name: getattr(self, name) for name in self.__dataclass_fields__ if name != "said"}


class Explored(NamedTuple):
    """What a search found.

    Attributes:
        best: The best trial by validation.
        trials: How many were begun.
        cpu: CPU seconds.
        said: What other good networks say of the rows of train + valid, where the training leaves that.
    """

    best: Trial
    trials: int
    cpu: float
    said: npt.NDArray[Any] | None


TEACHERS = Distillation(weight=0.5, teachers=5, after=MOST, finals=True)
"""The best five teach in the final training, nobody in the search."""
Chooser = Callable[[Space, Goal], Strategy]


def explore(
    task: Task, space: Space, chooser: Chooser, seconds: float, seed: int, training: Training, closing: float = 1.0
) -> Explored:
    """A search of so much CPU time.

    A trial that runs when the time is over is stopped after its epoch. After the share ``closing`` of the time nothing
    new is tried, and the best go on (see :class:`Timed`).
    """
    goal, clock = Goal.of(task.objective), Clock(seconds)

    def stop(study: Study, trial: Trial) -> bool | str:
        return "the time is over" if clock.over and any(t.state is State.COMPLETE for t in study.trials) else False

    with tempfile.TemporaryDirectory() as folder:
        study = open_study(None, goal, space, {})
        strategy = Timed(chooser(space, goal), clock, closing, epochs_for(task), goal)
        run(study, strategy, InProcess(training), trials=MOST, seed=seed, folder=Path(folder), stop=stop)
        best, trials = winner(study), len(study.trials)
        lesson = None if best is None else training.final_lesson(best.architecture, Path(folder))
        said = None if lesson is None else np.stack([each.numpy() for each in lesson.said])
        spent = clock.spent
        study.close()
    if best is None:
        raise NasturtiumError(f"{space.name} on {task.name}: nothing was trained in {seconds:.0f} s; give more minutes")
    return Explored(best, trials, spent, said)


def tune(
    task: Task, space: Space, chooser: Chooser, seconds: float, seed: int, closing: float = 1.0,
    distillation: Distillation | None = None,
) -> Tuned:  # fmt: skip
    """The best network by validation that a strategy finds in so much CPU time."""
    training = Training(task, device="cpu", distillation=distillation)
    best, trials, spent, said = explore(task, space, chooser, seconds, seed, training, closing)
    found = best.architecture
    params = Architecture(found.value.network, input=task.inputs).count(flops=False)["params"]
    return Tuned(str(found), best.budget, worth(task, best.scores), trials, spent, params, said)


def test(task: Task, tuned: Tuned, seed: int) -> tuple[dict[str, float], npt.NDArray[Any]]:
    """Test scores and outputs of the network, trained on train + valid, by its teachers where it has any."""
    training = Training(task, device="cpu")
    architecture = Architecture.parse(tuned.text, input=task.inputs)
    lesson = None if tuned.said is None else Lesson(TEACHERS, tuple(torch.from_numpy(each) for each in tuned.said))
    model = training.fit_final(architecture, task.merged(), tuned.epochs, seed, lesson=lesson)
    outputs, scores = training.test(model)
    return scores, outputs


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

    def place(self, row: dict[str, Any], what: str = "") -> Path:
        """Where the outputs of a test are, or what teachers say."""
        parts = (row["dataset"], row["contestant"], f"{row['minutes']:g}", str(row["search_seed"]),
                 what or str(row["seed"]))  # fmt: skip
        name = re.sub(r"[^A-Za-z0-9.]+", "_", "-".join(parts))
        return self.folder / "outputs" / f"{name}.npy"


def chooser(name: Any, epochs: int, seed: int, start: Any = (), **options: Any) -> Chooser:
    """What makes a strategy for a space and a goal."""

    def made(space: Space, goal: Goal) -> Strategy:
        first = start(space) if callable(start) else start
        return strategies.make(name, space=space, seed=seed, start=first, budget=epochs, objectives=goal.objectives,
                               **options)  # fmt: skip

    return made
