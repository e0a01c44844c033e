"""How event tables become sequences: categories as ids, numbers and gaps of time standardised."""

from __future__ import annotations

import keyword
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from nasturtium.errors import TaskError
from nasturtium.space.signal import Signal, group, sequence, tokens
from nasturtium.tasks.event_columns import EventColumn, warn_of_unknown
from nasturtium.tasks.event_order import Ordered, check_columns, order_events
from nasturtium.tasks.event_times import DURATIONS, MOMENTS, NAIVE, PLAIN, ZONED, check_kind

Array = npt.NDArray[Any]

NUMBERS, TIMES = "numbers", "times"
"""Names of the signals of all numbers together, and of the times."""


@dataclass(frozen=True)
class EventCoding:
    """What turns events of entities into sequences.

    Attributes:
        entity: The column that says whose event it is.
        timestamp: The column that says when.
        columns: Categories, then numbers, then what the times tell.
        most: Events kept of each entity, the newest; no more than the longest of the task had.
        unit: What a time of 1 is, in the unit of the timestamp (seconds for moments).
        named: Whether entities were text; those of new files are then text whatever they look like.
        times: Whether times were ``moments without a zone``, ``moments with a zone``, ``durations`` or ``numbers``; in
            what was saved before, ``moments`` for both of the first, or empty.
        backwards: Whether times count from the last event of an entity, all others being negative, so that float32
            rounds the gaps between the oldest most; in what was saved before this was, they count from the first.
        day_first: Whether 01/02/2024 is read as the first of February. Of new tasks only where a day above 12 showed
            that in training; else such text is refused.
    """

    entity: str
    timestamp: str
    columns: tuple[EventColumn, ...]
    most: int
    unit: float
    named: bool = False
    times: str = ""
    backwards: bool = False
    day_first: bool = True

    @property
    def signal(self) -> Signal:
        """What a network receives: ids of each category, all numbers side by side, the times; a mask for all."""
        members = {c.member: tokens(None, c.vocabulary) for c in self.columns if c.kind == "category"}
        width = sum(column.channels for column in self.columns if column.kind != "category")
        if width:
            members[NUMBERS] = sequence(None, width)
        members[TIMES] = sequence(None, 1)
        return group(**members)._replace(mask=True)

    @property
    def text(self) -> tuple[str, ...]:
        """Columns that were text, and are to be read as text from new files."""
        return tuple(column.name for column in self.columns if column.text)

    def encode(self, ordered: Ordered) -> tuple[Array, ...]:
        """All events as they are kept: int32 ids (E,) of each category, float32 numbers (E, C), times (E, 1)."""
        made: list[Array] = []
        numbers: list[Array] = []
        for column in self.columns:
            if column.kind == "category":
                made.append(column.ids(ordered.frame[column.name]))
            elif column.kind == "number":
                numbers.append(column.numbers(ordered.frame[column.name], ordered.rows))
            else:
                numbers.append(column.of_times(ordered))
        if numbers:
            made.append(np.concatenate(numbers, axis=1))
        zero = ordered.offsets[1:] - 1 if self.backwards else ordered.offsets[:-1]
        passed = ordered.times - np.repeat(ordered.times[zero], np.diff(ordered.offsets))
        times: Array = (passed / self.unit).astype(np.float32)
        return (*made, times[:, None])

    def encode_new(self, ordered: Ordered) -> tuple[Array, ...]:
        """As ``encode``, with a warning where no value of a category is known from training."""
        made = self.encode(ordered)
        categories = [column for column in self.columns if column.kind == "category"]
        for column, ids in zip(categories, made, strict=False):  # after them come numbers and times
            warn_of_unknown(column, ordered.frame[column.name], ids)
        return made

    def order(self, raw: object, name: str = "the events") -> Ordered:
        """New raw events by entity and time.

        Args:
            raw: A polars frame, or a dict of columns; other columns than those of training are ignored.
            name: Of the table, for messages.

        Raises:
            TaskError: If a column is absent, times are of another kind than in training, or a time or an entity cannot
                be used.
        """
        import polars as pl

        try:
            columns: Any = raw
            frame = raw if isinstance(raw, pl.DataFrame) else pl.DataFrame(columns)
        except (TypeError, ValueError, pl.exceptions.PolarsError) as error:
            raise TaskError(f"{name} cannot be read as columns; give a polars frame or a dict of lists") from error
        needed = [column.name for column in self.columns if column.kind in ("category", "number")]
        names = list(dict.fromkeys((self.entity, self.timestamp, *needed)))
        check_columns(frame, names, name)
        check_kind(frame[self.timestamp], self._known_times(), name)
        day_first = self.day_first
        return order_events(frame.select(names), self.entity, self.timestamp, self.most, name, day_first=day_first)

    def _known_times(self) -> tuple[str, ...]:
        """Kinds of times that may be given, as ``kind_of_times`` tells them."""
        if self.times == MOMENTS:
            return (MOMENTS, NAIVE, ZONED)
        if self.times:
            return (self.times,)
        clock = any(column.kind == "clock" for column in self.columns)  # which moments had, and durations
        return (MOMENTS, NAIVE, ZONED, DURATIONS) if clock else (PLAIN,)

    def apply(self, raw: object, name: str = "the events") -> tuple[Array, ...]:
        """Turn new raw events into a network's inputs, one row for each entity in the order of their first event.

        Args:
            raw: As of ``order``.
            name: Of the table, for messages.

        Returns:
            int64 ids (N, T) of each category, float32 numbers (N, T, C) and times (N, T, 1), and the mask (N, T).

        Raises:
            TaskError: If they cannot be used.
        """
        import torch

        from nasturtium.tasks.ragged import pad_rows

        ordered = self.order(raw, name)
        values = [torch.from_numpy(each) for each in self.encode_new(ordered)]
        rows = np.arange(len(ordered.entities))
        return tuple(each.numpy() for each in pad_rows(values, ordered.offsets, rows, torch.device("cpu")))


def member_names(columns: Sequence[str]) -> list[str]:
    """Names of signals for columns: plain words, each another one."""
    taken = {NUMBERS, TIMES, "mask"}
    names = []
    for column in columns:
        word = re.sub(r"\W", "_", column).strip("_").lower() or "column"
        word = f"column_{word}" if word[0].isdigit() or keyword.iskeyword(word) else word
        name, number = word, 2
        while name in taken:
            name, number = f"{word}_{number}", number + 1
        taken.add(name)
        names.append(name)
    return names
