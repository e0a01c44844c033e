"""Layers and modules of a user's own, as a file that is imported."""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from nasturtium.space.part import Cost, Layer
from nasturtium.space.signal import Signal

SLOPE = math.sqrt(2) / 10


def _linear(inputs: int, outputs: int) -> nn.Linear:
    return nn.Linear(inputs, outputs, bias=False)


def leaky(x: Tensor) -> Tensor:
    """A helper that the module calls."""
    return F.leaky_relu(x, SLOPE)


class Base(nn.Module):
    """What the module is made from."""

    def scaled(self, x: Tensor) -> Tensor:
        """Twice the input."""
        return 2 * x


class Mixer(Base):
    """Mixes channels."""

    def __init__(self, channels: int, inner: nn.Module, *sizes: int, bias: bool = True, **extra: Any) -> None:
        super().__init__()
        self.first = _linear(channels, channels)
        self.inner = inner
        self.sizes, self.extra = sizes, extra
        self.bias = nn.Parameter(torch.ones(channels)) if bias else None

    def forward(self, x: Tensor) -> Tensor:
        """Mix x (B, C)."""
        y = leaky(self.inner(self.first(self.scaled(x))))
        return y if self.bias is None else y + self.bias * len(self.sizes) + self.extra.get("more", 0)


class Network(nn.Module):
    """A module whose name the exported file uses itself."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.layer = nn.Linear(channels, channels)

    def forward(self, x: Tensor) -> Tensor:
        """Map."""
        y: Tensor = self.layer(x)
        return y


class Mix(Layer):
    """The layer for it."""

    uses: str = "mixer"

    def signal(self, *inputs: Signal) -> Signal:
        return inputs[0]

    def cost(self, *inputs: Signal) -> Cost:
        return Cost(0, 0)

    def module(self, *inputs: Signal) -> nn.Module:
        channels = inputs[0].channels
        if self.uses == "mixer":
            inner = nn.Sequential(nn.Identity(), nn.Linear(channels, channels), nn.ReLU())
            return Mixer(channels, inner, 3, 4, bias=True, more=0.5)
        if self.uses == "network":
            return Network(channels)
        if self.uses == "numpy":
            from tests.export.unfit import NumpyModule

            return NumpyModule()
        if self.uses == "function":
            return Applied(lambda x: x + 1)
        if self.uses == "applied":
            return Applied(F.gelu)
        return MADE


class Applied(nn.Module):
    """Applies a function."""

    def __init__(self, function: Any) -> None:
        super().__init__()
        self.function = function

    def forward(self, x: Tensor) -> Tensor:
        """Apply."""
        y: Tensor = self.function(x)
        return y


MADE = nn.Linear(3, 3)
