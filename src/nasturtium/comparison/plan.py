"""What is compared: benchmarks, strategies with their options, budget, runs and seeds."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from nasturtium import strategies
from nasturtium.benchmarks import Benchmark, check, load, load_surrogate
from nasturtium.comparison.answers import Answers
from nasturtium.comparison.simulation import Limits
from nasturtium.errors import NasturtiumError, did_you_mean
from nasturtium.sameness import identity, told
from nasturtium.strategies import PRESETS, STRATEGIES
from nasturtium.strategies.fidelity import MultiFidelity
from nasturtium.strategies.options import taken
from nasturtium.trial import Strategy

RULES = 3
"""Raised when runs of the same plan come to cost or show something else: those kept from before are not its own."""

FEW = 3
"""Where the signal is known at no more epochs than these, what goes on does so from one of them to the next."""


@dataclass(frozen=True)
class Subject:
    """A benchmark to compare on.

    Attributes:
        name: Its name.
        dataset: Its data set; the first if None.
        data: Where its files are; what is installed if None.
        held: The benchmark itself, in place of its name and files.
        surrogate: File of a surrogate that was fitted on it, which answers in its place.
    """

    name: str
    dataset: str | None = None
    data: str | None = None
    held: Benchmark | None = field(default=None, compare=False)
    surrogate: str | None = None

    @classmethod
    def of(cls, given: str | tuple[str, str | None] | Benchmark | Subject, data: Path | str | None = None) -> Subject:
        """Reads a name, a name with a data set, or a benchmark."""
        if isinstance(given, Subject):
            return given
        if isinstance(given, Benchmark):
            return cls(given.name, given.dataset, held=given)
        name, dataset = (given, None) if isinstance(given, str) else given
        return cls(name, dataset, None if data is None else str(data))

    def check(self) -> None:
        """Makes sure that its files are there, before anything runs.

        Raises:
            NasturtiumError: If they are not.
        """
        if self.held is None:
            check(self.name, self.dataset, self.data)
        if self.surrogate is not None and not Path(self.surrogate).is_file():
            raise NasturtiumError(f"there is no surrogate in {self.surrogate}; give a file that bench --fit wrote")

    def load(self) -> Benchmark:
        """The benchmark, or the surrogate that answers in its place.

        Raises:
            NasturtiumError: If its files cannot be read, or the surrogate was fitted on another table.
        """
        benchmark = self.held if self.held is not None else load(self.name, self.dataset, self.data)
        if self.surrogate is None:
            return benchmark
        made = load_surrogate(self.surrogate, benchmark.space)
        if (made.name, made.dataset) != (benchmark.name, benchmark.dataset):
            raise NasturtiumError(
                f"the surrogate in {self.surrogate} was fitted on {made.title}, and cannot answer for "
                f"{benchmark.title}; give the data set it was fitted on, or fit another: bench --fit"
            )
        return made


@dataclass(frozen=True)
class Contender:
    """A strategy that takes part.

    Attributes:
        name: What it is called in results.
        strategy: A name in ``STRATEGIES`` or ``PRESETS``, or what makes one.
        options: Of the strategy.
    """

    name: str
    strategy: str | Callable[..., Any]
    options: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def of(cls, given: str | Callable[..., Any] | Contender, options: Mapping[str, Mapping[str, Any]]) -> Contender:
        """Reads ``evolution``, ``label=evolution``, or what makes a strategy.

        Raises:
            NasturtiumError: If there is no such strategy.
        """
        if isinstance(given, Contender):
            return given
        if not isinstance(given, str):
            name = getattr(given, "__name__", repr(given))
            return cls(name, given, dict(options.get(name, {})))
        label, _, name = given.rpartition("=")
        if name not in STRATEGIES and name not in PRESETS:
            known = [*STRATEGIES, *PRESETS]
            raise NasturtiumError(
                f"unknown strategy {name!r}{did_you_mean(name, known)} (there are: {', '.join(known)})"
            )
        return cls(label or name, name, dict(options.get(label or name, {})))

    def make(self, answers: Answers, seed: int) -> Strategy:
        """The strategy on a benchmark.

        Budgets of strategies that have several follow the epochs of the table: the smallest is its first, and where it
        has only a few, a trial goes on from each to the next. Options that are given come first.
        """
        return strategies.make(
            self.strategy, space=answers.space, seed=seed, budget=answers.budget, objectives=answers.objective,
            **{**self._levels(answers.levels), **self.options},
        )  # fmt: skip

    def _levels(self, levels: Sequence[int]) -> dict[str, Any]:
        name = PRESETS[self.strategy].strategy if self.strategy in PRESETS else self.strategy
        maker = STRATEGIES.get(name) if isinstance(name, str) else name
        if not levels or not isinstance(maker, type) or not issubclass(maker, MultiFidelity):
            return {}
        options = taken(maker) or ()
        if "least" not in options:  # it has one step of its own choice
            return {}
        if not 1 < len(levels) <= FEW:
            return {"least": levels[0]}
        factor = int((levels[-1] / levels[0]) ** (1 / (len(levels) - 1)))
        found = {"least": levels[0], "factor": max(factor, 2)}
        listed = "budgets" in options and not {"factor", "least"} & set(self.options)
        return {**found, "budgets": levels} if listed else found  # which steps of one factor may miss

    @property
    def text(self) -> str:
        """Strategy and options, by which runs are known again.

        What makes a strategy is known by what it is (see :func:`nasturtium.sameness.identity`), and by its name here.
        """
        made = self.strategy if isinstance(self.strategy, str) else [self.name, identity(self.strategy)]
        return json.dumps([made, dict(self.options)], sort_keys=True, default=told)


@dataclass(frozen=True)
class Plan:
    """A comparison to be made.

    Attributes:
        subjects: The benchmarks.
        contenders: The strategies.
        limits: The budget of a run.
        runs: How many runs each strategy has on each benchmark.
        seed: Of everything; run r of every strategy has the seed that follows from this and r.
        epoch: The epoch after which strategies see the signal; the last if None.
        noise: Whether strategies see one run of each architecture, by run of the comparison, instead of the mean.
    """

    subjects: tuple[Subject, ...]
    contenders: tuple[Contender, ...]
    limits: Limits
    runs: int
    seed: int = 0
    epoch: int | None = None
    noise: bool = False

    def __post_init__(self) -> None:
        if self.limits.queries is None and self.limits.seconds is None:
            raise NasturtiumError("how long a run lasts is not said: give queries, simulated seconds, or both")
        seconds, queries = self.limits.seconds, self.limits.queries
        if seconds is not None and not 0 < seconds < math.inf:
            raise NasturtiumError(f"simulated time {seconds!r}: a number of seconds above 0 is expected")
        for name, value in (("queries", queries), ("runs", self.runs), ("simulated workers", self.limits.workers)):
            if value is not None and value < 1:
                raise NasturtiumError(f"{name} {value!r}: a whole number from 1 up is expected")
        for what, names in (("benchmark", list(self.subjects)), ("strategy", [each.name for each in self.contenders])):
            _all_different(what, names)

    def key(self, subject: str, contender: Contender) -> str:
        """A digest of all that decides the runs of a strategy on a benchmark.

        Args:
            subject: What the benchmark is known by, its numbers among it.
            contender: The strategy.
        """
        decisive = [RULES, subject, contender.text, *self.limits, self.seed, self.epoch, self.noise]
        return hashlib.sha256(json.dumps(decisive).encode()).hexdigest()[:16]

    def run_seed(self, number: int) -> int:
        """The seed of run ``number``, the same for every strategy and benchmark."""
        return int(np.random.SeedSequence((self.seed, number)).generate_state(1)[0])

    def noise_seed(self, number: int) -> int | None:
        """The seed by which run ``number`` sees one training of each architecture, if it does."""
        spawned = np.random.SeedSequence((self.seed, number), spawn_key=(1,))
        return int(spawned.generate_state(1)[0]) if self.noise else None

    @cached_property
    def pairs(self) -> list[tuple[int, int]]:
        """Every benchmark with every strategy, by their places."""
        return [(s, c) for s in range(len(self.subjects)) for c in range(len(self.contenders))]


def _all_different(what: str, things: Sequence[Any]) -> None:
    if not things:
        raise NasturtiumError(f"no {what} is given; name at least one")
    twice = next((each for number, each in enumerate(things) if each in things[:number]), None)
    if twice is not None:
        named = f"{twice.name} {twice.dataset or ''}".strip() if isinstance(twice, Subject) else twice
        hint = "" if what == "benchmark" else "; to compare options of one strategy, name each: big=evolution"
        raise NasturtiumError(f"{what} {named!r} is given twice{hint}")
