"""A benchmark of one's own from a table with a column of architectures."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from nasturtium.benchmarks import sources
from nasturtium.benchmarks.rows import DecisionRows, Decisions
from nasturtium.benchmarks.table import SPLITS, Benchmark, BenchmarkError, Metric, Values
from nasturtium.errors import NasturtiumError

if TYPE_CHECKING:
    from nasturtium.space.space import Space


def from_table(
    path: Path | str,
    space: Space,
    metrics: Mapping[str, Metric | str],
    *,
    column: str = "architecture",
    signal: str | None = None,
    verdict: str | None = None,
    cost: str | None = None,
    name: str | None = None,
    dataset: str = "",
) -> Benchmark:
    """A benchmark from a Parquet or CSV file.

    Rows of equal architectures are runs of one, told apart by seeds 0, 1, ...

    Args:
        path: The file.
        space: The space that the architectures are of.
        metrics: For each column of numbers its split (``validation``, ``test``, ``train``, ``cost`` or ``proxy``; less
            is better for a cost, more for all else), or a ``Metric``.
        column: The column of architectures, as text or in the notation of the space.
        signal: The metric a search may see; the first on the validation split if None.
        verdict: The metric that is reported; the first on the test split, or the signal, if None.
        cost: The metric with the seconds of a training.
        name: Of the benchmark; that of the space if None.
        dataset: What the numbers are from.

    Raises:
        BenchmarkError: If a column is missing, or holds something else than numbers; if an architecture cannot be read,
            or no metric can be the signal.
    """
    file = Path(path)
    described = {each: _metric(each, given) for each, given in metrics.items()}
    frame = sources.table(file, [column, *described], text=column)
    places: dict[Decisions, list[int]] = {}
    for row, text in enumerate(frame[column].to_list()):
        places.setdefault(read_decisions(space, text, file, row), []).append(row)
    if not places:
        raise BenchmarkError(f"{file} has no rows")
    repeats = max(map(len, places.values()))
    columns = {
        metric.name: _runs(sources.numbers(frame, each, file), places.values()) for each, metric in described.items()
    }
    kinds = [metric if repeats == 1 else replace(metric, repeats="seeds") for metric in described.values()]
    seen = signal or _first(kinds, "validation")
    if seen is None:
        raise BenchmarkError(f"no metric of {file} is on the validation split; say which one a search may see: signal=")
    return Benchmark(
        name or space.name, dataset, space, DecisionRows(list(places)), kinds, columns, source=file.name, signal=seen,
        verdict=verdict or _first(kinds, "test") or seen, cost=cost, seeds=tuple(range(repeats)) if repeats > 1 else (),
    )  # fmt: skip


def _runs(values: Values, places: Collection[list[int]]) -> Values:
    """The values of each architecture side by side: (architectures,) or (architectures, runs)."""
    repeats = max(map(len, places))
    held = np.full((len(places), repeats), np.nan)
    for row, runs in enumerate(places):
        held[row, : len(runs)] = values[runs]
    return held if repeats > 1 else held[:, 0]


def _metric(name: str, given: Metric | str) -> Metric:
    if isinstance(given, Metric):
        return given
    if given not in SPLITS:
        raise BenchmarkError(f"the column {name!r} has the split {given!r}; there are {', '.join(SPLITS)}")
    return Metric(name, f"The column {name}.", given, maximise=given != "cost")


def _first(metrics: list[Metric], split: str) -> str | None:
    return next((metric.name for metric in metrics if metric.split == split), None)


def read_decisions(space: Space, text: str, file: Path, row: int) -> Decisions:
    """The decisions of an architecture written in a row (from 0) of a file.

    Raises:
        BenchmarkError: If it is none of the space.
    """
    try:
        return space.read(str(text)).decisions
    except NasturtiumError as error:
        raise BenchmarkError(f"row {row + 1} of {file} holds no architecture of {space.name!r}: {error}") from None
