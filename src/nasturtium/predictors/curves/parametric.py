"""Curves by a family fitted to each, and by several families weighted by how well they fit."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nasturtium.predictors.curves.base import CurvePredictor, Scaled, spread
from nasturtium.predictors.curves.families import DOMHAN, Family, families
from nasturtium.predictors.curves.fitting import fit, gram, jacobian, weights_of

Array = NDArray[Any]

WIDEST = 0.5
"""No standard deviation is larger: half of what an accuracy can be."""


RECENCY = 10.0
"""A value at the end of a curve counts as much as so many at its beginning."""
DOUBT = 0.5
"""No family is the truth: of the way from the last value to the prediction so much is its standard deviation too."""


class Parametric(CurvePredictor):
    """A family fitted to each curve by maximum likelihood (Domhan et al. 2015, table 1).

    Late values count more, as they do in the code of the paper. The spread is that of a new observation in the linear
    approximation around the fit (the delta method), and half the way from the last value to the prediction besides,
    because a family is never quite the truth: without it, intervals of 90 % hold 30 to 70 % of the final values.
    A curve with fewer than two values more than the family has parameters gets its last value and the spread of
    :class:`LastValue`.

    Args:
        family: A name in ``FAMILIES``.
        maximise: Whether more is better.
        bound: The largest value there can be.
        recency: Of how many values at the beginning one at the end counts as much.

    Raises:
        PredictorError: If the family is unknown.
    """

    def __init__(
        self, family: str = "pow3", maximise: bool = True, bound: float | None = None, recency: float = RECENCY
    ) -> None:
        super().__init__(maximise, bound)
        (self.family,) = families([family])
        self.recency = recency

    def _extrapolated(self, given: Scaled, horizon: int, features: Array | None) -> tuple[Array, Array]:
        able = given.known.sum(1) >= len(self.family.parameters) + 2
        mean, std = given.last.copy(), spread(given)
        if able.any():
            mean[able], std[able], _ = extrapolated(self.family, given.some(able), horizon, self.recency)
        return mean, std


def extrapolated(family: Family, given: Scaled, horizon: int, recency: float) -> tuple[Array, Array, Array]:
    """Mean and standard deviation at the horizon, and the variance of the noise, (n,) each."""
    fitted = fit(family, given.values, given.lengths, recency)
    mean = np.clip(family(float(horizon), fitted.theta), -1.0, 1.0)
    weights = weights_of(given.values, given.lengths, recency)
    count = (weights > 0).sum(1)
    free = np.maximum(count - len(family.parameters), 1) / count
    noise = np.maximum(fitted.loss / (weights.sum(1) * free), 1e-8)
    x = np.arange(1.0, weights.shape[1] + 1.0)
    normal = gram(jacobian(family, x, fitted.theta) * np.sqrt(weights))
    places = np.arange(len(family.parameters))
    normal[:, places, places] = normal[:, places, places] * (1.0 + 1e-6) + 1e-8
    there = jacobian(family, np.array([float(horizon)]), fitted.theta)[:, :, 0].T  # (n, P)
    solved = np.linalg.solve(normal, there[:, :, None])[:, :, 0]
    variance = noise * (1.0 + np.maximum((solved * there).sum(1), 0.0)) + (DOUBT * (mean - given.last)) ** 2
    return mean, np.minimum(np.sqrt(variance), WIDEST), fitted.loss / weights.sum(1)


class Averaged(CurvePredictor):
    """Several families fitted by maximum likelihood, averaged by Akaike weights with the correction for few points.

    Stands for the combined model of Domhan et al. 2015 (equation 2), whose weights and parameters are sampled there
    (:class:`nasturtium.predictors.curves.sampled.Combined` does that), at a hundredth of its cost and without chance.
    The weights are those of Burnham and Anderson 2002, chapter 2; mean and spread follow by the law of total variance.

    Args:
        names: Of families; the eleven of the paper if not given.
        maximise: Whether more is better.
        bound: The largest value there can be.
        recency: Of how many values at the beginning one at the end counts as much.

    Raises:
        PredictorError: If a family is unknown.
    """

    def __init__(
        self,
        names: Sequence[str] = DOMHAN,
        maximise: bool = True,
        bound: float | None = None,
        recency: float = RECENCY,
    ) -> None:
        super().__init__(maximise, bound)
        self.families, self.recency = families(names), recency

    def _extrapolated(self, given: Scaled, horizon: int, features: Array | None) -> tuple[Array, Array]:
        count = given.known.sum(1)
        guesses = [(given.last, spread(given), np.full(len(count), -1e9))]  # where no family can be fitted
        for family in self.families:
            parameters = len(family.parameters) + 1  # the noise is one
            able = count > parameters + 1
            mean, std, weight = given.last.copy(), spread(given), np.full(len(count), -np.inf)
            if able.any():
                mean[able], std[able], noise = extrapolated(family, given.some(able), horizon, self.recency)
                weight[able] = _evidence(noise, count[able], parameters)
            guesses.append((mean, std, weight))
        means, stds, logs = (np.stack(each) for each in zip(*guesses, strict=True))
        shares = np.exp(logs - logs.max(0))
        shares /= shares.sum(0)
        middle = (shares * means).sum(0)
        return middle, np.sqrt((shares * (stds**2 + (means - middle) ** 2)).sum(0))


def _evidence(noise: Array, count: Array, parameters: int) -> Array:
    """Minus half of Akaike's criterion with the correction for few points."""
    deviance = count * np.log(np.maximum(noise, 1e-12))
    found: Array = -0.5 * (deviance + 2 * parameters + 2 * parameters * (parameters + 1) / (count - parameters - 1))
    return found
