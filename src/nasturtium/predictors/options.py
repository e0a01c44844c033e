"""Checks of the options of predictors, made before anything is fitted."""

from __future__ import annotations

import math
from numbers import Integral, Real
from typing import Any

from nasturtium.predictors.base import PredictorError


def integers(fewest: int = 1, /, **options: Any) -> None:
    """Makes sure that options are whole numbers not below ``fewest``.

    Raises:
        PredictorError: Otherwise, naming the option.
    """
    for name, value in options.items():
        if isinstance(value, bool) or not isinstance(value, Integral) or value < fewest:
            raise PredictorError(f"option {name}={value!r}: a whole number from {fewest} up is expected")


def reals(low: float = 0.0, high: float = math.inf, /, **options: Any) -> None:
    """Makes sure that options are finite numbers from ``low`` to ``high``.

    Raises:
        PredictorError: Otherwise, naming the option.
    """
    for name, value in options.items():
        fits = isinstance(value, Real) and not isinstance(value, bool) and math.isfinite(value)
        if not fits or not low <= value <= high:
            wanted = f"from {low:g} up" if high == math.inf else f"from {low:g} to {high:g}"
            raise PredictorError(f"option {name}={value!r}: a number {wanted} is expected")
