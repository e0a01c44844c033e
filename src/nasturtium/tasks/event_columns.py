"""How columns of events, and what their times tell, become ids and channels of numbers."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from nasturtium.tasks.array_coding import listed
from nasturtium.tasks.event_entities import text_of
from nasturtium.tasks.event_order import Ordered
from nasturtium.tasks.table_coding import as_numbers

if TYPE_CHECKING:
    import polars as pl

Array = npt.NDArray[Any]

WEEK, DAY = 604_800.0, 86_400.0


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
        text: Whether a category was text (also of a type of its own, such as pandas' category), not numbers or
            booleans.
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

        What was not text is known however it is written (3 as 3.0 or 03, true as True or 1): whether a file gives
        numbers, categories or text of them depends on its other rows, and an id must not.
        """
        text = text_of(series)
        known = _places(text, self.categories)
        if known.null_count() > text.null_count() and (self._logical or (is_text(series) and not self.text)):
            known = known.zip_with(known.is_not_null(), self._otherwise(text))
        codes: Array = (known + 1).fill_null(0).to_numpy().copy()
        if self.gaps:
            codes[text.is_null().to_numpy()] = self.vocabulary - 1
        return codes

    @property
    def _logical(self) -> tuple[str, ...]:
        """The categories in lower case, if they are true and false, or one of these; else nothing."""
        lower = tuple(category.lower() for category in self.categories)
        return lower if set(lower) <= {"true", "false"} and len(set(lower)) == len(lower) else ()

    def _otherwise(self, text: pl.Series) -> pl.Series:
        """Where values stand among the categories that are written in another way there; null where they do not."""
        import polars as pl

        plain = text_of(text.cast(pl.Float64, strict=False))  # 3.0 and 03 as 3
        if not self._logical:
            return _places(plain, self.categories)
        truth = plain.replace_strict({"0": "false", "1": "true"}, default=None, return_dtype=pl.String)
        return _places(text.str.to_lowercase().zip_with(truth.is_null(), truth), self._logical)

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


def is_text(series: pl.Series) -> bool:
    """Whether a column holds text, or categories, which are text too."""
    import polars as pl

    return series.dtype in (pl.String, pl.Categorical, pl.Enum)


def _places(text: pl.Series, categories: tuple[str, ...]) -> pl.Series:
    """Where texts stand among categories; null where they do not."""
    import polars as pl

    return text.cast(pl.Enum(categories), strict=False).to_physical().cast(pl.Int32)


def warn_of_unknown(column: EventColumn, series: pl.Series, ids: Array) -> None:
    """Warn where not one of the values of a category is known, so that the column tells nothing.

    Args:
        column: The category.
        series: Its values in new events.
        ids: What they became.
    """
    there = series.is_not_null().to_numpy()
    if column.categories and there.any() and not ids[there].any():
        seen = listed(text_of(series).drop_nulls().unique(maintain_order=True).head(6).to_list(), 3)
        known = listed(list(column.categories), 3)
        warnings.warn(
            f"not one of the {int(there.sum())} values of column {column.name!r} is known from training: the events "
            f"have {seen}, training had {known}; all of them count as unknown, so check how the column is written",
            stacklevel=4,
        )
