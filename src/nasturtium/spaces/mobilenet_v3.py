"""The space ``mobilenet_v3``: inverted residuals with squeeze-and-excitation (Howard et al. 2019)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from nasturtium.errors import SpaceError
from nasturtium.layers import (
    Container,
    ConvBlock,
    Dropout,
    GlobalPool,
    HardSwish,
    Identity,
    Linear,
    Repeat,
    Sequential,
    repeat,
)
from nasturtium.space.choice import Choice, choice
from nasturtium.space.part import Layer, Wiring
from nasturtium.space.space import Space
from nasturtium.spaces.inputs import one_input, positive, weighted, widths
from nasturtium.spaces.inverted import InvertedResidual, strides, width_for

EXPANSIONS = {2.3: 0.5, 2.5: 0.5, 3: 2, 3.67: 0.5, 4: 2, 4.5: 0.5, 6: 2}
"""Expansions and their weights: 3, 4 and 6, and the others that stand in the tables of the paper."""

WIDTHS = (
    {24: 3, 32: 1},
    {32: 1, 40: 3, 48: 1},
    {64: 1, 80: 3, 96: 1},
    {48: 1, 80: 1, 112: 2, 136: 1},
    {96: 1, 128: 1, 160: 2, 192: 1},
)
"""Channels of the stages behind the first block, and their weights."""

Row = tuple[int, int, int, bool, str, int]

LARGE: tuple[tuple[Row, ...], ...] = (
    ((3, 16, 16, False, "relu", 1),),
    ((3, 64, 24, False, "relu", 2), (3, 72, 24, False, "relu", 1)),
    ((5, 72, 40, True, "relu", 2), (5, 120, 40, True, "relu", 1), (5, 120, 40, True, "relu", 1)),
    (
        (3, 240, 80, False, "hardswish", 2), (3, 200, 80, False, "hardswish", 1),
        (3, 184, 80, False, "hardswish", 1), (3, 184, 80, False, "hardswish", 1),
    ),
    ((3, 480, 112, True, "hardswish", 1), (3, 672, 112, True, "hardswish", 1)),
    (
        (5, 672, 160, True, "hardswish", 2), (5, 960, 160, True, "hardswish", 1),
        (5, 960, 160, True, "hardswish", 1),
    ),
)  # fmt: skip
"""Table 1 of the paper by stages: kernel, inner channels, channels, squeeze, activation, stride."""

SMALL: tuple[tuple[Row, ...], ...] = (
    ((3, 16, 16, True, "relu", 2),),
    ((3, 72, 24, False, "relu", 2), (3, 88, 24, False, "relu", 1)),
    ((5, 96, 40, True, "hardswish", 2), (5, 240, 40, True, "hardswish", 1), (5, 240, 40, True, "hardswish", 1)),
    (),
    ((5, 120, 48, True, "hardswish", 1), (5, 144, 48, True, "hardswish", 1)),
    (
        (5, 288, 96, True, "hardswish", 2), (5, 576, 96, True, "hardswish", 1),
        (5, 576, 96, True, "hardswish", 1),
    ),
)  # fmt: skip
"""Table 2 of the paper; it has no stage at the place of the fourth one, but halves in its first block."""


class MobileHead(Container):
    """A 1x1 convolution, global pooling, and a linear layer behind it, each with h-swish; then dropout.

    Args:
        hidden: Channels that leave.
        expansion: Channels of the convolution for each that comes in.
        dropout: Share of values dropped in training.
    """

    hidden: int
    expansion: float = 6
    dropout: float = 0.2

    def wire(self, x: Any) -> Wiring:
        x = yield ConvBlock(round(x.signal.channels * self.expansion), kernel=1, activation="hardswish"), x
        x = yield GlobalPool(), x
        x = yield Linear(self.hidden), x
        x = yield HardSwish(), x
        return (yield Dropout(self.dropout), x)


def mobilenet_v3(
    input: Any = (3, 224, 224), outputs: int = 1000, *, width: float | None = None, depth: int = 4
) -> Space:
    """MobileNetV3 and what lies around it, for images from 8x8 up.

    A stem, a block without expansion, five stages of 2 to ``depth`` inverted residuals (the third stage may be
    absent), and a head. Each stage decides on its width, on squeeze-and-excitation and on the activation (MnasNet,
    Tan et al. 2019), each block on kernel (3, 5, 7) and expansion (Once-for-all, Cai et al. 2020). The paper gives
    no space for its last search, which narrowed single layers (NetAdapt): its results are among the expansions, so
    both tables of the paper are members, ``MobileNetV3-Large`` and ``MobileNetV3-Small``, where the width is 1.
    Size: a block has 3 * 7 ways, a stage of n blocks (3 * 7)^n for each of its widths and 2 * 2 for squeezing and
    activation.

    The stem and four stages halve the resolution; images smaller than 128 drop the first of these strides (see
    :func:`nasturtium.spaces.inverted.strides`), and those that keep all leave open whether the first block halves
    it too. The first block of a stage adds no input, also where its channels happen to agree. Squeezing in the head
    of the small network (Table 2) is left out, as in all public code.

    Args:
        input: (channels, height, width), or an image signal.
        outputs: Numbers that leave: classes, or targets.
        width: Factor on all channel counts, rounded to multiples of 8; by default 1, on images below 96 a half,
            below 24 a quarter.
        depth: Most blocks in a stage, at least 2.

    Raises:
        SpaceError: If the input is no image, or an option cannot be used.

    >>> space = mobilenet_v3()
    >>> space.member("MobileNetV3-Large").count()["params"]
    5483032
    """
    signal = one_input("mobilenet_v3", input, "image")
    positive("mobilenet_v3", outputs=outputs, depth=depth)
    if depth < 2:
        raise SpaceError(f"mobilenet_v3: depth must be at least 2, not {depth}")
    factor, halving = width_for("mobilenet_v3", signal, width), strides(signal, 5)
    first = choice(1, 2) if halving[0] == 2 else 1
    stem = ConvBlock(_widths(factor, {16: 3, 24: 1}), stride=halving[0], activation="hardswish")
    block = _alike(lambda squeeze, active: InvertedResidual(None, _kernels(), first, 1, squeeze, active))
    stages: list[Any] = [
        _stage(_widths(factor, options), stride, depth)
        for options, stride in zip(WIDTHS, (halving[1], halving[2], halving[3], 1, halving[4]), strict=True)
    ]
    stages[2] = choice(Identity(), stages[2], weights=(1, 4), name="third stage")
    head = MobileHead(_widths(factor, {1024: 1, 1280: 1}))
    root = Sequential(stem, block, *stages, head, Linear(outputs))
    members = {} if factor != 1 or depth < 4 else _members(halving, outputs)
    return Space(root, input=signal, name="mobilenet_v3", members=members)


def _widths(factor: float, options: Mapping[int, float]) -> Any:
    return widths("mobilenet_v3", factor, options)


def _kernels() -> Any:
    return weighted({3: 2, 5: 2, 7: 1})


def _stage(channels: Any, stride: int, depth: int) -> Choice:
    counts = weighted({number - 1: 2.0**-number for number in range(2, depth + 1)})

    def blocks(squeeze: bool, activation: str) -> Layer:
        first = InvertedResidual(channels, _kernels(), stride, weighted(EXPANSIONS), squeeze, activation)
        other = InvertedResidual(None, _kernels(), 1, weighted(EXPANSIONS), squeeze, activation)
        return Sequential(first, repeat(other, counts))

    return _alike(blocks)


def _alike(make: Callable[[bool, str], Layer]) -> Choice:
    """What ``make`` makes of one decision on squeezing and one on the activation, for all blocks inside."""
    return _same_inside(
        "squeeze",
        [_same_inside("activation", [make(squeeze, name) for name in ("relu", "hardswish")])
         for squeeze in (False, True)],
    )  # fmt: skip


def _same_inside(name: str, options: Sequence[Any]) -> Choice:
    made = Choice(options, None, name)
    made.transparent = True  # the blocks inside keep their decisions when this one changes
    return made


def _members(halving: tuple[int, ...], outputs: int) -> dict[str, Layer]:
    return {
        "MobileNetV3-Large": _closed(LARGE, halving, 1280, outputs),
        "MobileNetV3-Small": _closed(SMALL, halving, 1024, outputs),
    }


def _closed(table: tuple[tuple[Row, ...], ...], halving: tuple[int, ...], hidden: int, outputs: int) -> Layer:
    """A table as a network, with the strides that an image leaves it."""
    layers: list[Layer] = [ConvBlock(16, stride=halving[0], activation="hardswish")]
    channels, allowed = 16, (halving[0], halving[1], halving[2], halving[3], 1, halving[4])
    for stage, most in zip(table, allowed, strict=True):
        blocks: list[Layer] = []
        for kernel, inner, leaving, squeeze, activation, stride in stage:
            ratio = min((1, *EXPANSIONS), key=lambda ratio: abs(ratio * channels - inner))
            wanted = None if blocks or not layers[1:] else leaving
            blocks.append(InvertedResidual(wanted, kernel, min(stride, most), ratio, squeeze, activation))
            channels = leaving
        if len(layers) == 1:
            layers += blocks
        else:
            layers.append(Sequential(blocks[0], Repeat(len(blocks) - 1, *blocks[1:])) if blocks else Identity())
    return Sequential(*layers, MobileHead(hidden), Linear(outputs))
