"""Table files: .csv with whatever separates their fields, decimal commas and short rows told, and .parquet."""

from __future__ import annotations

import csv
from collections.abc import Collection
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from nasturtium.errors import TaskError
from nasturtium.tasks.array_coding import listed

if TYPE_CHECKING:
    import polars as pl

MISSING = ["", "NA", "N/A", "NaN", "nan", "null", "?"]
SEPARATORS = ",;\t|"
WHOLE = r"[+-]?\d+"
DECIMAL = r"[+-]?(\d+|\d{1,3}(\.\d{3})+),\d+([eE][+-]?\d+)?"
"""A number with a decimal comma, perhaps with points between its thousands."""


class Table(NamedTuple):
    """What is in a file: the table, and what the user should know of how it was read."""

    frame: pl.DataFrame
    notes: tuple[str, ...] = ()


def read_table(path: Path, text: Collection[str] = ()) -> Table:
    """The table in a .csv (also ; or tab separated) or .parquet file.

    Args:
        path: Of the file.
        text: Columns of a .csv that are text whatever they look like: ``01234`` stays as it is.

    Raises:
        TaskError: If the file cannot be read, or is empty.
    """
    import polars as pl

    try:
        return Table(pl.read_parquet(path)) if path.suffix.lower() == ".parquet" else _read_csv(path, text)
    except pl.exceptions.NoDataError as error:
        raise TaskError(f"{path} is empty; it needs a line of column names and rows") from error
    except (pl.exceptions.PolarsError, OSError, UnicodeDecodeError) as error:
        raise TaskError(f"cannot read {path} as a table: {str(error).splitlines()[0]}") from error


def _read_csv(path: Path, text: Collection[str]) -> Table:
    import polars as pl

    separator = _separator(path)
    frame = pl.read_csv(
        path, separator=separator, null_values=MISSING, try_parse_dates=True, infer_schema_length=None,
        schema_overrides=dict.fromkeys(text, pl.String),
    )  # fmt: skip
    short = _about_short(path, separator, frame)
    if separator == "," or any(kind.is_float() for kind in frame.dtypes):  # decimals are written with points
        return Table(frame, short)
    found = [series for series in frame if series.name not in text and has_decimal_commas(series)]
    if not found:
        return Table(frame, short)
    named = listed([repr(series.name) for series in found])
    note = f"read with decimal commas, 1,5 as 1.5: {named} (else: separate columns by commas, and quote these)"
    return Table(frame.with_columns(*map(with_points, found)), (*short, note))


def column_text(path: Path, name: str) -> pl.Series:
    """One column of a .csv file as it is written."""
    import polars as pl

    return pl.read_csv(
        path, columns=[name], separator=_separator(path), null_values=MISSING, schema_overrides={name: pl.String}
    )[name]  # fmt: skip


def _separator(path: Path) -> str:
    """What separates the columns of a .csv file: of the usual ones the one that its header has most."""
    with path.open(encoding="utf-8-sig") as file:
        return max(SEPARATORS, key=file.readline().count)


def has_decimal_commas(series: pl.Series) -> bool:
    """Whether a column is text, and all of it numbers, some of which have a decimal comma."""
    import polars as pl

    if series.dtype != pl.String:
        return False
    values = series.drop_nulls().str.strip_chars()
    if len(values) == 0 or not values[:100].str.contains(f"^({WHOLE}|{DECIMAL})$").all():
        return False
    decimal = values.str.contains(f"^{DECIMAL}$")
    return bool(decimal.any() and values.filter(~decimal).str.contains(f"^{WHOLE}$").all())


def with_points(series: pl.Series) -> pl.Series:
    """A column of numbers with decimal commas as numbers."""
    import polars as pl

    plain = series.str.strip_chars().str.replace_all(".", "", literal=True).str.replace(",", ".", literal=True)
    return plain.cast(pl.Float64)


def _about_short(path: Path, separator: str, frame: pl.DataFrame) -> tuple[str, ...]:
    """A note on rows that have fewer fields than there are columns, as the last of a file that was cut off."""
    if frame.width < 2 or frame[:, -1].null_count() == 0:
        return ()
    with path.open(encoding="utf-8-sig", newline="") as file:
        reader = csv.reader(file, delimiter=separator)
        try:
            next(reader, None)
            lines = [reader.line_num for row in reader if 0 < len(row) < frame.width]
        except csv.Error:  # a field of more than 128 KB, which polars has read: too long to be counted
            return ()
    if not lines:
        return ()
    return (
        f"{len(lines)} rows of {path} have fewer than {frame.width} fields (first in line {lines[0]}): what they lack "
        "is taken as missing; was the file cut off?",
    )
