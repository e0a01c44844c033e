"""The labels of entities: from a table of their own, or from a column of the events that is constant in each entity."""

from __future__ import annotations

from dataclasses import dataclass, replace
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from nasturtium.errors import TaskError
from nasturtium.tasks.array_coding import listed
from nasturtium.tasks.event_entities import ids_of, read_events
from nasturtium.tasks.event_fit import INDEX, Asked
from nasturtium.tasks.event_order import check_columns
from nasturtium.tasks.event_times import NAIVE, ZONED, kind_of_times, names_day_first, times_of
from nasturtium.tasks.split import is_split, read_split
from nasturtium.tasks.tables import SPLIT_NAME, TARGET_NAMES, target_values

if TYPE_CHECKING:
    import polars as pl

Array = npt.NDArray[Any]

START = "start"
"""The column of labels by which they are split in time."""


@dataclass(frozen=True, eq=False)
class Told:
    """What is known of each entity.

    Attributes:
        entities: As of ``ids_of`` (N,).
        values: Its raw target.
        name: Of the target, for messages.
        given: The user's split codes, or None.
        start: When it began, a raw column; or None.
        groups: Its group, a number or text, or None.
        columns: Those of the events that are no features, as they belong to the labels.
        notes: For the user.
    """

    entities: pl.Series
    values: Array
    name: str
    given: Array | None
    start: pl.Series | None
    groups: Array | None
    columns: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


def read_labels(
    events: pl.DataFrame, labels: object, asked: Asked, target: str | None, groups: str | None, place: str
) -> Told:
    """The labels of all entities.

    Raises:
        TaskError: If they cannot be read, a column is absent, an entity has several labels, or there are none.
    """
    import polars as pl

    if labels is None:
        return _among_events(events, asked, target, groups, place)
    if isinstance(labels, pl.DataFrame):
        frame, where = labels, "the labels"
    elif isinstance(labels, (str, PathLike)):
        frame, where = _read(Path(labels).expanduser(), asked.entity), str(labels)
    else:
        raise TaskError(
            f"labels are a {type(labels).__name__}; give a polars frame or the path of a .csv or .parquet file"
        )
    if len(frame) == 0:
        raise TaskError(f"{where} holds no labels; it needs one row for each entity")
    chosen = _find_target(frame.columns, asked.entity, target, where)
    told = _of_frame(frame, asked.entity, chosen, groups, where)
    notes = _about_unused(frame.columns, (asked.entity, chosen, groups, START))
    if chosen not in events.columns or chosen == asked.timestamp:
        return replace(told, notes=notes)
    note = f"column {chosen!r} of {place} is left out, as the target is called the same"
    return replace(told, columns=(chosen,), notes=(note, *notes))


def _about_unused(columns: list[str], used: tuple[str | None, ...]) -> tuple[str, ...]:
    """A note on columns of labels that no network gets."""
    unused = [name for name in columns if name not in used and name.lower() != SPLIT_NAME]
    unused = [name for name in unused if not name.startswith(INDEX)]
    if not unused:
        return ()
    way = "to use one, join it to the events, as a column with the same value in all events of an entity"
    return (f"columns of the labels not used: {listed(unused)} ({way})",)


def _read(path: Path, entity: str) -> pl.DataFrame:
    if not path.is_file():
        raise TaskError(f"there is no file {path} of labels")
    return read_events(path, entity, START).frame


def _find_target(columns: list[str], entity: str, target: str | None, place: str) -> str:
    if target is not None:
        check_columns_named(columns, target, place)
        return target
    called = [column for name in TARGET_NAMES for column in columns if column.lower() == name and column != entity]
    if not called:
        raise TaskError(
            f"which column of {place} is the target? Give target=...; its columns are {listed(columns, 12)}"
        )
    return called[0]


def check_columns_named(columns: list[str], name: str, place: str) -> None:
    """Check that a column is there.

    Raises:
        TaskError: If it is not.
    """
    import polars as pl

    check_columns(pl.DataFrame({column: [] for column in columns}), (name,), place)


