"""How table columns become one vector a row: gaps filled, categories one-hot, dates as numbers."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from nasturtium.errors import TaskError, did_you_mean
from nasturtium.space.signal import Signal, vector
from nasturtium.tasks.array_coding import steady

if TYPE_CHECKING:
    import polars as pl

Array = npt.NDArray[Any]

MOST_CATEGORIES = 64
DAY = 86_400.0
LARGEST = 1e100
"""Numbers beyond this have no deviation that float64 can hold; they rather mark what is missing."""


@dataclass(frozen=True)
class Column:
    """How one column is encoded.

    Attributes:
        name: Of the column.
        kind: ``number`` (one feature), ``date`` (days since 1970, and sine and cosine of weekday, day of
            year and time of day) or ``category`` (one-hot, with a last feature for rare and unknown ones).
        gaps: Whether training rows miss it: there is then a feature that marks the missing.
        fill: What stands for a missing number: the median of the training rows.
        categories: Those that have a feature of their own.
    """

    name: str
    kind: str
    gaps: bool
    fill: float = 0.0
    categories: tuple[str, ...] = ()

    def encode(self, series: pl.Series) -> Array:
        """The features (N, k) of this column, float64; uint8 of a category.

        Raises:
            TaskError: If values are infinite, or are no number or date where one is due.
        """
        if self.kind == "category":
            return self._one_hot(series)
        values, missing = as_dates(series) if self.kind == "date" else as_numbers(series)
        values[missing, 0] = self.fill
        values[missing, 1:] = 0
        return np.column_stack((values, missing)) if self.gaps else values  # (N, 1 or 7, and 1 for gaps)

    def _one_hot(self, series: pl.Series) -> Array:
        import polars as pl

        text = series.cast(pl.String)
        known = text.cast(pl.Enum(self.categories), strict=False).to_physical().cast(pl.Int64)
        width = len(self.categories) + self.gaps + 1
        codes = known.fill_null(width - 1).to_numpy().copy()
        if self.gaps:
            codes[text.is_null().to_numpy()] = width - 2
        features = np.zeros((len(text), width), dtype=np.uint8)
        features[np.arange(len(text)), codes] = 1
        return features  # (N, k + 1, and 1 for gaps)


@dataclass(frozen=True)
class TableCoding:
    """Encoding and normalisation of a table's input columns.

    Attributes:
        columns: In order.
        kept: The encoded features that are not constant over the training rows.
        mean: Of each kept feature over the training rows; 0 for features of zeros and ones, which stay as
            they are.
        std: Likewise; 1 for features of zeros and ones.
    """

    columns: tuple[Column, ...]
    kept: tuple[int, ...]
    mean: tuple[float, ...]
    std: tuple[float, ...]

    @property
    def signal(self) -> Signal:
        """What a network receives."""
        return vector(len(self.kept))

    @property
    def text(self) -> tuple[str, ...]:
        """Columns that were text, and are to be read as text from new files."""
        return tuple(column.name for column in self.columns if column.kind == "category")

    def apply(self, raw: object, name: str = "the table") -> tuple[Array, ...]:
        """Turn new raw rows into a network's inputs.

        Args:
            raw: A polars frame, or a dict of columns; columns that are not inputs are ignored.
            name: Of the table, for messages.

        Returns:
            One array (N, D) of float32.

        Raises:
            TaskError: If a column is absent or holds what it cannot.
        """
        import polars as pl

        try:
            columns: Any = raw
            frame = raw if isinstance(raw, pl.DataFrame) else pl.DataFrame(columns)
        except (TypeError, ValueError, pl.exceptions.PolarsError) as error:
            raise TaskError(f"{name} cannot be read as columns; give a polars frame or a dict of lists") from error
        for column in self.columns:
            if column.name not in frame.columns:
                raise TaskError(f"{name} has no column {column.name!r}{did_you_mean(column.name, frame.columns)}")
        return (self.encode(frame),)

    def encode(self, frame: pl.DataFrame) -> Array:
        """The kept features of a frame that has all columns, normalised one column after another: float32 (N, D)."""
        kept, mean, std = np.array(self.kept), np.array(self.mean), np.array(self.std)
        made: Array = np.empty((len(frame), len(kept)), dtype=np.float32)
        start = 0
        for column in self.columns:
            features = column.encode(frame[column.name])
            stop = start + features.shape[1]
            first, last = np.searchsorted(kept, (start, stop))
            places, own = kept[first:last] - start, slice(first, last)
            if column.kind == "category":
                made[:, own] = features[:, places]
            else:
                made[:, own] = (features[:, places] - mean[own]) / std[own]
            start = stop
        return made


def fit_columns(columns: tuple[Column, ...], frame: pl.DataFrame, train: Array) -> tuple[TableCoding, list[str]]:
    """Normalisation of the features of some columns, and the columns of which no feature tells training rows apart.

    Args:
        columns: As described from the training rows.
        frame: The table.
        train: Indices of the training rows.
    """
    kept: list[int] = []
    mean: list[float] = []
    std: list[float] = []
    same, start = [], 0
    for column in columns:
        features = column.encode(frame[column.name])[train]  # (n, k)
        differ = np.flatnonzero(features.min(axis=0) < features.max(axis=0))
        for place in differ:
            values = features[:, place]
            binary = column.kind == "category" or bool(np.isin(values, (0, 1)).all())
            mean.append(0.0 if binary else values.mean())
            std.append(1.0 if binary else values.std())
        if len(differ) == 0:
            same.append(column.name)
        kept += (start + differ).tolist()
        start += features.shape[1]
    return TableCoding(columns, tuple(kept), steady(np.array(mean)), steady(np.array(std))), same


def as_numbers(series: pl.Series, rows: Array | None = None) -> tuple[Array, Array]:
    """A column as float64 (N, 1), and which rows miss it (N,). Times are hours, durations seconds.

    Args:
        series: The values.
        rows: Which rows of a table they are, for messages.

    Raises:
        TaskError: If it holds dates, text that is no number, or infinite or senselessly large values.
    """
    import polars as pl

    if series.dtype in (pl.Date, pl.Datetime):
        raise TaskError(f"column {series.name!r} holds dates, but numbers are due; give numbers as in training")
    if series.dtype in (pl.Categorical, pl.Enum):
        series = series.cast(pl.String)
    if series.dtype == pl.Time:
        numbers = series.cast(pl.Int64) / 3.6e12
    elif series.dtype == pl.Duration:
        numbers = series.dt.total_microseconds() / 1e6
    else:
        numbers = series.cast(pl.Float64, strict=False)
    _refuse_lost(series, numbers, "number", rows)
    values = numbers.to_numpy().astype(np.float64)  # null becomes NaN
    _refuse_large(values, series.name, rows)
    return values[:, None], np.isnan(values)


def _refuse_large(values: Array, name: str, rows: Array | None) -> None:
    large = np.abs(values) > LARGEST
    if not large.any():
        return
    place, row = _first(large, rows)
    if np.isinf(values).any():
        raise TaskError(f"column {name!r} has {large.sum()} infinite values (first at row {row})")
    raise TaskError(
        f"column {name!r} has {large.sum()} values beyond {LARGEST:g} (first: {values[place]:g} at row {row}); if they "
        "mark what is missing, leave these cells empty"
    )


def as_dates(series: pl.Series) -> tuple[Array, Array]:
    """A date column as float64 (N, 7), and which rows miss it (N,).

    The features are days since 1970-01-01, then sine and cosine of the place in the week, the year and the
    day.

    Raises:
        TaskError: If it holds numbers, or text that is no date.
    """
    import polars as pl

    if series.dtype not in (pl.Date, pl.Datetime, pl.String, pl.Null):
        raise TaskError(
            f"column {series.name!r} is of type {series.dtype}, but dates are due; give dates, moments, or text of them"
        )
    moments = series
    if series.dtype == pl.String:
        try:
            moments = series.str.to_datetime(strict=False, time_unit="us")
        except pl.exceptions.ComputeError:  # not one of them looks like a date
            moments = pl.Series(series.name, [None] * len(series), dtype=pl.Datetime("us"))
    moments = moments.cast(pl.Datetime("us"), strict=False)
    _refuse_lost(series, moments, "date")
    days = moments.dt.epoch("us").to_numpy().astype(np.float64) / (1e6 * DAY)
    year = moments.dt.ordinal_day().to_numpy().astype(np.float64) / 365.25
    week, hour = np.floor(days) / 7, days % 1
    cycles = [wave(2 * np.pi * share) for share in (week, year, hour) for wave in (np.sin, np.cos)]
    return np.column_stack((days, *cycles)), np.isnan(days)  # (N, 7)


def _first(marked: Array, rows: Array | None) -> tuple[int, int]:
    """Where the first marked value stands, and its row of the table."""
    places = np.flatnonzero(marked)
    place = int(places[0] if rows is None else places[np.argmin(rows[places])])
    return place, place if rows is None else int(rows[place])


def _refuse_lost(before: pl.Series, after: pl.Series, what: str, rows: Array | None = None) -> None:
    lost = (after.is_null() & before.is_not_null()).to_numpy()
    if lost.any():
        place, row = _first(lost, rows)
        raise TaskError(f"column {before.name!r} holds {str(before[place])!r} at row {row}, which is no {what}")


def describe_column(series: pl.Series, train: Array) -> Column | str:
    """Decide from the training rows how a column is encoded, or say why it cannot be.

    A category has a feature of its own if at least 5 training rows have it (2 in fewer than 200 rows), the
    64 most frequent at most.
    """
    import polars as pl

    kind, seen = series.dtype, series[train.tolist()]
    if seen.null_count() == len(seen):
        return "has no values"
    gaps = bool(seen.null_count())
    if kind in (pl.String, pl.Categorical, pl.Enum):
        least = 5 if len(seen) >= 200 else 2
        counts = Counter(seen.cast(pl.String).drop_nulls().to_list())
        frequent = sorted(counts.items(), key=lambda pair: (-pair[1], pair[0]))[:MOST_CATEGORIES]
        return Column(series.name, "category", gaps, categories=tuple(k for k, n in frequent if n >= least))
    if kind in (pl.Date, pl.Datetime):
        return Column(series.name, "date", gaps, fill=_median(*as_dates(series), train))
    if kind.is_numeric() or kind in (pl.Boolean, pl.Time, pl.Duration):
        return Column(series.name, "number", gaps, fill=_median(*as_numbers(series), train))
    return f"is of type {kind}"


def _median(values: Array, missing: Array, train: Array) -> float:
    return float(np.median(values[train][~missing[train], 0]))
