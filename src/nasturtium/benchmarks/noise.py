"""How much trainings of one architecture differ, by how good it is: what a table of single trainings tells of it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from nasturtium.benchmarks.forest import Numbers


class Spread(NamedTuple):
    """A standard deviation that depends on a value: at * exp(slope * (value - centre)).

    Attributes:
        at: The deviation at the centre.
        slope: Of its logarithm.
        centre: A value.
        low: Below this value the deviation is that of this value,
        high: and above this that of this.
    """

    at: float
    slope: float = 0.0
    centre: float = 0.0
    low: float = -np.inf
    high: float = np.inf

    def of(self, value: float) -> float:
        """The standard deviation at a value."""
        return float(self.at * np.exp(self.slope * (min(max(value, self.low), self.high) - self.centre)))


def fit_spread(values: Numbers, off: Numbers) -> Spread:
    """How far numbers are off, by a value.

    They are normal with a mean linear in the value, which is left out, and a deviation s with log s linear in it; s
    maximises the likelihood (multiplicative heteroscedasticity, Harvey 1976, Econometrica 44).

    Args:
        values: What the deviation may depend on, (n,).
        off: Differences, (n,).
    """
    from scipy.optimize import minimize

    centre, width, unit = float(np.median(values)), float(values.std()) or 1.0, float(off.std()) or 1.0
    place = (values - centre) / width

    def loss(theta: Numbers) -> float:
        log = theta[0] + theta[1] * place
        return float(np.sum(log + 0.5 * ((off / unit - theta[2] - theta[3] * place) * np.exp(-log)) ** 2))

    found = minimize(loss, np.zeros(4), method="L-BFGS-B", bounds=[(-10, 10), (-3, 3), (-10, 10), (-10, 10)]).x
    return Spread(
        unit * float(np.exp(found[0])), float(found[1]) / width, centre, float(values.min()), float(values.max())
    )


def noise_bounds(values: Numbers, targets: Numbers, again: Numbers) -> list[Spread]:
    """Two bounds from above on the deviation of a single training, of which the smaller one holds at each value.

    What a model that has not seen a training is off by is noise and the error of the model; by how much two trainings
    differ, divided by sqrt 2, is noise and whatever else was not the same in both.

    Args:
        values: What a model says of architectures that has not seen them, (n,); NaN where there is none.
        targets: Their scores in the series of trainings the model learns from, (n,).
        again: Their scores in another series, (n,); NaN where there is none.
    """
    known = np.isfinite(values)
    both = known & np.isfinite(again)
    twice = fit_spread(values[both], again[both] - targets[both])
    return [fit_spread(values[known], targets[known] - values[known]), twice._replace(at=twice.at / np.sqrt(2))]


def smallest(bounds: Sequence[Spread], value: float) -> float:
    """The smallest of several bounds at a value."""
    return min(bound.of(value) for bound in bounds)
