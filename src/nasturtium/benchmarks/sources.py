"""Where tables come from: finds files in a folder as it was downloaded, and reads columns."""

from __future__ import annotations

import fnmatch
import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from nasturtium.benchmarks.table import BenchmarkError, Values

if TYPE_CHECKING:
    import polars

DEPTH = 3
"""How many folders deep a file is looked for."""


def find(data: Path, patterns: Iterable[str]) -> list[Path]:
    """Files and folders under (or at) ``data`` whose name or last folders match a pattern; the least deep ones.

    Args:
        data: A file or a folder.
        patterns: Such as ``*.tfrecord`` or ``light/*.bench``.
    """
    for pattern in patterns:
        parts = pattern.split("/")
        if _ends(data, parts):
            return [data]
        if not data.is_dir():
            continue
        if len(parts) > 1 and _ends(data, parts[:-1]):  # the very folder that the pattern names
            parts = parts[-1:]
        for depth in range(DEPTH + 1):
            found = sorted(data.glob("*/" * depth + "/".join(parts)))
            if found:
                return found
    return []


def _ends(path: Path, parts: list[str]) -> bool:
    """Whether a path ends in folders and a name that match."""
    here = path.absolute().parts[-len(parts) :]
    return len(here) == len(parts) and all(map(fnmatch.fnmatch, here, parts))


def table(
    path: Path, columns: Sequence[str] | None = None, text: str | None = None, needs: Sequence[str] = ()
) -> polars.DataFrame:
    """A Parquet or CSV file, or some of its columns.

    Args:
        path: The file.
        columns: Which columns; all if None.
        text: A column that is text even where it looks like numbers.
        needs: Columns that it must have, where all are read.

    Raises:
        BenchmarkError: If it cannot be read, or lacks a column.
    """
    import polars

    try:
        if path.suffix.lower() in (".csv", ".txt"):
            kinds = {} if text is None else {text: polars.String}
            frame = polars.read_csv(path, schema_overrides=kinds, infer_schema_length=None)
        else:
            frame = polars.read_parquet(path)
    except (OSError, polars.exceptions.PolarsError) as error:
        raise BenchmarkError(f"{path} cannot be read as a table: {error}") from None
    _need(frame, (*(columns or ()), *needs), path)
    return frame if columns is None else frame.select(columns)


def _need(frame: polars.DataFrame, names: Iterable[str], path: Path) -> None:
    missing = [name for name in names if name not in frame.columns]
    if missing:
        raise BenchmarkError(f"{path} has no column {missing[0]!r} (it has {', '.join(frame.columns[:40])})")


def numbers(frame: polars.DataFrame, name: str, path: Path) -> Values:
    """A column as floats; what is missing is NaN.

    Args:
        frame: The table.
        name: The column.
        path: The file that the table is from.

    Raises:
        BenchmarkError: If there is no such column, or something in it is no number.
    """
    import polars

    _need(frame, [name], path)
    column = frame[name]
    try:
        if not column.dtype.is_nested():
            return column.cast(polars.Float64).to_numpy().astype(np.float64, copy=False)
    except polars.exceptions.PolarsError:
        pass
    raise BenchmarkError(
        f"the column {name!r} of {path} should hold numbers, and nothing where there is none, but it holds "
        f"{_odd(column)}; mend the file, or name another column"
    )


def _odd(column: polars.Series) -> str:
    """What makes a column none of numbers: the first text that is none, or its type."""
    import polars

    if column.dtype != polars.String:
        return str(column.dtype)
    odd = column.filter(column.is_not_null() & column.cast(polars.Float64, strict=False).is_null())
    return f"{odd[0]!r:.80}"


def several(frame: polars.DataFrame, names: Sequence[str], path: Path) -> Values:
    """Columns side by side: (rows, columns); see :func:`numbers`."""
    return np.stack([numbers(frame, name, path) for name in names], axis=1)


def table_error() -> type[Exception]:
    """What polars raises; to be asked for in an ``except`` clause, so that it is imported where something is wrong."""
    import polars

    return polars.exceptions.PolarsError


def json_file(path: Path) -> Any:
    """The content of a JSON file.

    Raises:
        BenchmarkError: If it is none.
    """
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise BenchmarkError(f"{path} cannot be read as JSON: {error}") from None


def floats(values: Iterable[Any]) -> Values:
    """Numbers as an array, None as NaN."""
    return np.array([np.nan if value is None else value for value in values], dtype=np.float64)


def masked(values: Values, below: float = -1e7) -> Values:
    """Numbers without what stands for a failure: infinite ones, and those below a bound, are NaN."""
    with np.errstate(invalid="ignore"):
        return np.where(np.isfinite(values) & (values > below), values, np.nan)
