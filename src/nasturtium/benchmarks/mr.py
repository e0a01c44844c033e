"""NAS-Bench-MR (Ding et al. 2021): the prepared table of five settings, and the authors' pickles of nine."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from nasturtium.benchmarks import sources, unpickle
from nasturtium.benchmarks.rows import DecisionRows
from nasturtium.benchmarks.table import Benchmark, BenchmarkError, Metric, Values
from nasturtium.space.space import Space
from nasturtium.spaces.nasbench_mr import nasbench_mr, read

SCORES = {
    "top1": ("val_accuracy", "Top-1 accuracy", "%"),
    "top5": ("val_top5", "Top-5 accuracy", "%"),
    "mIoU": ("val_miou", "Mean intersection over union", "%"),
    "mAcc": ("val_class_accuracy", "Pixel accuracy, the mean over classes", "%"),
    "aAcc": ("val_accuracy", "Pixel accuracy", "%"),
}
"""What the file calls a score, our name, what it is, and its unit."""

COSTS = {
    "flops_g": ("flops", "Multiply-accumulates as the authors count them", "G"),
    "flops": ("flops", "Multiply-accumulates as the authors count them", "G"),
    "params_m": ("params", "Parameters", "M"),
    "params": ("params", "Parameters", "M"),
}

WHERE = " on the only split that is published for this setting, which serves as validation."


@cache
def space() -> Space:
    """The space as published."""
    return nasbench_mr()


def prepared(path: Path, dataset: str) -> Benchmark:
    """One setting of the prepared table: 2,507 networks out of 2^80."""
    import polars

    frame = sources.table(path, needs=("setting", "embedding")).filter(polars.col("setting") == dataset)
    if not len(frame):
        raise BenchmarkError(f"{path} holds no setting {dataset!r}")
    held = {
        name: values
        for name in (*SCORES, *COSTS)
        if name in frame.columns and not np.isnan(values := sources.numbers(frame, name, path)).all()
    }
    return _made(dataset, frame["embedding"].to_list(), held, path)


def official(path: Path, dataset: str) -> Benchmark:
    """One of the authors' files ``data/<setting>/trainval.pkl``: a list of dictionaries."""
    items = unpickle.load(path)
    if not isinstance(items, list) or not items or not isinstance(items[0], Mapping) or "embedding" not in items[0]:
        raise BenchmarkError(f"{path} is no file of NAS-Bench-MR: it is no list of dictionaries with an embedding")
    named = {name.lower(): name for name in (*SCORES, *COSTS)}
    held = {
        named.get(str(key).lower(), str(key)): sources.floats(each.get(key) for each in items)
        for key, value in items[0].items()
        if isinstance(value, int | float)
    }
    texts = [json.dumps([int(number) for number in each["embedding"]]) for each in items]
    return _made(dataset, texts, held, path)


def _made(dataset: str, texts: Sequence[str], held: Mapping[str, Values], path: Path) -> Benchmark:
    metrics: dict[str, Metric] = {}
    columns: dict[str, Any] = {}
    for key, values in held.items():
        if key in COSTS:
            name, what, unit = COSTS[key]
            metrics[name] = Metric(name, what + ".", "cost", maximise=False, unit=unit)
        else:
            name, what, unit = SCORES.get(key, (f"val_{key}", f"What the file calls {key}", ""))
            metrics[name] = Metric(name, what + WHERE, "validation", unit=unit)
        columns[name] = values
    signals = [name for name in ("val_miou", "val_accuracy", *metrics) if name in metrics]
    scores = [name for name in signals if metrics[name].split == "validation"]
    if not scores:
        raise BenchmarkError(f"{path} holds no score of {dataset!r}")
    return Benchmark(
        "nasbench_mr", dataset, space(), DecisionRows([read(text) for text in texts]), list(metrics.values()), columns,
        signal=scores[0], verdict=scores[0], source=path.name,
    )  # fmt: skip
