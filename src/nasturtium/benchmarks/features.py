"""Columns of a benchmark's table as features for predictors: zero-cost proxies, costs, the first epochs of curves."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nasturtium.benchmarks.listing import NotInTable
from nasturtium.benchmarks.table import Benchmark
from nasturtium.space.architecture import Architecture

Array = NDArray[Any]

COSTS = ("flops", "params")
"""Costs that NAS-Bench-Suite-Zero counts among the proxies, as they need no training."""


def proxy_names(benchmark: Benchmark, metric: str | None = None) -> list[str]:
    """The zero-cost proxies that a table holds where it has a metric; FLOPs and parameters are among them.

    Args:
        benchmark: The table.
        metric: What is to be predicted; the verdict if None.
    """
    known = np.isfinite(benchmark.column(metric or benchmark.verdict))
    proxies = [name for name, each in benchmark.metrics.items() if each.split == "proxy"]
    proxies += [name for name in COSTS if name in benchmark.metrics] if proxies else []
    return [name for name in proxies if np.isfinite(benchmark.column(name)[known]).any()]


def scored(benchmark: Benchmark, names: Sequence[str]) -> NDArray[np.bool_]:
    """Which rows all proxies were computed for, (rows,), whether they gave a number or failed.

    A proxy that failed has no number, but the seconds it took where the table tells them.
    """
    found = np.ones(len(benchmark), bool)
    for name in names:
        there = np.isfinite(benchmark.column(name))
        if f"{name}_seconds" in benchmark.metrics:
            there = there | np.isfinite(benchmark.column(f"{name}_seconds"))
        found &= there
    return found


def table_features(
    benchmark: Benchmark, metrics: Sequence[str], epochs: Sequence[int] | None = None
) -> Callable[[Sequence[Architecture]], Array]:
    """A function that gives the values of metrics for architectures, (n, metrics) or (n, metrics * epochs).

    Args:
        benchmark: The table.
        metrics: Their names.
        epochs: After which epochs; the end of training if None.

    Raises:
        NotInTable: If there is no such metric or epoch; the function raises it for architectures without a row.
    """
    columns = np.stack([benchmark.column(name, epoch) for name in metrics for epoch in epochs or (None,)], axis=1)

    def features(architectures: Sequence[Architecture]) -> Array:
        rows = [benchmark.row(each) for each in architectures]
        if None in rows:
            raise NotInTable(f"{architectures[rows.index(None)]} is not in {benchmark.title}, so it has no features")
        return np.asarray(columns[np.array(rows, np.int64)])

    return features
