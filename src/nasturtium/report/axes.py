"""Axes of plots: where values lie in pixels, and at which of them there are ticks."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from nasturtium.report.numbers import tick_text

FENCE = 3.0
"""Values farther than so many interquartile ranges beyond the quartile on the bad side are drawn at the edge."""


@dataclass(frozen=True, slots=True)
class Axis:
    """One axis.

    Attributes:
        title: What it shows.
        low, high: Its ends, ``low < high``.
        log: Whether it is logarithmic.
        whole: Whether its values are whole numbers.
    """

    title: str
    low: float
    high: float
    log: bool = False
    whole: bool = False

    def place(self, value: float) -> float:
        """Where a value lies between the ends, 0 to 1; values beyond lie at the ends."""
        if self.log:
            low, high, value = math.log(self.low), math.log(self.high), math.log(max(value, self.low))
        else:
            low, high = self.low, self.high
        return min(max((value - low) / (high - low), 0.0), 1.0)

    def holds(self, value: float) -> bool:
        """Whether a value lies between the ends."""
        return self.low <= value <= self.high

    def ticks(self, wanted: int = 5) -> list[tuple[float, str]]:
        """Values with their texts, about as many as wanted."""
        values = log_ticks(self.low, self.high, wanted) if self.log else ticks(self.low, self.high, wanted, self.whole)
        return [(value, tick_text(value)) for value in values]


def ticks(low: float, high: float, wanted: int = 5, whole: bool = False) -> list[float]:
    """Round values between two: steps of 1, 2, or 5 times a power of ten.

    >>> ticks(0.03, 0.97)
    [0.2, 0.4, 0.6, 0.8]
    """
    rough = (high - low) / max(wanted, 1)
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(factor * power for factor in (1, 2, 5, 10) if factor * power >= rough * 0.999)
    if whole:
        step = max(1.0, step)
    first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
    return [round(number * step, 12) for number in range(first, last + 1)]


def log_ticks(low: float, high: float, wanted: int = 5) -> list[float]:
    """Round values on a logarithmic axis: powers of ten, with 2 and 5 times these where there are few.

    >>> log_ticks(800, 30000)
    [1000.0, 2000.0, 5000.0, 10000.0, 20000.0]
    """
    powers = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    for factors in ((1, 2, 5), (1, 3), (1,)):
        found = [factor * 10.0**power for power in powers for factor in factors]
        found = [value for value in found if low <= value <= high]
        if len(found) <= wanted + 1:
            break
    thinned = found[:: math.ceil(len(found) / (wanted + 1))] if found else []
    return thinned or ticks(low, high, wanted)


def axis(title: str, values: Sequence[float], *, log: bool = False, whole: bool = False) -> Axis:
    """An axis that holds all values, with some room at its ends.

    Args:
        title: What it shows.
        values: What it must hold; none gives an axis from 0 to 1.
        log: Whether it may be logarithmic; it is where the values are positive and span a factor of 20.
        whole: Whether the values are whole numbers.
    """
    if not values:
        return Axis(title, 0.0, 1.0)
    low, high = min(values), max(values)
    if log and low > 0 and high / low >= 20:
        room = (high / low) ** 0.05
        return Axis(title, low / room, high * room, log=True)
    room = 0.05 * (high - low) or 0.05 * abs(high) or 0.5
    return Axis(title, low - room, high + room, whole=whole)


def robust(title: str, values: Sequence[float], maximise: bool) -> Axis:
    """An axis of scores: a few very bad ones do not squeeze all others (Tukey's outer fence, on the bad side only)."""
    ordered = sorted(value if maximise else -value for value in values)
    if len(ordered) < 5:
        return axis(title, values)
    lower, upper = ordered[len(ordered) // 4], ordered[(3 * len(ordered)) // 4]
    fence = lower - FENCE * (upper - lower)
    kept = [value for value in ordered if value >= fence]
    return axis(title, [value if maximise else -value for value in kept])
