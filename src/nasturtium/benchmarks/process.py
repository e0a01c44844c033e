"""A Gaussian process as plain arrays: fitted by the predictor ``gp``, kept and asked without it."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from nasturtium.benchmarks.forest import Numbers

MOST = 3_000
"""So many examples are fitted on at most: a step of the fit takes time in their cube, and their square is kept."""


class Process(NamedTuple):
    """The posterior of a Gaussian process with a Matern 5/2 kernel of one length scale.

    Attributes:
        rows: (n, features) what it has seen, in length scales.
        weights: (n,) what the covariances with these are multiplied by.
        half: (n, n) the inverse of the Cholesky factor of their covariance, noise included.
        variance: (1,) of the process.
        unit: (2,) mean and standard deviation of the scores, which it has learned standardised.
        scale: (1,) the length scale.
    """

    rows: Numbers
    weights: Numbers
    half: Numbers
    variance: Numbers
    unit: Numbers
    scale: Numbers

    def predict(self, row: Numbers) -> Numbers:
        """The mean less and plus one standard deviation of the function, (2,).

        Args:
            row: (features,).
        """
        cross = self._cross(row)
        mean, seen = cross @ self.weights, self.half @ cross
        off = np.sqrt(max(self.variance[0] - float(seen @ seen), 0.0))
        found: Numbers = self.unit[0] + self.unit[1] * np.array([mean - off, mean + off])
        return found

    def mean(self, row: Numbers) -> float:
        """The mean alone, for which (n, n) is not gone through.

        Args:
            row: (features,).
        """
        return float(self.unit[0] + self.unit[1] * (self._cross(row) @ self.weights))

    def _cross(self, row: Numbers) -> Numbers:
        """The covariances of one example with what the process has seen, (n,)."""
        found: Numbers = self.variance[0] * _matern(((self.rows - row / self.scale[0]) ** 2).sum(axis=1))
        return found


def fit(rows: Numbers, targets: Numbers, trees: int, seed: int) -> tuple[Process, Numbers]:
    """A Gaussian process whose length scale, variance and noise maximise the marginal likelihood.

    Args:
        rows: (n, features).
        targets: (n,).
        trees: Not used: it has none.
        seed: Not used: nothing is drawn.

    Returns:
        The process, and for each example the mean of the process that has seen all others: (n,).
    """
    from nasturtium.predictors.gaussian import GaussianProcess

    unit = np.array([targets.mean(), targets.std() or 1.0])
    model = GaussianProcess("matern", seed=seed)
    model.fit(np.asarray(rows, dtype=np.float64), (targets - unit[0]) / unit[1])
    variance, scale = np.exp(model.theta[:1]), np.exp(model.theta[1:2])
    half = np.linalg.inv(model.root)
    made = Process(np.asarray(rows, np.float64) / scale[0], model.weights, half, variance, unit, scale)
    held = model.held_out()
    unseen: Numbers = unit[0] + unit[1] * (np.full(len(targets), np.nan) if held is None else held[0])
    return made, unseen


def _matern(squares: Numbers) -> Numbers:
    """The correlation at squared distances in length scales."""
    far = np.sqrt(5.0 * squares)
    found: Numbers = (1.0 + far + far**2 / 3.0) * np.exp(-far)
    return found
