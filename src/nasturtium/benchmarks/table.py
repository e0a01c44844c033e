"""Benchmarks: a space and a table of results, which says of each number what it means and which split it is from."""

from __future__ import annotations

import hashlib
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from nasturtium.benchmarks.listing import BenchmarkError, Listing, NotInTable, decisions_in
from nasturtium.benchmarks.rows import Rows
from nasturtium.errors import NasturtiumError, did_you_mean
from nasturtium.space.architecture import Architecture

if TYPE_CHECKING:
    from nasturtium.space.space import Space

SPLITS = ("validation", "test", "train", "cost", "proxy")
"""What a metric is measured on; ``cost`` and ``proxy`` need no trained network."""

REPEATS = ("mean", "seeds")
"""What of the trainings of an architecture can be asked for: their mean alone, or each by its seed as well."""

__all__ = ["SPLITS", "Benchmark", "BenchmarkError", "Columns", "Metric", "NotInTable", "Values", "mean_of_runs"]

Values = NDArray[np.floating[Any]]
"""Numbers of one metric: (rows,), or (rows, seeds) where runs are told apart; NaN where nothing was measured."""


@dataclass(frozen=True)
class Metric:
    """What the numbers of a column are.

    Attributes:
        name: ``val_accuracy``, ``test_accuracy``, ``train_seconds``, ``params``, ...
        meaning: One sentence.
        split: One of ``SPLITS``.
        maximise: Whether more is better.
        epochs: Epochs after which it was measured, in order; empty if there is only the end of training.
        repeats: ``mean``, or ``seeds`` where ``query`` can give that of each run.
        unit: ``%``, ``s``, ``ms``, ``M``, ...; empty for plain numbers.
        separate: Whether each of its epochs is the end of a training of its own, with a schedule as long as that, and
            not a moment of one training: then none goes on to the next.
    """

    name: str
    meaning: str
    split: str
    maximise: bool = True
    epochs: tuple[int, ...] = ()
    repeats: str = "mean"
    unit: str = ""
    separate: bool = False

    def __post_init__(self) -> None:
        if self.split not in SPLITS:
            raise BenchmarkError(f"metric {self.name!r}: split {self.split!r} is none of {', '.join(SPLITS)}")
        if self.repeats not in REPEATS:
            raise BenchmarkError(f"metric {self.name!r}: repeats {self.repeats!r} is none of {', '.join(REPEATS)}")


Columns = Mapping[str, "Values | Mapping[int, Values]"]
"""For each metric its values, or its values by epoch where it has epochs."""


