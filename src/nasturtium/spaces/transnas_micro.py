"""The space ``transnas_micro``: the cells of TransNAS-Bench-101."""

from __future__ import annotations

import re
from functools import partial
from typing import TYPE_CHECKING, Any

from nasturtium.errors import ParseError, SpaceError
from nasturtium.layers import (
    Add,
    BatchNorm,
    Concat,
    Container,
    Conv2d,
    GlobalPool,
    Identity,
    Linear,
    MaxPool,
    ReLU,
    Sequential,
    Zero,
)
from nasturtium.space.architecture import Architecture
from nasturtium.space.choice import choice
from nasturtium.space.notations import Notation, indices
from nasturtium.space.part import Layer, Wiring
from nasturtium.space.signal import Signal
from nasturtium.space.space import Space
from nasturtium.spaces.cell_operations import ShiftImage
from nasturtium.spaces.inputs import one_input, positive, smaller_side

if TYPE_CHECKING:
    pass

CHANNELS = 64
"""Channels of the published networks."""

LARGE = 64
"""From this side on the stem strides by four and the published channels are the default."""

MODULES = "41414"
"""The modules of the cell-based networks: 4 halves the side and doubles the channels, 1 keeps both."""

DIGITS = "0123"
"""The operations in the notation."""

EDGES = (1, 2, 3)
"""How many edges lead to each node behind the input of a cell."""


class TransNASConv(Container):
    """ReLU, convolution without bias, batch normalisation; the shape of a second input is that of the output."""

    kernel: int = 3

    def wire(self, x: Any, goal: Any = None) -> Wiring:
        channels, stride = leaving(x, goal)
        x = yield ReLU(), x
        x = yield Conv2d(channels, self.kernel, stride, bias=False), x
        return (yield BatchNorm(), x)


