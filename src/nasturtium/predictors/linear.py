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
    a K + s I, whose eigenvalues are a l + s: evidence and gradient cost n operations once K is decomposed. Where there
    are fewer columns than rows, X is decomposed instead; the other eigenvalues are 0.

    Args:
        intercept: Whether a constant column stands beside the others.
    """

    def __init__(self, intercept: bool = True) -> None:
        self.intercept = intercept

    def fit(self, x: Any, y: Array) -> None:
        """Finds both variances and the posterior of the weights."""
        from scipy.optimize import minimize

        rows = self._design(x)
        vectors, values = _decomposed(rows)
        turned = vectors.T @ y
        left = max(float(y @ y - turned @ turned), 0.0)  # squared length of what lies outside of the vectors
        values, turned = _filled(values, len(y)), _filled(np.append(turned, np.sqrt(left)), len(y))
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
        self._solve(rows, y, vectors, values)
        self._held = self._left_out(vectors, values, y)

    def _design(self, x: Any) -> Array:
        rows = np.asarray(x, np.float64)
        return np.hstack([rows, np.ones((len(rows), 1))]) if self.intercept else rows

    def _solve(self, rows: Array, y: Array, vectors: Array, values: Array) -> None:
        """The posterior by the smaller of two matrices: X' X, or X X', which is decomposed already."""
        from scipy.linalg import cho_solve

        self.turned = rows.shape[1] > rows.shape[0]
        if self.turned:
            variance = self.prior * values + self.noise
            self.weights = self.prior * (rows.T @ (vectors @ ((vectors.T @ y) / variance)))
            self.root: Array = self.prior * (rows.T @ (vectors / np.sqrt(variance)))  # (d, n)
            return
        precision = rows.T @ rows / self.noise + np.eye(rows.shape[1]) / self.prior
        self.root = np.linalg.cholesky(precision)
        self.weights = cho_solve((self.root, True), rows.T @ y) / self.noise

    def predict(self, x: Any) -> tuple[Array, Array]:
        """Posterior mean, and the standard deviation of a new score, noise included."""
        from scipy.linalg import solve_triangular

        rows = self._design(x)
        if self.turned:
            known = ((rows @ self.root) ** 2).sum(1)
            spread = np.maximum(self.prior * (rows**2).sum(1) - known, 0.0)
        else:
            spread = (solve_triangular(self.root, rows.T, lower=True) ** 2).sum(0)
        return rows @ self.weights, np.sqrt(self.noise + spread)

    def _left_out(self, vectors: Array, values: Array, y: Array) -> Held:
        part = self.prior * values[: vectors.shape[1]] + self.noise
        turned = vectors.T @ y
        outside = np.maximum(1.0 - (vectors**2).sum(1), 0.0)
        solved = vectors @ (turned / part) + (y - vectors @ turned) / self.noise
        return left_out((vectors**2) @ (1.0 / part) + outside / self.noise, solved, y)

    def held_out(self) -> Held | None:
        """Leave-one-out predictions in closed form."""
        return self._held


def left_out(diagonal: Array, solved: Array, y: Array) -> Held:
    """Leave-one-out predictions of a normal model (Rasmussen and Williams 2006, equation 5.12).

    Args:
        diagonal: Of the inverse of the scores' covariance, (n,).
        solved: That inverse times the scores, (n,).
        y: The scores, (n,).
    """
    variance = 1.0 / diagonal
    return y - solved * variance, np.sqrt(variance), y


def _decomposed(rows: Array) -> tuple[Array, Array]:
    """Eigenvectors of X X' (n, min(n, d)) as columns, and their eigenvalues."""
    if 0 < rows.shape[1] < rows.shape[0]:
        vectors, singular, _ = np.linalg.svd(rows, full_matrices=False)
        return vectors, singular**2
    values, vectors = np.linalg.eigh(rows @ rows.T)
    return vectors, np.maximum(values, 0.0)


def _filled(values: Array, count: int) -> Array:
    """The first ``count`` values, zeros where there are fewer."""
    return np.append(values, np.zeros(max(0, count - len(values))))[:count]


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
