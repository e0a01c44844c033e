"""Scores brought to one scale before learning, and predictions brought back; columns of features likewise."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from nasturtium.predictors.calibration import LEAST

Array = NDArray[Any]

SELDOM = 0.03
"""Values that are missing in a smaller share of rows than this teach nothing by being missing."""


class Standard:
    """Subtracts the mean and divides by the standard deviation (1 where all scores are equal)."""

    def __init__(self, scores: Array) -> None:
        self.center = float(scores.mean())
        self.unit = float(scores.std()) or 1.0

    def forward(self, scores: Array) -> Array:
        """Scores as they are learned."""
        found: Array = (scores - self.center) / self.unit
        return found

    def back(self, mean: Array, std: Array) -> tuple[Array, Array]:
        """Mean and standard deviation in the unit of the scores."""
        return self.center + self.unit * mean, self.unit * np.maximum(std, LEAST)


class Warped:
    """Scores become the normal quantiles of their ranks, so that a few bad architectures do not set the scale.

    In between, and back, it is linear; beyond the ends it goes on with the slope of the outermost tenth. A standard
    deviation comes back as half the distance of what lies one of it above and below the mean.
    """

    def __init__(self, scores: Array) -> None:
        from scipy.special import ndtri

        self.unit = float(scores.std()) or 1.0
        self.scores, counts = np.unique(scores, return_counts=True)
        ranks = np.cumsum(counts) - 0.5 * (counts - 1)  # of equal ones their mean
        self.quantiles = np.asarray(ndtri((ranks - 0.5) / len(scores)))
        if len(self.scores) > 1:
            tenth = max(1, len(self.scores) // 10)
            ends = [(0, tenth), (-1 - tenth, -1)]
            self.below, self.above = (self._slope(a, b) for a, b in ends)

    def _slope(self, a: int, b: int) -> float:
        return float((self.scores[b] - self.scores[a]) / (self.quantiles[b] - self.quantiles[a]))

    def forward(self, scores: Array) -> Array:
        """Scores as they are learned."""
        return np.asarray(np.interp(scores, self.scores, self.quantiles))

    def back(self, mean: Array, std: Array) -> tuple[Array, Array]:
        """Mean and standard deviation in the unit of the scores."""
        low, high = self._back(mean - std), self._back(mean + std)
        return self._back(mean), np.maximum(0.5 * (high - low), LEAST * self.unit)

    def _back(self, values: Array) -> Array:
        if len(self.scores) == 1:
            return np.asarray(self.scores[0] + self.unit * values)
        found = np.interp(values, self.quantiles, self.scores)
        found = found + self.below * np.minimum(values - self.quantiles[0], 0.0)
        found = found + self.above * np.maximum(values - self.quantiles[-1], 0.0)
        return np.asarray(found)


class StandardColumns:
    """Brings columns to mean 0 and standard deviation 1; what is not finite becomes the median.

    Args:
        columns: Those of the training set, (n, k).
    """

    def __init__(self, columns: Array) -> None:
        values = np.where(np.isfinite(columns), columns, np.nan)
        empty = np.isnan(values).all(0)
        self.middle = np.where(empty, 0.0, np.nanmedian(np.where(empty, 0.0, values), axis=0))
        filled = np.where(np.isnan(values), self.middle, values)
        spread = filled.std(0)
        self.center, self.unit = filled.mean(0), np.where(spread > 0, spread, 1.0)

    def __call__(self, columns: Array) -> Array:
        """Columns as they are learned from, (m, k)."""
        return np.asarray((np.where(np.isfinite(columns), columns, self.middle) - self.center) / self.unit)


class RankedColumns:
    """Columns as normal quantiles of their ranks in the training set, which span no decades as proxies do.

    What is not finite becomes the median, with a column of its own that says so where it happens now and then. Columns
    that do not vary are left out.

    Args:
        columns: Those of the training set, (n, k).
    """

    def __init__(self, columns: Array) -> None:
        known = np.isfinite(columns)
        missing = 1.0 - known.mean(0)
        self.told = np.flatnonzero((missing > SELDOM) & (missing < 1 - SELDOM))
        self.warps = {
            number: Warped(columns[known[:, number], number])
            for number in range(columns.shape[1])
            if len(np.unique(columns[known[:, number], number])) > 1
        }

    def __call__(self, columns: Array) -> Array:
        """Columns as they are learned from, (m, at most 2 k)."""
        known = np.isfinite(columns)
        several = [np.where(known[:, n], warp.forward(columns[:, n]), 0.0) for n, warp in self.warps.items()]
        found = np.array(several).reshape(len(several), len(columns)).T
        return np.hstack([found, 1.0 - known[:, self.told]])
