"""A benchmark as the loop of a comparison needs it: from decisions to a row, and from a row to plain numbers."""

from __future__ import annotations

from bisect import bisect_right
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from nasturtium.benchmarks import Benchmark, BenchmarkError, Surrogate
from nasturtium.benchmarks.table import Values
from nasturtium.comparison.branches import Decisions
from nasturtium.comparison.table_space import TableSpace
from nasturtium.objective import Objective
from nasturtium.space.remembered import Remembered
from nasturtium.space.space import Space

Numbers = NDArray[np.float64]

SIGNAL = "signal"
"""What the loop calls the value that a strategy sees."""


class Answers:
    """What a strategy may know of a benchmark, and what is reported.

    Args:
        benchmark: The benchmark.
        epoch: The epoch after which the strategy sees the signal; the last if None.

    Attributes:
        space: What a strategy searches: the benchmark's space, or the rows of a table that does not hold all of it.
        levels: The epochs at which the signal is known, up to that epoch; empty if there is only the end of training.

    Raises:
        NotInTable: If there is no such epoch.
        SpaceError: If no row has a signal.
    """

    def __init__(self, benchmark: Benchmark, epoch: int | None = None) -> None:
        self.benchmark = benchmark
        self.metric = benchmark.metric()
        benchmark.column(None, epoch)  # complains of an epoch that is not there
        last = epoch if epoch is not None or not self.metric.epochs else self.metric.epochs[-1]
        self.levels = tuple(each for each in self.metric.epochs if last is not None and each <= last)
        self.level_places = range(len(self.levels) or 1)
        self.space: Space = benchmark.space
        self.restricted = not benchmark.grows and not benchmark.complete
        if self.restricted:
            held = np.flatnonzero(~np.isnan(benchmark.column(None, last)))
            rows = benchmark.rows
            kept = [decisions for row in held.tolist() if rows.index(decisions := rows.decisions(row)) == row]
            self.space = TableSpace(benchmark.space, kept)
        elif self.space.radices is None and not self.space.recursive:
            self.space.remembered = Remembered()

    @property
    def objective(self) -> Objective:
        """What a strategy optimises."""
        return Objective(SIGNAL, self.metric.maximise)

    @property
    def budget(self) -> int:
        """What a whole trial spends: epochs, or 1 where there is only the end of training."""
        return self.levels[-1] if self.levels else 1

    @property
    def timed(self) -> bool:
        """Whether the seconds of trainings are known."""
        return self.benchmark.cost is not None

    def place(self, budget: float) -> int:
        """Which level a budget pays for: the last one within it, or else the first."""
        return max(bisect_right(self.levels, budget + 1e-9) - 1, 0) if self.levels else 0

    def share(self, place: int) -> float:
        """The share of a whole training that a level takes."""
        return self.levels[place] / self.levels[-1] if self.levels else 1.0

    def row(self, decisions: Decisions) -> int | None:
        """The row of decisions, or None."""
        return self.benchmark.index(decisions)

    def signals(self, noise: int | None = None) -> list[list[float]]:
        """For each level the signal of every row.

        Args:
            noise: Seed by which one of the runs of each row is chosen, where the table tells runs apart; the mean
                over them if None.
        """
        found = []
        for epoch in self.levels or (None,):
            values = self.benchmark.runs(None, epoch)
            chosen = self.benchmark.column(None, epoch) if noise is None or values.ndim == 1 else one_run(values, noise)
            found.append(chosen.tolist())
        return found

    def signal(self, row: int, place: int, noise: int | None = None) -> float:
        """The signal of one row at a level; for tables that grow.

        Args:
            row: The row.
            place: The level.
            noise: Seed of a run, whose noise is drawn as the surrogate knows it; its prediction if None.

        Raises:
            BenchmarkError: If it does not know how much runs differ.
        """
        epoch = self.levels[place] if self.levels else None
        if noise is None or not isinstance(self.benchmark, Surrogate):
            return self.benchmark.at(row, None, epoch)
        return self.benchmark.drawn(row, noise, None, epoch)

    def check_noise(self) -> None:
        """Complains where one run of an architecture cannot be told from another.

        Raises:
            BenchmarkError: On surrogates that do not know how much runs differ.
        """
        if isinstance(self.benchmark, Surrogate) and not self.benchmark.noisy:
            raise BenchmarkError(
                f"{self.benchmark.title} computes its answers and does not know how much runs differ, so strategies "
                "cannot see one run of each architecture there: leave noise (--noise) out"
            )

    @cached_property
    def costs(self) -> list[list[float]]:
        """For each level the seconds of every row; those of rows without a measurement are the mean of the others."""
        return [filled(self._seconds(place)).tolist() for place in self.level_places]

    def cost(self, row: int, place: int) -> float:
        """The seconds of one row at a level; for tables that grow."""
        return float(self._seconds(place)[row])

    def _seconds(self, place: int) -> Numbers:
        name = self.benchmark.cost
        if name is None:
            raise BenchmarkError(
                f"{self.benchmark.title} has no seconds of trainings, so it has no simulated time: give queries instead"
            )
        epochs = self.benchmark.metric(name).epochs
        if not self.levels:
            return np.asarray(self.benchmark.column(name), dtype=np.float64)
        if self.levels[place] in epochs:
            return np.asarray(self.benchmark.column(name, self.levels[place]), dtype=np.float64)
        whole = epochs[-1] if epochs else self.metric.epochs[-1]
        return np.asarray(self.benchmark.column(name), dtype=np.float64) * (self.levels[place] / whole)

    def reported(self, row: int) -> tuple[float, float]:
        """Validation and test of a row at the end of training, each the mean over its runs."""
        if self.benchmark.grows:
            return self.benchmark.at(row), self.benchmark.at(row, self.benchmark.verdict)
        validation, test = self._reported
        return validation[row], test[row]

    @cached_property
    def _reported(self) -> tuple[list[float], list[float]]:
        return self.benchmark.column().tolist(), self.benchmark.column(self.benchmark.verdict).tolist()


def one_run(values: Values, seed: int) -> Values:
    """One of the measured runs of each row, (rows, runs) to (rows,); the same rows and seed give the same runs."""
    measured = ~np.isnan(values)
    counts = measured.sum(axis=1)
    drawn = (np.random.default_rng(seed).random(len(values)) * counts).astype(np.int64)
    order = np.argsort(~measured, axis=1, kind="stable")  # the measured runs first
    chosen = np.take_along_axis(order, drawn[:, None], axis=1)
    found: Values = np.take_along_axis(values, chosen, axis=1)[:, 0]
    return found


def filled(values: Numbers) -> Numbers:
    """Values with the mean of those that are there in place of those that are not.

    Raises:
        BenchmarkError: If none is there.
    """
    there = np.isfinite(values)
    if not there.any():
        raise BenchmarkError("the table holds no seconds of trainings at this epoch: give queries instead of time")
    return np.where(there, values, values[there].mean())
