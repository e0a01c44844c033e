"""The ensemble of small networks of BANANAS, trained as one."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from nasturtium.options import integers, reals
from nasturtium.predictors.base import PredictorError, Regressor
from nasturtium.predictors.calibration import Held, split_off
from nasturtium.predictors.networks import ACTIVATIONS, Adam, Networks, train

Array = NDArray[Any]

LOSSES = ("mae", "mse", "mape")


class Ensemble(Regressor):
    """Fully connected networks from different first weights; mean and spread are those of their outputs.

    As in BANANAS (White et al. 2021, arXiv:1910.11858, section 5; settings of naszilla): 5 networks of 10 layers of
    20, Adam 0.01 (0.9, 0.99), 150 epochs, batches of 32, mean absolute error. With them, in the same products, as many
    networks are trained on four fifths of the rows: from their errors on the others the spread is scaled.

    Args:
        members: Networks.
        layers: Hidden layers of each.
        width: Units of each layer.
        epochs: Passes over the training set.
        batch: Rows in a step.
        rate: Learning rate.
        decay: Weight decay.
        loss: ``mae``, ``mse``, or ``mape``: absolute errors divided by the distance from a score above all that were
            seen, so that good architectures count more. BANANAS divides by the distance from a lower bound of the
            validation error that is known of the benchmark; here the bound is a tenth of a standard deviation above
            the best score.
        maximise: Whether more is better, for ``mape``.
        activation: ``relu`` or ``tanh``.
        holding_out: Whether the networks that scale the spread are trained.
        seed: Of the first weights and orders.

    Raises:
        NasturtiumError: If an option cannot be used.
    """

    def __init__(
        self,
        members: int = 5,
        layers: int = 10,
        width: int = 20,
        epochs: int = 150,
        batch: int = 32,
        rate: float = 0.01,
        decay: float = 0.0,
        loss: str = "mae",
        maximise: bool = True,
        activation: str = "relu",
        holding_out: bool = True,
        seed: int = 0,
    ) -> None:
        if loss not in LOSSES or activation not in ACTIVATIONS:
            raise PredictorError(f"loss={loss!r}, activation={activation!r}: {LOSSES} and {ACTIVATIONS} are known")
        integers(members=members, layers=layers, width=width, epochs=epochs, batch=batch)
        reals(rate=rate, decay=decay)
        self.members, self.hidden, self.activation = members, (width,) * layers, activation
        self.epochs, self.batch, self.adam, self.decay = epochs, batch, Adam(rate), decay
        self.loss, self.maximise, self.holding_out, self.seed = loss, maximise, holding_out, seed

    def fit(self, x: Any, y: Array) -> None:
        """Trains the networks."""
        rows, targets = tensors(x, y)
        split = split_off(len(y), self.seed) if self.holding_out else np.zeros(0, np.int64)
        groups = 2 if len(split) else 1
        self.networks = Networks(groups * self.members, (rows.shape[1], *self.hidden), self.activation, self.seed)
        shares = self._shares(targets).repeat(groups * self.members, 1)
        shares[self.members :, split] = 0.0
        train(
            self.networks, rows, targets, shares, epochs=self.epochs, batch=self.batch,
            loss="mae" if self.loss == "mape" else self.loss, adam=self.adam, decay=self.decay, seed=self.seed,
        )  # fmt: skip
        self._held = None
        if len(split):
            found = self.networks.outputs(rows[split])[self.members :].double().numpy()
            self._held = found.mean(0), _spread(found), y[split]

    def _shares(self, targets: torch.Tensor) -> torch.Tensor:
        if self.loss != "mape":
            return torch.ones(1, len(targets))
        sign = 1.0 if self.maximise else -1.0
        return (1.0 / ((sign * targets).max() + 0.1 - sign * targets))[None]

    def predict(self, x: Any) -> tuple[Array, Array]:
        """Mean and spread of the networks' outputs."""
        found = self.networks.outputs(tensors(x)[0])[: self.members].double().numpy()
        return found.mean(0), _spread(found)

    def held_out(self) -> Held | None:
        """Predictions for the fifth of the rows that the second half of the networks did not see."""
        return self._held


def _spread(outputs: Array) -> Array:
    spread: Array = outputs.std(0, ddof=1) if len(outputs) > 1 else np.ones(outputs.shape[1])
    return spread


def tensors(x: Any, y: Array | None = None) -> tuple[torch.Tensor, torch.Tensor]:
    """Rows and targets as float32 tensors."""
    rows = torch.from_numpy(np.ascontiguousarray(x, np.float32))
    return rows, torch.zeros(0) if y is None else torch.from_numpy(np.asarray(y, np.float32))
