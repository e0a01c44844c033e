"""How event tables become sequences: categories as ids, numbers and gaps of time standardised."""

from __future__ import annotations

import keyword
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from nasturtium.errors import TaskError
from nasturtium.space.signal import Signal, group, sequence, tokens
from nasturtium.tasks.event_entities import text_of
from nasturtium.tasks.event_order import (
    DURATIONS,
    MOMENTS,
    PLAIN,
    Ordered,
    check_columns,
    kind_of_times,
    order_events,
)
from nasturtium.tasks.table_coding import as_numbers

if TYPE_CHECKING:
    import polars as pl

Array = npt.NDArray[Any]

WEEK, DAY = 604_800.0, 86_400.0
NUMBERS, TIMES = "numbers", "times"
"""Names of the signals of all numbers together, and of the times."""


@dataclass(frozen=True)
class EventColumn:
    """How one column, or one thing that the times tell, is encoded.

    Attributes:
        name: Of the column, or ``gap``, ``left`` or ``clock``.
        kind: ``category``, ``number``, ``gap`` (the time since the event before), ``left`` (the time until the last
            event) or ``clock`` (sine and cosine of the time of day and of the week).
        member: Of a category, the name of its signal.
        categories: Those with an id of their own, from 1; 0 is for all others.
        gaps: Whether training rows miss it: missing is then the last category, or has a channel that marks it.
        scale: Numbers x become asinh(x / scale), times log(1 + x / scale); 0 leaves numbers as they are.
        mean: Over the events of the training rows, after that.
        std: Likewise.
        text: Whether a category was text, not numbers or booleans.
    """

    name: str
    kind: str
    member: str = ""
    categories: tuple[str, ...] = ()
    gaps: bool = False
    scale: float = 0.0
    mean: float = 0.0
    std: float = 1.0
    text: bool = False

    @property
    def vocabulary(self) -> int:
        """How many ids a category has."""
        return 1 + len(self.categories) + self.gaps

    @property
    def channels(self) -> int:
        """How many channels a number or time has."""
        return 4 if self.kind == "clock" else 1 + self.gaps

    def ids(self, series: pl.Series) -> Array:
        """The ids (E,) of a category, int32.

        What was not text is known however it is written (3 as 3.0 or 03, true as True): whether a file gives numbers or
        text of them depends on its other rows, and an id must not.
        """
        import polars as pl

        text = text_of(series)
        places = self._places(text)
        if text.dtype != series.dtype or self.text or not places.null_count():
            known = places
        else:
            plain = text_of(text.cast(pl.Float64, strict=False))
            lower = text.str.to_lowercase()
            logical = lower.is_in(["true", "false"]).fill_null(False)
            known = places.zip_with(places.is_not_null(), self._places(lower.zip_with(logical, plain)))
        codes: Array = (known + 1).fill_null(0).to_numpy().copy()
        if self.gaps:
            codes[text.is_null().to_numpy()] = self.vocabulary - 1
        return codes

    def _places(self, text: pl.Series) -> pl.Series:
        """Where texts stand among the categories; null where they do not."""
        import polars as pl

        return text.cast(pl.Enum(self.categories), strict=False).to_physical().cast(pl.Int32)

    def numbers(self, series: pl.Series, rows: Array | None = None) -> Array:
        """The channels (E, 1 or 2) of a number, float32.

        Args:
            series: The values.
            rows: Which rows of a table they are, for messages.

        Raises:
            TaskError: If the column holds text or infinite values.
        """
        values, missing = as_numbers(series, rows)
        scaled = (self.bend(values) - self.mean) / self.std
        scaled[missing] = 0
        return (np.column_stack((scaled, missing)) if self.gaps else scaled).astype(np.float32)

    def bend(self, values: Array) -> Array:
        """Values before they are standardised."""
        return np.arcsinh(values / self.scale) if self.scale else values

    def of_times(self, ordered: Ordered) -> Array:
        """The channels (E, 1 or 4) of something that the times tell, float32."""
        if self.kind == "clock":
            turns = [ordered.times % cycle / cycle * (2 * np.pi) for cycle in (DAY, WEEK)]
            return np.column_stack([wave(turn) for turn in turns for wave in (np.sin, np.cos)]).astype(np.float32)
        passed = gaps_of(ordered) if self.kind == "gap" else left_of(ordered)
        scaled: Array = (np.log1p(passed / self.scale) - self.mean) / self.std
        return scaled[:, None].astype(np.float32)


def gaps_of(ordered: Ordered) -> Array:
    """The time since the event before (E,); 0 for the first of each entity."""
    gaps: Array = np.diff(ordered.times, prepend=ordered.times[0])
    gaps[ordered.offsets[:-1]] = 0
    return gaps


def left_of(ordered: Ordered) -> Array:
    """The time until the last event of the entity (E,)."""
    lengths = np.diff(ordered.offsets)
    return np.repeat(ordered.times[ordered.offsets[1:] - 1], lengths) - ordered.times


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
        times: Whether times were ``moments``, ``durations`` or ``numbers``; empty in what was saved before this was.
    """

    entity: str
    timestamp: str
    columns: tuple[EventColumn, ...]
    most: int
    unit: float
    named: bool = False
    times: str = ""

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
        begun = np.repeat(ordered.times[ordered.offsets[:-1]], np.diff(ordered.offsets))
        times: Array = ((ordered.times - begun) / self.unit).astype(np.float32)
        return (*made, times[:, None])

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
        self._check_times(frame[self.timestamp], name)
        return order_events(frame.select(names), self.entity, self.timestamp, self.most, name)

    def _check_times(self, series: pl.Series, name: str) -> None:
        """Refuse moments where times were numbers, and the other way round: their units differ."""
        found = kind_of_times(series)
        known: tuple[str, ...] = (self.times,)
        if not self.times:  # saved before: what has a time of day were moments, or durations
            known = (MOMENTS, DURATIONS) if any(column.kind == "clock" for column in self.columns) else (PLAIN,)
        if len(series) and series.null_count() < len(series) and found not in known:
            way = "dates, moments, or text of them" if known[0] == MOMENTS else f"{known[0]} in the same unit"
            raise TaskError(
                f"column {series.name!r} of {name} holds {found}, but times were {known[0]} in training; give {way}"
            )

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
        values = [torch.from_numpy(each) for each in self.encode(ordered)]
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
