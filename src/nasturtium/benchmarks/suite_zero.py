"""NAS-Bench-Suite-Zero (Krishnakumar et al. 2022): zero-cost proxies of networks, beside NASLib's accuracies."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterable
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from nasturtium.benchmarks import graph_rows, nasbench201, sources, transnas
from nasturtium.benchmarks.joining import aligned, places_in
from nasturtium.benchmarks.rows import DecisionRows, Decisions, Rows
from nasturtium.benchmarks.table import Benchmark, BenchmarkError, Metric, Values
from nasturtium.errors import NasturtiumError
from nasturtium.space.space import Space
from nasturtium.spaces.darts import darts
from nasturtium.spaces.nasbench101 import nasbench101

PROXIES = (
    "epe_nas", "fisher", "grad_norm", "grasp", "jacov", "l2_norm", "nwot", "plain", "snip", "synflow", "zen",
)  # fmt: skip
COSTS = {"flops": "M", "params": "M"}
"""What counts as a proxy there and needs no data."""

EDGES_201 = (0, 1, 3, 2, 4, 5)
"""For each edge in the order of the published string its place in NASLib's tuple."""

OPERATIONS_201 = (1, 0, 3, 2, 4)
"""For each operation in NASLib's order its number in the published order."""


def _nasbench201(text: str) -> Decisions:
    taken = _numbers(text)
    return tuple([OPERATIONS_201[taken[place]] for place in EDGES_201])


def _micro(text: str) -> Decisions:
    return _numbers(text)


def _macro(text: str) -> Decisions:
    return transnas.space("macro", "jigsaw").from_notation("".join(map(str, _numbers(text)))).decisions


def _darts(text: str) -> Decisions:
    return _darts_space().from_notation(text).decisions


@cache
def _darts_space() -> Space:
    return darts()


@cache
def _nasbench101_space() -> Space:
    return nasbench101()


def _numbers(text: str) -> tuple[int, ...]:
    """The numbers of a written tuple.

    Raises:
        BenchmarkError: If it is none.
    """
    try:
        found = ast.literal_eval(text)
    except (ValueError, SyntaxError, RecursionError, MemoryError):
        found = None
    if not isinstance(found, tuple | list) or not all(type(number) is int for number in found):
        raise BenchmarkError(f"{text[:80]!r} is no tuple of numbers, as NASLib writes architectures")
    return tuple(found)


READ: dict[str, Callable[[str], Decisions]] = {
    "nasbench201": _nasbench201,
    "transbench101_micro": _micro,
    "transbench101_macro": _macro,
    "nasbench301": _darts,
}


def space_of(name: str, dataset: str) -> Space:
    """Our space for one of NASLib's names."""
    if name == "nasbench201":
        return nasbench201.space(dataset if dataset in nasbench201.DATASETS else "cifar10")
    if name.startswith("transbench101_"):
        return transnas.space(name.removeprefix("transbench101_"), dataset)
    return _nasbench101_space() if name == "nasbench101" else _darts_space()


def prepared(path: Path, dataset: str) -> Benchmark:
    """One space and data set of the prepared table, such as ``transbench101_micro/jigsaw``."""
    import polars

    name, _, data = dataset.partition("/")
    chosen = (polars.col("space") == name) & (polars.col("dataset").str.to_lowercase() == data.lower())
    frame = sources.table(path, needs=("space", "dataset", "arch")).filter(chosen)
    if not len(frame):
        raise BenchmarkError(f"{path} holds no {dataset!r}")
    columns = {each: sources.numbers(frame, each, path) for each in ("val_accuracy", *PROXIES, *COSTS)}
    columns |= {f"{each}_seconds": sources.numbers(frame, f"{each}_time_s", path) for each in PROXIES}
    beside = path.parent.parent / "nats_tss" / "nats_tss.parquet"
    same = name == "nasbench201" and data.lower() in nasbench201.DATASETS and beside.exists()
    known = nasbench201.prepared(beside, data.lower()) if same else None
    return _made(dataset, frame["arch"].to_list(), columns, path, known)


