"""Convolutions over images and sequences: plain, dilated, grouped, depthwise, separable, with their norm."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, ClassVar

from nasturtium.errors import Mismatch, SpaceError
from nasturtium.layers.activation import Activation
from nasturtium.layers.container import Container
from nasturtium.layers.norm import BatchNorm, GroupNorm, LayerNorm
from nasturtium.layers.rules import extent, left_padding, one_of, only, places, positive, slid
from nasturtium.space.part import Cost, Layer, Wiring
from nasturtium.space.signal import Signal

if TYPE_CHECKING:
    import torch


class _Convolution(Layer, abstract=True):
    channels: int | None = None
    kernel: int = 3
    stride: int = 1
    dilation: int = 1
    groups: int | str = 1
    bias: bool = True

    kind: ClassVar[str]

    @property
    def window(self) -> tuple[int, ...]:
        """Size of the window along each axis."""
        kernel: Any = self.kernel
        return kernel if isinstance(kernel, tuple) else (kernel,) * (1 if self.kind == "sequence" else 2)

    def signal(self, *inputs: Signal) -> Signal:
        x = only(self, inputs, self.kind)
        _, channels, _ = self._sizes(x)
        before = x.shape[:1] if self.kind == "sequence" else x.shape[1:]
        if len(self.window) != len(before):
            raise SpaceError(f"a kernel is one number, or (rows, columns) of an image, not {self.kernel!r}")
        padding = self.__dict__.get("padding")
        sizes = [
            slid(self, n, k, self.stride, self.dilation, padding) for n, k in zip(before, self.window, strict=True)
        ]
        if self.kind == "sequence":
            return x._replace(shape=(*sizes, channels), grid=x.grid if self.stride == 1 else None)
        return x._replace(shape=(channels, *sizes), grid=None)

    def _sizes(self, x: Signal) -> tuple[int, int, int]:
        """Channels in, channels out, groups."""
        inputs = x.channels
        outputs = inputs if self.channels is None else self.channels
        positive(self, "channels", outputs)
        if self.groups == "depthwise":
            groups = inputs
        elif isinstance(self.groups, str):
            raise SpaceError(f"groups must be a number or 'depthwise', not {self.groups!r}: {self}")
        else:
            groups = self.groups
            positive(self, "groups", groups)
        if inputs % groups or outputs % groups:
            raise Mismatch(f"{type(self).__name__}: {groups} groups do not divide {inputs} and {outputs} channels")
        return inputs, outputs, groups

    def cost(self, *inputs: Signal) -> Cost:
        (x,) = inputs
        before, after, groups = self._sizes(x)
        weights = before // groups * after * math.prod(self.window)
        return Cost(weights + after * self.bias, 2 * places(self.signal(x)) * weights)


class Conv1d(_Convolution):
    """A convolution over a sequence: ceil(T / stride) steps leave, padding counts as zero.

    Args:
        channels: Channels that leave; as many as come in if not given.
        kernel, stride, dilation: Of the window.
        groups: Number of groups, or ``"depthwise"`` for one each channel.
        bias: Whether a constant is added.
    """

    uses_mask: ClassVar[bool] = True
    changes_mask: ClassVar[bool] = True
    kind: ClassVar[str] = "sequence"

    def module(self, *inputs: Signal) -> torch.nn.Module:
        from nasturtium.modules import SequenceConv1d

        before, after, groups = self._sizes(inputs[0])
        left = left_padding(self.kernel, self.stride, self.dilation)
        return SequenceConv1d(before, after, self.kernel, self.stride, self.dilation, groups, self.bias, left)


class Conv2d(_Convolution):
    """A convolution over an image: ceil(H / stride) x ceil(W / stride) places leave.

    Windows are centred as with torch's padding of kernel // 2 where the stride is 1 or 2; a stride as long as
    the kernel cuts patches without padding.

    Args:
        channels: Channels that leave; as many as come in if not given.
        kernel: Of the window: one number, or (rows, columns).
        stride, dilation: Of the window.
        groups: Number of groups, or ``"depthwise"`` for one each channel.
        bias: Whether a constant is added.
        padding: Zeros on each side as torch counts them, instead of the rule above.
    """

    kernel: int | tuple[int, int] = 3  # type: ignore[assignment]
    padding: int | None = None

    kind: ClassVar[str] = "image"

    def module(self, *inputs: Signal) -> torch.nn.Module:
        from torch import nn

        (x,) = inputs
        before, after, groups = self._sizes(x)

        def convolution(padding: Any) -> torch.nn.Module:
            window: Any = self.window
            return nn.Conv2d(before, after, window, self.stride, padding, self.dilation, groups=groups, bias=self.bias)

        if self.padding is not None:
            return convolution((self.padding,) * 2)
        left = tuple([left_padding(kernel, self.stride, self.dilation) for kernel in self.window])
        right = tuple([extent(k, self.dilation) - 1 - pad for k, pad in zip(self.window, left, strict=True)])
        if left == right or self._fits(x, left):
            return convolution(left)
        return nn.Sequential(nn.ZeroPad2d((left[1], right[1], left[0], right[0])), convolution((0, 0)))

    def _fits(self, x: Signal, padding: tuple[int, ...]) -> bool:
        """Whether equal padding on both sides gives the promised number of places."""
        for size, kernel, pad in zip(x.shape[1:], self.window, padding, strict=True):
            span = extent(kernel, self.dilation)
            if size is not None and (size + 2 * pad - span) // self.stride + 1 != -(-size // self.stride):
                return False
        return True


class SeparableConv1d(Container):
    """A depthwise convolution over a sequence, then one that mixes the channels (Chollet 2017)."""

    channels: int | None = None
    kernel: int = 3
    stride: int = 1
    dilation: int = 1
    bias: bool = True

    def wire(self, x: Any) -> Wiring:
        x = yield Conv1d(None, self.kernel, self.stride, self.dilation, groups="depthwise", bias=False), x
        return (yield Conv1d(self.channels, kernel=1, bias=self.bias), x)


class SeparableConv2d(Container):
    """A depthwise convolution over an image, then one that mixes the channels (Chollet 2017)."""

    channels: int | None = None
    kernel: int = 3
    stride: int = 1
    dilation: int = 1
    bias: bool = True

    def wire(self, x: Any) -> Wiring:
        x = yield Conv2d(None, self.kernel, self.stride, self.dilation, groups="depthwise", bias=False), x
        return (yield Conv2d(self.channels, kernel=1, bias=self.bias), x)


class ConvBlock(Container):
    """Convolution, normalisation, activation, over an image or a sequence.

    Args:
        channels: Channels that leave; as many as come in if not given.
        kernel, stride, dilation, groups: Of the convolution.
        norm: ``batch``, ``layer``, ``group`` (8 groups, or fewer where they do not divide the channels) or
            ``none``.
        activation: Name of the activation; ``identity`` for none.
    """

    channels: int | None = None
    kernel: int = 3
    stride: int = 1
    dilation: int = 1
    groups: int | str = 1
    norm: str = "batch"
    activation: str = "relu"

    def wire(self, x: Any) -> Wiring:
        one_of(self, "norm", self.norm, ("batch", "layer", "group", "none"))
        make: type[Conv1d] | type[Conv2d] = Conv2d if x.signal.kind == "image" else Conv1d
        bias = self.norm == "none"  # a norm would take the constant away again
        x = yield make(self.channels, self.kernel, self.stride, self.dilation, self.groups, bias), x
        if self.norm == "batch":
            x = yield BatchNorm(), x
        elif self.norm == "layer":
            x = yield LayerNorm(), x
        elif self.norm == "group":
            x = yield GroupNorm(math.gcd(8, x.signal.channels)), x
        return (yield Activation(self.activation), x) if self.activation != "identity" else x
