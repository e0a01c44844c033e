"""The space ``multibranch``: blocks of two to four parallel paths, joined by sum or concatenation."""

from __future__ import annotations

from typing import Any

from nasturtium.errors import SpaceError
from nasturtium.layers import (
    Add,
    AvgPool,
    BatchNorm,
    Branch,
    Chunk,
    Clone,
    Concat,
    ConvBlock,
    MaxPool,
    ReLU,
    Residual,
    SeparableConv2d,
    Sequential,
)
from nasturtium.space.choice import choice
from nasturtium.space.part import Layer
from nasturtium.space.space import Space
from nasturtium.spaces.images import staged
from nasturtium.spaces.inputs import one_input, positive, stacked

PATHS: tuple[tuple[Layer, float], ...] = (
    (ConvBlock(kernel=1), 1),
    (ConvBlock(kernel=3), 3),
    (ConvBlock(kernel=5), 1),
    (Sequential(SeparableConv2d(kernel=3, bias=False), BatchNorm(), ReLU()), 1),
    (Sequential(SeparableConv2d(kernel=5, bias=False), BatchNorm(), ReLU()), 1),
    (ConvBlock(kernel=3, dilation=2), 1),
    (Sequential(MaxPool(3, stride=1), ConvBlock(kernel=1)), 1),
    (Sequential(AvgPool(3, stride=1), ConvBlock(kernel=1)), 1),
)
"""What a path may do, and how often it is drawn; each keeps the channels."""


def multibranch(
    input: Any = (3, 32, 32), outputs: int = 10, *, width: float = 1.0, depth: int = 2, paths: int = 4
) -> Space:
    """Convolutional networks of blocks with parallel paths, for images from 8x8 to 224x224 and beyond.

    Stages as in :func:`nasturtium.spaces.convnet`, each a number of equal residual blocks. The paths of a block
    either all see all channels and are summed, or a 1x1 convolution deals the channels out to them and the results
    stand side by side, which is what the bottlenecks of an Inception block (Szegedy et al. 2015) compute. The
    residual blocks are those of Inception-ResNet (Szegedy et al. 2017), without its last 1x1 convolution.

    Args:
        input: (channels, height, width), or an image signal.
        outputs: Numbers that leave: classes, or targets.
        width: Factor on all channel counts.
        depth: Most blocks in a stage.
        paths: Most paths in a block: 2, 3 or 4.

    Raises:
        SpaceError: If the input is no image, or an option cannot be used.

    >>> multibranch(input=(1, 8, 8), depth=1, paths=2).size
    49545216
    """
    signal = one_input("multibranch", input, "image")
    positive("multibranch", outputs=outputs, depth=depth)
    if paths not in (2, 3, 4):
        raise SpaceError(f"multibranch: paths must be a whole number from 2 to 4, not {paths!r}")
    root = staged("multibranch", signal, outputs, width, lambda stage: stacked(_block(paths), depth))
    return Space(root, input=signal, name="multibranch")


def _block(most: int) -> Layer:
    path = choice(*[layer for layer, _ in PATHS], weights=[weight for _, weight in PATHS])
    blocks: list[Layer] = []
    for count in range(2, most + 1):
        ways = [path] * count
        blocks.append(Branch(Clone(count), *ways, join=Add()))
        blocks.append(Sequential(ConvBlock(kernel=1), Branch(Chunk(count), *ways, join=Concat())))
    return Residual(choice(*blocks))
