"""The space ``nasbench_macro``: eight layers, each an identity or one of two inverted bottlenecks (Su et al. 2021)."""

from __future__ import annotations

from typing import Any

from nasturtium.errors import ParseError
from nasturtium.layers import Add, Container, ConvBlock, GlobalPool, Identity, Linear, Sequential
from nasturtium.space.architecture import Architecture
from nasturtium.space.choice import choice
from nasturtium.space.graph import without
from nasturtium.space.notations import Notation
from nasturtium.space.part import Layer, Wiring
from nasturtium.space.space import Space
from nasturtium.spaces.inputs import one_input, positive

STAGES = (2, 3, 3)
"""Layers of each stage; the first one of a stage halves the resolution and doubles the channels."""

NAMES = ("Identity", "MB3_K3", "MB6_K5")
"""The blocks in the order of their digits."""


class MobileBlock(Container):
    """The inverted bottleneck of Sandler et al. (2018) with plain ReLU, and its input added where the stride is 1.

    Args:
        expansion: Inner channels for each channel that comes in.
        kernel: Of the depthwise convolution.
        stride: Of the depthwise convolution.
        channels: Channels that leave; as many as come in if not given (they must be, where the stride is 1).
    """

    expansion: int
    kernel: int = 3
    stride: int = 1
    channels: int | None = None

    def wire(self, x: Any) -> Wiring:
        inner = self.expansion * x.signal.channels
        leaving = x.signal.channels if self.channels is None else self.channels
        y = yield ConvBlock(inner, kernel=1), x
        y = yield ConvBlock(kernel=self.kernel, stride=self.stride, groups="depthwise"), y
        y = yield ConvBlock(leaving, kernel=1, activation="identity"), y
        return (yield Add(), y, x) if self.stride == 1 else y


def nasbench_macro(input: Any = (3, 32, 32), outputs: int = 10, *, channels: int = 32, features: int = 1280) -> Space:
    """The 6,561 networks of NAS-Bench-Macro (Su et al. 2021, arXiv:2103.11922).

    A 3x3 stem, then eight layers in stages of 2, 3 and 3, a 1x1 convolution, mean pooling and a linear layer. Each
    layer is one of three blocks: ``Identity`` (0), ``MB3_K3`` (1: inverted bottleneck, expansion 3, kernel 3) or
    ``MB6_K5`` (2: expansion 6, kernel 5); 3^8 networks. The first layer of a stage has stride 2 and doubles the
    channels; its identity is a 1x1 convolution with batch normalisation. The notation is the published string of
    eight digits. The key joins networks that differ only in where the identities of a stage stand: such are trained
    once in the published table, and there are 3,969 keys.

    Parameters equal the published ones for all networks; the published FLOPs are :func:`published_flops`.

    Args:
        input: (channels, height, width), or an image signal.
        outputs: Classes.
        channels: Of the stem; 32 as published.
        features: Channels before the pooling; 1280 as published.

    Raises:
        SpaceError: If the input is no image, or an option cannot be used.

    >>> space = nasbench_macro()
    >>> space.size
    6561
    >>> space.from_notation("22212220").count()["params"]
    1985514
    """
    signal = one_input("nasbench_macro", input, "image")
    positive("nasbench_macro", outputs=outputs, channels=channels, features=features)
    layers: list[Layer] = [ConvBlock(channels)]
    for stage, count in enumerate(STAGES, 1):
        layers.append(_halving(channels << stage))
        layers += [choice(Identity(), MobileBlock(3), MobileBlock(6, kernel=5)) for _ in range(count - 1)]
    root = Sequential(*layers, ConvBlock(features, kernel=1), GlobalPool(), Linear(outputs))
    simplify = (without("Identity"),)
    notation = Notation(write, read, key)
    return Space(root, input=signal, name="nasbench_macro", simplify=simplify, notation=notation, members=MEMBERS)


def _halving(channels: int) -> Any:
    return choice(
        ConvBlock(channels, kernel=1, stride=2, activation="identity"),
        MobileBlock(3, stride=2, channels=channels),
        MobileBlock(6, kernel=5, stride=2, channels=channels),
    )


MEMBERS = {"best CIFAR-10 test": "22212220", "identities": "00000000"}
"""The network with the best published mean accuracy (93.13 %), and the smallest one."""


def write(architecture: Architecture) -> str:
    """The published string of eight digits."""
    return "".join(map(str, architecture.decisions))


def read(text: str) -> tuple[int, ...]:
    """The decisions of a published string.

    Raises:
        ParseError: If it is not eight digits of 0, 1, 2.
    """
    digits = text.strip()
    if len(digits) != sum(STAGES) or set(digits) - set("012"):
        meaning = ", ".join(f"{number} {name}" for number, name in enumerate(NAMES))
        raise ParseError(f"{text!r} is no network of NAS-Bench-Macro; it takes eight digits ({meaning}): '22212220'")
    return tuple(map(int, digits))


def key(architecture: Architecture) -> str:
    """The published key: in each stage the identities behind the first layer are moved to its end."""
    digits, kept = write(architecture), ""
    for count in STAGES:
        stage, digits = digits[:count], digits[count:]
        kept += (stage[0] + stage[1:].replace("0", "")).ljust(count, "0")
    return kept


def published_flops(architecture: Architecture) -> int:
    """The number that the published table calls FLOPs: multiply-accumulates, half of our FLOPs."""
    return architecture.count()["flops"] // 2
