"""NAS-Bench-101 (Ying et al. 2019) from its tfrecord, its parts of NAS-Bench-1Shot1, and EC-NAS's new trainings."""

from __future__ import annotations

import base64
import json
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from nasturtium.benchmarks import graph_rows, sources, tfrecord
from nasturtium.benchmarks.rows import KeyedRows
from nasturtium.benchmarks.table import Benchmark, BenchmarkError, Metric, Values
from nasturtium.space.space import Space
from nasturtium.spaces.nasbench1shot1 import nasbench1shot1
from nasturtium.spaces.nasbench101 import nasbench101

REPEATS = (1, 2, 3)
FIELDS = ("val_accuracy", "test_accuracy", "train_accuracy", "train_seconds", "val_accuracy_halfway")
"""What is kept of each training."""

LABELS = {-1: "input", 0: "conv3x3-bn-relu", 1: "conv1x1-bn-relu", 2: "maxpool3x3", -2: "output"}
"""EC-NAS's numbers of the operations, which are those of the published hash."""


@cache
def space() -> Space:
    """The space as published."""
    return nasbench101()


class _Trainings:
    """Gathers trainings of graphs, record by record."""

    def __init__(self) -> None:
        self.places: dict[str, int] = {}
        self.texts: list[str] = []
        self.params: list[float] = []
        self.values: dict[int, Values] = {}  # by budget: (rows, repeats, fields)
        self.counts: dict[int, Any] = {}

    def add(self, record: bytes) -> None:
        """Take up one record: JSON of hash, epochs, matrix, operations, and metrics in base64."""
        key, epochs, matrix, operations, metrics = json.loads(record)
        row = self.places.get(key)
        found = tfrecord.training(base64.b64decode(metrics))
        if row is None:
            row = self.places[key] = len(self.texts)
            self.texts.append(f"{matrix} {operations}")
            self.params.append(float(found.params))
        self._room(epochs, row)
        repeat = self.counts[epochs][row]
        if repeat < len(REPEATS):
            half, end = found.evaluations[-2], found.evaluations[-1]
            self.values[epochs][row, repeat] = (end.validation, end.test, end.train, end.seconds, half.validation)
            self.counts[epochs][row] += 1

    def padded(self, epochs: int) -> Values:
        """The trainings of a budget, with a row for every graph: (rows, repeats, fields)."""
        self._room(epochs, max(len(self.texts) - 1, 0))
        return self.values[epochs]

    def _room(self, epochs: int, row: int) -> None:
        """Makes the arrays of a budget large enough for a row."""
        held = self.values.get(epochs)
        if held is None or row >= len(held):
            size = max(1024, 2 * row)
            grown = np.full((size, len(REPEATS), len(FIELDS)), np.nan, dtype=np.float32)
            counts = np.zeros(size, dtype=np.int8)
            if held is not None:
                grown[: len(held)], counts[: len(held)] = held, self.counts[epochs]
            self.values[epochs], self.counts[epochs] = grown, counts


def gathered(path: Path) -> _Trainings:
    """All trainings of a tfrecord file.

    Raises:
        BenchmarkError: If the file holds anything else.
    """
    table = _Trainings()
    for record in tfrecord.records(path):
        try:
            table.add(record)
        except (ValueError, TypeError, IndexError) as error:
            raise BenchmarkError(f"{path} is no file of NAS-Bench-101: {error!r}") from None
    if not table.texts:
        raise BenchmarkError(f"{path} holds no records")
    return table


def official(path: Path, dataset: str) -> Benchmark:
    """``nasbench_full.tfrecord`` or ``nasbench_only108.tfrecord``."""
    table = gathered(path)
    rows = graph_rows.from_hashes(list(table.places), table.texts)
    return _made("nasbench101", dataset, space(), rows, table, slice(len(rows)), path)


def one_shot(path: Path, dataset: str) -> Benchmark:
    """The graphs of NAS-Bench-101 that the sub-space 1, 2 or 3 of NAS-Bench-1Shot1 holds (Zela et al. 2020).

    Raises:
        BenchmarkError: If the file holds none.
    """
    table, part = gathered(path), nasbench1shot1(subspace=int(dataset))
    kept = [row for row, text in enumerate(table.texts) if graph_rows.readable(part, text)]
    if not kept:
        raise BenchmarkError(f"{path} holds no graph of the sub-space {dataset} of NAS-Bench-1Shot1")
    hashes, texts = list(table.places), [table.texts[row] for row in kept]
    rows = graph_rows.of_part(part, [hashes[row] for row in kept], texts)
    return _made("nasbench1shot1", dataset, part, rows, table, kept, path)


