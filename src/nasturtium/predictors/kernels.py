"""Kernels on vectors: squared exponential and Matern 5/2, with one length scale or one a column."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]

AMPLITUDE = (1e-2, 1e2)
"""Between these the variance of a process is searched, in units of the variance of the scores."""


class Kernel(ABC):
    """A covariance; its first hyperparameter is the logarithm of its variance.

    Attributes:
        graphs: Whether it is one of graphs, and not of rows.
    """

    graphs: bool = False

    def variants(self, x: Any) -> int:
        """How many discrete settings there are for training rows."""
        return 1

    def choose(self, variant: int) -> None:
        """Takes one of the discrete settings; here there is nothing to take."""
        return

    @abstractmethod
    def prepared(self, x: Any) -> Any:
        """What of the training rows the other methods need, worked out once."""

    @abstractmethod
    def bounds(self, prepared: Any) -> list[tuple[float, float]]:
        """Between which values each hyperparameter is searched."""

    @abstractmethod
    def start(self, prepared: Any) -> Array:
        """Where the search begins."""

    @abstractmethod
    def covariance(self, theta: Array, prepared: Any) -> Array:
        """Of the training rows, (n, n)."""

    @abstractmethod
    def pullback(self, theta: Array, prepared: Any, outer: Array) -> Array:
        """The sum over i, j of ``outer[i, j]`` times the derivative of the covariance, for each hyperparameter."""

    @abstractmethod
    def between(self, theta: Array, x: Any, training: Any) -> tuple[Array, Array]:
        """Covariance of new and training rows (m, n), and the variance of each new row (m,)."""


class Rows(NamedTuple):
    """Training rows, and half their squared distances where there is one length scale."""

    x: Array
    squares: Array


class Radial(Kernel):
    """Squared exponential: v exp(-r^2 / 2), r the distance in length scales.

    Args:
        ard: Whether each column has a length scale of its own (automatic relevance determination).
    """

    def __init__(self, ard: bool = False) -> None:
        self.ard = ard

    def prepared(self, x: Any) -> Rows:
        """Rows and squared distances."""
        rows = np.asarray(x, np.float64)
        return Rows(rows, squared(rows, rows))

    def bounds(self, prepared: Rows) -> list[tuple[float, float]]:
        """Length scales of 0.05 to 20 times the median distance."""
        middle = self._middle(prepared)
        scales = self._scales(prepared)
        high = 20.0 * (10.0 if self.ard else 1.0)  # with scales of their own, columns may be switched off
        return [tuple(np.log(AMPLITUDE)), *[(np.log(0.05 * middle), np.log(high * middle))] * scales]

    def start(self, prepared: Rows) -> Array:
        """Variance 1 and the median distance."""
        return np.array([0.0, *[np.log(self._middle(prepared))] * self._scales(prepared)])

    def _scales(self, prepared: Rows) -> int:
        return prepared.x.shape[1] if self.ard else 1

    def _middle(self, prepared: Rows) -> float:
        positive = prepared.squares[prepared.squares > 0]
        return float(np.sqrt(np.median(positive))) if len(positive) else 1.0

    def _distances(self, theta: Array, prepared: Rows) -> Array:
        if not self.ard:
            return np.asarray(prepared.squares * np.exp(-2 * theta[1]))
        scaled = prepared.x * np.exp(-theta[1:])
        return squared(scaled, scaled)

    def covariance(self, theta: Array, prepared: Rows) -> Array:
        """Of the training rows."""
        return np.asarray(np.exp(theta[0]) * self.shape(self._distances(theta, prepared)))

    def pullback(self, theta: Array, prepared: Rows, outer: Array) -> Array:
        """By variance and length scales; d r^2 / d log l = -2 (x - x')^2 / l^2."""
        distances = self._distances(theta, prepared)
        first = float(np.sum(outer * self.shape(distances)))
        slope = outer * self.slope(distances)  # by the squared distance
        if not self.ard:
            return np.asarray(np.exp(theta[0]) * np.array([first, -2 * np.sum(slope * distances)]))
        scaled = prepared.x * np.exp(-theta[1:])
        weights = slope + slope.T
        columns = np.einsum("ij,i->j", scaled**2, weights.sum(1)) - np.einsum("ij,ij->j", scaled, weights @ scaled)
        return np.asarray(np.exp(theta[0]) * np.append(first, -2 * columns))

    def between(self, theta: Array, x: Any, training: Any) -> tuple[Array, Array]:
        """Covariance of new and training rows."""
        scale = np.exp(-theta[1:])
        distances = squared(np.asarray(x, np.float64) * scale, np.asarray(training, np.float64) * scale)
        return np.exp(theta[0]) * self.shape(distances), np.full(len(distances), np.exp(theta[0]))

    def shape(self, squares: Array) -> Array:
        """The correlation at squared distances."""
        return np.exp(-0.5 * squares)

    def slope(self, squares: Array) -> Array:
        """Its derivative by the squared distance."""
        return -0.5 * np.exp(-0.5 * squares)


class Matern(Radial):
    """Matern of smoothness 5/2: v (1 + sqrt(5) r + 5 r^2 / 3) exp(-sqrt(5) r).

    Args:
        ard: Whether each column has a length scale of its own.
    """

    def shape(self, squares: Array) -> Array:
        """The correlation at squared distances."""
        far = np.sqrt(5.0 * squares)
        return (1.0 + far + far**2 / 3.0) * np.exp(-far)

    def slope(self, squares: Array) -> Array:
        """Its derivative by the squared distance: -5/6 (1 + sqrt(5) r) exp(-sqrt(5) r)."""
        far = np.sqrt(5.0 * squares)
        return -5.0 / 6.0 * (1.0 + far) * np.exp(-far)


def squared(a: Array, b: Array) -> Array:
    """Squared Euclidean distances of rows, (n, m)."""
    products = (a**2).sum(1)[:, None] + (b**2).sum(1)[None] - 2.0 * (a @ b.T)
    return np.asarray(np.maximum(products, 0.0))
