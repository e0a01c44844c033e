"""Pooling of images exactly as torch counts windows, for networks that were written with torch."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nasturtium.errors import Mismatch
from nasturtium.layers.rules import one_of, only
from nasturtium.space.part import Layer
from nasturtium.space.signal import Signal

if TYPE_CHECKING:
    import torch


class TorchPool(Layer):
    """``nn.MaxPool2d`` or ``nn.AvgPool2d`` with torch's own rule for padding and the number of windows.

    Args:
        kind: ``max`` or ``mean``.
        kernel: Size of a window.
        stride: Places from window to window; the kernel if not given.
        padding: Places added on both sides.
        ceil: Whether a last window that is not full counts.
        padded: Whether padding counts in a mean.
    """

    kind: str = "max"
    kernel: int = 2
    stride: int | None = None
    padding: int = 0
    ceil: bool = False
    padded: bool = True

    def signal(self, *inputs: Signal) -> Signal:
        x = only(self, inputs, "image")
        one_of(self, "kind of pooling", self.kind, ("max", "mean"))
        if not 0 <= 2 * self.padding <= self.kernel:
            raise Mismatch(f"TorchPool: padding is at most half the kernel: {self}")
        sizes = [None if size is None else self._windows(size) for size in x.shape[1:]]
        if any(size is not None and size < 1 for size in sizes):
            raise Mismatch("TorchPool: a window of {} does not fit into {}", self.kernel, x)
        return x._replace(shape=(x.channels, *sizes), grid=None)

    def _windows(self, size: int) -> int:
        stride = self.stride or self.kernel
        reach = size + 2 * self.padding - self.kernel
        count = -(-reach // stride) + 1 if self.ceil else reach // stride + 1
        # The last window has to start inside the image or the padding before it.
        return count - 1 if self.ceil and (count - 1) * stride >= size + self.padding else count

    def module(self, *inputs: Signal) -> torch.nn.Module:
        from torch import nn

        if self.kind == "max":
            return nn.MaxPool2d(self.kernel, self.stride, self.padding, ceil_mode=self.ceil)
        return nn.AvgPool2d(self.kernel, self.stride, self.padding, self.ceil, self.padded)
