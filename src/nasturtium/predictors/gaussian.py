"""Exact Gaussian processes over any kernel, with the marginal likelihood maximised by its gradient."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from nasturtium.options import integers
from nasturtium.predictors.base import PredictorError, Regressor
from nasturtium.predictors.calibration import Held
from nasturtium.predictors.kernels import Kernel, Matern, Radial
from nasturtium.predictors.linear import left_out
from nasturtium.predictors.structured import DistanceKernel, Hamming, WeisfeilerLehman

Array = NDArray[Any]

KERNELS = ("rbf", "matern", "hamming", "wl", "edit", "transport")
"""The kernels by name."""

NOISE = (1e-5, 2.0)
"""Between these the variance of the noise is searched, in units of the variance of the scores."""

FAR = 1e25
"""The loss where a covariance has no Cholesky factor."""


MOST = 1000
"""So many rows a search has a process learn from: its cost grows with their cube, its memory with their square."""


class GaussianProcess(Regressor):
    """A Gaussian process of mean 0 (Rasmussen and Williams 2006, algorithm 2.1) with hyperparameters that maximise
    the marginal likelihood, found by L-BFGS along its gradient (equation 5.9) from one or more starts.

    Args:
        kernel: One of ``KERNELS``, or a kernel.
        ard: Whether each column has a length scale of its own (kernels ``rbf`` and ``matern``).
        starts: From how many places the search begins; the second and later are drawn at random.
        steps: Most steps of a search.
        seed: Of those places.
    """

    most = MOST

    def __init__(
        self, kernel: str | Kernel = "matern", ard: bool = False, starts: int = 1, steps: int = 60, seed: int = 0
    ) -> None:
        integers(starts=starts)
        integers(0, steps=steps)
        self.kernel = kernel_called(kernel, ard)
        self.starts, self.steps, self.seed = starts, steps, seed
        self.graphs = self.kernel.graphs

    def fit(self, x: Any, y: Array) -> None:
        """Maximises the marginal likelihood over the kernel's variants, length scales and the noise."""
        best: tuple[float, int, Array] | None = None
        for variant in range(self.kernel.variants(x)):
            self.kernel.choose(variant)
            loss, theta = self._search(x, y)
            if best is None or loss < best[0]:
                best = loss, variant, theta
        if best is None:
            raise PredictorError(f"kernel {self.kernel!r} has no variant for these architectures")
        self.kernel.choose(best[1])
        self.x, self.theta, self.likelihood = x, best[2], -best[0]
        self.noise = float(np.exp(self.theta[-1]))
        covariance = self._covariance(self.theta, self.kernel.prepared(x))
        self.root = np.linalg.cholesky(covariance)
        inverse = _inverse(self.root)
        self.weights = inverse @ y
        self._held = left_out(np.diag(inverse), self.weights, y)

    def _search(self, x: Any, y: Array) -> tuple[float, Array]:
        from scipy.optimize import minimize

        prepared = self.kernel.prepared(x)
        bounds = [*self.kernel.bounds(prepared), (np.log(NOISE[0]), np.log(NOISE[1]))]
        low, high = np.array(bounds).T
        rng = np.random.default_rng(self.seed)
        starts = [np.append(self.kernel.start(prepared), np.log(0.1))]
        starts += [rng.uniform(low, high) for _ in range(self.starts - 1)]
        found = [
            minimize(
                self.loss, np.clip(start, low, high), (prepared, y), jac=True, method="L-BFGS-B", bounds=bounds,
                options={"maxiter": self.steps},
            )
            for start in starts
        ]  # fmt: skip
        best = min(found, key=lambda each: float(each.fun))
        return float(best.fun), best.x

    def _covariance(self, theta: Array, prepared: Any) -> Array:
        covariance = self.kernel.covariance(theta[:-1], prepared)
        return covariance + float(np.exp(theta[-1])) * np.eye(len(covariance))

    def loss(self, theta: Array, prepared: Any, y: Array) -> tuple[float, Array]:
        """Negative log marginal likelihood and its gradient by the logarithms of the hyperparameters, noise last."""
        try:
            root = np.linalg.cholesky(self._covariance(theta, prepared))
        except np.linalg.LinAlgError:
            return FAR, np.zeros(len(theta))
        inverse = _inverse(root)
        weights = inverse @ y
        loss = 0.5 * y @ weights + np.log(np.diag(root)).sum() + 0.5 * len(y) * np.log(2 * np.pi)
        outer = 0.5 * (inverse - np.outer(weights, weights))  # derivative of the loss by the covariance
        slopes = self.kernel.pullback(theta[:-1], prepared, outer)
        return float(loss), np.append(slopes, np.exp(theta[-1]) * np.trace(outer))

    def predict(self, x: Any) -> tuple[Array, Array]:
        """Posterior mean, and the standard deviation of a new score, noise included."""
        from scipy.linalg import solve_triangular

        cross, own = self.kernel.between(self.theta[:-1], x, self.x)
        half = solve_triangular(self.root, cross.T, lower=True, check_finite=False)
        variance = np.maximum(own - np.einsum("ij,ij->j", half, half), 0.0) + self.noise
        return cross @ self.weights, np.sqrt(variance)

    def held_out(self) -> Held | None:
        """Leave-one-out predictions in closed form."""
        return self._held


def _inverse(root: Array) -> Array:
    """The inverse of the matrix with this Cholesky factor."""
    from scipy.linalg import lapack

    lower, _ = lapack.dpotri(root, lower=1)
    whole: Array = np.tril(lower) + np.tril(lower, -1).T
    return whole


def kernel_called(kernel: str | Kernel, ard: bool) -> Kernel:
    """The kernel of a name.

    Raises:
        PredictorError: If there is none.
    """
    if isinstance(kernel, Kernel):
        return kernel
    if kernel == "rbf":
        return Radial(ard)
    if kernel == "matern":
        return Matern(ard)
    if kernel == "hamming":
        return Hamming()
    if kernel == "wl":
        return WeisfeilerLehman()
    if kernel in ("edit", "transport"):
        return DistanceKernel(kernel)
    raise PredictorError(f"unknown kernel {kernel!r} (there are: {', '.join(KERNELS)})")
