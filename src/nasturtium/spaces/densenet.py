"""The space ``densenet``: blocks whose layers read all layers before them (Huang et al. 2017)."""

from __future__ import annotations

from typing import Any

from nasturtium.errors import SpaceError
from nasturtium.layers import (
    AvgPool,
    BatchNorm,
    Concat,
    Container,
    Conv2d,
    GlobalPool,
    Linear,
    MaxPool,
    ReLU,
    Sequential,
)
from nasturtium.layers.rules import one_of
from nasturtium.space.choice import choice, shared
from nasturtium.space.part import Layer, Wiring
from nasturtium.space.space import Space
from nasturtium.spaces.inputs import layout_of, one_input, positive, smaller_side, weighted

DEPTHS = {
    "imagenet": ((3, 6, 9), (6, 12, 18), (12, 16, 24, 32, 36, 48), (8, 12, 16, 24, 32)),
    "cifar": ((2, 4, 6, 8, 12, 16, 24, 31),) * 3,
}
"""Layers in the blocks by layout: those of the paper, and fewer."""

GROWTHS = {"imagenet": {16: 1, 24: 1, 32: 2, 48: 0.5}, "cifar": {8: 1, 12: 2, 16: 1, 24: 1, 32: 0.5, 40: 0.3}}
"""Channels that a layer adds, by layout, and their weights."""

MEMBERS: dict[str, dict[str, tuple[int, tuple[int, ...]]]] = {
    "imagenet": {
        "DenseNet-121": (32, (6, 12, 24, 16)),
        "DenseNet-169": (32, (6, 12, 32, 32)),
        "DenseNet-201": (32, (6, 12, 48, 32)),
        "DenseNet-161": (48, (6, 12, 36, 24)),
    },
    "cifar": {
        "DenseNet-BC-100-12": (12, (16, 16, 16)),
        "DenseNet-BC-190-40": (40, (31, 31, 31)),
    },
}
"""Growth and layers in the blocks of the members, by layout; all have bottlenecks and compression 0.5."""


class DenseLayer(Container):
    """Adds channels, computed from all that come in, to them.

    Normalisation and ReLU stand before each convolution.

    Args:
        growth: Channels that are added.
        bottleneck: Whether a 1x1 convolution with four times as many channels precedes the 3x3 one.
    """

    growth: int
    bottleneck: bool = True

    def wire(self, x: Any) -> Wiring:
        y = yield BatchNorm(), x
        y = yield ReLU(), y
        if self.bottleneck:
            y = yield Conv2d(4 * self.growth, kernel=1, bias=False), y
            y = yield BatchNorm(), y
            y = yield ReLU(), y
        y = yield Conv2d(self.growth, bias=False), y
        return (yield Concat(), x, y)


class DenseBlock(Container):
    """Dense layers one after another.

    Args:
        depth: Number of layers.
        growth: Channels that each adds.
        bottleneck: Whether they have bottlenecks.
    """

    depth: int
    growth: int = 12
    bottleneck: bool = True

    def wire(self, x: Any) -> Wiring:
        if min(self.depth, self.growth) < 1:
            raise SpaceError(f"depth and growth start at 1: {self}")
        for _ in range(self.depth):
            x = yield DenseLayer(self.growth, self.bottleneck), x
        return x


class DenseTransition(Container):
    """Normalisation, ReLU, a 1x1 convolution, and 2x2 mean pooling.

    Args:
        compression: Channels that leave for each that comes in, rounded down.
    """

    compression: float = 0.5

    def wire(self, x: Any) -> Wiring:
        if not 0 < self.compression <= 1:
            raise SpaceError(f"DenseTransition needs a compression above 0 and up to 1, not {self.compression!r}")
        y = yield BatchNorm(), x
        y = yield ReLU(), y
        y = yield Conv2d(max(int(x.signal.channels * self.compression), 1), kernel=1, bias=False), y
        return (yield AvgPool(2), y)


