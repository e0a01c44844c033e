"""HW-NAS-Bench (Li et al. 2021) and latencies of HELP and OneProxy: what networks cost on devices, without accuracy."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from nasturtium.benchmarks import hw_fbnet, nasbench201, sources, unpickle
from nasturtium.benchmarks.rows import DecisionRows
from nasturtium.benchmarks.surrogate import Surrogate
from nasturtium.benchmarks.table import Benchmark, BenchmarkError, Metric, Values
from nasturtium.spaces.fbnet import fbnet
from nasturtium.spaces.fbnet import read as read_fbnet
from nasturtium.spaces.nasbench201 import read as read_nasbench201

CELLS = 6
OPERATIONS = 5
UNITS = {"latency": "ms", "energy": "mJ", "arithmetic_intensity": "operations/byte"}


def prepared_201(path: Path, dataset: str) -> Benchmark:
    """Latencies of all 15,625 networks on 20 devices, and of 1,999 on 18 more where that table lies beside it."""
    frame = sources.table(path, needs=["arch"])
    rows = DecisionRows([read_nasbench201(text) for text in frame["arch"].to_list()])
    columns = {_latency(name): sources.numbers(frame, name, path) for name in frame.columns if name.endswith("_ms")}
    beside = path.with_name("latency_oneproxy_1999.parquet")
    if beside.exists():
        columns |= {name: held for name, held in _oneproxy(beside, rows).items() if name not in columns}
    return _table("hw_nas_bench_201", dataset, nasbench201.space(dataset), rows, columns, path)


def _oneproxy(path: Path, rows: DecisionRows) -> dict[str, Values]:
    """The 1,999 rows of OneProxy at the places of their networks; -1 stands for what was not measured."""
    frame = sources.table(path, needs=["encode"])
    places = [rows.index(_decoded(json.loads(code))) for code in frame["encode"].to_list()]
    found: dict[str, Values] = {}
    for name in frame.columns:
        if name == "encode":
            continue
        values, held = np.full(len(rows), np.nan), sources.numbers(frame, name, path)
        for place, value in zip(places, held, strict=True):
            if place is not None and value >= 0:
                values[place] = value
        origin, _, device = name.partition("_")
        found[f"latency_{device if origin in ('rice', 'true') else name}"] = values
    return found


def _decoded(code: list[int]) -> tuple[int, ...]:
    """The decisions of six groups of five, one of which is 1."""
    return tuple([code[OPERATIONS * cell : OPERATIONS * (cell + 1)].index(1) for cell in range(CELLS)])


def prepared_fbnet(path: Path, dataset: str) -> Benchmark:
    """Latencies of 5,000 sampled FBNets on 27 devices."""
    frame = sources.table(path, needs=["op_idx"])
    rows = DecisionRows([read_fbnet(text) for text in frame["op_idx"].to_list()])
    columns = {_latency(name): sources.numbers(frame, name, path) for name in frame.columns if name.endswith("_ms")}
    return _table("hw_nas_bench_fbnet", dataset, fbnet(), rows, columns, path)


def _latency(column: str) -> str:
    return f"latency_{column.removesuffix('_ms')}"


def official_201(path: Path, dataset: str) -> Benchmark:
    """Latency and energy on six devices from ``HW-NAS-Bench-v1_0.pickle``."""
    held = _opened(path, "nasbench201").get(nasbench201.DATASETS[dataset][0])
    if not isinstance(held, Mapping) or "config" not in held:
        raise BenchmarkError(f"{path} holds no {dataset!r} of nasbench201")
    rows = DecisionRows([read_nasbench201(each["arch_str"]) for each in held["config"]])
    columns = {_named(name): sources.floats(values) for name, values in held.items() if name != "config"}
    return _table("hw_nas_bench_201", dataset, nasbench201.space(dataset), rows, columns, path)


def official_fbnet(path: Path, dataset: str) -> Benchmark:
    """Latency and energy of any FBNet from the same file: sums over the tables of its blocks."""
    tables = {_named(name): table for name, table in _opened(path, "fbnet").items() if isinstance(table, Mapping)}
    metrics = [_metric(name) for name in tables]
    space = fbnet((3, 32, 32), 100, width=1.0) if dataset == "cifar100" else fbnet()
    first, answer = metrics[0].name, partial(hw_fbnet.totals, list(tables.values()), dataset, str(path))
    return Surrogate(
        "hw_nas_bench_fbnet", dataset, space, metrics, answer, signal=first, verdict=first, source=path.name
    )


def _opened(path: Path, part: str) -> Mapping[str, Any]:
    content = unpickle.load(path)
    if not isinstance(content, Mapping) or not isinstance(content.get(part), Mapping):
        raise BenchmarkError(f"{path} is no file of HW-NAS-Bench: it has no {part!r}")
    found: Mapping[str, Any] = content[part]
    return found


def _named(column: str) -> str:
    """``edgegpu_latency`` as ``latency_edgegpu``."""
    device, _, what = column.partition("_")
    return f"{what}_{device}"


def _metric(name: str) -> Metric:
    what = next((each for each in UNITS if name.startswith(each)), "latency")
    device, batch = name.removeprefix(what + "_"), ""
    found = re.fullmatch(r"(1080ti|2080ti|titan.*)_(\d+)", device)
    if found:
        device, batch = found[1], f", a batch of {found[2]}"
    return Metric(name, f"{what.capitalize().replace('_', ' ')} on {device}{batch}.", "cost", False, unit=UNITS[what])


def _table(
    name: str, dataset: str, space: Any, rows: DecisionRows, columns: Mapping[str, Values], path: Path
) -> Benchmark:
    first = "latency_raspi4" if "latency_raspi4" in columns else next(iter(columns))
    return Benchmark(
        name, dataset, space, rows, [_metric(each) for each in columns], columns,
        signal=first, verdict=first, source=path.name,
    )  # fmt: skip
