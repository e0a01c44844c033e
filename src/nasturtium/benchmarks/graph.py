"""NAS-Bench-Graph (Qin et al. 2022): the prepared table, the files of its package, and the curves of three seeds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache, lru_cache, partial
from pathlib import Path
from typing import Any

import numpy as np

from nasturtium.benchmarks import sources, unpickle
from nasturtium.benchmarks.rows import Decisions, KeyedRows
from nasturtium.benchmarks.table import Benchmark, BenchmarkError, Columns, Metric
from nasturtium.space.signal import edges, nodes
from nasturtium.space.space import Space
from nasturtium.spaces.graph_trees import LINKS, published_key, read
from nasturtium.spaces.nasbench_graph import SETTINGS, nasbench_graph

GRAPHS = {
    "cora": (2_708, 1_433, 7), "citeseer": (3_327, 3_703, 6), "pubmed": (19_717, 500, 3), "cs": (18_333, 6_805, 15),
    "physics": (34_493, 8_415, 5), "photo": (7_650, 745, 8), "computers": (13_752, 767, 10),
    "arxiv": (169_343, 128, 40), "proteins": (132_534, 8, 112),
}  # fmt: skip
"""Nodes, features and outputs of each data set."""

KEYS = 26_206
"""Published keys of the whole space; ``proteins`` was trained with fewer operations: 2,021."""

MEASURES = ("train_accuracy", "val_accuracy", "test_accuracy", "train_loss", "val_loss", "test_loss")
"""What the curves hold at places 0 to 5 of each epoch."""


@cache
def space(dataset: str) -> Space:
    """The space for a data set, with the options that give the published parameters where they are known."""
    count, features, outputs = GRAPHS[dataset]
    return nasbench_graph((nodes(count, features), edges()), outputs, **SETTINGS.get(dataset, {}))


@lru_cache(maxsize=100_000)
def key_of(decisions: Decisions) -> int:
    """The published key of decisions."""
    return published_key(LINKS[decisions[0]], decisions[1:])


def rows(keys: Sequence[int], dataset: str) -> KeyedRows:
    """Rows by the published key."""
    return KeyedRows(keys, key_of, partial(_decisions, keys), None if dataset == "proteins" else KEYS)


def _decisions(keys: Sequence[int], row: int) -> Decisions:
    return read(str(keys[row]))


def light_metrics(dataset: str) -> list[Metric]:
    """What the light version holds."""
    what = "ROC AUC" if dataset == "proteins" else "Accuracy"
    return [
        Metric("val_accuracy", f"{what} on the validation nodes, between 0 and 1, the mean over three seeds.",
               "validation"),
        Metric("test_accuracy", f"{what} on the test nodes, between 0 and 1.", "test"),
        Metric("latency", "Latency as the authors give it; by its size, seconds.", "cost", maximise=False, unit="s"),
        Metric("params", "Parameters, weights that are never used counted too.", "cost", maximise=False, unit="M"),
    ]  # fmt: skip


LIGHT = {"val_accuracy": "valid_perf", "test_accuracy": "perf", "latency": "latency", "params": "para"}
"""Our names, and those of the files."""


def prepared(path: Path, dataset: str) -> Benchmark:
    """One data set of the prepared table."""
    import polars

    frame = sources.table(path, ["dataset", "hash", *LIGHT.values()]).filter(polars.col("dataset") == dataset)
    if not len(frame):
        raise BenchmarkError(f"{path} holds no data set {dataset!r}")
    columns = {name: sources.numbers(frame, theirs, path) for name, theirs in LIGHT.items()}
    return _light(frame["hash"].to_list(), columns, dataset, path.name)


def packaged(folder: Path, dataset: str) -> Benchmark:
    """What the package nas-bench-graph carries."""
    return light(folder / "light" / f"{dataset}.bench", dataset)


def light(path: Path, dataset: str) -> Benchmark:
    """A file ``light/<dataset>.bench`` of the authors, or the curves ``<dataset>0.bench`` to ``<dataset>2.bench``."""
    held = unpickle.load(path)
    first = next(iter(held.values()), None) if isinstance(held, Mapping) else None
    if not isinstance(first, Mapping):
        raise BenchmarkError(f"{path} is no file of NAS-Bench-Graph: it holds no architectures by their key")
    if "dur" in first:
        return curves(path, held, dataset)
    columns = {name: sources.floats(each[theirs] for each in held.values()) for name, theirs in LIGHT.items()}
    return _light(list(held), columns, dataset, path.name)


def _light(keys: list[int], columns: Columns, dataset: str, source: str) -> Benchmark:
    return Benchmark(
        "nasbench_graph", dataset, space(dataset), rows(keys, dataset), light_metrics(dataset), columns,
        signal="val_accuracy", verdict="test_accuracy", source=source,
    )  # fmt: skip


def curves(path: Path, first: Mapping[int, Any], dataset: str) -> Benchmark:
    """The complete version: scores and losses after each epoch, the mean over the files of the seeds that are there."""
    files = [path.with_name(f"{dataset}{seed}.bench") for seed in range(3)]
    found = [file for file in files if file.exists()] or [path]
    keys, length = list(first), max(len(each["dur"]) for each in first.values())
    total = np.zeros((len(MEASURES), len(keys), length), dtype=np.float32)
    for file in found:
        held = first if file == path else unpickle.load(file)
        for row, key in enumerate(keys):
            line = np.full((length, len(MEASURES)), np.nan, dtype=np.float32)
            measured = np.array([each[: len(MEASURES)] for each in held[key]["dur"]], dtype=np.float32)
            line[: len(measured)] = measured
            total[:, row] += line.T
    total /= len(found)
    epochs = tuple(range(1, length + 1))
    splits = {"train": "train", "val": "validation", "test": "test"}
    metrics = [
        Metric(name, f"{name.split('_')[1].capitalize()} on the {splits[name.split('_')[0]]} nodes after each epoch, "
               f"mean over {len(found)} seeds.", splits[name.split("_")[0]], "loss" not in name, epochs)
        for name in MEASURES
    ]  # fmt: skip
    columns: Columns = {
        name: {epoch: total[place, :, epoch - 1] for epoch in epochs} for place, name in enumerate(MEASURES)
    }
    return Benchmark(
        "nasbench_graph", dataset, space(dataset), rows(keys, dataset), metrics, columns,
        signal="val_accuracy", verdict="test_accuracy", source=path.name,
    )  # fmt: skip
