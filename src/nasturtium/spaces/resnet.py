"""The space ``resnet``: stages of residual blocks, basic or with bottlenecks (He et al. 2016)."""

from __future__ import annotations

from typing import Any

from nasturtium.errors import Mismatch, SpaceError
from nasturtium.layers import (
    Add,
    AvgPool,
    BatchNorm,
    Concat,
    Container,
    Conv2d,
    ConvBlock,
    GlobalPool,
    Linear,
    MaxPool,
    ReLU,
    Sequential,
    Zero,
)
from nasturtium.layers.rules import one_of
from nasturtium.space.choice import choice, shared
from nasturtium.space.part import Layer, Wiring
from nasturtium.space.space import Space
from nasturtium.spaces.inputs import layout_of, one_input, positive, smaller_side, weighted

DEPTHS = ((1, 2, 3), (1, 2, 3, 4, 8), (1, 2, 3, 4, 6, 23, 36), (1, 2, 3))
"""Blocks in the stages of networks for large images: those of Table 1 of the paper, and fewer."""

CIFAR_DEPTHS = (1, 2, 3, 5, 7, 9, 18)
"""Blocks in a stage of networks for small images: those of Table 6 of the paper, and fewer."""

WIDTHS = {"imagenet": {32: 1, 48: 1, 64: 2, 96: 0.5}, "cifar": {8: 1, 16: 2, 32: 1, 64: 0.3}}
"""Channels of the stem by layout, and their weights."""

LARGE = {
    "ResNet-18": (False, (2, 2, 2, 2)),
    "ResNet-34": (False, (3, 4, 6, 3)),
    "ResNet-50": (True, (3, 4, 6, 3)),
    "ResNet-101": (True, (3, 4, 23, 3)),
    "ResNet-152": (True, (3, 8, 36, 3)),
}
"""Members for large images: whether there are bottlenecks, and the blocks in the stages."""

SMALL = {"ResNet-20": 3, "ResNet-32": 5, "ResNet-44": 7, "ResNet-56": 9, "ResNet-110": 18}
"""Members for small images: blocks in each of the three stages."""


class BasicBlock(Container):
    """Two 3x3 convolutions around which the input is led, then ReLU (Figure 5 of He et al. 2016, left).

    Args:
        channels: Channels that leave.
        stride: Of the first convolution.
        shortcut: How the input gets another shape, see :class:`Shortcut`.
    """

    channels: int
    stride: int = 1
    shortcut: str = "projection"

    def wire(self, x: Any) -> Wiring:
        y = yield ConvBlock(self.channels, 3, self.stride), x
        y = yield ConvBlock(self.channels, 3, activation="identity"), y
        x = yield Shortcut(self.channels, self.stride, self.shortcut), x
        y = yield Add(), y, x
        return (yield ReLU(), y)


class BottleneckBlock(Container):
    """1x1, 3x3 and 1x1 convolutions around which the input is led, then ReLU (Figure 5, right).

    The stride is on the 3x3 convolution, as in all public code, where the paper has it on the first 1x1.

    Args:
        channels: Channels that leave: four for each inner one.
        stride: Of the 3x3 convolution.
        shortcut: How the input gets another shape, see :class:`Shortcut`.
    """

    channels: int
    stride: int = 1
    shortcut: str = "projection"

    def wire(self, x: Any) -> Wiring:
        inner = self.channels // 4
        y = yield ConvBlock(inner, kernel=1), x
        y = yield ConvBlock(inner, 3, self.stride), y
        y = yield ConvBlock(self.channels, kernel=1, activation="identity"), y
        x = yield Shortcut(self.channels, self.stride, self.shortcut), x
        y = yield Add(), y, x
        return (yield ReLU(), y)


