"""Puts the metrics of one benchmark beside those of another on the same architectures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from nasturtium.benchmarks.listing import Listing
from nasturtium.benchmarks.rows import Rows
from nasturtium.benchmarks.table import Benchmark, BenchmarkError, NotInTable, Values, mean_of_runs
from nasturtium.space.architecture import Architecture

if TYPE_CHECKING:
    from nasturtium.space.space import Space


def places_in(other: Benchmark, rows: Rows, space: Space) -> list[int | None]:
    """The row of another benchmark that holds the architecture of each row of a table; None where it has none.

    Where the spaces are the same the same decisions make the same architecture; where they are not, each architecture
    is looked for.
    """
    if space is other.space or space.fingerprint == other.space.fingerprint:
        return [other.index(rows.decisions(row)) for row in range(len(rows))]
    return [_place(other, architecture) for architecture in Listing(space, rows)]


def _place(other: Benchmark, architecture: Architecture) -> int | None:
    try:
        return other.row(architecture)
    except NotInTable:
        return None


def aligned(places: Sequence[int | None], values: Values) -> Values:
    """Values at some rows of their table; NaN where there is none."""
    found = np.full((len(places), *values.shape[1:]), np.nan)
    held = [row for row, place in enumerate(places) if place is not None]
    found[held] = values[[place for place in places if place is not None]]
    return found


def join(first: Benchmark, second: Benchmark, metrics: Sequence[str] | None = None) -> Benchmark:
    """The first benchmark with metrics of the second: accuracies with latencies, say.

    Args:
        first: Its rows, signal, verdict and cost stay.
        second: A benchmark on a space of the same name and notation.
        metrics: Which of its metrics; all that the first does not have if None.

    Raises:
        BenchmarkError: If the spaces differ, a metric is in both, or nothing is common.
    """
    if first.space.name != second.space.name:
        raise BenchmarkError(f"{first.title} is on {first.space.name!r}, {second.title} on {second.space.name!r}")
    names = [name for name in second.metrics if name not in first.metrics] if metrics is None else list(metrics)
    both = [name for name in names if name in first.metrics]
    if both:
        raise BenchmarkError(f"{first.title} has {both[0]!r} already; leave it out of metrics")
    places = places_in(second, first.rows, first.space)
    if not any(place is not None for place in places):
        raise BenchmarkError(f"no architecture of {first.title} is in {second.title}")
    columns: dict[str, Any] = {name: first.held(name) for name in first.metrics}
    for name in names:
        held = second.held(name)
        parts = held if isinstance(held, Mapping) else {None: held}
        taken = {epoch: _mean(aligned(places, values)) for epoch, values in parts.items()}
        columns[name] = taken if isinstance(held, Mapping) else taken[None]
    kept = [*first.metrics.values(), *[replace(second.metric(name), repeats="mean") for name in names]]
    return Benchmark(
        first.name, first.dataset, first.space, first.rows, kept, columns, signal=first.signal, verdict=first.verdict,
        cost=first.cost, seeds=first.seeds, source=f"{first.source}, {second.source}",
    )  # fmt: skip


def _mean(values: Values) -> Values:
    return values if values.ndim == 1 else mean_of_runs(values)
