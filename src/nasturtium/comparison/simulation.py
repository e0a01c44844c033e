"""One run of a strategy on a table: asks, answers and tells, with simulated workers in virtual time."""

from __future__ import annotations

import heapq
import math
import warnings
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np

from nasturtium.comparison.answers import SIGNAL, Answers
from nasturtium.space import Architecture
from nasturtium.trial import Proposal, State, Strategy, Trial

ROUNDING = 1e-9
"""Shares of queries are added up; sums may miss whole numbers by so little."""


class Limits(NamedTuple):
    """When a run ends.

    Attributes:
        queries: Whole trainings that it may spend; None for as many as the time allows.
        seconds: Simulated time; what would end later is not counted. None for no limit.
        workers: How many trainings run at a time.
        target: The value on the validation split, as it is reported, with which an incumbent ends a run; None for none.
    """

    queries: int | None = None
    seconds: float | None = None
    workers: int = 1
    target: float | None = None


class Event(NamedTuple):
    """A training that ends: when, its number, what it spent, and what was asked."""

    seconds: float
    number: int
    queries: float
    proposal: Proposal
    row: int | None
    place: int


@dataclass
class Track:
    """The incumbents of a run: one entry for each time that it changed.

    Attributes:
        queries: Trainings spent until then.
        seconds: Simulated time until then.
        signal: What the strategy saw of it.
        validation, test: Of its row.
        spent: Trainings spent in all.
        passed: Simulated time in all.
        asked: How many trials were ended, of which ``failed`` gave no value.
    """

    queries: list[float] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)
    signal: list[float] = field(default_factory=list)
    validation: list[float] = field(default_factory=list)
    test: list[float] = field(default_factory=list)
    spent: float = 0.0
    passed: float = 0.0
    asked: int = 0
    failed: int = 0


