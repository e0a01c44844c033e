"""Benchmarks: published tables of results that answer in place of a training."""

from __future__ import annotations

from nasturtium.benchmarks.building import build
from nasturtium.benchmarks.built import read_built
from nasturtium.benchmarks.catalogue import check, load
from nasturtium.benchmarks.fitted import FittedSurrogate, load_surrogate
from nasturtium.benchmarks.fitting import fit_surrogate
from nasturtium.benchmarks.joining import join
from nasturtium.benchmarks.own import from_table
from nasturtium.benchmarks.published import BENCHMARKS, Published, Reader
from nasturtium.benchmarks.rows import DecisionRows, KeyedRows, Rows
from nasturtium.benchmarks.surrogate import Surrogate
from nasturtium.benchmarks.table import Benchmark, BenchmarkError, Metric, NotInTable

__all__ = [
    "BENCHMARKS",
    "Benchmark",
    "BenchmarkError",
    "DecisionRows",
    "FittedSurrogate",
    "KeyedRows",
    "Metric",
    "NotInTable",
    "Published",
    "Reader",
    "Rows",
    "Surrogate",
    "build",
    "check",
    "fit_surrogate",
    "from_table",
    "join",
    "load",
    "load_surrogate",
    "read_built",
]
