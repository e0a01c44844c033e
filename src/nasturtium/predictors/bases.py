"""DNGO: a network learns the basis functions of a Bayesian linear regression."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from nasturtium.options import integers, reals
from nasturtium.predictors.base import Regressor
from nasturtium.predictors.calibration import Held, split_off
from nasturtium.predictors.linear import BayesianLinear
from nasturtium.predictors.mlp import tensors
from nasturtium.predictors.networks import Adam, Networks, train

Array = NDArray[Any]


class DNGO(Regressor):
    """Bayesian linear regression on the last hidden layer of a network (Snoek et al. 2015, arXiv:1502.05700).

    Three layers of 50 tanh units, as there. Prior and noise maximise the evidence; there they are averaged over by
    slice sampling, which costs far more and, on the few hundred scores of a search, changes little. A second network,
    in the same products, learns from four fifths of the rows and scales the spread.

    Args:
        layers: Hidden layers.
        width: Units of each.
        epochs: Passes over the training set.
        batch: Rows in a step.
        rate: Learning rate of Adam.
        decay: Weight decay.
        seed: Of first weights and orders.
    """

    def __init__(
        self,
        layers: int = 3,
        width: int = 50,
        epochs: int = 200,
        batch: int = 16,
        rate: float = 0.01,
        decay: float = 1e-3,
        seed: int = 0,
    ) -> None:
        integers(layers=layers, width=width, epochs=epochs, batch=batch)
        reals(rate=rate, decay=decay)
        self.hidden = (width,) * layers
        self.epochs, self.batch, self.adam, self.decay, self.seed = epochs, batch, Adam(rate), decay, seed

    def fit(self, x: Any, y: Array) -> None:
        """Trains the network, then the regression."""
        rows, targets = tensors(x, y)
        split = split_off(len(y), self.seed)
        shares = torch.ones(2, len(y))
        shares[1, split] = 0.0
        self.networks = Networks(2, (rows.shape[1], *self.hidden), "tanh", self.seed)
        train(
            self.networks, rows, targets, shares, epochs=self.epochs, batch=self.batch, loss="mse", adam=self.adam,
            decay=self.decay, seed=self.seed,
        )  # fmt: skip
        own, other = self._basis(rows)
        self.linear = BayesianLinear()
        self.linear.fit(own, y)
        self._held = None
        if len(split):
            seen = np.setdiff1d(np.arange(len(y)), split)
            linear = BayesianLinear()
            linear.fit(other[seen], y[seen])
            self._held = (*linear.predict(other[split]), y[split])

    def _basis(self, rows: torch.Tensor) -> Array:
        """What leaves the last hidden layer of both networks, (2, n, h)."""
        hidden = self.networks.hidden(rows.expand(2, *rows.shape))[-1]
        return np.asarray(hidden.double().numpy())

    def predict(self, x: Any) -> tuple[Array, Array]:
        """Posterior mean and standard deviation."""
        return self.linear.predict(self._basis(tensors(x)[0])[0])

    def held_out(self) -> Held | None:
        """Predictions for the fifth of the rows that the second network did not see."""
        return self._held