class DenseStem(Container):
    """Gives twice as many channels as a layer adds.

    Args:
        growth: Channels that a layer adds.
        kind: ``small`` (one 3x3 convolution), or ``large`` (a 7x7 convolution, normalisation, ReLU and pooling,
            which halve the resolution twice).
    """

    growth: int
    kind: str = "small"

    def wire(self, x: Any) -> Wiring:
        one_of(self, "kind of stem", self.kind, ("small", "large"))
        if self.kind == "small":
            return (yield Conv2d(2 * self.growth, bias=False), x)
        x = yield Conv2d(2 * self.growth, kernel=7, stride=2, bias=False), x
        x = yield BatchNorm(), x
        x = yield ReLU(), x
        return (yield MaxPool(3, stride=2), x)


def densenet(
    input: Any = (3, 32, 32), outputs: int = 10, *, depth: int | None = None, layout: str | None = None
) -> Space:
    """Densely connected networks, for images from 8x8 up.

    The ``cifar`` layout has a 3x3 convolution and three blocks of 2 to 31 layers, the ``imagenet`` layout a 7x7
    convolution with pooling and four blocks of 3 to 48. Between blocks a transition halves the resolution. The
    depth is a decision of each block; growth, bottlenecks and compression (0.5 or 1) are decisions of the network.
    The size is the product of the numbers of growths, 2 * 2, and the depths of each block.

    Members: ``DenseNet-BC-100-12`` and ``DenseNet-BC-190-40`` (100 and 190 layers in all, growth 12 and 40), or
    ``DenseNet-121``, ``-169``, ``-201`` and ``-161``, as far as their depths are inside. The stem always gives
    twice the growth, also without bottlenecks and compression, where the paper has 16 channels; dropout, which the
    paper uses without augmentation, is left to the training.

    Args:
        input: (channels, height, width), or an image signal.
        outputs: Numbers that leave: classes, or targets.
        depth: Most layers in a block; by default all above, on images below 24 eight.
        layout: ``imagenet`` or ``cifar``; by default ``imagenet`` from 96x96 on.

    Raises:
        SpaceError: If the input is no image, or an option cannot be used.

    >>> densenet().member("DenseNet-BC-100-12").count()["params"]
    769162
    """
    signal = one_input("densenet", input, "image")
    side = smaller_side(signal)
    layout = layout_of("densenet", signal, layout)
    depth = (8 if side < 24 else 48) if depth is None else depth
    positive("densenet", outputs=outputs, depth=depth)
    inside = [tuple([number for number in options if number <= depth]) for options in DEPTHS[layout]]
    if not all(inside):
        raise SpaceError(f"densenet: depth must be at least {max(min(d) for d in DEPTHS[layout])}, not {depth}")
    growth = shared("growth", weighted(GROWTHS[layout]), whole=True)
    bottleneck = shared("bottleneck", choice(True, False, weights=(2, 1)), whole=True)
    compression = shared("compression", choice(0.5, 1.0, weights=(2, 1)), whole=True)
    counts = [weighted({number: 1 / number for number in options}) for options in inside]
    root = _network(layout, growth, counts, bottleneck, compression, outputs)
    members = {
        name: _network(layout, growth, depths, True, 0.5, outputs)
        for name, (growth, depths) in MEMBERS[layout].items()
        if all(depth in options for depth, options in zip(depths, inside, strict=True))
    }
    return Space(root, input=signal, name="densenet", members=members)


def _network(layout: str, growth: Any, depths: Any, bottleneck: Any, compression: Any, outputs: int) -> Sequential:
    layers: list[Layer] = [DenseStem(growth, "large" if layout == "imagenet" else "small")]
    for number, depth in enumerate(depths):
        if number:
            layers.append(DenseTransition(compression))
        layers.append(DenseBlock(depth, growth, bottleneck))
    return Sequential(*layers, BatchNorm(), ReLU(), GlobalPool(), Linear(outputs))