def official(path: Path, dataset: str) -> Benchmark:
    """One data set of a file ``zc_<space>.json``: {data set: {architecture: {val_accuracy, proxy: {score, time}}}}."""
    data = dataset.partition("/")[2]
    content = sources.json_file(path)
    held = next((each for key, each in content.items() if key.lower() == data.lower()), None)
    if not isinstance(held, dict):
        raise BenchmarkError(f"{path} holds {', '.join(content)}, not {data!r}")
    columns = {"val_accuracy": sources.floats(each.get("val_accuracy") for each in held.values())}
    for proxy in (*PROXIES, *COSTS):
        columns[proxy] = sources.floats((each.get(proxy) or {}).get("score") for each in held.values())
        columns[f"{proxy}_seconds"] = sources.floats((each.get(proxy) or {}).get("time") for each in held.values())
    return _made(dataset, list(held), columns, path, None)


def _made(dataset: str, texts: list[str], columns: dict[str, Values], path: Path, known: Benchmark | None) -> Benchmark:
    name, _, data = dataset.lower().partition("/")
    rows = _rows(name, texts)
    accuracy = columns.pop("val_accuracy")
    metrics: list[Metric] = []
    signal = verdict = ""
    if np.isfinite(accuracy).any() and name == "nasbench201" and data in nasbench201.DATASETS:
        columns["naslib_accuracy"], verdict = accuracy, "naslib_accuracy"
        metrics.append(Metric("naslib_accuracy", NASLIB_201, "test", unit="%"))
    elif np.isfinite(accuracy).any():
        columns["val_accuracy"], signal, verdict = accuracy, "val_accuracy", "val_accuracy"
        metrics.append(Metric("val_accuracy", NASLIB, "validation", unit="%"))
    if known is not None:
        places = places_in(known, rows, space_of(name, data))
        for metric, split in (("val_accuracy", "validation"), ("test_accuracy", "test")):
            columns[metric] = aligned(places, known.column(metric))
            metrics.append(Metric(metric, known.metric(metric).meaning, split, unit="%"))
        signal, verdict = "val_accuracy", "test_accuracy"
    metrics += [metric for metric in _proxies() if metric.name in columns and np.isfinite(columns[metric.name]).any()]
    kept = {metric.name: sources.masked(columns[metric.name]) for metric in metrics}
    signal = signal or verdict or metrics[0].name
    return Benchmark(
        "suite_zero", dataset, space_of(name, data), rows, metrics, kept,
        signal=signal, verdict=verdict or signal, source=path.name,
    )  # fmt: skip


NASLIB = "NASLib's validation accuracy; which record of the original benchmark it is has not been checked."
NASLIB_201 = (
    "What NASLib calls validation accuracy and is, where it was checked, a test accuracy of seed 888: no signal."
)


def _proxies() -> Iterable[Metric]:
    for proxy in PROXIES:
        scaled = ", logarithmic as NASLib gives it" if proxy == "synflow" else ""
        yield Metric(proxy, f"The zero-cost proxy {proxy}{scaled}; failures are left out.", "proxy")
    for cost, unit in COSTS.items():
        yield Metric(cost, f"{cost.capitalize()} as NASLib counts them.", "cost", maximise=False, unit=unit)
    for proxy in (*PROXIES, *COSTS):
        yield Metric(f"{proxy}_seconds", f"Seconds it took to compute {proxy}.", "cost", maximise=False, unit="s")


def _rows(name: str, texts: list[str]) -> Rows:
    if name == "nasbench101":
        return graph_rows.from_specifications([_written(text) for text in texts])
    try:
        return DecisionRows([READ[name](text) for text in texts])
    except NasturtiumError as error:
        raise BenchmarkError(f"an architecture of {name!r} cannot be read: {error}") from None


LABELS = ("input", "output", "maxpool3x3", "conv1x1-bn-relu", "conv3x3-bn-relu")
"""NASLib's numbers of the operations of NAS-Bench-101."""


def _written(text: str) -> str:
    """The notation of NAS-Bench-101 for a flattened adjacency matrix and the numbers of the operations."""
    numbers: Any = _numbers(text)
    count = int((1 + 4 * len(numbers)) ** 0.5 - 1) // 2
    bits, labels = numbers[: count * count], numbers[count * count :]
    return "".join(map(str, bits)) + " " + ",".join(LABELS[label] for label in labels)
