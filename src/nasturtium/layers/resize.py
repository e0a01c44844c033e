"""Images at another resolution."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nasturtium.layers.rules import one_of, only, positive
from nasturtium.space.part import Layer
from nasturtium.space.signal import Signal

if TYPE_CHECKING:
    import torch


class Resize(Layer):
    """An image at a given resolution, interpolated as torch does.

    Args:
        height, width: Of the image that leaves.
        mode: ``nearest``, or ``bilinear`` (corners not aligned, no smoothing before an image gets smaller).
    """

    height: int
    width: int
    mode: str = "nearest"

    def signal(self, *inputs: Signal) -> Signal:
        x = only(self, inputs, "image")
        positive(self, "height", self.height)
        positive(self, "width", self.width)
        one_of(self, "mode", self.mode, ("nearest", "bilinear"))
        return x._replace(shape=(x.channels, self.height, self.width), grid=None)

    def module(self, *inputs: Signal) -> torch.nn.Module:
        from torch import nn

        return nn.Upsample((self.height, self.width), mode=self.mode)
