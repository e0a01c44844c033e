"""The weighted combination of families, sampled by Markov chain Monte Carlo (Domhan et al. 2015)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nasturtium.predictors.base import PredictorError
from nasturtium.predictors.curves.base import CurvePredictor, Scaled, spread
from nasturtium.predictors.curves.ensemble import ensemble
from nasturtium.predictors.curves.families import MIXED, families
from nasturtium.predictors.curves.fitting import fit, weights_of

Array = NDArray[Any]

CHUNK = 50
"""So many curves are sampled at a time."""
NOISE = (1e-4, 0.3)
"""Between these the standard deviation of the noise lies, uniformly in its logarithm."""
EVERY = 10
"""Of so many steps one is kept."""


class Combined(CurvePredictor):
    """f(x) = sum of w_k f_k(x) + noise, averaged over the posterior of all w, parameters and the noise's variance.

    Domhan et al. 2015, equations 2 to 6, where the weights and parameters that are allowed are equally likely. Allowed
    is what lies within the families' bounds, has no negative weight, and follows the rule of monotonicity: the end lies
    neither below the value at the last epoch nor below that at the first, nor above 1. Walkers begin around the
    families' fits with equal weights.

    With the eleven families of the paper take 100 walkers; the default four, 50 walkers and 800 steps, of which 500 are
    left out, are those of White et al. 2021 (arXiv:2104.01177).

    Args:
        names: Of families.
        maximise: Whether more is better.
        bound: The largest value there can be.
        walkers: How many walkers; an even number, at least twice the number of parameters where it is to mix well.
        samples: Steps in all.
        burn: How many of them are left out.
        recency: Of how many values at the beginning one at the end counts as much; 1 in the paper.
        seed: Of the moves.

    Raises:
        PredictorError: If an option cannot be used.
    """

    def __init__(
        self,
        names: Sequence[str] = MIXED,
        maximise: bool = True,
        bound: float | None = None,
        walkers: int = 50,
        samples: int = 800,
        burn: int = 500,
        recency: float = 1.0,
        seed: int = 0,
    ) -> None:
        super().__init__(maximise, bound)
        self.families = families(names)
        if not self.families or walkers < 4 or walkers % 2 or not 0 <= burn <= samples - EVERY:
            raise PredictorError(
                f"walkers={walkers}, samples={samples}, burn={burn}, {len(self.families)} families: a family, an even "
                f"number of walkers from 4 up and {EVERY} samples more than burn are expected"
            )
        self.walkers, self.samples, self.burn, self.recency, self.seed = walkers, samples, burn, recency, seed
        self.low = np.concatenate([*(family.low for family in self.families), np.zeros(len(names)), np.log(NOISE[:1])])
        self.high = np.concatenate([*(family.high for family in self.families), np.ones(len(names)), np.log(NOISE[1:])])

    def _extrapolated(self, given: Scaled, horizon: int, features: Array | None) -> tuple[Array, Array]:
        mean, std = given.last.copy(), spread(given)
        able = np.flatnonzero(given.known.sum(1) > 1)
        for begin in range(0, len(able), CHUNK):
            part = able[begin : begin + CHUNK]
            found, wide = self._sampled(given.some(part), horizon)
            there = np.isfinite(found)  # elsewhere no walker is allowed, as of curves that only fall
            mean[part[there]], std[part[there]] = found[there], wide[there]
        return mean, std

    def _sampled(self, given: Scaled, horizon: int) -> tuple[Array, Array]:
        """Mean and standard deviation of a new value at the horizon; NaN where no walker has found a place."""
        rng = np.random.default_rng(self.seed)
        posterior = Posterior(self, given, horizon)
        first, second, noise, count = 0.0, 0.0, 0.0, 0
        for step, walkers in enumerate(ensemble(posterior, self._begin(given, rng), self.samples, rng)):
            if step >= self.burn and (step - self.burn) % EVERY == EVERY - 1:
                value = np.where(
                    np.isfinite(posterior(walkers)), self.curve(walkers, np.array([horizon]))[..., 0], np.nan
                )
                counted = np.isfinite(value)
                value = np.where(counted, value, 0.0)
                first, second, count = first + value.sum(1), second + (value**2).sum(1), count + counted.sum(1)
                noise = noise + np.where(counted, np.exp(2.0 * walkers[-1]), 0.0).sum(1)
        total = np.where(np.asarray(count) > 0, count, np.nan)
        mean = first / total
        return mean, np.sqrt(np.maximum(second / total - mean**2, 0.0) + noise / total)

    def _begin(self, given: Scaled, rng: np.random.Generator) -> Array:
        """Walkers around the fits, (D, n, W)."""
        curves = len(given.values)
        middle = [fit(family, given.values, given.lengths, self.recency).theta for family in self.families]
        middle += [np.full((len(self.families), curves), 1.0 / len(self.families)), np.full((1, curves), np.log(0.01))]
        here = np.concatenate(middle)[:, :, None]
        spread_of = np.maximum(0.05 * np.abs(here), 1e-3)
        moved = here + spread_of * rng.normal(size=(len(here), 1, self.walkers))
        return np.asarray(np.clip(moved, self.low[:, None, None], self.high[:, None, None]))

    def curve(self, walkers: Array, x: Array) -> Array:
        """The combined curve at epochs ``x`` (t,), (n, W, t), of walkers (D, n, W)."""
        total, place = 0.0, 0
        weights = walkers[-1 - len(self.families) : -1]
        for family, weight in zip(self.families, weights, strict=True):
            size = len(family.parameters)
            total = total + weight[..., None] * family(x.astype(float), walkers[place : place + size, ..., None])
            place += size
        return np.asarray(total)


class Posterior:
    """The logarithm of the posterior of curves, up to a constant.

    Args:
        model: The combination.
        given: The curves.
        horizon: The epoch that the rule of monotonicity is about.
    """

    def __init__(self, model: Combined, given: Scaled, horizon: int) -> None:
        self.model, self.last = model, given.lengths - 1
        self.weights = weights_of(given.values, given.lengths, model.recency)[:, None]  # (n, 1, t)
        self.values = np.where(given.known, given.values, 0.0)[:, None]
        self.x = np.append(np.arange(1, given.values.shape[1] + 1), horizon)

    def __call__(self, walkers: Array) -> Array:
        """Of walkers (D, n, W), (n, W)."""
        low, high = self.model.low[:, None, None], self.model.high[:, None, None]
        inside = ((walkers >= low) & (walkers <= high)).all(0)
        curve = self.model.curve(np.clip(walkers, low, high), self.x)
        fitted, end = curve[..., :-1], curve[..., -1]
        last = np.take_along_axis(fitted, self.last[:, None, None], 2)[..., 0]
        allowed = inside & (end >= last) & (end >= fitted[..., 0]) & (end <= 1.0)
        noise = walkers[-1]
        off = (self.weights * (fitted - self.values) ** 2).sum(2)
        logs = -0.5 * off * np.exp(-2.0 * noise) - self.weights.sum(2) * noise
        return np.where(allowed & np.isfinite(logs), logs, -np.inf)
