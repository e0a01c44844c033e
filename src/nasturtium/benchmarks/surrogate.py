"""Benchmarks that compute their answers: rows come to be when they are asked for."""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from nasturtium.benchmarks.rows import Decisions
from nasturtium.benchmarks.table import Benchmark, Metric, NotInTable, Values
from nasturtium.space.architecture import Architecture

if TYPE_CHECKING:
    from nasturtium.space.space import Space

Answer = Callable[[Decisions], Sequence[float]]
"""For an architecture with these decisions a value of every metric, or one of each of its epochs, in order."""


SAMPLED = 10
"""So many architectures are asked to tell one surrogate from another."""


class GrowingRows:
    """The architectures that were asked for, with their answers.

    Args:
        answer: The values for decisions.
        width: How many values there are for each.
    """

    def __init__(self, answer: Answer, width: int) -> None:
        self._answer = answer
        self._places: dict[Decisions, int] = {}
        self._order: list[Decisions] = []
        self._values = np.empty((64, width))

    def __len__(self) -> int:
        return len(self._order)

    def index(self, decisions: Decisions) -> int:
        place = self._places.get(decisions)
        if place is None:
            values = self._answer(decisions)
            place = self._places[decisions] = len(self._order)
            self._order.append(decisions)
            if place == len(self._values):
                self._values = np.concatenate([self._values, np.empty_like(self._values)])
            self._values[place] = values
        return place

    def decisions(self, row: int) -> Decisions:
        return self._order[row]

    def complete(self, space: Space) -> bool:
        return True

    def said(self) -> str:
        return "an answer for every architecture of its space"

    def values(self, place: int) -> Values:
        """The column at a place, of the rows there are now."""
        return self._values[: len(self._order), place]


class _Columns(Mapping[str, "Values | Mapping[int, Values]"]):
    """The columns of growing rows by their names, and by their epochs."""

    def __init__(self, rows: GrowingRows, metrics: Sequence[Metric]) -> None:
        self._rows = rows
        self._places: dict[str, tuple[int, tuple[int, ...]]] = {}
        place = 0
        for metric in metrics:
            self._places[metric.name] = place, metric.epochs
            place += max(len(metric.epochs), 1)

    def __getitem__(self, name: str) -> Values | Mapping[int, Values]:
        place, epochs = self._places[name]
        if not epochs:
            return self._rows.values(place)
        return {epoch: self._rows.values(place + number) for number, epoch in enumerate(epochs)}

    def __iter__(self) -> Iterator[str]:
        return iter(self._places)

    def __len__(self) -> int:
        return len(self._places)

    def values_of(self, name: str, epoch: int | None) -> Values:
        """The values of a metric at one of its epochs, the last if None; those of other epochs are not looked at."""
        return self._rows.values(self.place(name, epoch))

    def place(self, name: str, epoch: int | None) -> int:
        """Where the value of a metric stands among those of an answer."""
        place, epochs = self._places[name]
        return place + (len(epochs) - 1 if epoch is None else epochs.index(epoch)) if epochs else place


class Surrogate(Benchmark):
    """A benchmark that answers for every architecture of its space.

    Its rows are the architectures asked for so far: ``index`` makes a new row for a new one, so a column got before
    is shorter than one got after. Its optimum is not known.

    Args:
        name: Of the benchmark.
        dataset: Which part of it.
        space: The space it answers for.
        metrics: What it answers.
        answer: The value of each metric, or of each of its epochs, in this order, for decisions.
        spread: The standard deviation of a run for each of these, where it is known.
        options: ``signal``, ``verdict``, ``cost``, ``source`` as for ``Benchmark``.
    """

    grows = True

    def __init__(
        self,
        name: str,
        dataset: str,
        space: Space,
        metrics: Sequence[Metric],
        answer: Answer,
        *,
        spread: Answer | None = None,
        **options: Any,
    ) -> None:
        rows = GrowingRows(answer, sum(max(len(metric.epochs), 1) for metric in metrics))
        self._spreads: dict[int, Values] = {}
        self._asked_for, self._spread, self._held = answer, spread, _Columns(rows, metrics)
        super().__init__(name, dataset, space, rows, metrics, self._held, **options)

    def column(self, metric: str | None = None, epoch: int | None = None) -> Values:
        """The values of the architectures asked for so far: (rows,)."""
        return self.runs(self.metric(metric).name, epoch)

    def query(
        self, a: Architecture, metric: str | None = None, epoch: int | None = None, seed: int | None = None
    ) -> float:
        """The prediction for an architecture, or with a seed what a run with it might give.

        The noise of a seed is normal, and the same for the same architecture, metric, epoch and seed.

        Raises:
            NotInTable: If it has no such metric or epoch, or a seed is given and the noise of runs is not known.
        """
        value = super().query(a, metric, epoch)
        return value if seed is None else self.drawn(self.row(a) or 0, seed, metric, epoch)

    def at(self, row: int, metric: str | None = None, epoch: int | None = None) -> float:
        """The prediction in a row."""
        return float(self.runs(metric, epoch)[row])

    def runs(self, metric: str | None = None, epoch: int | None = None) -> Values:
        """The values of the architectures asked for so far: (rows,)."""
        described = self.metric(metric)
        if epoch is not None and epoch not in described.epochs:
            return super().runs(metric, epoch)  # says what is there
        return self._held.values_of(described.name, epoch)

    @property
    def noisy(self) -> bool:
        """Whether it knows how much runs differ."""
        return self._spread is not None

    def drawn(self, row: int, seed: int, metric: str | None = None, epoch: int | None = None) -> float:
        """What a run with a seed might give in a row.

        Raises:
            NotInTable: If the noise of runs is not known.
        """
        if self._spread is None:
            raise NotInTable(f"{self.title} does not know how much runs differ, so it has no seed {seed!r}")
        described, decisions = self.metric(metric), self.rows.decisions(row)
        epoch = described.epochs[-1] if epoch is None and described.epochs else epoch
        key = f"{seed} {described.name} {epoch} {decisions}".encode()
        rng = np.random.default_rng(int.from_bytes(hashlib.sha256(key).digest()[:8]))
        if row not in self._spreads:
            self._spreads[row] = np.asarray(self._spread(decisions), dtype=np.float64)
        spread = self._spreads[row][self._held.place(described.name, epoch)]
        return self.at(row, metric, epoch) + float(spread) * float(rng.standard_normal())

    def digest(self, *metrics: str) -> str:
        """What tells its answers from those of another of the same name, by those for a few architectures."""
        made, rng = hashlib.sha256(self.space.fingerprint.encode()), np.random.default_rng(0)
        for _ in range(SAMPLED):
            with contextlib.suppress(NotInTable):  # it may not know all of its space
                answers = self._asked_for(self.space.sample(rng).decisions)
                made.update("/".join([repr(float(value)) for value in answers]).encode())
        return made.hexdigest()[:16]

    def optimum(self, metric: str | None = None, epoch: int | None = None) -> float:
        """Not known.

        Raises:
            NotInTable: Always.
        """
        raise NotInTable(f"{self.title} computes its answers; what the best of them is, is not known")
