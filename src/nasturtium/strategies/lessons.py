"""What a predictor is taught: losses as values to maximise, and which of very many are learned from."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nasturtium.strategies.base import Losses

Array = NDArray[Any]


def worths(losses: Sequence[Losses]) -> Array:
    """The first objective as something to maximise, (n,); what breaks a limit lies below all that keeps them."""
    table = np.array([each[:2] for each in losses], np.float64).reshape(len(losses), 2)
    broken, values = table[:, 0] > 0, -table[:, 1]
    if not broken.any():
        return values
    kept = values[~broken]
    low, width = (float(kept.min()), float(np.ptp(kept)) or 1.0) if len(kept) else (0.0, 1.0)
    miss = table[:, 0] / (1.0 + table[:, 0])
    return np.where(broken, low - width * (0.1 + 0.4 * miss), values)


def quantiles(values: Array) -> Array:
    """The normal quantiles of the ranks of values (n,), equal ones sharing theirs: how good, whatever the unit.

    A predictor's spread is then in the same unit everywhere. In the unit of the score it would be largest where some
    architectures fail to learn and score far below the rest, and acquisitions would go there.
    """
    from scipy.special import ndtri

    _, place, counts = np.unique(values, return_inverse=True, return_counts=True)
    ranks = np.cumsum(counts) - 0.5 * (counts - 1)  # of equal ones their mean; scipy.stats takes a second to import
    return np.asarray(ndtri((ranks[place] - 0.5) / len(values)))


def squeezed(values: Array) -> Array:
    """Values (n,) linear above their median, in units of their spread there, and logarithmic below it.

    Where scores are noisy, ranks would make most of the differences among the best, which are noise; and in the unit of
    the score those that failed to learn would set the scale.
    """
    middle = np.median(values)
    above = values[values >= middle] - middle
    places = (values - middle) / (float(np.sqrt(np.mean(above**2))) or 1.0)
    return np.asarray(np.where(places < 0, -np.log1p(np.maximum(-places, 0.0)), places))


def taught(values: Array, most: int | None) -> Array:
    """Which values (n,) are learned from where ``most`` are: the best half of those, and else the latest, in order."""
    if most is None or len(values) <= most:
        return np.arange(len(values))
    best = np.argsort(-values, kind="stable")[: most // 2]
    others = np.setdiff1d(np.arange(len(values)), best)
    return np.sort(np.append(best, others[len(others) - (most - len(best)) :]))
