"""Checks of options, made before anything is computed; each names the option and says what is expected."""

from __future__ import annotations

import math
from numbers import Integral, Real
from typing import Any

from nasturtium.errors import NasturtiumError


def at_least(name: str, value: int, least: int) -> int:
    """``value``, if it is a whole number (one of numpy's as well) not below ``least``.

    Raises:
        NasturtiumError: Otherwise, naming the option.
    """
    if isinstance(value, bool) or not isinstance(value, Integral) or value < least:
        raise NasturtiumError(f"option {name}={value!r}: a whole number from {least} up is expected")
    return int(value)


def between(name: str, value: float, low: float, high: float) -> float:
    """``value``, if it is a number (one of numpy's as well) from ``low`` to ``high``.

    Raises:
        NasturtiumError: Otherwise, naming the option.
    """
    if isinstance(value, bool) or not isinstance(value, Real) or not low <= value <= high:
        wanted = f"from {low:g} up" if high == math.inf else f"from {low:g} to {high:g}"
        raise NasturtiumError(f"option {name}={value!r}: a number {wanted} is expected")
    return value if isinstance(value, (int, float)) else float(value)


def integers(least: int = 1, /, **options: Any) -> None:
    """Makes sure that options are whole numbers not below ``least``.

    Raises:
        NasturtiumError: Otherwise, naming the option.
    """
    for name, value in options.items():
        at_least(name, value, least)


def reals(low: float = 0.0, high: float = math.inf, /, **options: Any) -> None:
    """Makes sure that options are finite numbers from ``low`` to ``high``.

    Raises:
        NasturtiumError: Otherwise, naming the option.
    """
    for name, value in options.items():
        if between(name, value, low, high) == math.inf:
            raise NasturtiumError(f"option {name}={value!r}: a number from {low:g} up, not infinite, is expected")