class Shortcut(Container):
    """The input of a residual block in the shape of its output; itself, if that is the same.

    Args:
        channels: Channels that leave.
        stride: Step of the block.
        kind: ``projection`` (a 1x1 convolution with normalisation, option B of the paper) or ``padding`` (every
            ``stride``-th place, and zeros for the new channels: option A, without parameters).
    """

    channels: int
    stride: int = 1
    kind: str = "projection"

    def wire(self, x: Any) -> Wiring:
        one_of(self, "kind of shortcut", self.kind, ("projection", "padding"))
        before = x.signal.channels
        if before == self.channels and self.stride == 1:
            return x
        if self.kind == "projection":
            x = yield Conv2d(self.channels, kernel=1, stride=self.stride, bias=False), x
            return (yield BatchNorm(), x)
        if self.channels % before:
            raise Mismatch("Shortcut cannot pad {} channels to {}: no multiple", before, self.channels)
        if self.stride > 1:
            x = yield AvgPool(1, stride=self.stride), x
        if self.channels == before:
            return x
        zeros = yield Zero(), x
        return (yield Concat(), x, *[zeros] * (self.channels // before - 1))


class ResNetStem(Container):
    """What an image meets first.

    Args:
        channels: Channels that leave.
        kind: ``plain`` (a 7x7 convolution and pooling, each halving the resolution), ``deep`` (three 3x3 ones
            instead of the 7x7, the first two of half the channels: ResNet-C of He et al. 2019), or ``small`` (one
            3x3 convolution).
    """

    channels: int
    kind: str = "plain"

    def wire(self, x: Any) -> Wiring:
        one_of(self, "kind of stem", self.kind, ("plain", "deep", "small"))
        if self.kind == "small":
            return (yield ConvBlock(self.channels), x)
        if self.kind == "plain":
            x = yield ConvBlock(self.channels, kernel=7, stride=2), x
        else:
            x = yield ConvBlock(max(self.channels // 2, 1), stride=2), x
            x = yield ConvBlock(), x
            x = yield ConvBlock(self.channels), x
        return (yield MaxPool(3, stride=2), x)


class ResNetStage(Container):
    """Equal residual blocks, the first of which sets the shape.

    Args:
        width: Inner channels of the blocks before ``times``.
        depth: Number of blocks.
        times: Factor on the width.
        stride: Of the first block.
        bottleneck: Whether the blocks are of :class:`BottleneckBlock` rather than :class:`BasicBlock`.
        shortcut: Of the first block.
    """

    width: int
    depth: int = 2
    times: int = 1
    stride: int = 1
    bottleneck: bool = False
    shortcut: str = "projection"

    def wire(self, x: Any) -> Wiring:
        if min(self.width, self.depth, self.times) < 1:
            raise SpaceError(f"width, depth and times start at 1: {self}")
        channels = self.width * self.times
        for number in range(self.depth):
            stride = 1 if number else self.stride
            if self.bottleneck:
                x = yield BottleneckBlock(4 * channels, stride, self.shortcut), x
            else:
                x = yield BasicBlock(channels, stride, self.shortcut), x
        return x


def resnet(
    input: Any = (3, 224, 224), outputs: int = 1000, *, depth: int | None = None, layout: str | None = None
) -> Space:
    """Residual networks of basic or bottleneck blocks, for images from 8x8 up.

    The ``imagenet`` layout has a stem of a 7x7 convolution, or of three 3x3 ones (He et al. 2019), with pooling,
    and four stages of 1 to 36 blocks; the ``cifar`` layout a 3x3 convolution and three stages of 1 to 18 blocks.
    Stages double the width and, but for the first, halve the resolution. Depth is a decision of each stage, width,
    kind of block and shortcut are decisions of the network. The size is the product of the numbers of
    stems (2 or 1), widths, kinds and shortcuts (2 each), and depths of each stage.

    Members: ``ResNet-18``, ``-34``, ``-50``, ``-101``, ``-152`` with projections (option B), as in public code, or
    ``ResNet-20``, ``-32``, ``-44``, ``-56``, ``-110`` with padding (option A of the paper, no parameters), as far
    as their depths are inside.

    Args:
        input: (channels, height, width), or an image signal.
        outputs: Numbers that leave: classes, or targets.
        depth: Most blocks in a stage; by default all above, on images below 24 five.
        layout: ``imagenet`` or ``cifar``; by default ``imagenet`` from 96x96 on.

    Raises:
        SpaceError: If the input is no image, or an option cannot be used.

    >>> resnet().member("ResNet-50").count()["params"]
    25557032
    """
    signal = one_input("resnet", input, "image")
    side = smaller_side(signal)
    layout = layout_of("resnet", signal, layout)
    depth = (5 if side < 24 else 36) if depth is None else depth
    positive("resnet", outputs=outputs, depth=depth)
    depths = DEPTHS if layout == "imagenet" else (CIFAR_DEPTHS,) * 3
    inside = [tuple([number for number in options if number <= depth]) for options in depths]
    width = shared("width", weighted(WIDTHS[layout]), whole=True)
    bottleneck = shared("bottleneck", choice(False, True), whole=True)
    shortcut = shared("shortcut", choice("projection", "padding"), whole=True)
    stem = ResNetStem(width, choice("plain", "deep") if layout == "imagenet" else "small")
    counts = [weighted({number: 1 / number for number in options}) for options in inside]
    root = _network(stem, width, counts, bottleneck, shortcut, outputs)
    return Space(root, input=signal, name="resnet", members=_members(layout, inside, outputs))


def _network(stem: Layer, width: Any, depths: Any, bottleneck: Any, shortcut: Any, outputs: int) -> Sequential:
    stages = [
        ResNetStage(width, depth, 2**number, min(number + 1, 2), bottleneck, shortcut)
        for number, depth in enumerate(depths)
    ]
    return Sequential(stem, *stages, GlobalPool(), Linear(outputs))


def _members(layout: str, inside: list[tuple[int, ...]], outputs: int) -> dict[str, Layer]:
    made: dict[str, Layer] = {}
    if layout == "imagenet":
        for name, (bottleneck, depths) in LARGE.items():
            if all(depth in options for depth, options in zip(depths, inside, strict=True)):
                made[name] = _network(ResNetStem(64), 64, depths, bottleneck, "projection", outputs)
        return made
    for name, depth in SMALL.items():
        if depth in inside[0]:
            made[name] = _network(ResNetStem(16, "small"), 16, (depth,) * 3, False, "padding", outputs)
    return made
