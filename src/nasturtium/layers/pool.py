"""Pooling: over windows, and over everything."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from nasturtium.errors import Mismatch
from nasturtium.layers.rules import STEPS, left_padding, one_of, only, places, slid
from nasturtium.space.part import Cost, Layer
from nasturtium.space.signal import Signal, vector

if TYPE_CHECKING:
    import torch


class _Pool(Layer, abstract=True):
    kernel: int = 2
    stride: int | None = None

    uses_mask: ClassVar[bool] = True
    changes_mask: ClassVar[bool] = True
    kind: ClassVar[str]

    @property
    def _step(self) -> int:
        return self.kernel if self.stride is None else self.stride

    def signal(self, *inputs: Signal) -> Signal:
        x = only(self, inputs, "image", "sequence")
        axes = slice(1, None) if x.kind == "image" else slice(0, 1)
        sizes = [slid(self, size, self.kernel, self._step, 1, None) for size in x.shape[axes]]
        if x.kind == "sequence":
            return x._replace(shape=(sizes[0], x.channels), grid=x.grid if self._step == 1 else None)
        if not all(_roundings(size, self.kernel, self._step) for size in x.shape[1:]):
            raise Mismatch(f"{type(self).__name__}: an even kernel on an image needs a longer stride, not {self._step}")
        return x._replace(shape=(x.channels, *sizes), grid=None)

    def module(self, *inputs: Signal) -> torch.nn.Module:
        from torch import nn

        from nasturtium.modules import WindowPool

        (x,) = inputs
        padding = left_padding(self.kernel, self._step)
        if x.kind == "sequence":
            return WindowPool(self.kind, self.kernel, self._step, padding)
        rows, columns = [_roundings(size, self.kernel, self._step) for size in x.shape[1:]]
        if both := [ceil for ceil in rows if ceil in columns]:
            return self._windows(self.kernel, self._step, padding, both[0])
        # Torch rounds both axes in one way, but a maximum or mean over a window is one over its columns, then its rows.
        down = self._windows((self.kernel, 1), (self._step, 1), (padding, 0), rows[0])
        return nn.Sequential(down, self._windows((1, self.kernel), (1, self._step), (0, padding), columns[0]))

    def _windows(self, kernel: Any, stride: Any, padding: Any, ceil: bool) -> torch.nn.Module:
        from torch import nn

        if self.kind == "max":
            return nn.MaxPool2d(kernel, stride, padding, ceil_mode=ceil)
        return nn.AvgPool2d(kernel, stride, padding, ceil_mode=ceil, count_include_pad=False)


class MaxPool(_Pool):
    """The maximum over windows of an image or a sequence; ceil(size / stride) windows, of which padding is no
    part.

    Args:
        kernel: Size of a window.
        stride: Places from window to window; the kernel if not given.
    """

    kind: ClassVar[str] = "max"


class AvgPool(_Pool):
    """The mean over windows of an image or a sequence; ceil(size / stride) windows, of which padding is no
    part.

    Args:
        kernel: Size of a window.
        stride: Places from window to window; the kernel if not given.
    """

    kind: ClassVar[str] = "mean"


class GlobalPool(Layer):
    """A whole image or sequence as one vector; of a masked sequence only the real steps count.

    Args:
        kind: ``mean``, ``max``, ``mixed`` (the mean of both), or ``last`` (the last real step of a sequence).
    """

    kind: str = "mean"
    uses_mask: ClassVar[bool] = True

    def signal(self, *inputs: Signal) -> Signal:
        x = only(self, inputs, "image", *STEPS)
        one_of(self, "kind of pooling", self.kind, ("mean", "max", "mixed", "last"))
        if self.kind == "last" and x.kind != "sequence":
            raise Mismatch(f"GlobalPool finds no last step in {x}")
        return vector(x.channels)

    def module(self, *inputs: Signal) -> torch.nn.Module:
        from nasturtium.modules import ImagePool, SequencePool

        return ImagePool(self.kind) if inputs[0].kind == "image" else SequencePool(self.kind)


class AttentionPool(Layer):
    """A sequence as the weighted mean of its real steps, the weights a softmax of learned scores of them."""

    uses_mask: ClassVar[bool] = True

    def signal(self, *inputs: Signal) -> Signal:
        return vector(only(self, inputs, *STEPS).channels)

    def cost(self, *inputs: Signal) -> Cost:
        (x,) = inputs
        return Cost(x.channels, 2 * places(x) * x.channels)

    def module(self, *inputs: Signal) -> torch.nn.Module:
        from nasturtium.modules.pool import AttentionPool as Module

        return Module(inputs[0].channels)


def _roundings(size: int | None, kernel: int, stride: int) -> list[bool]:
    """Whether torch may round down (False) and up (True) to get ceil(size / stride) windows."""
    if size is None:
        return [False, True]
    padding = left_padding(kernel, stride)
    reach = size + 2 * padding - kernel
    wanted = -(-size // stride)
    down, up = reach // stride + 1, -(-reach // stride) + 1
    if (up - 1) * stride >= size + padding:  # torch leaves out a window that would start in the padding behind
        up -= 1
    return [ceil for ceil, windows in ((False, down), (True, up)) if windows == wanted]