def _of_frame(frame: pl.DataFrame, entity: str, target: str, groups: str | None, place: str) -> Told:
    """What a table with one row for each entity says."""
    import polars as pl

    check_columns(frame, (entity, target, *([groups] if groups else [])), place)
    if len({entity, target, groups}) < 3:
        raise TaskError(f"entity, target and groups are to be different columns of {place}")
    entities = ids_of(frame[entity], place)
    twice = entities.is_duplicated().to_numpy()
    if twice.any():
        first = entities[int(np.argmax(twice))]
        rows = np.flatnonzero((entities == first).to_numpy())
        raise TaskError(
            f"{place} has several labels for {int(entities.filter(twice).n_unique())} entities (first: {entity} "
            f"{first} at rows {listed(rows.tolist())}); give one label for each"
        )
    series = frame.with_columns(pl.selectors.float().fill_nan(None))[target]
    if series.dtype.is_temporal() or series.dtype.is_nested() or series.dtype == pl.Null:
        raise TaskError(
            f"column {target!r} of {place} is of type {series.dtype}; targets are text, booleans or numbers"
        )
    split = [name for name in frame.columns if name.lower() == SPLIT_NAME and name not in (entity, target)]
    given = read_split(frame[split[0]].to_list(), len(frame), f"column {split[0]!r} of {place}") if split else None
    start = frame[START] if START in frame.columns and START not in (entity, target) else None
    grouped = None if groups is None else ids_of(frame[groups], place).to_numpy()
    return Told(entities, target_values(series), f"column {target!r}", given, start, grouped)


def _among_events(events: pl.DataFrame, asked: Asked, target: str | None, groups: str | None, place: str) -> Told:
    """Labels that are columns of the events."""
    import polars as pl

    entity = asked.entity
    check_columns(events, (entity,), place)
    chosen = _find_target(events.columns, entity, target, f"{place} (there is no table of labels)")
    named = [name for name in events.columns if name.lower() == SPLIT_NAME and name != chosen]
    split = [name for name in named if is_split(events[name].unique())]
    if len({entity, asked.timestamp, chosen, groups}) < 4:
        raise TaskError(f"entity, timestamp, target and groups are to be different columns of {place}")
    wanted = list(dict.fromkeys([chosen, *([groups] if groups else []), *split[:1]]))
    check_columns(events, wanted, place)
    if len(events) == 0:
        raise TaskError(f"{place} holds no events; it needs one row for each event")
    single = events.group_by(entity, maintain_order=True).agg(
        *[pl.col(name).first() for name in wanted],
        *[pl.col(name).n_unique().alias(f"{name} values") for name in wanted],
    )
    for name in wanted:
        several = single.filter(pl.col(f"{name} values") > 1)
        if len(several):
            raise TaskError(
                f"column {name!r} of {place} has several values within {len(several)} entities (first: {entity} "
                f"{several[entity][0]}); a label is one for each entity"
            )
    told = _of_frame(single.select(entity, *wanted), entity, chosen, groups, place)
    return replace(told, columns=tuple(wanted))


def start_times(start: pl.Series, times: str) -> Array:
    """When entities began (N,), as a column of the labels says.

    Args:
        start: The column.
        times: What the times of events are, as of ``kind_of_times``.

    Raises:
        TaskError: If they are no times, or of another kind than those of the events.
    """
    way = "rename it if it says something else, or split otherwise (--split stratified)"
    try:
        begun = times_of(start, "the labels", names_day_first(start))
    except TaskError as error:
        raise TaskError(f"{error}; entities are split by the column {START!r} of the labels: {way}") from None
    found = kind_of_times(start)
    if found != times and not {found, times} <= {NAIVE, ZONED}:
        raise TaskError(
            f"entities are split by the column {START!r} of the labels, which holds {found} where the times of the "
            f"events are {times}: {way}"
        )
    return begun
