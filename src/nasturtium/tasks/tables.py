"""Tasks from tables: .csv and .parquet files and polars frames, with one column as the target."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from nasturtium.errors import TaskError, did_you_mean
from nasturtium.tasks.array_coding import listed
from nasturtium.tasks.assembly import Labels, assemble, name_of
from nasturtium.tasks.split import is_split, read_split
from nasturtium.tasks.table_coding import Column, TableCoding, describe_column, fit_columns
from nasturtium.tasks.table_files import DECIMAL, has_decimal_commas, read_table
from nasturtium.tasks.task import Split, Task

if TYPE_CHECKING:
    import polars as pl

Array = npt.NDArray[Any]

TARGET_NAMES = ("target", "label", "y", "class")
SPLIT_NAME = "split"


class TableRows:
    """Rows of a table without its target."""

    def __init__(self, frame: pl.DataFrame) -> None:
        self.frame = frame

    def __len__(self) -> int:
        return len(self.frame)

    def fit(self, train: Array) -> tuple[TableCoding, tuple[str, ...]]:
        """The encoding of the training rows (indices), and notes on what was dropped and filled."""
        described = [describe_column(series, train) for series in self.frame.get_columns()]
        columns = tuple(column for column in described if isinstance(column, Column))
        dropped = {n: why for n, why in zip(self.frame.columns, described, strict=True) if isinstance(why, str)}
        if not columns:
            raise TaskError(f"no column can be used as an input: {_reasons(dropped)}")
        coding, same = fit_columns(columns, self.frame, train)
        dropped |= dict.fromkeys(same, "tells no rows apart")
        if not coding.kept:
            raise TaskError(f"no column can be used as an input: {_reasons(dropped)}")
        return coding, self._notes(columns, dropped)

    def _notes(self, columns: tuple[Column, ...], dropped: dict[str, str]) -> tuple[str, ...]:
        notes = []
        if dropped:
            notes.append(f"dropped {len(dropped)} columns: {_reasons(dropped)}")
        shares = [f"{c.name} ({self.frame[c.name].null_count() / len(self):.1%})" for c in columns if c.gaps]
        if shares:
            notes.append(f"filled missing values in {len(shares)} columns: {listed(shares)}")
        strays = [_stray(self.frame[c.name], c.name in dropped) for c in columns if c.kind == "category"]
        notes += [note for note in strays if note]
        return tuple(notes)

    def split(self, coding: TableCoding, rows: Array, targets: Array) -> Split:
        """These rows (indices), encoded, with their encoded targets."""
        return Split((coding.encode(self.frame[rows]),), targets)


def _stray(series: pl.Series, dropped: bool) -> str | None:
    """A note on a column of text that is nearly all numbers: a stray word or decimal commas make categories of it."""
    import polars as pl

    if has_decimal_commas(series):
        return (
            f"column {series.name!r} is taken for text, though it looks like numbers with decimal commas (such as "
            f"{series.drop_nulls()[0]!r}); write them with points to have numbers"
        )
    if dropped:
        return None
    text = series.cast(pl.String).drop_nulls()
    others = text.filter(text.cast(pl.Float64, strict=False).is_null() & ~text.str.contains(f"^{DECIMAL}$"))
    if len(others) == 0 or len(others) > 0.1 * len(text):
        return None
    return (
        f"column {series.name!r} is read as categories, though all but {len(others)} values are numbers "
        f"(such as {others[0]!r}); clean it to have numbers"
    )


def _reasons(dropped: dict[str, str]) -> str:
    return listed([f"{name} ({why})" for name, why in dropped.items()])


def load_table(path: Path, *, name: str | None = None, **options: Any) -> Task:
    """A task from a .csv (also ; or tab separated) or .parquet file.

    Args:
        path: With a header of column names. In a .csv, empty cells and NA, N/A, NaN, null and ? are missing; where
            columns are not separated by commas, numbers may have decimal commas.
        name: Of the task; by default the file's.
        options: As of ``from_frame``.

    Raises:
        TaskError: If the file cannot be read, or the table not be used.
    """
    frame, notes = read_table(path)
    task = from_frame(frame, name=name or name_of(path), place=str(path), **options)
    return replace(task, notes=(*notes, *task.notes))


def from_frame(
    frame: pl.DataFrame,
    *,
    target: str | None = None,
    name: str = "table",
    place: str = "the table",
    seed: int = 0,
    metric: str | None = None,
    kind: str | None = None,
) -> Task:
    """A task from a polars frame: all columns but the target, encoded as one vector a row.

    Args:
        frame: Numbers, text, categories, booleans, dates; other columns are dropped with a note. A column
            ``split`` is the split if a value is train, valid or test, or all are 0, 1 and 2.
        target: The column to predict; by default the one called target, label, y or class, else the last.
        name: Of the task.
        place: Where the table is from, for messages.
        seed: Of the split.
        metric: The primary metric.
        kind: ``classification`` or ``regression``, to force it.

    Raises:
        TaskError: If the table is empty, has no such column, or its target cannot be used.
    """
    import polars as pl

    if len(frame) == 0 or frame.width < 2:
        raise TaskError(f"{place} has {len(frame)} rows and {frame.width} columns; it needs rows, inputs and a target")
    frame = frame.with_columns(pl.selectors.float().fill_nan(None))
    chosen, notes = _find_target(frame.columns, target, place)
    given, frame, said = _find_split(frame, chosen)
    series = frame[chosen]
    if series.dtype.is_temporal() or series.dtype.is_nested() or series.dtype == pl.Null:
        raise TaskError(
            f"column {chosen!r} of {place} is of type {series.dtype}; targets are text, booleans or numbers"
        )
    labels = Labels(target_values(series), f"column {chosen!r}", given, column=True)
    rows = TableRows(frame.drop(chosen))
    return assemble(rows, labels, name=name, seed=seed, metric=metric, kind=kind, notes=(*notes, *said))


def _find_target(columns: list[str], target: str | None, place: str) -> tuple[str, tuple[str, ...]]:
    if target is not None:
        if target not in columns:
            known = f"its columns are {listed(columns, 12)}"
            raise TaskError(f"{place} has no column {target!r}; {known}{did_you_mean(target, columns)}")
        return target, ()
    called = [column for name in TARGET_NAMES for column in columns if column.lower() == name]
    chosen = called[0] if called else [column for column in columns if column.lower() != SPLIT_NAME][-1]
    why = "by its name" if called else "as the last column"
    return chosen, (f"the target is {chosen!r}, taken {why} (else: target=...)",)


def _find_split(frame: pl.DataFrame, target: str) -> tuple[Array | None, pl.DataFrame, tuple[str, ...]]:
    """The codes of a column ``split``, if it is one, the frame without it, and a note where it could be doubted."""
    names = [column for column in frame.columns if column.lower() == SPLIT_NAME and column != target]
    if not names or not is_split(frame[names[0]].unique()):
        return None, frame, ()
    series = frame[names[0]]
    codes = read_split(series.to_list(), len(frame), f"column {series.name!r}")
    note = f"column {series.name!r} is read as the split: 0 trains, 1 validates, 2 tests (else: rename it)"
    return codes, frame.drop(series.name), (note,) if series.dtype.is_numeric() else ()


def target_values(series: pl.Series) -> Array:
    """The target as numpy has it; missing ones as None."""
    import polars as pl

    if series.dtype in (pl.Categorical, pl.Enum, pl.String):
        return np.array(series.cast(pl.String).to_list(), dtype=object)
    if "128" in str(series.dtype):  # which numpy has not
        narrow = series.cast(pl.Int64, strict=False)
        series = narrow if narrow.null_count() == series.null_count() else series.cast(pl.Float64)
    if series.null_count():
        return np.array(series.to_list(), dtype=object)
    return series.cast(pl.Float64).to_numpy() if series.dtype.is_decimal() else series.to_numpy()