class Benchmark:
    """A space and a table of results.

    Args:
        name: Of the benchmark.
        dataset: Which part of it.
        space: The space its architectures are of.
        rows: Which architectures are in it.
        metrics: What is in it.
        columns: The values of every metric: (rows,), (rows, seeds), or by epoch.
        signal: The metric that a search may see: on the validation split where there is one.
        verdict: The metric reported for what a search has found: on the test split where there is one.
        cost: The metric that holds the seconds of a training, for simulated time.
        seeds: Names of the runs in the last axis of (rows, seeds).
        source: Where the numbers come from, in a few words.

    Raises:
        BenchmarkError: If metrics and columns do not go together.
    """

    grows = False
    """Whether rows come to be when they are asked for, as those of a surrogate do."""

    def __init__(
        self,
        name: str,
        dataset: str,
        space: Space,
        rows: Rows,
        metrics: Sequence[Metric],
        columns: Columns,
        *,
        signal: str,
        verdict: str,
        cost: str | None = None,
        seeds: tuple[int, ...] = (),
        source: str = "",
    ) -> None:
        self.name, self.dataset, self.space, self.rows = name, dataset, space, rows
        self.metrics: Mapping[str, Metric] = {metric.name: metric for metric in metrics}
        self.signal, self.verdict, self.cost, self.seeds, self.source = signal, verdict, cost, seeds, source
        self._columns = columns
        self._means: dict[tuple[str, int | None], Values] = {}
        for metric in metrics:
            self._check(metric)
        for role in (signal, verdict, *([cost] if cost else [])):
            self.metric(role)

    def _check(self, metric: Metric) -> None:
        held = self._columns[metric.name]
        parts = held if isinstance(held, Mapping) else {None: held}
        if tuple(parts) != (metric.epochs or (None,)):
            raise BenchmarkError(f"{self.name}: {metric.name} has epochs {metric.epochs}, its column {tuple(parts)}")
        for values in parts.values():
            if len(values) != len(self.rows) or values.ndim > 2:
                raise BenchmarkError(f"{self.name}: {metric.name} has {values.shape}, the table {len(self.rows)} rows")

    def __repr__(self) -> str:
        return f"Benchmark({self.name!r}, {self.dataset!r}, {len(self)} rows, {', '.join(self.metrics)})"

    def __len__(self) -> int:
        return len(self.rows)

    def __contains__(self, architecture: object) -> bool:
        try:
            return isinstance(architecture, Architecture) and self.row(architecture) is not None
        except NasturtiumError:
            return False

    @property
    def complete(self) -> bool:
        """Whether every architecture of the space has a row."""
        return self.rows.complete(self.space)

    def architectures(self) -> Sequence[Architecture]:
        """The architectures of the table, one a row, made when they are looked at."""
        return Listing(self.space, self.rows)

    def index(self, decisions: Sequence[int]) -> int | None:
        """The row of the architecture with these decisions, or None."""
        return self.rows.index(tuple(decisions))

    def row(self, architecture: Architecture) -> int | None:
        """The row of an architecture, also of one from another space of the same notation; None if there is none."""
        return self.index(decisions_in(self.space, architecture))

    def metric(self, name: str | None = None) -> Metric:
        """What is known of a metric; the signal if none is named.

        Raises:
            NotInTable: If there is no such metric.
        """
        name = self.signal if name is None else name
        if name not in self.metrics:
            raise NotInTable(
                f"{self.title} has no metric {name!r}{did_you_mean(str(name), self.metrics)} "
                f"(there are: {', '.join(self.metrics)})"
            )
        return self.metrics[name]

    @property
    def title(self) -> str:
        """Name and data set."""
        return f"{self.name} ({self.dataset})" if self.dataset else self.name

    def column(self, metric: str | None = None, epoch: int | None = None) -> Values:
        """All values of a metric, the mean over the runs of each row: (rows,), NaN where nothing was measured.

        Args:
            metric: Its name; the signal if None.
            epoch: One of its epochs; the last if None.

        Raises:
            NotInTable: If there is no such metric or epoch.
        """
        described = self.metric(metric)
        key = (described.name, epoch)
        if key not in self._means:
            values = self.runs(described.name, epoch)
            column = values.view() if values.ndim == 1 else mean_of_runs(values)
            column.flags.writeable = False  # of the view alone: the array itself is the caller's
            self._means[key] = column
        return self._means[key]

    def held(self, metric: str) -> Values | Mapping[int, Values]:
        """The values of a metric as they are held, for every epoch."""
        return self._columns[self.metric(metric).name]

    def at(self, row: int, metric: str | None = None, epoch: int | None = None) -> float:
        """The value of a metric in a row, the mean over its runs; NaN where nothing was measured."""
        return float(self.column(metric, epoch)[row])

    def runs(self, metric: str | None = None, epoch: int | None = None) -> Values:
        """The values of a metric as they are held: (rows,), or (rows, seeds)."""
        described = self.metric(metric)
        held = self._columns[described.name]
        if not isinstance(held, Mapping):
            if epoch is None:
                return held
            raise NotInTable(f"{self.title} has {described.name} at the end of training alone, not at epoch {epoch}")
        epoch = described.epochs[-1] if epoch is None else epoch
        if epoch not in held:
            raise NotInTable(f"{self.title} has {described.name} at epochs {_spans(described.epochs)}, not at {epoch}")
        return held[epoch]

    def query(
        self, a: Architecture, metric: str | None = None, epoch: int | None = None, seed: int | None = None
    ) -> float:
        """A number of an architecture.

        Args:
            a: The architecture, of this space or of one with the same notation.
            metric: Its name; the signal if None.
            epoch: One of its epochs; the last if None.
            seed: One of ``seeds``; the mean over all runs if None.

        Raises:
            NotInTable: If the architecture, or this number of it, is not in the table.
        """
        row = self.row(a)
        if row is None:
            raise NotInTable(f"{self._written(a)} is not in {self.title}, which holds {self.rows.said()}")
        value = float(self.column(metric, epoch)[row] if seed is None else self._run(metric, epoch, seed)[row])
        if np.isnan(value):
            one = "" if seed is None else f" of seed {seed}"
            raise NotInTable(f"{self.title} holds no {self.metric(metric).name}{one} of {self._written(a)}")
        return value

    def _run(self, metric: str | None, epoch: int | None, seed: int) -> Values:
        values = self.runs(metric, epoch)
        if values.ndim == 1 or seed not in self.seeds:
            told = f"its seeds are {', '.join(map(str, self.seeds))}" if values.ndim == 2 else "it holds the mean alone"
            raise NotInTable(f"{self.title} has no seed {seed!r} of {self.metric(metric).name}: {told}")
        return values[:, self.seeds.index(seed)]

    def optimum(self, metric: str | None = None, epoch: int | None = None) -> float:
        """The best value of a metric in the table; the verdict's if none is named."""
        described = self.metric(self.verdict if metric is None else metric)
        values = self.column(described.name, epoch)
        return float(np.nanmax(values) if described.maximise else np.nanmin(values))

    def best(self, metric: str | None = None, epoch: int | None = None) -> Architecture:
        """The architecture with the best value of a metric; the verdict's if none is named."""
        described = self.metric(self.verdict if metric is None else metric)
        values = self.column(described.name, epoch)
        return self.architectures()[int(np.nanargmax(values) if described.maximise else np.nanargmin(values))]

    def digest(self, *metrics: str) -> str:
        """What tells its numbers from those of another table of the same name: sixteen hexadecimal digits.

        Args:
            metrics: Whose numbers count; signal, verdict and cost if none is named.
        """
        names = metrics or tuple(dict.fromkeys([self.signal, self.verdict, *([self.cost] if self.cost else [])]))
        made = hashlib.sha256(f"{self.space.fingerprint}/{len(self)}".encode())
        for name in names:
            held = self.held(name)
            for epoch, values in held.items() if isinstance(held, Mapping) else [(None, held)]:
                made.update(f"{name}/{epoch}/{values.shape}/{values.dtype}".encode())
                made.update(np.ascontiguousarray(values).tobytes())
        return made.hexdigest()[:16]

    def _written(self, architecture: Architecture) -> str:
        try:
            return self.space.to_notation(architecture)[:200]
        except NasturtiumError:
            return str(architecture)[:200]


def mean_of_runs(values: Values) -> Values:
    """The mean over the last axis, of what was measured; NaN where nothing was."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # rows without any run are NaN
        means: Values = np.nanmean(values.astype(np.float64), axis=1)
    return means


def _spans(epochs: tuple[int, ...]) -> str:
    return ", ".join(map(str, epochs)) if len(epochs) < 8 else f"{epochs[0]} to {epochs[-1]}"
