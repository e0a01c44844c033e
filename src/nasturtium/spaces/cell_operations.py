"""The operations of the cell literature (NASNet, AmoebaNet, PNAS, ENAS, DARTS and after) by their published names."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from nasturtium.errors import SpaceError, did_you_mean
from nasturtium.layers import (
    AvgPool,
    BatchNorm,
    Concat,
    Container,
    Conv2d,
    Dropout,
    Identity,
    MaxPool,
    ReLU,
    Sequential,
    Zero,
)
from nasturtium.layers.rules import only
from nasturtium.space.part import Layer, Wiring
from nasturtium.space.signal import Signal

if TYPE_CHECKING:
    import torch


class SepConv(Container):
    """ReLU, depthwise and pointwise convolution, norm; all that twice, the stride in the first (Zoph et al. 2018)."""

    kernel: int = 3
    stride: int = 1

    def wire(self, x: Any) -> Wiring:
        for stride in (self.stride, 1):
            x = yield ReLU(), x
            x = yield Conv2d(kernel=self.kernel, stride=stride, groups="depthwise", bias=False), x
            x = yield Conv2d(kernel=1, bias=False), x
            x = yield BatchNorm(), x
        return x


class DilConv(Container):
    """ReLU, dilated depthwise and pointwise convolution, norm (Liu et al. 2019)."""

    kernel: int = 3
    stride: int = 1
    dilation: int = 2

    def wire(self, x: Any) -> Wiring:
        x = yield ReLU(), x
        depthwise = Conv2d(
            kernel=self.kernel, stride=self.stride, dilation=self.dilation, groups="depthwise", bias=False
        )
        x = yield depthwise, x
        x = yield Conv2d(kernel=1, bias=False), x
        return (yield BatchNorm(), x)


class ReluConvNorm(Container):
    """ReLU, convolution, norm (Zoph et al. 2018).

    Args:
        channels: Channels that leave; as many as come in if not given.
        kernel, stride: Of the convolution.
    """

    channels: int | None = None
    kernel: int = 1
    stride: int = 1

    def wire(self, x: Any) -> Wiring:
        x = yield ReLU(), x
        x = yield Conv2d(self.channels, self.kernel, self.stride, bias=False), x
        return (yield BatchNorm(), x)


class FactorizedConv(Container):
    """ReLU, a convolution along the rows, one along the columns, norm (Zoph et al. 2018).

    The second convolution takes the stride on both axes. The public code takes one in each, which gives the same
    numbers with half of the first one's FLOPs.

    Args:
        length: Of the two windows, 1 x length and length x 1.
        stride: Places from window to window.
    """

    length: int = 7
    stride: int = 1

    def wire(self, x: Any) -> Wiring:
        x = yield ReLU(), x
        x = yield Conv2d(kernel=(1, self.length), bias=False), x
        x = yield Conv2d(kernel=(self.length, 1), stride=self.stride, bias=False), x
        return (yield BatchNorm(), x)


class ShiftImage(Layer):
    """An image moved up and left by one place; zeros come in from below and from the right."""

    def signal(self, *inputs: Signal) -> Signal:
        return only(self, inputs, "image")._replace(grid=None)

    def module(self, *inputs: Signal) -> torch.nn.Module:
        from torch import nn

        return nn.ZeroPad2d((-1, 1, -1, 1))


class FactorizedReduce(Container):
    """Half the resolution without losing places: two 1x1 convolutions with stride 2 on grids one place apart, joined.

    Images of odd sizes work too: ceil(size / 2) places leave, the last of the shifted grid read zeros.

    Args:
        channels: Channels that leave; as many as come in if not given.
    """

    channels: int | None = None

    def wire(self, x: Any) -> Wiring:
        channels = x.signal.channels if self.channels is None else self.channels
        half = max(channels // 2, 1)
        x = yield ReLU(), x
        paths = [(yield Conv2d(half, kernel=1, stride=2, bias=False), x)]
        if channels > half:
            shifted = yield ShiftImage(), x
            paths.append((yield Conv2d(channels - half, kernel=1, stride=2, bias=False), shifted))
        joined = paths[0] if len(paths) == 1 else (yield Concat(), *paths)
        return (yield BatchNorm(), joined)


OPERATIONS: dict[str, Callable[[int], Layer]] = {
    "none": lambda stride: Zero(stride),
    "max_pool_3x3": lambda stride: MaxPool(3, stride),
    "avg_pool_3x3": lambda stride: AvgPool(3, stride),
    "skip_connect": lambda stride: Identity() if stride == 1 else FactorizedReduce(),
    "sep_conv_3x3": lambda stride: SepConv(3, stride),
    "sep_conv_5x5": lambda stride: SepConv(5, stride),
    "sep_conv_7x7": lambda stride: SepConv(7, stride),
    "dil_conv_3x3": lambda stride: DilConv(3, stride),
    "dil_conv_5x5": lambda stride: DilConv(5, stride),
    "conv_7x1_1x7": lambda stride: FactorizedConv(7, stride),
    "conv_3x1_1x3": lambda stride: FactorizedConv(3, stride),
    "conv_1x1": lambda stride: ReluConvNorm(kernel=1, stride=stride),
    "conv_3x3": lambda stride: ReluConvNorm(kernel=3, stride=stride),
    "max_pool_2x2": lambda stride: MaxPool(2, stride),
    "max_pool_5x5": lambda stride: MaxPool(5, stride),
    "max_pool_7x7": lambda stride: MaxPool(7, stride),
    "avg_pool_2x2": lambda stride: AvgPool(2, stride),
    "avg_pool_5x5": lambda stride: AvgPool(5, stride),
}
"""The layer of each operation, for a stride of 1 or 2. A 2x2 pooling works where it strides only."""


def operation(name: str, stride: int = 1, drop_path: float = 0.0) -> Layer:
    """An operation by its published name.

    Args:
        name: Of :data:`OPERATIONS`.
        stride: Places from window to window.
        drop_path: Share of examples whose value is dropped in training, unless the operation does nothing.

    Raises:
        SpaceError: If the name is unknown.
    """
    if name not in OPERATIONS:
        raise SpaceError(f"unknown operation {name!r}{did_you_mean(name, OPERATIONS)} (known: {', '.join(OPERATIONS)})")
    layer = OPERATIONS[name](stride)
    if not drop_path or isinstance(layer, Identity):
        return layer
    return Sequential(layer, Dropout(drop_path, of="path"))
