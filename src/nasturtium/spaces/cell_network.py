"""The network around a normal and a reduction cell (Zoph et al. 2018; Liu et al. 2019): stem, cells, heads."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from nasturtium.errors import SpaceError
from nasturtium.layers import BatchNorm, Container, Conv2d, GlobalPool, Linear, ReLU
from nasturtium.layers.rules import one_of, only, positive, slid
from nasturtium.space.part import Layer, Wiring
from nasturtium.space.signal import Signal
from nasturtium.spaces.cell_operations import FactorizedReduce, ReluConvNorm
from nasturtium.spaces.inputs import positive as positive_option
from nasturtium.spaces.inputs import smaller_side

if TYPE_CHECKING:
    import torch

LARGE_SIDE = 96
"""Images of at least this side get the stem of ImageNet, which strides three times."""


class WindowMean(Layer):
    """The mean over windows that lie within an image, nothing added around it.

    Args:
        kernel: Size of a window.
        stride: Places from window to window.
    """

    kernel: int = 5
    stride: int = 3

    def signal(self, *inputs: Signal) -> Signal:
        x = only(self, inputs, "image")
        sizes = [slid(self, size, self.kernel, self.stride, 1, 0) for size in x.shape[1:]]
        return x._replace(shape=(x.channels, *sizes), grid=None)

    def module(self, *inputs: Signal) -> torch.nn.Module:
        from torch import nn

        return nn.AvgPool2d(self.kernel, self.stride)


class AuxiliaryHead(Container):
    """A second classifier on an inner state (Szegedy et al. 2015, as DARTS has it), for training alone.

    ReLU, a mean over 5x5 windows, a 1x1 convolution to 128 channels, one with 2x2 windows to 768 channels, a linear
    layer; behind both convolutions a batch norm, which the public code leaves out behind the second one on ImageNet.
    Windows are as large as the image where that is smaller; what is left of the places is averaged.

    Args:
        outputs: Numbers that leave.
        stride: Of the mean: 3 for maps of 8x8, 2 for those of 7x7.
    """

    outputs: int
    stride: int = 3

    def wire(self, x: Any) -> Wiring:
        x = yield ReLU(), x
        x = yield WindowMean(min(5, *x.signal.shape[1:]), self.stride), x
        for channels, kernel in ((128, 1), (768, 2)):
            x = yield Conv2d(channels, min(kernel, *x.signal.shape[1:]), bias=False, padding=0), x
            x = yield BatchNorm(), x
            x = yield ReLU(), x
        x = yield GlobalPool(), x
        return (yield Linear(self.outputs), x)


class CellNetwork(Container):
    """Stem, copies of a normal and a reduction cell, global mean pooling, linear layer.

    Every cell reads the two before it, each brought to the cell's width first. The reduction cells stand at a third
    and two thirds of the way; each doubles the width. All copies of a cell have the same decisions and weights of
    their own. With an auxiliary head two outputs leave, the second from behind the second reduction.

    Args:
        normal: The cell that keeps the resolution; it has two inputs.
        reduction: The cell that halves it.
        outputs: Numbers that leave.
        channels: Width of the first cells.
        cells: How many cells, of both kinds together.
        stem_multiplier: The small stem gives so many times the width.
        stem: ``small`` (a 3x3 convolution) or ``large`` (three with stride 2, for ImageNet).
        auxiliary: Whether there is an auxiliary head.
    """

    normal: Any
    reduction: Any
    outputs: int = 10
    channels: int = 16
    cells: int = 8
    stem_multiplier: int = 3
    stem: str = "small"
    auxiliary: bool = False

    def wire(self, x: Any) -> Wiring:
        positive(self, "cells", self.cells)
        reductions = reduction_places(self.cells)
        before, last = yield from self._stem(x)
        width, halved, side = self.channels, self.stem == "large", None
        for number in range(self.cells):
            reduces = number in reductions
            width *= 1 + reduces
            one = yield FactorizedReduce(width) if halved else ReluConvNorm(width), before
            other = yield ReluConvNorm(width), last
            before, last = last, (yield (self.reduction if reduces else self.normal), one, other)
            halved = reduces
            if number == max(reductions):
                side = last
        pooled = yield GlobalPool(), last
        logits = yield Linear(self.outputs), pooled
        if not self.auxiliary:
            return logits
        return logits, (yield AuxiliaryHead(self.outputs, 2 if self.stem == "large" else 3), side)

    def _stem(self, x: Any) -> Wiring:
        """The two states that the first cell reads."""
        one_of(self, "stem", self.stem, ("small", "large"))
        if self.stem == "small":
            x = yield Conv2d(self.stem_multiplier * self.channels, bias=False), x
            x = yield BatchNorm(), x
            return x, x
        states: list[Any] = []
        for channels in (max(self.channels // 2, 1), self.channels, self.channels):
            if states:
                x = yield ReLU(), x
            x = yield Conv2d(channels, stride=2, bias=False), x
            x = yield BatchNorm(), x
            states.append(x)
        return states[1], states[2]


def reduction_places(cells: int) -> tuple[int, ...]:
    """Numbers of the reduction cells among ``cells``, from 0."""
    return tuple(sorted({cells // 3, 2 * cells // 3}))


def checked_cells(space: str, cells: int) -> None:
    """Check that a network has cells of both kinds.

    Raises:
        SpaceError: If it has not.
    """
    positive_option(space, cells=cells)
    if cells < 3:
        raise SpaceError(
            f"{space}: cells must be at least 3, so that there are normal and reduction cells, not {cells}"
        )


def visits_normal_first(cells: int) -> bool:
    """Whether the decisions on the normal cell come before those on the reduction cell."""
    return 0 not in reduction_places(cells)


def stem_for(signal: Signal) -> str:
    """The stem for images of a size."""
    return "large" if smaller_side(signal) >= LARGE_SIDE else "small"


def only_network(value: Any) -> CellNetwork:
    """The cell network that a closed value is.

    Raises:
        SpaceError: If it is something else.
    """
    if not isinstance(value, CellNetwork):
        raise SpaceError(f"only a CellNetwork can be written as a genotype, not {type(value).__name__}")
    return value