class Simulation:
    """A strategy on a table, in virtual time.

    A free worker asks at once. A query takes the seconds that the table says of its training (1 where it says none). A
    trial that continues another pays for the rest alone where the epochs of the table are those of one training; where
    the table has trained anew for each number of epochs it pays for the whole training that it is told of. (NATS-Bench
    charges every evaluation from the first epoch too, even BOHB's, which read one training of 12 epochs.) Queries count
    as whole trainings; at a smaller budget by their share of epochs. What is asked twice is paid twice. The incumbent
    is what was seen to be best at the largest budget so far; of equals the first. Where a strategy recommends something
    (as scores are noisy, see :meth:`nasturtium.strategies.Strategy.recommended`) it is that, which strategies with
    several budgets take from the same trials.

    Args:
        answers: The benchmark.
        limits: When it ends.
        noise: Seed by which one run of each row is seen, instead of the mean over them; surrogates draw one.

    Raises:
        BenchmarkError: If time is limited and the table has no seconds, or a surrogate knows no noise.
    """

    def __init__(self, answers: Answers, limits: Limits, noise: int | None = None) -> None:
        self.answers = answers
        self.limits = limits
        self.noise = noise
        if noise is not None:
            answers.check_noise()
        self.grows = answers.benchmark.grows
        self.separate = answers.metric.separate
        self.signals = [] if self.grows else answers.signals(noise)
        self.costs = answers.costs if not self.grows and (answers.timed or limits.seconds is not None) else []

    def run(self, strategy: Strategy) -> Track:
        """Runs a strategy from its beginning to the end of the budget."""
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)  # that a small space is exhausted, once for each run
            return self._run(strategy)

    def _run(self, strategy: Strategy) -> Track:
        track, running = Track(), list[Event]()
        self.number, self.ordered, self.now = 0, 0.0, 0.0
        self.places: dict[int, int] = {}
        self.best = (-1, math.inf)
        self.incumbent: int | None = None
        most = math.inf if self.limits.seconds is None else self.limits.seconds
        while True:
            while len(running) < self.limits.workers and (event := self._started(strategy)) is not None:
                heapq.heappush(running, event)
            if not running:
                return track
            event = heapq.heappop(running)
            if event.seconds > most:
                track.passed = most
                return track
            self.now = event.seconds
            self._end(strategy, event, track)
            if self._reached(track):
                return track

    def _started(self, strategy: Strategy) -> Event | None:
        """The next training, if the strategy proposes one and there is budget for it."""
        limit = self.limits.queries
        if limit is not None and self.ordered + ROUNDING >= limit:
            return None
        proposals = strategy.ask(1)
        if not proposals:
            return None
        proposal, number = proposals[0], self.number
        place = self.answers.place(proposal.budget)
        begun = None if proposal.parent is None else self.places.get(proposal.parent)
        if self.separate and begun != place:  # the same training needs not be made again, another one anew
            begun = None
        queries = self.answers.share(place) - (0.0 if begun is None else self.answers.share(begun))
        self.ordered += queries
        if limit is not None and self.ordered > limit + ROUNDING:
            return None
        self.number += 1
        if self.answers.levels:
            self.places[number] = place
        row = self.answers.row(proposal.architecture.decisions)
        return Event(self.now + self._seconds(row, place, begun), number, queries, proposal, row, place)

    def _seconds(self, row: int | None, place: int, begun: int | None) -> float:
        if not self.answers.timed:
            return 1.0
        return self._whole(row, place) - (0.0 if begun is None else self._whole(row, begun))

    def _whole(self, row: int | None, place: int) -> float:
        """The seconds of a training from its beginning up to a level."""
        if row is None:  # an architecture that the table does not know: what its rows take on average
            return float(np.mean(self.costs[place]))
        return self.answers.cost(row, place) if self.grows else self.costs[place][row]

    def _end(self, strategy: Strategy, event: Event, track: Track) -> None:
        """Tells the strategy, and notes a new incumbent."""
        row, place = event.row, event.place
        track.asked += 1
        track.spent += event.queries
        track.passed = event.seconds
        value = math.nan if row is None else self._seen(row, place)
        proposal = event.proposal
        if row is None or not math.isfinite(value):
            track.failed += 1
            strategy.tell(
                Trial(event.number, State.FAILED, proposal.architecture, proposal.budget, parent=proposal.parent)
            )
            return
        curve = self._curve(row, proposal.parent, place) if getattr(strategy, "reads_curves", False) else ()
        strategy.tell(
            Trial(
                event.number, State.COMPLETE, proposal.architecture, proposal.budget, {SIGNAL: value}, curve,
                parent=proposal.parent,
            )
        )  # fmt: skip
        loss = -value if self.answers.metric.maximise else value
        level, least = self.best
        better = place > level or (place == level and loss < least)
        if better:
            self.best = (place, loss)
        chosen = self._recommended(strategy)
        if chosen is not None:
            row, better = chosen, chosen != self.incumbent
        if better:
            self.incumbent = row
            self._note(row, self._seen(row, self.best[0]), track)

    def _recommended(self, strategy: Strategy) -> int | None:
        """The row of what the strategy itself takes to be best, if it says so."""
        recommended: Sequence[Architecture] = getattr(strategy, "recommended", tuple)()
        return self.answers.row(recommended[0].decisions) if recommended else None

    def _reached(self, track: Track) -> bool:
        """Whether the incumbent is as good as was asked for."""
        target = self.limits.target
        if target is None or not track.validation:
            return False
        return track.validation[-1] >= target if self.answers.metric.maximise else track.validation[-1] <= target

    def _curve(self, row: int, parent: int | None, place: int) -> list[dict[str, float]]:
        """What training from where the parent ended to a level would have reported; nothing where it began anew."""
        levels = self.answers.levels
        if not levels or self.separate:
            return []
        begun = 0 if parent is None else self.places[parent] + 1
        return [{"step": levels[each], SIGNAL: self._seen(row, each)} for each in range(begun, place + 1)]

    def _seen(self, row: int, place: int) -> float:
        """What the strategy sees of a row at a level."""
        return self.answers.signal(row, place, self.noise) if self.grows else self.signals[place][row]

    def _note(self, row: int, value: float, track: Track) -> None:
        validation, test = self.answers.reported(row)
        track.queries.append(track.spent)
        track.seconds.append(track.passed)
        track.signal.append(value)
        track.validation.append(validation)
        track.test.append(test)
