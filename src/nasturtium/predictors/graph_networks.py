"""Predictors made of networks that read graphs, with a loss on scores or on ranks and a spread from either end."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from nasturtium.options import integers, reals
from nasturtium.predictors.base import PredictorError, Regressor
from nasturtium.predictors.calibration import Held, split_off
from nasturtium.predictors.graph_modules import READERS, Batch
from nasturtium.predictors.graphs import Graphs
from nasturtium.predictors.linear import BayesianLinear

Array = NDArray[Any]

LOSSES = ("mse", "ranking")
HEADS = ("ensemble", "bayesian")


class GraphNetwork(Regressor):
    """Networks on graphs; as many more learn from four fifths of the rows, to scale the spread by.

    Args:
        kind: ``gcn`` (Wen et al. 2020), ``gin`` (Xu et al. 2019) or ``gates`` (Ning et al. 2020).
        members: Networks.
        head: Where mean and spread come from: ``ensemble``, the networks' outputs; or ``bayesian``, a Bayesian linear
            regression on what the last layer of the first network reads (BONAS, Shi et al. 2020, arXiv:1911.09336).
        loss: ``mse``, or ``ranking``: the hinge loss on pairs of GATES; scores then follow by a straight line.
        margin: Of the hinge, in standard deviations of the scores.
        width: Numbers that describe a node.
        layers: Layers.
        epochs: Passes over the training set.
        batch: Graphs in a step.
        rate: Learning rate of Adam, lowered to zero along a cosine.
        decay: Weight decay.
        holding_out: Whether the networks that scale the spread are trained.
        seed: Of first weights and orders.

    Raises:
        NasturtiumError: If an option cannot be used.
    """

    graphs = True

    def __init__(
        self,
        kind: str = "gcn",
        members: int = 3,
        head: str = "ensemble",
        loss: str = "mse",
        margin: float = 0.1,
        width: int = 48,
        layers: int = 3,
        epochs: int = 100,
        batch: int = 32,
        rate: float = 0.005,
        decay: float = 1e-4,
        holding_out: bool = True,
        seed: int = 0,
    ) -> None:
        if kind not in READERS or loss not in LOSSES or head not in HEADS:
            known = f"{', '.join(READERS)}; {', '.join(LOSSES)}; {', '.join(HEADS)}"
            raise PredictorError(f"kind={kind!r}, loss={loss!r}, head={head!r}: there are {known}")
        integers(members=members, width=width, layers=layers, epochs=epochs, batch=batch)
        reals(margin=margin, rate=rate, decay=decay)
        self.kind, self.members, self.head, self.loss, self.margin = kind, members, head, loss, margin
        self.width, self.layers, self.epochs, self.batch = width, layers, epochs, batch
        self.rate, self.decay, self.holding_out, self.seed = rate, decay, holding_out, seed

    def fit(self, x: Graphs, y: Array) -> None:
        """Trains the networks."""
        self.labels, self.kinds = int(x.labels.max()) + 1, int(x.kinds.max()) + 1
        split = split_off(len(y), self.seed) if self.holding_out else np.zeros(0, np.int64)
        groups = 2 if len(split) else 1
        extra = x.extra.shape[1]
        self.module = READERS[self.kind](
            groups * self.members, self.labels, self.kinds, self.width, self.layers, extra, self.seed
        )
        shares = torch.ones(groups * self.members, len(y))
        shares[self.members :, split] = 0.0
        batch, targets = self.tensors(x), torch.from_numpy(y).float()
        self._train(batch, targets, shares)
        seen = np.setdiff1d(np.arange(len(y)), split)
        self.end = self._end(x, y, 0)
        self._held = None
        if len(split):
            end = self._end(x.rows(seen), y[seen], 1)
            self._held = (*self._predicted(x.rows(split), end, 1), y[split])
            self.module.keep(self.members)

    def tensors(self, x: Graphs) -> Batch:
        """Graphs as tensors; labels that were not seen in training become 0."""
        labels = np.where(x.labels < self.labels, x.labels + 1, 0)
        kinds = np.where(x.kinds < self.kinds, x.kinds + 1, 0)
        valid = (x.labels >= 0).astype(np.float32)
        found = (labels, kinds, valid, x.adjacency, np.asarray(x.extra, np.float32))
        return Batch(*(torch.from_numpy(np.ascontiguousarray(each)) for each in found))

    def _train(self, batch: Batch, targets: torch.Tensor, shares: torch.Tensor) -> None:
        parameters = list(self.module.parameters())
        adam = torch.optim.AdamW(parameters, self.rate, weight_decay=self.decay, fused=True)
        generator = torch.Generator().manual_seed(self.seed)
        steps = self.epochs * -(-len(targets) // self.batch)
        schedule = torch.optim.lr_scheduler.CosineAnnealingLR(adam, steps)
        for _ in range(self.epochs):
            for part in torch.split(torch.randperm(len(targets), generator=generator), self.batch):
                loss = self.losses(self.module(batch.rows(part)), targets[part], shares[:, part]).sum()
                slopes = torch.autograd.grad(loss, parameters)
                for parameter, slope in zip(parameters, slopes, strict=True):
                    parameter.grad = slope
                adam.step()
                schedule.step()
        for parameter in parameters:
            parameter.grad = None

    def losses(self, outputs: torch.Tensor, targets: torch.Tensor, shares: torch.Tensor) -> torch.Tensor:
        """The loss of each network, (M,), from its outputs (M, B), the targets (B,) and rows' weights (M, B)."""
        if self.loss == "mse":
            return ((outputs - targets) ** 2 * shares).sum(1) / shares.sum(1).clamp_min(1e-6)
        better = (targets[:, None] > targets[None]).float()  # (B, B)
        counted = better * shares[:, :, None] * shares[:, None]
        short = torch.relu(self.margin - (outputs[:, :, None] - outputs[:, None]))
        return (short * counted).sum((1, 2)) / counted.sum((1, 2)).clamp_min(1e-6)

    def _read(self, x: Graphs, group: int) -> Array:
        """What a group of networks gives: outputs (members, n), or what the head of its first reads (n, h)."""
        first = group * self.members
        with torch.inference_mode():
            if self.head == "bayesian":
                return np.asarray(self.module.embed(self.tensors(x))[first].double().numpy())
            return np.asarray(self.module(self.tensors(x))[first : first + self.members].double().numpy())

    def _end(self, x: Graphs, y: Array, group: int) -> Any:
        """What turns the networks' outputs into scores."""
        read = self._read(x, group)
        if self.head == "bayesian":
            linear = BayesianLinear()
            linear.fit(read, y)
            return linear
        if self.loss == "mse":
            return np.tile([1.0, 0.0], (len(read), 1))
        return np.stack([line(each, y) for each in read])

    def _predicted(self, x: Graphs, end: Any, group: int) -> tuple[Array, Array]:
        read = self._read(x, group)
        if isinstance(end, BayesianLinear):
            return end.predict(read)
        found = end[:, :1] * read + end[:, 1:]
        spread = found.std(0, ddof=1) if len(found) > 1 else np.ones(found.shape[1])
        return found.mean(0), spread

    def predict(self, x: Graphs) -> tuple[Array, Array]:
        """Mean and spread."""
        return self._predicted(x, self.end, 0)

    def held_out(self) -> Held | None:
        """Predictions for the fifth of the rows that the second group of networks did not see."""
        return self._held


def line(x: Array, y: Array) -> Array:
    """Slope and intercept of least squares; slope 0 where ``x`` is constant."""
    spread = float(x.var())
    slope = float(np.mean((x - x.mean()) * (y - y.mean()))) / spread if spread > 1e-12 else 0.0
    return np.array([slope, y.mean() - slope * x.mean()])