class TransNASSkip(Container):
    """The identity; where the shape changes, two 1x1 convolutions side by side, one on the image moved by a place."""

    def wire(self, x: Any, goal: Any = None) -> Wiring:
        channels, stride = leaving(x, goal)
        if (channels, stride) == (x.signal.channels, 1):
            return (yield Identity(), x)
        x = yield ReLU(), x
        first = yield Conv2d(channels // 2, 1, stride, bias=False), x
        moved = yield ShiftImage(), x
        second = yield Conv2d(channels - channels // 2, 1, stride, bias=False), moved
        both = yield Concat(), first, second
        return (yield BatchNorm(), both)


class TransNASNone(Container):
    """Zeros, in the shape of the second input if there is one."""

    def wire(self, x: Any, goal: Any = None) -> Wiring:
        return (yield Zero(), x if goal is None else goal)


class TransNASCell(Container):
    """Four nodes, each the sum of one operation on every node before it; the last one leaves.

    Args:
        operations: Of the edges 0-1, 0-2, 1-2, 0-3, 1-3, 2-3.
    """

    operations: tuple[Any, ...]

    def wire(self, x: Any, goal: Any = None) -> Wiring:
        nodes, operations = [x], iter(self.operations)
        read = [x] if goal is None else [x, goal]
        for count in EDGES:
            terms = [(yield next(operations), *read)]
            for source in nodes[1:count]:
                terms.append((yield next(operations), source))
            nodes.append(terms[0] if count == 1 else (yield Add(), *terms))
        return nodes[-1]


class TransNASReduced(Container):
    """Zeros of the shape that a module of some kind gives: 2 and 4 double the channels, 3 and 4 halve the side."""

    kind: int

    def wire(self, x: Any) -> Wiring:
        if self.kind > 2:
            x = yield MaxPool(1, stride=2), x
        if self.kind % 2 == 0:
            x = yield Concat(), x, x
        return (yield Zero(), x)


class TransNASStem(Container):
    """Two 3x3 convolutions, each with a stride of two on large images.

    Args:
        channels: Channels that leave; half as many are between the two.
        stride: In all: 4, 2 or 1.
    """

    channels: int
    stride: int = 4

    def wire(self, x: Any) -> Wiring:
        x = yield Conv2d(self.channels // 2, stride=min(self.stride, 2), bias=False), x
        x = yield BatchNorm(), x
        x = yield ReLU(), x
        x = yield Conv2d(self.channels, stride=max(self.stride // 2, 1), bias=False), x
        return (yield BatchNorm(), x)


class TransNASStages(Container):
    """Modules of two cells each, all with the decisions of the one cell.

    Args:
        cell: The cell.
        modules: A digit for each module: 4 halves the side and doubles the channels, 1 keeps both.
    """

    cell: Any
    modules: str = MODULES

    def wire(self, x: Any) -> Wiring:
        for kind in self.modules:
            if kind == "1":
                x = yield self.cell, x
            else:
                goal = yield TransNASReduced(int(kind)), x
                x = yield self.cell, x, goal
            x = yield self.cell, x
        return x


OPERATIONS: tuple[Layer, ...] = (TransNASNone(), TransNASSkip(), TransNASConv(1), TransNASConv(3))
"""Of the cells, by their published digits: none, skip_connect, nor_conv_1x1, nor_conv_3x3."""


def leaving(x: Any, goal: Any) -> tuple[int, int]:
    """Channels and stride that lead from one wire to the shape of another one."""
    if goal is None:
        return x.signal.channels, 1
    return goal.signal.channels, 1 if goal.signal.shape[1:] == x.signal.shape[1:] else 2


def transnas_micro(input: Any = (3, 256, 256), outputs: int = 75, *, channels: int | None = None) -> Space:
    """The cell-based networks of TransNAS-Bench-101 (Duan et al. 2021): 4^6 = 4,096.

    One cell of four nodes and six edges, each edge ``none``, ``skip_connect``, ``nor_conv_1x1`` or ``nor_conv_3x3``.
    Five modules of two cells follow the stem, ``41414``: the first, third and fifth halve the side and double the
    channels. In the cell that does so the edges from the input do, as in the public code: the convolutions with a
    stride of two, the skip connection by a factorised reduction. The head is that of the classification tasks: a linear
    layer on the mean over all places.

    Notation: ``64-41414-a_bc_def`` (channels, modules, and for each node the digits of the edges that lead to it), or
    ``abcdef`` to read: 0 none, 1 skip, 2 1x1, 3 3x3.

    The published networks are for 256x256 images and stride by four in the stem. For a side below 64 the stem strides
    by two, below 32 not at all, and the default is 16 channels instead of 64.

    Args:
        input: (channels, height, width), or an image signal.
        outputs: Numbers that leave.
        channels: Channels behind the stem, an even number.

    Raises:
        SpaceError: If the input is no image, or an option cannot be used.

    >>> transnas_micro().size
    4096
    """
    signal = one_input("transnas_micro", input, "image")
    stem = stem_of("transnas_micro", signal, channels, outputs)
    stages = TransNASStages(TransNASCell((choice(*OPERATIONS),) * 6))
    return Space(
        Sequential(stem, stages, GlobalPool(), Linear(outputs)),
        input=signal,
        name="transnas_micro",
        notation=Notation(_write, partial(_read, channels=stem.channels)),
    )


def stem_of(space: str, signal: Signal, channels: int | None, outputs: int) -> TransNASStem:
    """The stem for an image, whose stride goes with its size, and whose channels too where they are not given.

    Raises:
        SpaceError: If an option cannot be used.
    """
    side = smaller_side(signal)
    width = channels if channels is not None else CHANNELS if side >= LARGE else CHANNELS // 4
    positive(space, channels=width, outputs=outputs)
    if width % 2:
        raise SpaceError(f"{space}: channels must be an even number, not {width}")
    return TransNASStem(width, 4 if side >= LARGE else 2 if 2 * side >= LARGE else 1)


def _write(architecture: Architecture) -> str:
    root: Any = architecture.value
    code = "".join([DIGITS[index] for index in architecture.decisions])
    return f"{root.layers[0].channels}-{MODULES}-{code[0]}_{code[1:3]}_{code[3:]}"


def _read(text: str, channels: int) -> tuple[int, ...]:
    found = re.fullmatch(rf"(?:{channels}-{MODULES}-)?(\w)_?(\w\w)_?(\w\w\w)", text.strip())
    if found is None:
        raise ParseError(f"{text[:60]!r} is no cell; expected {channels}-{MODULES}-1_02_333, or 102333 for short")
    return indices("".join(found.groups()), DIGITS, "operation")
