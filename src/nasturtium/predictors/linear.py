"""Bayesian linear regression with the evidence maximised."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from nasturtium.predictors.base import Regressor
from nasturtium.predictors.calibration import Held

Array = NDArray[Any]

BOUNDS = (-12.0, 12.0)
"""Between these the logarithms of both variances are searched."""


class BayesianLinear(Regressor):
    """A linear model with a normal prior on its weights (Bishop 2006, sections 3.3 and 3.5).

    Prior and noise variance maximise the evidence. With K = X X' and its eigenvalues l, the scores have covariance
    a K + s I, whose eigenvalues are a l + s: evidence and gradient cost n operations once K is decomposed.

    Args:
        intercept: Whether a constant column stands beside the others.
    """

    def __init__(self, intercept: bool = True) -> None:
        self.intercept = intercept

    def fit(self, x: Any, y: Array) -> None:
        """Finds both variances and the posterior of the weights."""
        from scipy.optimize import minimize

        rows = self._design(x)
        values, vectors = np.linalg.eigh(rows @ rows.T)
        values, turned = np.maximum(values, 0.0), vectors.T @ y
        scale = np.log(max(values.mean(), 1e-12))
        starts = [(np.log(part) - scale, np.log(1 - part)) for part in (0.5, 0.9, 0.1)]
        best = min(
            (
                minimize(_loss, start, (values, turned), jac=True, method="L-BFGS-B", bounds=_bounds(scale))
                for start in starts
            ),
            key=lambda found: float(found.fun),
        )
        self.evidence = -float(best.fun)
        self.prior, self.noise = (float(value) for value in np.exp(best.x))
        precision = rows.T @ rows / self.noise + np.eye(rows.shape[1]) / self.prior
        self.root = np.linalg.cholesky(precision)
        self.weights = self._solved(rows.T @ y) / self.noise
        self._held = self._left_out(vectors, values, y)

    def _design(self, x: Any) -> Array:
        rows = np.asarray(x, np.float64)
        return np.hstack([rows, np.ones((len(rows), 1))]) if self.intercept else rows

    def _solved(self, right: Array) -> Array:
        from scipy.linalg import cho_solve

        solved: Array = cho_solve((self.root, True), right)
        return solved

    def predict(self, x: Any) -> tuple[Array, Array]:
        """Posterior mean, and the standard deviation of a new score, noise included."""
        from scipy.linalg import solve_triangular

        rows = self._design(x)
        half = solve_triangular(self.root, rows.T, lower=True)
        return rows @ self.weights, np.sqrt(self.noise + (half**2).sum(0))

    def _left_out(self, vectors: Array, values: Array, y: Array) -> Held:
        inverse = (vectors / (self.prior * values + self.noise)) @ vectors.T
        return left_out(inverse, y)

    def held_out(self) -> Held | None:
        """Leave-one-out predictions in closed form."""
        return self._held


def left_out(inverse: Array, y: Array) -> Held:
    """Leave-one-out predictions of a normal model from the inverse of the scores' covariance (n, n).

    Rasmussen and Williams 2006, equation 5.12.
    """
    variance = 1.0 / np.diag(inverse)
    return y - (inverse @ y) * variance, np.sqrt(variance), y


def _bounds(scale: float) -> list[tuple[float, float]]:
    return [(BOUNDS[0] - scale, BOUNDS[1] - scale), BOUNDS]


def _loss(theta: Array, values: Array, turned: Array) -> tuple[float, Array]:
    """Negative logarithm of the evidence, and its gradient by the logarithms of prior and noise variance."""
    prior, noise = np.exp(theta)
    variance = prior * values + noise
    fitted = turned**2 / variance
    loss = 0.5 * float(np.sum(np.log(variance) + fitted + np.log(2 * np.pi)))
    slope = 0.5 * (1.0 - fitted) / variance
    return loss, np.array([np.sum(slope * prior * values), np.sum(slope * noise)])
