"""Several predictors asked together, and costs of networks as features."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nasturtium.predictors.base import Predictor
from nasturtium.predictors.calibration import LEAST
from nasturtium.space.architecture import Architecture

Array = NDArray[Any]


class Committee(Predictor):
    """The mean of several predictors; the variance is the mean of theirs plus the variance of their means.

    Args:
        members: Predictors of one space.
    """

    def __init__(self, members: Sequence[Predictor]) -> None:
        self.members = tuple(members)
        first = self.members[0]
        super().__init__(first.encoder, first.regressor, first.features, first.calibrate, name="committee")

    def __repr__(self) -> str:
        return f"Committee({', '.join(map(repr, self.members))})"

    def fit(self, architectures: Sequence[Architecture], scores: Any) -> Committee:
        """Fits every member.

        Raises:
            PredictorError: As any of them does.
        """
        for member in self.members:
            member.fit(architectures, scores)
        return self

    def predict(self, architectures: Sequence[Architecture]) -> tuple[Array, Array]:
        """Mean and standard deviation of the score of each architecture, (n,) each.

        Raises:
            PredictorError: If nothing was fitted yet.
        """
        told = [member.predict(architectures) for member in self.members]
        means, stds = (np.stack([each[k] for each in told]) for k in range(2))
        return means.mean(0), np.maximum(np.sqrt((stds**2).mean(0) + means.var(0)), LEAST)

    @property
    def noise(self) -> float:
        """The part that the members' noise has in every spread."""
        return float(np.sqrt(np.mean([member.noise**2 for member in self.members])))


def costs(architectures: Sequence[Architecture]) -> Array:
    """The logarithms of parameters and FLOPs of each network, (n, 2), to be given as ``features``.

    Counting takes milliseconds a network, far more than any prediction.
    """
    counted = [each.count() for each in architectures]
    return np.asarray(np.log1p(np.array([[each["params"], each["flops"]] for each in counted], float).reshape(-1, 2)))
