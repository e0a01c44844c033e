"""Published tables for tests, where the folder with them is there."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

DATA = Path(__file__).resolve().parents[2].parent / "shared" / "data" / "benchmarks"


def rows_of(table: str, *columns: str) -> list[tuple[Any, ...]]:
    """The rows of a published table; the test is skipped where it is missing."""
    import polars

    if not (DATA / table).exists():
        pytest.skip(f"the published table {table} is not here")
    return polars.read_parquet(DATA / table).select(columns).rows()
