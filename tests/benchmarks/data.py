"""The prepared tables for tests, where the folder with them is there."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import pytest

from nasturtium import benchmarks
from nasturtium.benchmarks import Benchmark

DATA = Path(__file__).resolve().parents[2].parent / "shared" / "data" / "benchmarks"
FIXTURES = DATA / "nats_official_fixtures"


def folder(name: str = "") -> Path:
    """The folder with the tables, or one of its parts; the test is skipped where it is missing."""
    if not (DATA / name).exists():
        pytest.skip(f"the published tables {name} are not here")
    return DATA / name


@cache
def _loaded(name: str, dataset: str) -> Benchmark:
    return benchmarks.load(name, dataset, DATA)


def table(name: str, dataset: str) -> Benchmark:
    """A benchmark from the prepared tables; the test is skipped where they are missing."""
    folder()
    return _loaded(name, dataset)
