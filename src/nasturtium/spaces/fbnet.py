"""The space ``fbnet``: 22 layers, each one of nine blocks (Wu et al. 2019)."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from nasturtium.errors import ParseError, did_you_mean
from nasturtium.layers import (
    Add,
    Container,
    ConvBlock,
    GlobalPool,
    Identity,
    Linear,
    Permute,
    Reshape,
    Sequential,
)
from nasturtium.space.choice import choice
from nasturtium.space.notations import Notation
from nasturtium.space.part import Layer, Wiring
from nasturtium.space.space import Space
from nasturtium.spaces.inputs import one_input, positive, smaller_side
from nasturtium.spaces.inverted import divisible, strides, width_for

if TYPE_CHECKING:
    from nasturtium.space.architecture import Architecture

BLOCKS: dict[str, tuple[int, int, int]] = {
    "k3_e1": (3, 1, 1),
    "k3_e1_g2": (3, 1, 2),
    "k3_e3": (3, 3, 1),
    "k3_e6": (3, 6, 1),
    "k5_e1": (5, 1, 1),
    "k5_e1_g2": (5, 1, 2),
    "k5_e3": (5, 3, 1),
    "k5_e6": (5, 6, 1),
}
"""Kernel, expansion and groups of the blocks of Table 2, in the order of HW-NAS-Bench."""

OPERATIONS = (*BLOCKS, "skip")
"""What a layer may be; its place here is its number in HW-NAS-Bench."""

STAGES = ((16, 1), (24, 4), (32, 4), (64, 4), (112, 4), (184, 4), (352, 1))
"""Channels and layers of the stages of Table 1."""

FOUND = {
    "FBNet-A": "8 2088 7242 7657 3561 7767 7",
    "FBNet-B": "0 3400 7637 7486 7046 7477 3",
    "FBNet-C": "0 3800 7673 7677 7776 7777 3",
}
"""The numbers of the blocks of the networks that the paper found, by stages, as published with its code.

