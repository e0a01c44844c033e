"""NAS-Bench Event Sequences (Udovichenko et al. 2024): the prepared table, and the authors' zip of JSON files."""

from __future__ import annotations

import json
import re
import zipfile
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from nasturtium.benchmarks import sources
from nasturtium.benchmarks.rows import DecisionRows
from nasturtium.benchmarks.table import Benchmark, BenchmarkError, Metric, Values
from nasturtium.space.signal import tokens
from nasturtium.space.space import Space
from nasturtium.spaces.seqnas import seqnas

CLASSES = {"AGE": 4}
"""Classes of the data sets that have more than two."""

LARGEST = 100_000
"""Bytes of the largest JSON file that is read from the zip."""


@cache
def space(data: str) -> Space:
    """The space for a data set; ``TaoBao`` has no numeric features, so there is no stem to choose."""
    return seqnas(tokens(96, 100) if data == "TaoBao" else (96, 1), CLASSES.get(data, 2))


def prepared(path: Path, dataset: str) -> Benchmark:
    """One run of one data set of the prepared table, such as ``random_sampling/ABank``."""
    import polars

    search, _, data = dataset.partition("/")
    chosen = (polars.col("search") == search) & (polars.col("dataset") == data)
    frame = sources.table(path, ["search", "dataset", "arch_code", "score", "params"]).filter(chosen)
    codes, scores = frame["arch_code"].to_list(), sources.numbers(frame, "score", path)
    return _made(dataset, codes, scores, sources.numbers(frame, "params", path), path)


def official(path: Path, dataset: str) -> Benchmark:
    """The authors' ``nas-bench-event-sequences.zip``, or the folder that is in it."""
    codes, scores, params = [], [], []
    for name, content in _files(path, dataset):
        found = re.search(r"FlexibleTransformer_(\d+)_params", name)
        codes.append("".join(str(int(bit)) for bit in content["arch_code"]))
        scores.append(float(content["score"]))
        params.append(float(found[1]) if found else np.nan)
    return _made(dataset, codes, np.array(scores), np.array(params), path)


def _files(path: Path, dataset: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """Names and contents of the files of one run on one data set."""
    if path.is_dir():
        for file in sorted(path.glob(f"{dataset}/*.json")):
            yield file.name, sources.json_file(file)
        return
    with zipfile.ZipFile(path) as archive:
        for entry in sorted(archive.infolist(), key=lambda each: each.filename):
            if f"/{dataset}/" in f"/{entry.filename}" and entry.filename.endswith(".json"):
                if entry.file_size > LARGEST:
                    raise BenchmarkError(f"{entry.filename} in {path} has {entry.file_size:,} bytes, no architecture")
                yield entry.filename, json.loads(archive.read(entry))


def _made(dataset: str, codes: Sequence[str], scores: Values, params: Values, path: Path) -> Benchmark:
    if not codes:
        raise BenchmarkError(f"{path} holds no {dataset!r}")
    data = dataset.rpartition("/")[2]
    name, what = ("val_accuracy", "Accuracy") if data == "AGE" else ("val_auc", "Area under the ROC curve")
    biased = "" if dataset.startswith("random") else " The rows are those that a search visited."
    metrics = [
        Metric(name, f"{what} on the validation split at the best epoch of one training.{biased}", "validation"),
        Metric(
            "params", "Parameters, embeddings and every option of the layers in use counted.", "cost", maximise=False
        ),
    ]
    rows = DecisionRows([space(data).from_notation(code).decisions for code in codes])
    return Benchmark(
        "event_sequences", dataset, space(data), rows, metrics, {name: scores, "params": params},
        signal=name, verdict=name, source=path.name,
    )  # fmt: skip
