"""Numbers as people read them: scores, counts, durations, spreads."""

from __future__ import annotations

import math


def number_text(value: float | None) -> str:
    """A number as people read it: 0.9876, 12,345, 1.2M; a dash where there is none.

    >>> number_text(0.98765), number_text(12345), number_text(1234567), number_text(None)
    ('0.9877', '12,345', '1.23M', '–')
    """
    if value is None:
        return "–"
    if not math.isfinite(value):
        return str(value)
    if abs(value) >= 1e6:
        return large(value)
    if value == int(value) and abs(value) >= 10:
        return f"{value:,.0f}"
    return f"{value:,.4f}" if 1e-3 <= abs(value) < 1e3 or value == 0 else f"{value:.4g}"


def large(value: float) -> str:
    """A large number with its unit: 1.2M, 3.4G."""
    for size, unit in ((1e12, "T"), (1e9, "G")):
        if abs(value) >= size:
            return f"{value / size:.3g}{unit}"
    return f"{value / 1e6:.3g}M"


def seconds_text(seconds: float | None) -> str:
    """A duration as people read it.

    >>> seconds_text(0.25), seconds_text(75), seconds_text(7260)
    ('0.2 s', '1 min 15 s', '2 h 1 min')
    """
    if seconds is None:
        return "–"
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min {rest} s"


def tick_text(value: float) -> str:
    """A number at an axis: short, with units for large ones.

    >>> tick_text(0.30000000000000004), tick_text(2500), tick_text(0)
    ('0.3', '2.5k', '0')
    """
    for size, unit in ((1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k")):
        if abs(value) >= size:
            return f"{value / size:.4g}{unit}"
    return f"{value:.6g}"


def mean_and_spread(values: list[float]) -> tuple[float, float | None]:
    """Mean and sample standard deviation; None where there is one value."""
    mean = math.fsum(values) / len(values)
    if len(values) < 2:
        return mean, None
    return mean, math.sqrt(math.fsum((value - mean) ** 2 for value in values) / (len(values) - 1))
