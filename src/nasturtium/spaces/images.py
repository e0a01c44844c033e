"""What the spaces of image networks share: stem, stages with falling resolution, and head."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from nasturtium.layers import (
    AvgPool,
    Container,
    ConvBlock,
    Dropout,
    GlobalPool,
    Linear,
    MaxPool,
    Sequential,
)
from nasturtium.layers.rules import one_of
from nasturtium.space.choice import choice
from nasturtium.space.part import Layer, Wiring
from nasturtium.space.signal import Signal
from nasturtium.spaces.inputs import smaller_side, weighted, widths

WIDTHS: tuple[tuple[int, dict[int, float]], ...] = (
    (24, {8: 3, 16: 4, 24: 2, 32: 1, 48: 0.3}),
    (12, {16: 3, 24: 3, 32: 3, 48: 1, 64: 0.5, 96: 0.2}),
    (6, {16: 1, 24: 3, 32: 4, 48: 2, 64: 1.5, 96: 0.5, 128: 0.2}),
    (0, {32: 1, 48: 2, 64: 4, 96: 3, 128: 1.5, 192: 0.3}),
)
"""Channels and their weights by the smallest side of a feature map for which they stand: the cost of a convolution
grows with the places times the square of the channels, so the fewer places the more channels."""

STEM_SIDE = 32
"""The stem strides over a larger image for as long as this side remains."""

STAGES = 4
LAST_SIDE = 4
"""Stages follow each other, each at half the side of the one before, until there are four or the side is this small."""


class Reduction(Container):
    """Halves the side of an image and sets its channels.

    Args:
        channels: Channels that leave.
        kind: ``stride`` (a 3x3 convolution with stride 2), or ``max`` or ``mean`` (2x2 pooling, then a 3x3
            convolution).
    """

    channels: int
    kind: str = "stride"

    def wire(self, x: Any) -> Wiring:
        one_of(self, "kind", self.kind, ("stride", "max", "mean"))
        if self.kind == "stride":
            return (yield ConvBlock(self.channels, stride=2), x)
        x = yield MaxPool() if self.kind == "max" else AvgPool(), x
        return (yield ConvBlock(self.channels), x)


def sides(signal: Signal) -> tuple[int, tuple[int, ...]]:
    """The stride of the stem, and the smaller side of the feature maps of each stage."""
    side = smaller_side(signal)
    stride = 1
    while side >= 2 * STEM_SIDE and stride < 4:
        side, stride = -(-side // 2), 2 * stride
    found = [side]
    while len(found) < 2 or (len(found) < STAGES and found[-1] > LAST_SIDE):
        found.append(-(-found[-1] // 2))
    return stride, tuple(found)


def staged(space: str, signal: Signal, outputs: int, width: float, body: Callable[[int], Layer]) -> Sequential:
    """Stem, two to four stages, head.

    Args:
        space: Its name, for messages.
        signal: The image that comes in.
        outputs: Numbers that leave.
        width: Factor on all channel counts.
        body: What a stage does at its resolution, by its number from 0.
    """
    stride, along = sides(signal)
    options = [widths(space, width, _widths_at(side)) for side in along]
    layers: list[Layer] = [_stem(options[0], stride, along[0]), body(0)]
    for number, channels in enumerate(options[1:], 1):
        kind = weighted({"stride": 2, "max": 2, "mean": 1})
        layers += [Reduction(channels, kind), body(number)]
    pool = GlobalPool(weighted({"mean": 3, "max": 1, "mixed": 2}))
    drop = Dropout(choice(0.0, 0.1, 0.2, 0.3))
    return Sequential(*layers, pool, drop, Linear(outputs))


def _stem(channels: Any, stride: int, side: int) -> ConvBlock:
    kernels = {1: {3: 3, 5: 1}, 2: {3: 1, 5: 1}, 4: {5: 1, 7: 1}}[stride]
    strides = {stride: 1, 2 * stride: 1} if side >= 24 else {stride: 1}
    return ConvBlock(channels, weighted(kernels), weighted(strides))


def _widths_at(side: int) -> dict[int, float]:
    return next(options for least, options in WIDTHS if side >= least)
