"""When events happened: moments with a zone or without, durations, or numbers; and dates that can be read two ways."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from nasturtium.errors import TaskError

if TYPE_CHECKING:
    import polars as pl

Array = npt.NDArray[Any]

LATEST = 1e30
"""Times beyond this are too large for float32 numbers."""
MOMENTS, NAIVE, ZONED = "moments", "moments without a zone", "moments with a zone"
"""Points in time: as codings called them that were saved before zones were told apart, and as they are told."""
DURATIONS, PLAIN = "durations", "numbers"
"""What times can be otherwise."""
WAYS = {
    MOMENTS: "dates, moments, or text of them",
    NAIVE: "dates, moments, or text of them, without a zone",
    ZONED: "moments with their zone, or text of them such as 2024-01-31T09:30:00+01:00",
    DURATIONS: "durations in the same unit",
    PLAIN: "numbers in the same unit",
}
"""What to give where times are to be of one kind."""
WITH_ZONE = r"\d:\d\d.*(Z|[+-]\d\d(:?\d\d)?)$"
DAY_AND_MONTH = r"^(\d{1,2})[/-](\d{1,2})[/-]\d{4}"
"""Text of dates whose day and month may stand in either order; with dots the day comes first."""


def kind_of_times(series: pl.Series) -> str:
    """Whether times are moments (dates and text of them, too) without or with a zone, durations or plain numbers."""
    import polars as pl

    if series.dtype == pl.Duration:
        return DURATIONS
    if series.dtype.is_numeric():
        return PLAIN
    if series.dtype == pl.String:
        return ZONED if bool(series.drop_nulls().head(1).str.contains(WITH_ZONE).any()) else NAIVE
    return ZONED if getattr(series.dtype, "time_zone", None) else NAIVE


def check_kind(series: pl.Series, known: tuple[str, ...], place: str) -> None:
    """Refuse times of another kind than in training: their units, or their clocks, differ.

    Raises:
        TaskError: If there are times, and they are of another kind.
    """
    found = kind_of_times(series)
    if found not in known and series.null_count() < len(series):
        raise TaskError(
            f"column {series.name!r} of {place} holds {found}, but times were {known[0]} in training; "
            f"give {WAYS[known[0]]}"
        )


def times_of(series: pl.Series, place: str, day_first: bool = False) -> Array:
    """Times (E,) as float64: moments in seconds since 1970 (in UTC if they have a zone), numbers as they are.

    Args:
        series: Dates, moments, text of them, durations or numbers.
        place: Where they are from, for messages.
        day_first: Whether 01/02/2024 is known to be the first of February.

    Raises:
        TaskError: If one is missing, infinite, senselessly large, is no time, or could be two.
    """
    import polars as pl

    if series.dtype in (pl.Date, pl.Datetime, pl.String):
        if not day_first:
            _refuse_ambiguous(series, place)
        moments = _moments_of(series)
        _refuse_lost(series, moments, place)
        times = moments.dt.epoch("us").cast(pl.Float64).to_numpy() / 1e6
    elif series.dtype.is_numeric() or series.dtype == pl.Duration:
        plain = series.dt.total_microseconds() / 1e6 if series.dtype == pl.Duration else series.cast(pl.Float64)
        times = plain.to_numpy()
    else:
        raise TaskError(
            f"column {series.name!r} of {place} is of type {series.dtype}; times are dates, moments or numbers"
        )
    return _checked(times.astype(np.float64), series.name, place)


def names_day_first(series: pl.Series) -> bool:
    """Whether dates are text with the day before the month, as one of them shows by a day above 12."""
    parts = _day_and_month(series)
    return parts is not None and bool((parts[0] > 12).any())


def has_two_readings(series: pl.Series) -> bool:
    """Whether dates are text such as 01/02/2024."""
    import polars as pl

    return series.dtype == pl.String and bool(series.drop_nulls().head(1).str.contains(DAY_AND_MONTH).any())


def _day_and_month(series: pl.Series) -> tuple[pl.Series, pl.Series] | None:
    """The first two numbers of each date, if they are text such as 01/02/2024."""
    import polars as pl

    if not has_two_readings(series):
        return None
    first, second = (series.str.extract(DAY_AND_MONTH, place).cast(pl.Int32) for place in (1, 2))
    return first, second


def _refuse_ambiguous(series: pl.Series, place: str) -> None:
    parts = _day_and_month(series)
    if parts is None or bool(((parts[0] > 12) | (parts[1] > 12)).any()):
        return
    differ = parts[0] != parts[1]
    if bool(differ.any()):
        row = int(np.argmax(differ.fill_null(False).to_numpy()))
        raise TaskError(
            f"column {series.name!r} of {place} holds {series[row]!r} at row {row}: no date there tells whether the "
            "day or the month comes first; write dates as 2024-12-31"
        )


def _refuse_lost(series: pl.Series, moments: pl.Series, place: str) -> None:
    lost = (moments.is_null() & series.is_not_null()).to_numpy()
    if lost.any():
        row = int(np.argmax(lost))
        way = "" if _day_and_month(series) is None else ", as the day is taken to come first; write dates as 2024-12-31"
        raise TaskError(f"column {series.name!r} of {place} holds {series[row]!r} at row {row}, which is no time{way}")


def _checked(times: Array, name: str, place: str) -> Array:
    bad = ~np.isfinite(times)
    if bad.any():
        raise TaskError(
            f"column {name!r} of {place} has {int(bad.sum())} missing or infinite times (first at row "
            f"{int(np.argmax(bad))}); remove these events, or give their times"
        )
    large = np.abs(times) > LATEST
    if large.any():
        raise TaskError(
            f"column {name!r} of {place} has {int(large.sum())} times beyond {LATEST:g} (first at row "
            f"{int(np.argmax(large))}); if they mark what is missing, remove these events, or give their times"
        )
    return times


def _moments_of(series: pl.Series) -> pl.Series:
    """Dates, moments and text of them as moments; null where they cannot be read."""
    import polars as pl

    if series.dtype != pl.String:
        return series.cast(pl.Datetime("us"))
    try:
        return series.str.to_datetime(strict=False, time_unit="us")
    except pl.exceptions.ComputeError:  # not one of them looks like a moment
        return pl.Series(series.name, [None] * len(series), dtype=pl.Datetime("us"))
