"""What the spaces of mobile networks share: inverted residual blocks, squeeze-and-excitation, strides and widths."""

from __future__ import annotations

from typing import Any

from nasturtium.errors import SpaceError
from nasturtium.layers import Add, Container, ConvBlock, GlobalPool, HardSigmoid, Linear, Multiply, ReLU
from nasturtium.space.part import Wiring
from nasturtium.space.signal import Signal
from nasturtium.spaces.inputs import smaller_side

LAST_SIDE = 4
"""Strides are kept for as long as the last feature map has at least this side."""


class SqueezeExcite(Container):
    """Scales each channel by a gate computed from the means of all channels (Hu et al. 2018).

    The gate is the hard sigmoid of MobileNetV3, the inner width a multiple of 8.

    Args:
        reduction: Channels for each inner one.
    """

    reduction: int = 4

    def wire(self, x: Any) -> Wiring:
        channels = x.signal.channels
        gate = yield GlobalPool(), x
        gate = yield Linear(divisible(channels // self.reduction)), gate
        gate = yield ReLU(), gate
        gate = yield Linear(channels), gate
        gate = yield HardSigmoid(), gate
        return (yield Multiply(), x, gate)


class InvertedResidual(Container):
    """A 1x1 convolution that widens, a depthwise one, and a linear 1x1 one that narrows (Sandler et al. 2018).

    Args:
        channels: Channels that leave. Not given, they are as many as come in and, with stride 1, the input is added.
        kernel: Of the depthwise convolution.
        stride: Of the depthwise convolution.
        expansion: Inner channels for each that comes in, rounded; 1 leaves the first convolution out.
        squeeze: Whether :class:`SqueezeExcite` stands behind the depthwise convolution (Howard et al. 2019).
        activation: Name of the activation behind the first two convolutions.
    """

    channels: int | None = None
    kernel: int = 3
    stride: int = 1
    expansion: float = 6
    squeeze: bool = False
    activation: str = "relu"

    def wire(self, x: Any) -> Wiring:
        if self.expansion < 1:
            raise SpaceError(f"InvertedResidual needs an expansion from 1, not {self.expansion!r}")
        y, channels = x, x.signal.channels
        if self.expansion != 1:
            y = yield ConvBlock(round(channels * self.expansion), kernel=1, activation=self.activation), y
        y = yield ConvBlock(None, self.kernel, self.stride, groups="depthwise", activation=self.activation), y
        if self.squeeze:
            y = yield SqueezeExcite(), y
        y = yield ConvBlock(self.channels or channels, kernel=1, activation="identity"), y
        return (yield Add(), y, x) if self.channels is None and self.stride == 1 else y


def divisible(channels: float, by: int = 8) -> int:
    """The nearest multiple of ``by``, at least ``by``; the next one up if more than a tenth would be lost.

    So all public MobileNets round (half up).
    """
    rounded = max(by, int(channels + by / 2) // by * by)
    return rounded + by if rounded < 0.9 * channels else rounded


def strides(signal: Signal, count: int) -> tuple[int, ...]:
    """The strides, 1 or 2, at the ``count`` places where a network for 224x224 halves the resolution.

    A smaller image drops the first ones, so that the last feature map has a side of at least four: 224 keeps five,
    32 the last three, 8 the last one.
    """
    side, halvings = smaller_side(signal), 0
    while halvings < count and -(-side // 2) >= LAST_SIDE:
        side, halvings = -(-side // 2), halvings + 1
    return (1,) * (count - halvings) + (2,) * halvings


def width_for(space: str, signal: Signal, width: float | None) -> float:
    """The factor on all channel counts: the one given, else 1, or less on small images.

    Raises:
        SpaceError: If the factor is not a positive number.
    """
    if width is None:
        side = smaller_side(signal)
        return 1.0 if side >= 96 else 0.5 if side >= 24 else 0.25
    if isinstance(width, bool) or not isinstance(width, (int, float)) or not 0 < width < 1000:
        raise SpaceError(f"{space}: width must be a positive factor, not {width!r}")
    return float(width)
