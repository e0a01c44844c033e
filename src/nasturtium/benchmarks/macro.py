"""NAS-Bench-Macro (Su et al. 2021): the prepared table, and the authors' JSON file."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import numpy as np

from nasturtium.benchmarks import sources
from nasturtium.benchmarks.rows import DecisionRows
from nasturtium.benchmarks.table import Benchmark, BenchmarkError, Metric, Values
from nasturtium.space.space import Space
from nasturtium.spaces.nasbench_macro import nasbench_macro, read

RUNS = (0, 1, 2)

METRICS = (
    Metric("test_accuracy", "Accuracy on the 10,000 test images, of three trainings on all 50,000 others; there is no "
           "validation split.", "test", repeats="seeds", unit="%"),
    Metric("params", "Parameters.", "cost", maximise=False),
    Metric("flops", "What the authors call FLOPs: multiply-accumulates.", "cost", maximise=False),
)  # fmt: skip


@cache
def space() -> Space:
    """The space as published."""
    return nasbench_macro()


def prepared(path: Path, dataset: str) -> Benchmark:
    """The prepared table of all 6,561 networks."""
    frame = sources.table(path, needs=["arch"])
    runs = sources.several(frame, [f"test_acc_{run}" for run in RUNS], path)
    params, flops = (sources.numbers(frame, name, path) for name in ("params", "flops"))
    return _made(frame["arch"].to_list(), runs, params, flops, path)


def official(path: Path, dataset: str) -> Benchmark:
    """The authors' ``nas-bench-macro_cifar10.json``."""
    held = sources.json_file(path)
    try:
        runs = np.array([each["test_acc"] for each in held.values()], dtype=np.float64)
        params, flops = (sources.floats(each[key] for each in held.values()) for key in ("params", "flops"))
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise BenchmarkError(f"{path} is no file of NAS-Bench-Macro: {error!r}") from None
    return _made(list(held), runs, params, flops, path)


def _made(texts: list[str], runs: Values, params: Values, flops: Values, path: Path) -> Benchmark:
    columns = {"test_accuracy": runs, "params": params, "flops": flops}
    return Benchmark(
        "nasbench_macro", "cifar10", space(), DecisionRows([read(text) for text in texts]), METRICS, columns,
        signal="test_accuracy", verdict="test_accuracy", seeds=RUNS, source=path.name,
    )  # fmt: skip
