"""Normalisation: over the batch, over channels, over groups of channels."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from nasturtium.errors import Mismatch
from nasturtium.layers.rules import STEPS, only, positive
from nasturtium.space.part import Cost, Layer
from nasturtium.space.signal import Signal

if TYPE_CHECKING:
    import torch


class _Norm(Layer, abstract=True):
    def signal(self, *inputs: Signal) -> Signal:
        return only(self, inputs, "vector", "image", *STEPS)

    def cost(self, *inputs: Signal) -> Cost:
        return Cost(2 * inputs[0].channels)


class BatchNorm(_Norm):
    """Batch normalisation (Ioffe and Szegedy 2015); of sequences over their real steps only.

    Args:
        affine: Whether a learned scale and shift follow.
    """

    affine: bool = True
    uses_mask: ClassVar[bool] = True

    def cost(self, *inputs: Signal) -> Cost:
        return Cost(2 * inputs[0].channels * self.affine)

    def module(self, *inputs: Signal) -> torch.nn.Module:
        from torch import nn

        from nasturtium.modules import MaskedBatchNorm

        (x,) = inputs
        if x.kind in STEPS:
            return MaskedBatchNorm(x.channels, affine=self.affine)
        return (nn.BatchNorm2d if x.kind == "image" else nn.BatchNorm1d)(x.channels, affine=self.affine)


class LayerNorm(_Norm):
    """Layer normalisation over the channels at each place (Ba et al. 2016; for images as in ConvNeXt)."""

    def module(self, *inputs: Signal) -> torch.nn.Module:
        from torch import nn

        from nasturtium.modules import ChannelLayerNorm

        (x,) = inputs
        return (ChannelLayerNorm if x.kind == "image" else nn.LayerNorm)(x.channels)


class GroupNorm(_Norm):
    """Group normalisation over the places of one example and the channels of a group (Wu and He 2018).

    Args:
        groups: Number of groups; it must divide the channels.
    """

    groups: int = 8
    uses_mask: ClassVar[bool] = True

    def signal(self, *inputs: Signal) -> Signal:
        x = super().signal(*inputs)
        positive(self, "groups", self.groups)
        if x.channels % self.groups:
            raise Mismatch(f"GroupNorm: {self.groups} groups do not divide the {x.channels} channels of {x}")
        return x

    def module(self, *inputs: Signal) -> torch.nn.Module:
        from torch import nn

        from nasturtium.modules import SequenceGroupNorm

        (x,) = inputs
        return (SequenceGroupNorm if x.kind in STEPS else nn.GroupNorm)(self.groups, x.channels)
