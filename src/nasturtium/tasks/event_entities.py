"""Whose event it is: entities as integers or text, the same in every file, and matched between two tables."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from nasturtium.errors import TaskError
from nasturtium.tasks.event_times import has_two_readings
from nasturtium.tasks.table_files import Table, column_text, read_table

if TYPE_CHECKING:
    import polars as pl

Array = npt.NDArray[Any]

WHOLE = r"^(0|-?[1-9][0-9]*)$"


def read_events(path: Path, entity: str, timestamp: str = "", text: Collection[str] = (), named: bool = False) -> Table:
    """A table with a column of entities from a .csv or .parquet file (see :func:`read_table`).

    In a .csv, entities are integers only if all of them are written as integers are: 007 is another one than 7. Times
    such as 01/02/2024 are left as text, as they can be read in two ways.

    Args:
        path: Of the file.
        entity: The column of entities.
        timestamp: The column of times, if there is one.
        text: Other columns that are text whatever they look like.
        named: Whether entities are text whatever they look like.

    Raises:
        TaskError: If the file cannot be read.
    """
    import polars as pl

    read = read_table(path, (entity, *text))
    frame = read.frame
    if path.suffix.lower() == ".parquet":
        return read
    if timestamp in frame.columns and frame[timestamp].dtype in (pl.Date, pl.Datetime):
        written = column_text(path, timestamp)
        frame = frame.with_columns(written) if has_two_readings(written) else frame
    if not named and entity in frame.columns:
        frame = frame.with_columns(_settled(frame[entity]))
    return read._replace(frame=frame)


def _settled(series: pl.Series) -> pl.Series:
    """Text as integers, if all of it is written so (3 or 3.0) and fits."""
    import polars as pl

    plain = series.str.replace(r"^(-?\d+)\.0+$", "${1}")
    numbers = plain.cast(pl.Int64, strict=False)
    written = plain.str.contains(WHOLE) & numbers.is_not_null()
    return numbers if bool(written.drop_nulls().all()) else series


def ids_of(series: pl.Series, place: str) -> pl.Series:
    """Entities as integers, or as text, which integers beyond 64 bits are, too.

    Raises:
        TaskError: If one is missing, or is neither text nor a number.
    """
    import polars as pl

    series = series.fill_nan(None) if series.dtype.is_float() else series
    if series.null_count():
        row = int(np.argmax(series.is_null().to_numpy()))
        raise TaskError(
            f"column {series.name!r} of {place} has {series.null_count()} missing values (first at row {row}); fill "
            "them in, or remove these rows"
        )
    if series.dtype.is_integer():
        numbers = series.cast(pl.Int64, strict=False)
        return series.cast(pl.String) if numbers.null_count() else numbers
    if not is_wordable(series):
        raise TaskError(f"column {series.name!r} of {place} is of type {series.dtype}; give text or whole numbers")
    return text_of(series)


def is_wordable(series: pl.Series) -> bool:
    """Whether the values of a column can be read as text."""
    import polars as pl

    if series.dtype.is_nested():
        return False
    try:
        text_of(series)
    except pl.exceptions.PolarsError:  # bytes that are no text, objects
        return False
    return True


def text_of(series: pl.Series) -> pl.Series:
    """Values as text; whole numbers as 3 whether they came as 3 or 3.0."""
    import polars as pl

    if not series.dtype.is_float():
        return series.cast(pl.String)
    whole = series.cast(pl.Int64, strict=False)
    plain = (whole.cast(pl.Float64) == series.cast(pl.Float64)).fill_null(False)
    return whole.cast(pl.String).zip_with(plain, series.fill_nan(None).cast(pl.String))


def codes_of(ids: pl.Series, wanted: pl.Series, place: str) -> Array:
    """The number (E,) of each event's entity among those that are wanted.

    Entities are compared as text where one table has text; where that finds not all of them, and all are whole numbers
    that stay different ones, as numbers: a spreadsheet may have made 7 of 007.

    Raises:
        TaskError: If there is one that is not wanted.
    """
    import polars as pl

    if ids.dtype != wanted.dtype:
        ids, wanted = ids.cast(pl.String), wanted.cast(pl.String)
    codes = _matched(ids, wanted)
    if codes.null_count() and ids.dtype == pl.String:
        numbers, known = (each.cast(pl.Int64, strict=False) for each in (ids, wanted))
        lost = numbers.null_count() or known.null_count()
        if not lost and numbers.n_unique() == ids.n_unique() and known.n_unique() == len(known):
            codes = _matched(numbers, known)
    if codes.null_count():
        unknown = ids.filter(codes.is_null()).unique(maintain_order=True)
        raise TaskError(
            f"{len(unknown)} entities of {place} have no label (first: {unknown[0]}); "
            "remove their events, or give their labels"
        )
    found: Array = codes.to_numpy()
    return found


def _matched(ids: pl.Series, wanted: pl.Series) -> pl.Series:
    import polars as pl

    numbered = pl.DataFrame({"id": wanted, "code": np.arange(len(wanted))})
    return pl.DataFrame({"id": ids}).join(numbered, on="id", how="left", maintain_order="left")["code"]
