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
from nasturtium.tasks.event_times import times_of
from nasturtium.tasks.ragged import offsets_of

if TYPE_CHECKING:
    import polars as pl

Array = npt.NDArray[Any]


@dataclass(frozen=True, eq=False)
class Ordered:
    """Events by entity, then by time; at the same time in the order of the file.

    Attributes:
        frame: Their columns.
        times: When each happened (E,): seconds since 1970 for moments (in UTC if they have a zone), the numbers
            given otherwise.
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
    frame: pl.DataFrame,
    entity: str,
    timestamp: str,
    most: int,
    place: str,
    entities: pl.Series | None = None,
    day_first: bool = False,
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
        day_first: As of ``times_of``.

    Raises:
        TaskError: If there are no events, a column is absent, a time or an entity is missing or cannot be read, or
            events and entities do not belong together.
    """
    check_columns(frame, (entity, timestamp), place)
    if len(frame) == 0:
        raise TaskError(f"{place} holds no events; it needs one row for each event")
    ids = ids_of(frame[entity], place)
    times = times_of(frame[timestamp], place, day_first)
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
