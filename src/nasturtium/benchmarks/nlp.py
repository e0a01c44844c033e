"""NAS-Bench-NLP (Klyuchnikov et al. 2020): the prepared table of WikiText-2, and the authors' logs, one JSON a run."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from nasturtium.benchmarks import sources
from nasturtium.benchmarks.rows import DecisionRows, Decisions
from nasturtium.benchmarks.table import Benchmark, BenchmarkError, Metric
from nasturtium.errors import NasturtiumError
from nasturtium.space.signal import tokens
from nasturtium.space.space import Space
from nasturtium.spaces.nasbench_nlp import nasbench_nlp

FIELDS = ("recepie", "train_losses", "val_losses", "test_losses", "wall_times", "num_params")
"""What is read of each run; the first is spelt so in the files."""

LOSSES = {
    "val_loss": ("val_losses", "validation"),
    "test_loss": ("test_losses", "test"),
    "train_loss": ("train_losses", "train"),
}
LARGEST = 10_000_000
"""Bytes of the largest log that is read from a zip."""


@cache
def space() -> Space:
    """The space with the input of the benchmark, whose cells alone the tables tell apart."""
    return nasbench_nlp(tokens(70, 10_000))


def prepared(path: Path, dataset: str) -> Benchmark:
    """The prepared table of 345 runs on WikiText-2."""
    frame = sources.table(path, FIELDS)
    return _made(frame.iter_rows(named=True), dataset, path)


def official(path: Path, dataset: str) -> Benchmark:
    """The authors' ``logs.zip``, or a folder of its files."""
    return _made(_logs(path), dataset, path)


def _logs(path: Path) -> Iterator[Mapping[str, Any]]:
    if path.is_dir():
        for file in sorted(path.rglob("*.json")):
            yield sources.json_file(file)
        return
    with zipfile.ZipFile(path) as archive:
        for entry in sorted(archive.infolist(), key=lambda each: each.filename):
            if entry.filename.endswith(".json") and not Path(entry.filename).name.startswith("."):
                if entry.file_size > LARGEST:
                    raise BenchmarkError(f"{entry.filename} in {path} has {entry.file_size:,} bytes, no log of a run")
                yield json.loads(archive.read(entry))


def _made(runs: Iterable[Mapping[str, Any]], dataset: str, path: Path) -> Benchmark:
    """Runs of equal cells are repeats of one row; a run that ended in NaN is NaN from there on."""
    cells: dict[Decisions, list[Mapping[str, Any]]] = {}
    outside = 0
    for run in runs:
        try:
            cells.setdefault(space().from_notation(run["recepie"]).decisions, []).append(run)
        except NasturtiumError:
            outside += 1
        except KeyError as error:
            raise BenchmarkError(f"{path} holds a log without {error}") from None
    if not cells:
        raise BenchmarkError(f"{path} holds no logs of cells that the space nasbench_nlp knows")
    repeats = max(map(len, cells.values()))
    length = max(len(run["val_losses"]) for held in cells.values() for run in held)
    epochs = tuple(range(1, length + 1))
    columns: dict[str, Any] = {"params": np.array([float(held[0]["num_params"]) for held in cells.values()])}
    metrics = []
    for name, (field, split) in LOSSES.items():
        columns[name] = _curves(cells, field, repeats, epochs)
        meaning = f"Cross-entropy per word on the {split} split after each epoch; its exponential is the perplexity."
        metrics.append(Metric(name, meaning, split, maximise=False, epochs=epochs, repeats="seeds", unit="nats"))
    columns["train_seconds"] = _curves(cells, "wall_times", repeats, epochs, total=True)
    metrics += [
        Metric("train_seconds", "Seconds up to the end of each epoch.", "cost", False, epochs, "seeds", "s"),
        Metric("params", "Parameters, embeddings included.", "cost", maximise=False),
    ]
    note = f" ({outside} runs of cells outside the space left out)" if outside else ""
    return Benchmark(
        "nasbench_nlp", dataset, space(), DecisionRows(list(cells)), metrics, columns, seeds=tuple(range(repeats)),
        signal="val_loss", verdict="test_loss", cost="train_seconds", source=path.name + note,
    )  # fmt: skip


def _curves(
    cells: Mapping[Decisions, list[Mapping[str, Any]]],
    field: str,
    repeats: int,
    epochs: tuple[int, ...],
    total: bool = False,
) -> dict[int, Any]:
    held = np.full((len(epochs), len(cells), repeats), np.nan, dtype=np.float32)
    for row, runs in enumerate(cells.values()):
        for place, run in enumerate(runs):
            line = sources.floats(run[field])
            held[: len(line), row, place] = np.cumsum(line) if total else line
    return {epoch: held[epoch - 1] for epoch in epochs}
