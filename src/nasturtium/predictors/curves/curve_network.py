"""A network whose last layer is made of curves, many of them as one."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray

from nasturtium.predictors.curves.families import Family

Array = NDArray[Any]


class Points(NamedTuple):
    """Observations: rows (n, d) of curves, and of each point its curve, epoch and value, (m,)."""

    rows: torch.Tensor
    curve: torch.Tensor
    x: torch.Tensor
    y: torch.Tensor


class CurveNetwork:
    """``chains`` networks from rows to the weights and parameters of curves; their weights lie in one flat tensor.

    Args:
        chains: C.
        columns: d, of the rows.
        width: Units of both hidden layers.
        shapes: The families of the last layer.
        centers: Parameters of each family that stand for a typical curve, where the last layer begins.
        generator: Of the first weights.
    """

    def __init__(
        self,
        chains: int,
        columns: int,
        width: int,
        shapes: Sequence[Family],
        centers: Sequence[Array],
        generator: torch.Generator,
    ) -> None:
        self.families = shapes
        outputs = sum(len(family.parameters) for family in shapes) + len(shapes)
        self.shapes = [(columns, width), (width, width), (width, outputs)]
        self.chains = chains
        self.values = torch.zeros(chains * sum((a + 1) * b for a, b in self.shapes))
        for weight, _ in self.layers(self.values):
            weight.normal_(generator=generator).div_(math.sqrt(weight.shape[1]))
        self.low = torch.tensor(np.concatenate([family.low for family in shapes])).float()
        self.high = torch.tensor(np.concatenate([family.high for family in shapes])).float()
        share = (torch.tensor(np.concatenate(centers)).float() - self.low) / (self.high - self.low)
        self.begin = torch.logit(share.clamp(0.02, 0.98))

    def layers(self, flat: torch.Tensor) -> list[tuple[torch.Tensor, torch.Tensor]]:
        """Weight (C, a, b) and bias (C, 1, b) of each layer, as views."""
        found, place = [], 0
        for a, b in self.shapes:
            size = self.chains * a * b
            weight = flat[place : place + size].view(self.chains, a, b)
            bias = flat[place + size : place + size + self.chains * b].view(self.chains, 1, b)
            found.append((weight, bias))
            place += size + self.chains * b
        return found

    def __call__(self, flat: torch.Tensor, rows: torch.Tensor, x: torch.Tensor) -> torch.Tensor:
        """The value at epochs ``x`` (C, B) of rows (C, B, d), (C, B)."""
        value = rows
        for place, (weight, bias) in enumerate(self.layers(flat)):
            value = torch.baddbmm(bias, value, weight)
            value = value.tanh() if place < 2 else value
        count = len(self.low)
        theta = self.low + (self.high - self.low) * torch.sigmoid(value[..., :count] + self.begin)  # (C, B, P)
        shares = torch.softmax(value[..., count:], -1)  # (C, B, K)
        total, place = torch.zeros_like(x), 0
        for k, family in enumerate(self.families):
            size = len(family.parameters)
            total = total + shares[..., k] * family(x, theta[..., place : place + size].unbind(-1), torch)
            place += size
        return total

    def penalty(self, flat: torch.Tensor) -> torch.Tensor:
        """Minus the logarithm of the prior: weights have variance 1 / inputs, biases 1."""
        parts = [
            0.5 * weight.shape[1] * (weight**2).sum() + 0.5 * (bias**2).sum() for weight, bias in self.layers(flat)
        ]
        return torch.stack(parts).sum()
