"""Linear, and the feed-forward block made of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from nasturtium.errors import SpaceError
from nasturtium.layers.activation import Activation, Dropout
from nasturtium.layers.container import Container
from nasturtium.layers.rules import STEPS, only, places, positive
from nasturtium.space.part import Cost, Layer, Wiring
from nasturtium.space.signal import Signal

if TYPE_CHECKING:
    import torch


class Linear(Layer):
    """A linear map of the channels of a vector, or of each step of a sequence.

    Args:
        out: Channels that leave.
        bias: Whether a constant is added.
    """

    out: int
    bias: bool = True

    def signal(self, *inputs: Signal) -> Signal:
        x = only(self, inputs, "vector", *STEPS)
        positive(self, "out", self.out)
        return x.with_channels(self.out)

    def cost(self, *inputs: Signal) -> Cost:
        (x,) = inputs
        weights = x.channels * self.out
        return Cost(weights + self.out * self.bias, 2 * places(x) * weights)

    def module(self, *inputs: Signal) -> torch.nn.Module:
        from torch import nn

        (x,) = inputs
        return nn.Linear(x.channels, self.out, bias=self.bias)


class FeedForward(Container):
    """Two linear maps with an activation between them, as many channels out as in (Vaswani et al. 2017,
    section 3.3).

    Args:
        ratio: Inner channels for each channel of the input.
        activation: Name of the activation.
        dropout: Share of inner values dropped in training.
    """

    ratio: float = 4
    activation: str = "gelu"
    dropout: float = 0.0

    def wire(self, x: Any) -> Wiring:
        if not (self.ratio > 0 and 0 <= self.dropout < 1):
            raise SpaceError(f"FeedForward needs a positive ratio and a dropout from 0 up to 1: {self}")
        channels = x.signal.channels
        y = yield Linear(max(int(channels * self.ratio), 1)), x
        y = yield Activation(self.activation), y
        if self.dropout > 0:
            y = yield Dropout(self.dropout), y
        return (yield Linear(channels), y)