def _made(
    name: str, dataset: str, part: Space, rows: KeyedRows, table: _Trainings, kept: list[int] | slice, path: Path
) -> Benchmark:
    """Some rows of all trainings as a benchmark."""
    budgets = tuple(sorted(table.values))
    columns: dict[str, Any] = {
        field: {budget: table.padded(budget)[kept, :, place] for budget in budgets}
        for place, field in enumerate(FIELDS)
    }
    columns["params"] = np.array(table.params)[kept]
    return Benchmark(
        name, dataset, part, rows, _metrics(budgets, FIELDS), columns, seeds=REPEATS, source=path.name,
        signal="val_accuracy", verdict="test_accuracy", cost="train_seconds",
    )  # fmt: skip


def retrained(path: Path, dataset: str) -> Benchmark:
    """EC-NAS's own trainings of graphs of at most four or five vertices (Bakhtiarifard et al. 2024), with energy.

    Where both of its releases hold a network, those of the second are taken: one of its three runs is the first's.
    """
    import polars

    space_name, _, budget = dataset.removesuffix("epochs").partition("-")
    chosen = (polars.col("space") == space_name) & (polars.col("epoch") == polars.col("budget"))
    if dataset.startswith("5V9E"):  # few of the networks that were trained for 4 epochs were trained for 108
        chosen &= polars.col("budget") == int(budget or 108)
    frame = sources.table(path, needs=("space", "epoch", "budget", "hash")).filter(chosen)
    if not len(frame):
        raise BenchmarkError(f"{path} holds no trainings of {dataset!r}")
    once = frame.unique("hash", maintain_order=True)
    hashes = once["hash"].to_list()
    places = {key: row for row, key in enumerate(hashes)}
    budgets = tuple(sorted(frame["budget"].unique().to_list()))
    names = {"val_accuracy": "val_acc", "test_accuracy": "test_acc", "train_accuracy": "train_acc",
             "train_seconds": "train_time_s", "energy": "energy_kwh"}  # fmt: skip
    columns: dict[str, Any] = {
        name: {budget: np.full((len(hashes), len(REPEATS)), np.nan) for budget in budgets} for name in names
    }
    for run in frame.sort("origin").iter_rows(named=True):  # the second release overwrites the first
        for name, theirs in names.items():
            value = run[theirs]
            columns[name][run["budget"]][places[run["hash"]], run["repeat"] - 1] = np.nan if value is None else value
    columns["params"] = sources.numbers(once, "params", path)
    texts = [_written(json.loads(a), json.loads(b)) for a, b in once.select("adjacency", "labels").iter_rows()]
    rows = graph_rows.from_hashes(hashes, texts)
    return Benchmark(
        "nasbench101", dataset, space(), rows, _metrics(budgets, tuple(names)), columns, seeds=REPEATS,
        source=path.name, signal="val_accuracy", verdict="test_accuracy", cost="train_seconds",
    )  # fmt: skip


def _written(matrix: list[list[int]], labels: list[int]) -> str:
    return "".join(str(bit) for row in matrix for bit in row) + " " + ",".join(LABELS[label] for label in labels)


def _metrics(budgets: tuple[int, ...], fields: tuple[str, ...]) -> list[Metric]:
    """Metrics of trainings of several budgets, accuracies between 0 and 1."""
    meanings = {
        "val_accuracy": ("Accuracy on the validation split at the end of a training of so many epochs.", "validation"),
        "test_accuracy": ("Accuracy on the test split at the end of a training of so many epochs.", "test"),
        "train_accuracy": ("Accuracy on images of the training split at the end.", "train"),
        "val_accuracy_halfway": ("Validation accuracy in the middle of a training of so many epochs.", "validation"),
        "train_seconds": ("Seconds of a whole training of so many epochs, without evaluations.", "cost"),
        "energy": ("Kilowatt-hours of a whole training of so many epochs.", "cost"),
    }
    units = {"train_seconds": "s", "energy": "kWh"}
    found = [
        Metric(
            name,
            *meanings[name],
            maximise=name not in units,
            epochs=budgets,
            repeats="seeds",
            unit=units.get(name, ""),
            separate=True,
        )
        for name in fields
    ]
    return [*found, Metric("params", "Trainable parameters.", "cost", maximise=False)]
