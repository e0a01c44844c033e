"""LcSVR: regression from the beginning of a curve to its end, learned on complete curves of others."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from nasturtium.predictors.calibration import folds
from nasturtium.predictors.curves.base import CurveLearner, Scaled, spread

Array = NDArray[Any]

RANGES = {"C": (1e-5, 10.0), "gamma": (1e-5, 10.0)}
"""Between these both are drawn, uniformly in their logarithms."""
FOLDS = 3
LEAST = 2 * FOLDS
"""So many complete curves are needed; with fewer the last value stands for the end."""


class Regression(CurveLearner):
    """Nu-support vector regression on the beginning of a curve (Baker et al. 2017, arXiv:1705.10823, section 3).

    Its columns are the values so far, their first and second differences, mean and standard deviation, and whatever
    features of the architecture are given (parameters, FLOPs, latency). For each length of a beginning there is a model
    of its own, whose C, nu and gamma are the best of random draws by three-fold cross-validation. Differs from the
    reference in that columns and ends are standardised, which asks for fewer draws. The spread is that of the held-out
    residuals of the chosen model, as in the paper.

    Args:
        maximise: Whether more is better.
        bound: The largest value there can be.
        draws: How many settings are tried; 1,000 in the reference.
        seed: Of draws and folds.
    """

    def __init__(self, maximise: bool = True, bound: float | None = None, draws: int = 100, seed: int = 0) -> None:
        super().__init__(maximise, bound)
        self.draws, self.seed = draws, seed
        self.models: dict[tuple[int, int], Model | None] = {}

    def fit(self, curves: Any, features: Any = None) -> CurveLearner:
        """Keeps curves to learn from, and forgets what was learned."""
        self.models = {}
        return super().fit(curves, features)

    def _extrapolated(self, given: Scaled, horizon: int, features: Array | None) -> tuple[Array, Array]:
        mean, std = given.last.copy(), spread(given)
        for length in np.unique(given.lengths):
            rows = np.flatnonzero(given.lengths == length)
            model = self._model(int(length), horizon)
            if model is not None:
                extra = None if features is None else features[rows]
                originals = (given.values[rows, :length] - given.offset[rows, None]) / given.slope[rows, None]
                end, wide = model(columns(originals, extra))
                mean[rows] = end * given.slope[rows] + given.offset[rows]
                std[rows] = wide * np.abs(given.slope[rows])
        return mean, std

    def _model(self, length: int, horizon: int) -> Model | None:
        """The model for beginnings of a length, or nothing if too few curves have that and the horizon."""
        if (length, horizon) not in self.models:
            self.models[length, horizon] = self._learned(length, horizon)
        return self.models[length, horizon]

    def _learned(self, length: int, horizon: int) -> Model | None:
        known = self.complete(horizon, length)
        if len(known) < LEAST or self.known is None:
            return None
        extra = None if self.features is None else self.features[known]
        return Model(columns(self.known[known, :length], extra), self.known[known, horizon - 1], self.draws, self.seed)


def columns(beginnings: Array, features: Array | None) -> Array:
    """What is known of beginnings (n, t), (n, 3 t - 1 + k); a gap has the value before it, or else the next."""
    values = np.asarray(beginnings, np.float64).copy()
    count = values.shape[1]
    for here, before in [*((k, k - 1) for k in range(1, count)), *((k, k + 1) for k in range(count - 2, -1, -1))]:
        values[:, here] = np.where(np.isfinite(values[:, here]), values[:, here], values[:, before])
    first, second = np.diff(values, axis=1), np.diff(values, n=2, axis=1)
    parts = [values, first, second, values.mean(1, keepdims=True), values.std(1, keepdims=True)]
    return np.hstack(parts if features is None else [*parts, features])


class Model:
    """The regression of the best settings, on all rows.

    Args:
        rows: (n, d).
        ends: (n,).
        draws: How many settings are tried.
        seed: Of draws and folds.
    """

    def __init__(self, rows: Array, ends: Array, draws: int, seed: int) -> None:
        rng = np.random.default_rng(seed)
        self.center, unit = rows.mean(0), rows.std(0)
        self.unit = np.where(unit > 0, unit, 1.0)
        self.middle, self.scale = float(ends.mean()), float(ends.std()) or 1.0
        x, y = (rows - self.center) / self.unit, (ends - self.middle) / self.scale
        parts = folds(len(y), FOLDS, rng)
        settings = [drawn(rng) for _ in range(draws)]
        losses = [_held_out(setting, x, y, parts) for setting in settings]
        best = int(np.argmin(losses))
        self.std = float(np.sqrt(losses[best])) * self.scale
        self.regressor = _regressor(settings[best]).fit(x, y)

    def __call__(self, rows: Array) -> tuple[Array, Array]:
        """Mean and standard deviation of the end."""
        mean = self.middle + self.scale * self.regressor.predict((rows - self.center) / self.unit)
        return mean, np.full(len(rows), self.std)


def drawn(rng: np.random.Generator) -> dict[str, float]:
    """Settings at random."""
    found = {name: float(np.exp(rng.uniform(*np.log(bounds)))) for name, bounds in RANGES.items()}
    return {**found, "nu": float(rng.uniform(1e-3, 1.0))}


def _regressor(setting: dict[str, float]) -> Any:
    from sklearn.svm import NuSVR

    return NuSVR(kernel="rbf", **setting)


def _held_out(setting: dict[str, float], x: Array, y: Array, parts: list[Array]) -> float:
    """The mean squared error on rows that were not seen."""
    off = np.empty(len(y))
    for part in parts:
        kept = np.setdiff1d(np.arange(len(y)), part)
        off[part] = _regressor(setting).fit(x[kept], y[kept]).predict(x[part]) - y[part]
    return float((off**2).mean())
