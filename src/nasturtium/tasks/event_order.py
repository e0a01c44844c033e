"""Events brought into order: by entity, then by time, the newest of each; columns, times and entities checked."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from nasturtium.errors import TaskError, did_you_mean
from nasturtium.tasks.array_coding import listed
from nasturtium.tasks.event_entities import codes_of, ids_of
from nasturtium.tasks.ragged import offsets_of

if TYPE_CHECKING:
    import polars as pl

Array = npt.NDArray[Any]


@dataclass(frozen=True, eq=False)
class Ordered:
    """Events by entity, then by time; at the same time in the order of the file.

    Attributes:
        frame: Their columns.
        times: When each happened (E,): seconds since 1970 for moments, the numbers given otherwise.
        offsets: Where the events of each entity begin (N + 1,).
        entities: Their ids (N,), as text or integers.
        first: When the first event of each entity happened (N,), those that were left out included.
        cut: Of how many entities events were left out.
        rows: Which row of the table each event was (E,).
    """

    frame: pl.DataFrame
    times: Array
    offsets: Array
    entities: pl.Series
    first: Array
    cut: int
    rows: Array


def order_events(
    frame: pl.DataFrame, entity: str, timestamp: str, most: int, place: str, entities: pl.Series | None = None
) -> Ordered:
    """Sort events and keep the newest of each entity.

    Args:
        frame: One row an event.
        entity: The column that says whose event it is.
        timestamp: The column that says when.
        most: Events kept of each entity.
        place: Where the events are from, for messages.
        entities: Those there are to be, in this order, as of ``ids_of``; in the order of their first event if not
            given.

    Raises:
        TaskError: If there are no events, a column is absent, a time or an entity is missing or cannot be read, or
            events and entities do not belong together.
    """
    check_columns(frame, (entity, timestamp), place)
    if len(frame) == 0:
        raise TaskError(f"{place} holds no events; it needs one row for each event")
    ids = ids_of(frame[entity], place)
    times = times_of(frame[timestamp], place)
    wanted = ids.unique(maintain_order=True) if entities is None else entities
    codes = codes_of(ids, wanted, place)
    counts = np.bincount(codes, minlength=len(wanted))
    if not counts.all():
        missing = wanted.filter(counts == 0)
        raise TaskError(
            f"{len(missing)} labelled entities have no events in {place} (first: {entity} {missing[0]}); "
            "remove their labels, or give their events"
        )
    order = _sorted(codes, times)
    offsets = offsets_of(counts)
    first = times[order[offsets[:-1]]]
    if counts.max() > most:
        newest = np.arange(len(order)) >= np.repeat(offsets[1:] - most, counts)
        order = order[newest]
    kept = np.minimum(counts, most)
    moved = len(order) < len(frame) or bool((np.diff(order) < 0).any())
    sorted_frame = frame.drop(entity, timestamp)
    sorted_frame = sorted_frame[order] if moved else sorted_frame
    return Ordered(sorted_frame, times[order], offsets_of(kept), wanted, first, int((counts > most).sum()), order)


def _sorted(codes: Array, times: Array) -> Array:
    """The order (E,) by entity and time; equal ones stay as they are."""
    steps = np.diff(codes)
    if ((steps > 0) | ((steps == 0) & (np.diff(times) >= 0))).all():
        return np.arange(len(codes))
    return np.lexsort((times, codes))


def check_columns(frame: pl.DataFrame, names: Iterable[str], place: str) -> None:
    """Check that columns are there.

    Raises:
        TaskError: If one is not, with the nearest that is.
    """
    for name in names:
        if name not in frame.columns:
            known = f"its columns are {listed(frame.columns, 12)}"
            raise TaskError(f"{place} has no column {name!r}; {known}{did_you_mean(name, frame.columns)}")


LATEST = 1e30
"""Times beyond this are too large for float32 numbers."""
MOMENTS, DURATIONS, PLAIN = "moments", "durations", "numbers"
"""What times can be."""


def kind_of_times(series: pl.Series) -> str:
    """Whether times are moments (dates and text of them, too), durations or plain numbers."""
    import polars as pl

    if series.dtype == pl.Duration:
        return DURATIONS
    return PLAIN if series.dtype.is_numeric() else MOMENTS


def times_of(series: pl.Series, place: str) -> Array:
    """Times (E,) as float64: moments and text of moments in seconds since 1970, numbers as they are.

    Raises:
        TaskError: If one is missing, infinite, senselessly large, or is no time.
    """
    import polars as pl

    if series.dtype in (pl.Date, pl.Datetime, pl.String):
        moments = moments_of(series)
        lost = (moments.is_null() & series.is_not_null()).to_numpy()
        if lost.any():
            row = int(np.argmax(lost))
            raise TaskError(f"column {series.name!r} of {place} holds {series[row]!r} at row {row}, which is no time")
        times = moments.dt.epoch("us").cast(pl.Float64).to_numpy() / 1e6
    elif series.dtype.is_numeric() or series.dtype == pl.Duration:
        plain = series.dt.total_microseconds() / 1e6 if series.dtype == pl.Duration else series.cast(pl.Float64)
        times = plain.to_numpy()
    else:
        raise TaskError(
            f"column {series.name!r} of {place} is of type {series.dtype}; times are dates, moments or numbers"
        )
    bad = ~np.isfinite(times)
    if bad.any():
        raise TaskError(
            f"column {series.name!r} of {place} has {int(bad.sum())} missing or infinite times (first at row "
            f"{int(np.argmax(bad))}); remove these events, or give their times"
        )
    large = np.abs(times) > LATEST
    if large.any():
        raise TaskError(
            f"column {series.name!r} of {place} has {int(large.sum())} times beyond {LATEST:g} (first at row "
            f"{int(np.argmax(large))}); if they mark what is missing, remove these events, or give their times"
        )
    return times.astype(np.float64)


def moments_of(series: pl.Series) -> pl.Series:
    """Dates, moments and text of them as moments; null where they cannot be read."""
    import polars as pl

    if series.dtype != pl.String:
        return series.cast(pl.Datetime("us"))
    try:
        return series.str.to_datetime(strict=False, time_unit="us")
    except pl.exceptions.ComputeError:  # not one of them looks like a moment
        return pl.Series(series.name, [None] * len(series), dtype=pl.Datetime("us"))
