"""Several fully connected networks trained as one: every product is one batched product over all of them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import torch

LOSSES = ("mae", "mse")
ACTIVATIONS = ("relu", "tanh")


class Adam(NamedTuple):
    """Adam's settings (Kingma and Ba 2015)."""

    rate: float = 0.01
    beta1: float = 0.9
    beta2: float = 0.99
    epsilon: float = 1e-8


class Networks:
    """``members`` networks of the same sizes; their weights lie in one flat tensor.

    Backpropagation is written out: for networks this small the time goes into calls, of which autograd makes five
    times as many.

    Args:
        members: M, how many networks.
        sizes: Columns of the input, units of each hidden layer; one output follows.
        activation: ``relu`` or ``tanh``.
        seed: Of the first weights: uniform with variance 2 / inputs (He et al. 2015), 1 / inputs for tanh.
    """

    def __init__(self, members: int, sizes: Sequence[int], activation: str = "relu", seed: int = 0) -> None:
        self.members, self.activation = members, activation
        self.shapes = list(zip(sizes, (*sizes[1:], 1), strict=True))
        total = sum(members * (a + 1) * b for a, b in self.shapes)
        self._lay(torch.zeros(total))
        generator = torch.Generator().manual_seed(seed)
        gain = 2.0 if activation == "relu" else 1.0
        for number, (weight, _) in enumerate(self.weights):
            bound = math.sqrt(3.0 * (gain if number + 1 < len(self.weights) else 1.0) / max(1, weight.shape[1]))
            weight.uniform_(-bound, bound, generator=generator)

    def _lay(self, values: torch.Tensor) -> None:
        """Takes flat weights, and makes room for their gradient."""
        self.values, self.slopes = values, torch.zeros_like(values)
        self.weights, self.slope_views = self._views(self.values), self._views(self.slopes)

    def _views(self, flat: torch.Tensor) -> list[tuple[torch.Tensor, torch.Tensor]]:
        """Weight (M, a, b) and bias (M, 1, b) of each layer, as views of a flat tensor."""
        found, begin = [], 0
        for a, b in self.shapes:
            middle, end = begin + self.members * a * b, begin + self.members * (a + 1) * b
            found.append((flat[begin:middle].view(self.members, a, b), flat[middle:end].view(self.members, 1, b)))
            begin = end
        return found

    def hidden(self, x: torch.Tensor) -> list[torch.Tensor]:
        """The input (M, B, d) and what leaves each hidden layer (M, B, h)."""
        values = [x]
        for weight, bias in self.weights[:-1]:
            value = torch.baddbmm(bias, values[-1], weight)
            values.append(value.relu_() if self.activation == "relu" else value.tanh_())
        return values

    def outputs(self, x: torch.Tensor) -> torch.Tensor:
        """The output of each network, (M, B), for rows (B, d) or (M, B, d)."""
        batch = x.expand(self.members, *x.shape[-2:])
        weight, bias = self.weights[-1]
        return torch.baddbmm(bias, self.hidden(batch)[-1], weight)[:, :, 0]

    def backward(self, x: torch.Tensor, y: torch.Tensor, share: torch.Tensor, loss: str) -> None:
        """Puts the gradient of each network's loss into ``slopes``.

        Args:
            x: Rows, (M, B, d).
            y: Targets, (M, B).
            share: Weight of each row in its network's loss, (M, B).
            loss: ``mae`` or ``mse``.
        """
        values = self.hidden(x)
        weight, bias = self.weights[-1]
        off = torch.baddbmm(bias, values[-1], weight)[:, :, 0] - y
        up = ((off.sign() if loss == "mae" else 2.0 * off) * share)[:, :, None]  # (M, B, 1)
        slopes = self.slope_views
        for layer in range(len(self.weights) - 1, -1, -1):
            weight_slope, bias_slope = slopes[layer]
            torch.bmm(values[layer].transpose(1, 2), up, out=weight_slope)
            torch.sum(up, 1, keepdim=True, out=bias_slope)
            if layer:
                below = torch.bmm(up, self.weights[layer][0].transpose(1, 2))
                value = values[layer]
                up = below.mul_(value > 0 if self.activation == "relu" else 1.0 - value * value)

    def __getstate__(self) -> dict[str, object]:
        kept = ("members", "activation", "shapes", "values")
        return {name: self.__dict__[name] for name in kept}

    def __setstate__(self, state: dict[str, object]) -> None:
        self.__dict__.update(state)
        self._lay(self.values)


def train(
    networks: Networks,
    x: torch.Tensor,
    y: torch.Tensor,
    shares: torch.Tensor,
    *,
    epochs: int,
    batch: int,
    loss: str,
    adam: Adam,
    decay: float = 0.0,
    seed: int = 0,
) -> None:
    """Trains all networks at once, each with rows in an order of its own.

    Args:
        networks: What is trained.
        x: Rows, (n, d).
        y: Targets, (n,).
        shares: How much a row counts for a network, (M, n); 0 for rows it shall not see.
        epochs: Passes over the rows.
        batch: Rows in a step.
        loss: ``mae`` or ``mse``.
        adam: Of the steps.
        decay: Weight decay, decoupled (Loshchilov and Hutter 2019).
        seed: Of the orders.
    """
    generator = torch.Generator().manual_seed(seed)
    first, second = torch.zeros_like(networks.values), torch.zeros_like(networks.values)
    step = 0
    for _ in range(epochs):
        order = torch.rand(networks.members, len(x), generator=generator).argsort(1)  # (M, n)
        rows, targets, counted = x[order], y[order], shares.gather(1, order)
        for begin in range(0, len(x), batch):
            part = slice(begin, begin + batch)
            share = counted[:, part]
            share = share / share.sum(1, keepdim=True).clamp_min(1e-12)
            networks.backward(rows[:, part], targets[:, part], share, loss)
            step += 1
            adam_step(networks, first, second, step, adam, decay)


def adam_step(
    networks: Networks, first: torch.Tensor, second: torch.Tensor, step: int, adam: Adam, decay: float
) -> None:
    """One step of Adam on the flat weights."""
    slopes = networks.slopes
    first.lerp_(slopes, 1 - adam.beta1)
    second.mul_(adam.beta2).addcmul_(slopes, slopes, value=1 - adam.beta2)
    if decay:
        networks.values.mul_(1 - adam.rate * decay)
    root = second.sqrt().div_(math.sqrt(1 - adam.beta2**step)).add_(adam.epsilon)
    networks.values.addcdiv_(first, root, value=-adam.rate / (1 - adam.beta1**step))
