"""Fitting how event tables are encoded: which columns are categories or numbers, and what training rows say of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from nasturtium.errors import TaskError
from nasturtium.tasks.array_coding import listed, steady
from nasturtium.tasks.event_coding import EventCoding, member_names
from nasturtium.tasks.event_columns import EventColumn, gaps_of, is_text, left_of
from nasturtium.tasks.event_entities import is_wordable, text_of
from nasturtium.tasks.event_order import Ordered, check_columns
from nasturtium.tasks.event_times import NAIVE, ZONED
from nasturtium.tasks.table_coding import as_numbers

if TYPE_CHECKING:
    import polars as pl

Array = npt.NDArray[Any]

MOST_CATEGORIES = 10_000
SKEWED = 3.0
"""Skewness of a number over training events from which its inverse hyperbolic sine is taken."""
INDEX = "__index_level_"
"""How pandas calls the row numbers that it writes into Parquet files."""


@dataclass(frozen=True)
class Asked:
    """What the user said of the columns.

    Attributes:
        entity: Whose event it is.
        timestamp: When.
        categorical: Columns that are categories whatever their type.
        numeric: Columns that are numbers whatever their type.
        ignore: Columns that are left out.
        most: Events kept of each entity.
    """

    entity: str
    timestamp: str
    categorical: tuple[str, ...] = ()
    numeric: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()
    most: int = 512

    @property
    def named(self) -> tuple[str, ...]:
        """Columns that the user wants used."""
        return (*self.categorical, *self.numeric)

    def check(self, frame: pl.DataFrame, place: str) -> None:
        """Check that the columns are there, each for one use.

        Raises:
            TaskError: If they are not, or the number of events is not positive.
        """
        named = (*self.categorical, *self.numeric, *self.ignore)
        check_columns(frame, (self.entity, self.timestamp, *named), place)
        twice = [name for name in named if named.count(name) > 1 or name in (self.entity, self.timestamp)]
        if twice or self.entity == self.timestamp:
            raise TaskError(f"column {(twice or [self.entity])[0]!r} of {place} is named for two uses; give it one")
        if isinstance(self.most, bool) or not isinstance(self.most, int) or self.most < 1:
            raise TaskError(f"max_events is {self.most!r}; give a whole number from 1")


def fit_events(
    ordered: Ordered, asked: Asked, train: Array, times: str, day_first: bool = False
) -> tuple[EventCoding, tuple[str, ...]]:
    """The encoding that the training rows tell, and notes on what was dropped, filled and cut.

    Args:
        ordered: All events.
        asked: What the user said.
        train: Entities (indices) to learn from.
        times: As of ``kind_of_times``; moments have a time of day.
        day_first: As of ``names_day_first``.

    Raises:
        TaskError: If a column that the user named cannot be used.
    """
    import polars as pl

    lengths = np.diff(ordered.offsets)
    training = np.zeros(len(lengths), dtype=bool)
    training[train] = True
    fitting = _Fitting(ordered, asked, np.repeat(training, lengths), len(train))
    found = {series.name: fitting.column(series) for series in ordered.frame.get_columns()}
    dropped = {name: each for name, each in found.items() if isinstance(each, str)}
    found_columns = [each for each in found.values() if isinstance(each, EventColumn)]
    categories = [column for column in found_columns if column.kind == "category"]
    names = member_names([column.name for column in categories])
    categories = [replace(column, member=name) for column, name in zip(categories, names, strict=True)]
    numbers = [column for column in found_columns if column.kind == "number"]
    unit, timed = fitting.times(times in (NAIVE, ZONED))
    named = ordered.entities.dtype == pl.String
    columns = (*categories, *numbers, *timed)
    most = int(lengths.max())
    coding = EventCoding(asked.entity, asked.timestamp, columns, most, unit, named, times, True, day_first)
    return coding, tuple(_notes(ordered, asked, found_columns, dropped, times))


class _Fitting:
    """The events of the training rows, and what they say."""

    def __init__(self, ordered: Ordered, asked: Asked, training: Array, entities: int) -> None:
        self.ordered, self.asked, self.training = ordered, asked, training
        self.least = 5 if entities >= 200 else 2
        self.owners = np.repeat(np.arange(len(ordered.entities), dtype=np.int32), np.diff(ordered.offsets))[training]

    def column(self, series: pl.Series) -> EventColumn | str:
        """How a column is encoded, or why it is not.

        Raises:
            TaskError: If it is of a type that cannot be what the user named it.
        """
        import polars as pl

        kind, name = series.dtype, series.name
        if name in self.asked.ignore:
            return "ignored"
        if name.startswith(INDEX) and name not in self.asked.named:
            return "is a row number"
        seen = series.filter(self.training)
        seen = seen.fill_nan(None) if kind.is_float() else seen
        if seen.null_count() == len(seen):
            return "has no values"
        words = is_text(series) or kind == pl.Boolean
        if name in self.asked.categorical or (words and name not in self.asked.numeric):
            return self._category(seen) if is_wordable(series) else self._unfit(series)
        numeric = kind.is_numeric() or words or kind in (pl.Duration, pl.Time)
        return self._number(seen) if numeric else self._unfit(series)

    def _unfit(self, series: pl.Series) -> str:
        """Why a column of this type is dropped, where the user did not name it."""
        name, kind = series.name, series.dtype
        if name not in self.asked.named:
            return f"is of type {kind}"
        what, types = ("numeric", "numbers, booleans, durations, times of day, or text of numbers")
        if name in self.asked.categorical:
            what, types = "categorical", "text, whole numbers or booleans"
        raise TaskError(
            f"column {name!r} is of type {kind}, but was named as {what}, which takes {types}; give it as such, or "
            "do not name it, and it is left out"
        )

    def _category(self, seen: pl.Series) -> EventColumn | str:
        """A category has an id of its own if 5 training entities have it (2 of fewer than 200), the most frequent."""
        import polars as pl

        pairs = pl.DataFrame({"value": text_of(seen), "owner": self.owners}).drop_nulls().unique()
        counts = pairs.group_by("value").len().filter(pl.col("len") >= self.least)
        frequent = counts.sort("len", "value", descending=(True, False))["value"].head(MOST_CATEGORIES)
        kept, gaps = tuple(frequent.to_list()), bool(seen.null_count())
        column = EventColumn(seen.name, "category", categories=kept, gaps=gaps, text=is_text(seen))
        ids = column.ids(seen)
        return "tells no events apart" if ids.min() == ids.max() else column

    def _number(self, seen: pl.Series) -> EventColumn | str:
        values, missing = as_numbers(seen, self.ordered.rows[self.training])
        present = values[~missing, 0]
        gaps = bool(missing.any())
        if len(present) == 0:
            return "has no values"
        if present.min() == present.max() and not gaps:
            return "tells no events apart"
        scale = 0.0
        if _skewness(present) > SKEWED:
            scale = steady(np.median(np.abs(present[present != 0]), keepdims=True))[0]
        column = EventColumn(seen.name, "number", gaps=gaps, scale=scale)
        return _standardised(column, column.bend(present))

    def times(self, moments: bool) -> tuple[float, tuple[EventColumn, ...]]:
        """The unit of time, the median positive gap, and what of the times tells events apart."""
        gaps = gaps_of(self.ordered)[self.training]
        positive = gaps[gaps > 0]
        unit = steady(np.median(positive, keepdims=True))[0] if len(positive) else 1.0
        columns = []
        for kind, values in (("gap", gaps), ("left", left_of(self.ordered)[self.training])):
            if values.min() < values.max():
                columns.append(_standardised(EventColumn(kind, kind, scale=unit), np.log1p(values / unit)))
        clock = (EventColumn("clock", "clock"),) if moments else ()
        return unit, (*columns, *clock)


def _standardised(column: EventColumn, values: Array) -> EventColumn:
    mean, std = steady(values.mean(keepdims=True))[0], steady(values.std(keepdims=True))[0]
    return replace(column, mean=mean, std=std or 1.0)


def _skewness(values: Array) -> float:
    centred = values - values.mean()
    variance = float(np.square(centred).mean())
    return abs(float((centred**3).mean())) / variance**1.5 if variance > 0 else 0.0


def _notes(
    ordered: Ordered, asked: Asked, columns: Sequence[EventColumn], dropped: dict[str, str], times: str
) -> list[str]:
    notes = []
    reasons = [f"{name} ({why})" for name, why in dropped.items()]
    if reasons:
        notes.append(f"dropped {len(reasons)} columns: {listed(reasons)}")
    words = [f"{c.name} ({len(c.categories)})" for c in columns if c.kind == "category"]
    numbers = [c.name for c in columns if c.kind == "number"]
    for kind, names in (("categories", words), ("numbers", numbers)):
        if names:
            notes.append(f"read as {kind}: {listed(names, 30)}")
    bent = [column.name for column in columns if column.kind == "number" and column.scale]
    if bent:
        notes.append(f"skewed numbers are taken on a logarithmic scale: {listed(bent)}")
    if times == ZONED:
        notes.append(f"moments in {asked.timestamp} have a zone: their time of day and week is taken in UTC")
    if ordered.cut:
        notes.append(
            f"{ordered.cut} of {len(ordered.entities)} entities have more than {asked.most} events: "
            "the newest are kept (max_events=...)"
        )
    return notes
