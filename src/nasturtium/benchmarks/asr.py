"""NAS-Bench-ASR (Mehrotra et al. 2021): the authors' pickles of trainings, devices and sizes."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from nasturtium.benchmarks import unpickle
from nasturtium.benchmarks.rows import Decisions, KeyedRows
from nasturtium.benchmarks.table import Benchmark, BenchmarkError, Metric
from nasturtium.space.space import Space
from nasturtium.spaces.nasbench_asr import key, nasbench_asr, read

KEYS = 8_242
"""Published keys of the space."""


@cache
def space() -> Space:
    """The space with the published sizes."""
    return nasbench_asr(
        (None, 80), 49, filters=(600, 800, 1000, 1200), cells=(3, 4, 5, 6), groups=100, lstm=500, head="steps"
    )


@cache
def key_of(decisions: Decisions) -> str:
    """The published key of decisions."""
    return key(space().architecture(decisions))


def _opened(path: Path, kind: str) -> tuple[Mapping[str, Any], dict[str, list[Any]]]:
    """Header and rows (by the hash of the network) of one file: two pickles, one after the other."""
    header, rows = unpickle.load(path, count=2)
    if not isinstance(header, Mapping) or header.get("dataset_type") != kind:
        raise BenchmarkError(f"{path} is no {kind} file of NAS-Bench-ASR")
    return header, {name: rest for name, *rest in rows}


def official(path: Path, dataset: str) -> Benchmark:
    """The files ``nb-asr-e40-<seed>.pickle``, with ``nb-asr-bench-*.pickle`` and ``nb-asr-info.pickle`` beside them."""
    trained = [_opened(file, "training") for file in sorted(path.parent.glob("nb-asr-e40-*.pickle"))]
    first = trained[0][1]
    names, seeds = list(first), tuple(int(header["seed"]) for header, _ in trained)
    decisions = [read(json.dumps(rest[-1])) for rest in first.values()]
    length = max(len(rest[0]) for _, held in trained for rest in held.values())
    errors = np.full((length, len(names), len(seeds)), np.nan)
    tests = np.full((len(names), len(seeds)), np.nan)
    for place, (_, held) in enumerate(trained):
        for row, name in enumerate(names):
            if name in held:
                line, tests[row, place] = held[name][0], held[name][1]
                errors[: len(line), row, place] = line
    epochs = tuple(range(1, length + 1))
    columns: dict[str, Any] = {
        "val_error": {epoch: errors[epoch - 1] for epoch in epochs},
        "best_val_error": np.fmin.reduce(errors, axis=0),
        "test_error": tests,
    }
    metrics = [
        Metric("val_error", "Phoneme error rate on the validation split after each epoch.", "validation", False, epochs,
               "seeds"),
        Metric("best_val_error", "The lowest phoneme error rate on the validation split.", "validation", False,
               repeats="seeds"),
        Metric("test_error", "Phoneme error rate on the test split.", "test", False, repeats="seeds"),
    ]  # fmt: skip
    _costs(path.parent, names, metrics, columns)
    rows = KeyedRows([key_of(each) for each in decisions], key_of, decisions.__getitem__, KEYS)
    return Benchmark(
        "nasbench_asr", dataset, space(), rows, metrics, columns, seeds=seeds, source=path.parent.name,
        signal="best_val_error", verdict="test_error",
    )  # fmt: skip


def _costs(folder: Path, names: list[str], metrics: list[Metric], columns: dict[str, Any]) -> None:
    """Latencies and sizes from the files that lie beside the trainings."""
    for file in sorted(folder.glob("nb-asr-bench-*.pickle")):
        header, held = _opened(file, "benchmarking")
        name = f"latency_{header['device']}".replace("-", "_")
        metrics.append(Metric(name, f"Latency on {header['device']} as the authors give it.", "cost", maximise=False))
        columns[name] = np.array([float(held[each][0]) if each in held else np.nan for each in names])
    info = folder / "nb-asr-info.pickle"
    if info.exists():
        header, held = _opened(info, "static")
        for place, name in enumerate(each for each in header["columns"][1:] if each in ("params", "flops")):
            metrics.append(Metric(name, f"What the authors call {name}.", "cost", maximise=False))
            columns[name] = np.array([float(held[each][place]) if each in held else np.nan for each in names])
