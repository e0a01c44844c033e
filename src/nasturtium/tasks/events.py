"""Tasks from event tables: one row an event, a label for each entity, in a file of its own or among the events."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from nasturtium.errors import TaskError
from nasturtium.tasks.assembly import Labels, assemble, name_of
from nasturtium.tasks.event_coding import EventCoding
from nasturtium.tasks.event_entities import read_events
from nasturtium.tasks.event_fit import Asked, fit_events
from nasturtium.tasks.event_labels import Told, read_labels, start_times
from nasturtium.tasks.event_order import Ordered, order_events
from nasturtium.tasks.event_times import kind_of_times, names_day_first
from nasturtium.tasks.metrics import metrics_for
from nasturtium.tasks.ragged import steps_of
from nasturtium.tasks.split import PARTS
from nasturtium.tasks.table_files import read_table
from nasturtium.tasks.task import Split, Task

if TYPE_CHECKING:
    import polars as pl

Array = npt.NDArray[Any]

MOST_EVENTS = 512
SPLITS = ("temporal", "stratified")


class EventRows:
    """Entities with their events, in the order of their labels."""

    def __init__(self, ordered: Ordered, asked: Asked, times: pl.Series) -> None:
        self.ordered, self.asked = ordered, asked
        self.times, self.day_first = kind_of_times(times), names_day_first(times)
        self.encoded: tuple[Array, ...] = ()

    def __len__(self) -> int:
        return len(self.ordered.entities)

    def fit(self, train: Array) -> tuple[EventCoding, tuple[str, ...]]:
        """The encoding of the training rows (indices), and notes on what was dropped and cut."""
        coding, notes = fit_events(self.ordered, self.asked, train, self.times, self.day_first)
        self.encoded = coding.encode(self.ordered)
        return coding, notes

    def split(self, coding: EventCoding, rows: Array, targets: Array) -> Split:
        """These rows (indices), encoded, with their encoded targets."""
        places, offsets = steps_of(self.ordered.offsets, rows)
        return Split(tuple(values[places] for values in self.encoded), targets, None, offsets)


def load_events(path: Path, *, name: str | None = None, **options: Any) -> Task:
    """A task from a .csv or .parquet file of events.

    Args:
        path: One row an event.
        name: Of the task; by default the file's.
        options: As of ``from_events``.

    Raises:
        TaskError: If a file cannot be read, or the events not be used.
    """
    entity, timestamp = options.get("entity"), options.get("timestamp")
    frame, notes = read_table(path) if entity is None else read_events(path, entity, timestamp or "")
    task = from_events(frame, name=name or name_of(path), place=str(path), **options)
    return replace(task, notes=(*notes, *task.notes))


def from_events(
    frame: pl.DataFrame,
    *,
    entity: str | None = None,
    timestamp: str | None = None,
    target: str | None = None,
    labels: object = None,
    categorical: Sequence[str] = (),
    numeric: Sequence[str] = (),
    ignore: Sequence[str] = (),
    max_events: int = MOST_EVENTS,
    split: str | None = None,
    groups: str | None = None,
    name: str = "events",
    place: str = "the events",
    seed: int = 0,
    metric: str | None = None,
    kind: str | None = None,
) -> Task:
    """A task from a frame of events: a label is to be told from the events of an entity.

    Text, categories and booleans are categories: those that at least five training entities have (two of fewer than
    200) have an id, all others, and those that are met later, share id 0. Numbers are standardised, on a logarithmic
    scale where they are skewed; missing ones become the mean, with a channel that marks them if training rows had any.
    Of the times a network gets the gaps between events, what is left until the last one, and of moments the time of day
    and week, in UTC if they have a zone. All of it is fitted on the training rows.

    Args:
        frame: One row an event, in any order.
        entity: The column that says whose event it is.
        timestamp: The column that says when: dates, moments, text of them, durations, or numbers. Text such as
            01/02/2024 is read with the day first, and refused where no day above 12 shows that it is.
        target: The column to predict, in the labels, or with one value for all events of an entity.
        labels: A frame, or the path of a .csv or .parquet file, of one row for each entity; its column ``split`` of
            train, valid and test is the split. The target is among the events if not given.
        categorical: Columns that are categories whatever their type.
        numeric: Columns that are numbers whatever their type: text of numbers, durations (in seconds) and times of day
            (in hours) too.
        ignore: Columns to leave out.
        max_events: Events kept of each entity, the newest.
        split: How parts that are not given are drawn: ``temporal``, the entities that began last to test and those
            before to validate, by the column ``start`` of the labels (times of the same kind) or the first event; or
            ``stratified``. By default temporal where entities begin at different times.
        groups: A column of the labels whose equal values never come into two parts; whole groups are drawn, so it does
            not go with ``temporal``, nor with a column ``split`` that puts them into several parts.
        name: Of the task.
        place: Where the events are from, for messages.
        seed: Of the draw.
        metric: The primary metric; by default AUROC of two classes, accuracy of more, RMSE of numbers.
        kind: ``classification`` or ``regression``, to force it.

    Raises:
        TaskError: If events and labels cannot be used, or do not belong together.
    """
    if entity is None or timestamp is None:
        absent = " and ".join(each for each, given in (("entity", entity), ("timestamp", timestamp)) if given is None)
        raise TaskError(
            f"an event table needs the columns of entity and timestamp; {absent} is not given "
            f"(columns of {place}: {', '.join(frame.columns[:12])})"
        )
    if split is not None and split not in SPLITS:
        raise TaskError(f"unknown split {split!r}; use {' or '.join(SPLITS)}")
    if split == "temporal" and groups is not None:
        raise TaskError(
            f"split='temporal' and groups={groups!r} contradict each other: entities of a group begin at different "
            "times; give one of them, or a column split in the labels"
        )
    asked = Asked(entity, timestamp, _names(categorical), _names(numeric), _names(ignore), max_events)
    asked.check(frame, place)
    told = read_labels(frame, labels, asked, target, groups, place)
    ordered = order_events(frame.drop(told.columns), entity, timestamp, max_events, place, told.entities)
    rows = EventRows(ordered, asked, frame[timestamp])
    begun, by = _begun(told, ordered, split, rows.times)
    order = _order(begun, split, told.groups is not None)
    values = Labels(told.values, told.name, told.given, order=order, by=by, groups=told.groups, column=True)
    task = assemble(rows, values, name=name, seed=seed, metric=metric, kind=kind, notes=told.notes)
    return task if metric is not None else _by_auroc(task)


def _by_auroc(task: Task) -> Task:
    """The task judged by AUROC, if it has two classes."""
    if task.kind != "classification" or task.outputs != 2:
        return task
    metrics = metrics_for(task.kind, "auroc")
    return replace(task, metric=metrics[0], metrics=metrics)


def _names(given: Sequence[str]) -> tuple[str, ...]:
    """Names of columns; a single one may stand alone."""
    return (given,) if isinstance(given, str) else tuple(given)


def _begun(told: Told, ordered: Ordered, split: str | None, times: str) -> tuple[Array, str]:
    """When entities began, and what says so."""
    whole = told.given is not None and len(np.unique(told.given)) == len(PARTS)
    if told.start is None or split == "stratified" or told.groups is not None or whole:
        return ordered.first, "their first event"
    return start_times(told.start, times), f"column {told.start.name!r} of the labels"


def _order(begun: Array, split: str | None, grouped: bool) -> Array | None:
    """When entities began, where parts are taken by it."""
    differ = len(np.unique(begun)) >= 10
    if split == "temporal" and not differ:
        raise TaskError(
            "entities begin at fewer than ten different times, so they cannot be split by time; use stratified"
        )
    return None if split == "stratified" or grouped or not differ else begun
