"""Scores of learning curves that rank architectures without a guess of the final value."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nasturtium.predictors.base import PredictorError

Array = NDArray[Any]

WEIGHT = 0.99
"""Of a new value in the moving average of SoTL-EMA, as in the code of the paper."""


def common(curves: Any) -> Array:
    """The epochs that all curves have, (n, t'): sums over different numbers of epochs cannot be compared.

    Raises:
        PredictorError: If they have none in common, or the shape is another.
    """
    values = np.asarray(curves, np.float64)
    if values.ndim != 2:
        raise PredictorError(f"curves of shape {values.shape}: one row a curve, one column an epoch are expected")
    missing = ~np.isfinite(values).all(0)
    shared = values[:, : int(np.argmax(missing)) if missing.any() else values.shape[1]]
    if not shared.shape[1]:
        raise PredictorError("the curves have no first epoch in common; leave out those that hold no number")
    return shared


def sum_of_losses(curves: Any, maximise: bool = False, epochs: int | None = None) -> Array:
    """SoTL of training losses (Ru et al. 2021, arXiv:2006.04492), SoVL of validation values: more is better, (n,).

    Args:
        curves: (n, t) of training losses (SoTL) or validation values (SoVL).
        maximise: Whether more is better in the curves.
        epochs: Only the last so many count (SoTL-E; 1 is what the paper recommends); all if None.
    """
    shared = common(curves)
    counted = shared if epochs is None else shared[:, -epochs:]
    found: Array = counted.sum(1)
    return found if maximise else -found


def moving_sum(curves: Any, maximise: bool = False, weight: float = WEIGHT) -> Array:
    """SoTL-EMA: the sum of the exponential moving average of the curve, more is better, (n,).

    The average is (1 - weight) of what it was and weight of the new value, from the first value on. With the weight of
    the paper's code it follows the curve closely, so that the score nearly equals SoTL.

    Args:
        curves: (n, t) of training losses.
        maximise: Whether more is better in the curves.
        weight: How much of the average the new value is at each epoch.
    """
    shared = common(curves)
    average, total = shared[:, 0], shared[:, 0].copy()
    for value in shared[:, 1:].T:
        average = (1.0 - weight) * average + weight * value
        total += average
    return total if maximise else -total


def last_value(curves: Any, maximise: bool = False) -> Array:
    """Early stopping, and SoTL-E with E = 1: the last value that all curves have, more is better, (n,)."""
    return sum_of_losses(curves, maximise, 1)


CURVE_SCORES: dict[str, Callable[..., Array]] = {
    "sotl": sum_of_losses,
    "sotl_e": last_value,
    "sotl_ema": moving_sum,
    "sovl": sum_of_losses,
    "early_stopping": last_value,
}
"""Scores by name; each takes curves and ``maximise``. SoTL are of training losses, the others of validation values."""