Where its first and its later publication differ, what leads to the FLOPs of the paper stands here: the third block of
the fifth stage of FBNet-A as in the later one, the second block of the fourth stage of FBNet-B as in the first.
"""


class FBNetBlock(Container):
    """A 1x1 convolution, a depthwise one, and a linear 1x1 one (Figure 3 of Wu et al. 2019).

    Args:
        channels: Channels that leave. Not given, they are as many as come in and, with stride 1, the input is added.
        kernel: Of the depthwise convolution.
        stride: Of the depthwise convolution.
        expansion: Inner channels for each that comes in; the first convolution is there with 1, too.
        groups: Of both 1x1 convolutions; with more than one the channels are shuffled behind the first.
    """

    channels: int | None = None
    kernel: int = 3
    stride: int = 1
    expansion: int = 1
    groups: int = 1

    def wire(self, x: Any) -> Wiring:
        channels = x.signal.channels
        inner = channels * self.expansion
        y = yield ConvBlock(inner, kernel=1, groups=self.groups), x
        if self.groups > 1:
            _, height, width = y.signal.shape
            y = yield Reshape((self.groups, inner // self.groups, height * width)), y
            y = yield Permute((1, 0, 2)), y
            y = yield Reshape((inner, height, width)), y
        y = yield ConvBlock(None, self.kernel, self.stride, groups="depthwise"), y
        y = yield ConvBlock(self.channels or channels, kernel=1, groups=self.groups, activation="identity"), y
        return (yield Add(), y, x) if self.channels is None and self.stride == 1 else y


def fbnet(
    input: Any = (3, 224, 224), outputs: int = 1000, *, width: float | None = None, head: int | None = None
) -> Space:
    """The space of FBNet, for images from 8x8 up: 9^22 networks.

    A stem with 16 channels, 22 layers in seven stages (Table 1), a 1x1 convolution, global pooling and a linear
    layer. Each layer is one of ``k3_e1``, ``k3_e1_g2``, ``k3_e3``, ``k3_e6``, ``k5_e1``, ``k5_e1_g2``, ``k5_e3``,
    ``k5_e6`` (kernel, expansion, groups) and ``skip``. Where a layer changes the shape, ``skip`` is a 1x1
    convolution with that stride, normalisation and ReLU, as in the code of the paper and in HW-NAS-Bench; so all
    nine are offered everywhere, and the size is the one HW-NAS-Bench counts.

    The notation is the list of the 22 numbers of the blocks in that order, as HW-NAS-Bench writes it; a list of
    their names, or of those of the paper's code (``ir_k3_s2`` for ``k3_e1_g2``), is read as well. Members are
    the blocks of ``FBNet-A``, ``FBNet-B`` and ``FBNet-C``, where the width is 1; the paper has a head of 1504 for
    the first, 1984 for the others. They come to 4.3, 4.8 and 5.6 million parameters (the paper says 4.3, 4.5, 5.5)
    and 250, 297 and 385 million multiply-accumulates (249, 295, 375).

    The stem and four stages halve the resolution; images smaller than 128 drop the first of these strides, which at
    32x32 gives the strides of HW-NAS-Bench for CIFAR.

    Args:
        input: (channels, height, width), or an image signal.
        outputs: Numbers that leave: classes, or targets.
        width: Factor on all channel counts, rounded to multiples of 8; by default 1, on images below 96 a half,
            below 24 a quarter.
        head: Channels of the last convolution before ``width``; by default 1984, on images below 96 1504, as in
            HW-NAS-Bench.

    Raises:
        SpaceError: If the input is no image, or an option cannot be used.

    >>> fbnet().size == 9**22
    True
    """
    signal = one_input("fbnet", input, "image")
    head = (1984 if smaller_side(signal) >= 96 else 1504) if head is None else head
    positive("fbnet", outputs=outputs, head=head)
    factor, halving = width_for("fbnet", signal, width), iter(strides(signal, 5))
    before = divisible(16 * factor)
    layers: list[Any] = [ConvBlock(before, stride=next(halving))]
    for channels, count in STAGES:
        for number in range(count):
            first = number == 0 and channels in (24, 32, 64, 184)
            leaving, stride = divisible(channels * factor), next(halving) if first else 1
            layers.append(_layer(None if (leaving, stride) == (before, 1) else leaving, stride))
            before = leaving
    layers += [ConvBlock(divisible(head * factor), kernel=1), GlobalPool(), Linear(outputs)]
    members = {name: str(list(map(int, ids.replace(" ", "")))) for name, ids in FOUND.items()} if factor == 1 else {}
    return Space(Sequential(*layers), input=signal, name="fbnet", notation=Notation(write, read), members=members)


def _layer(channels: int | None, stride: int) -> Any:
    """A choice of the nine blocks; ``channels`` is None where the shape stays."""
    blocks = [FBNetBlock(channels, kernel, stride, expansion, groups) for kernel, expansion, groups in BLOCKS.values()]
    skip: Layer = Identity() if channels is None else ConvBlock(channels, kernel=1, stride=stride)
    return choice(*blocks, skip)


def write(architecture: Architecture) -> str:
    """An architecture of the space as the list of the numbers of its blocks."""
    return str(list(architecture.decisions))


def read(text: str) -> tuple[int, ...]:
    """The decisions of a list of 22 numbers or names of blocks.

    Raises:
        ParseError: If the text is no such list.
    """
    try:
        items = json.loads(text)
    except ValueError as error:
        raise ParseError(f"{text[:60]!r} is no list of blocks, such as [0, 8, 3, ...]: {error}") from None
    if not isinstance(items, list) or len(items) != 22:
        count = len(items) if isinstance(items, list) else "no list of"
        raise ParseError(f"an FBNet is a list of 22 blocks, not {count}: {text[:60]!r}")
    return tuple([_number(item, place) for place, item in enumerate(items)])


def _number(item: object, place: int) -> int:
    if isinstance(item, str):
        name = item.removeprefix("ir_").replace("_s2", "_e1_g2")
        if name in OPERATIONS:
            return OPERATIONS.index(name)
        raise ParseError(f"unknown block {item!r} at {place}{did_you_mean(item, OPERATIONS)}")
    if isinstance(item, bool) or not isinstance(item, int) or not 0 <= item < len(OPERATIONS):
        raise ParseError(f"{item!r} at {place} is no block: use a number from 0 to 8, or a name")
    return item
