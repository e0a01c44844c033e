"""Normalisation of sequences over their real steps only, and over the channels of images."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class MaskedBatchNorm(nn.BatchNorm1d):
    """Batch normalisation of (B, T, C): statistics over all real steps of the batch (Ioffe and Szegedy 2015).

    Momentum, running statistics and parameters are those of ``nn.BatchNorm1d``; without a mask every step is
    real. In training only the real steps are gathered and normalised, and padding comes out as zero. A batch
    with fewer than two real steps is normalised by the running statistics.
    """

    def forward(self, x: Tensor, mask: Tensor | None = None) -> Tensor:
        """Normalise x (B, T, C); mask (B, T) is True where a step is real."""
        flat = x.reshape(-1, x.shape[-1])  # (B * T, C): several times faster than a transposed (B, C, T)
        if mask is None or not (self.training or self.running_mean is None):
            return super().forward(flat).view(x.shape)
        real = mask.reshape(-1).nonzero().squeeze(1)
        if real.numel() < 2:
            normal = F.batch_norm(
                flat, self.running_mean, self.running_var, self.weight, self.bias, False, 0.0, self.eps
            )
            return normal.view(x.shape)
        rows = super().forward(flat.index_select(0, real))
        return rows.new_zeros(flat.shape).index_copy(0, real, rows).view(x.shape)

    def _check_input_dim(self, input: Tensor) -> None:
        if input.dim() != 2:
            raise ValueError(f"expected (B, T, C), got {input.dim() + 1} axes")


class SequenceGroupNorm(nn.GroupNorm):
    """Group normalisation of (B, T, C): each sequence over its real steps and the channels of a group.

    Wu and He 2018.
    """

    def forward(self, x: Tensor, mask: Tensor | None = None) -> Tensor:
        """Normalise x (B, T, C); mask (B, T) is True where a step is real."""
        batch, length, _ = x.shape
        if mask is None:
            # F.group_norm would refuse a single sequence of one step.
            normal = torch.group_norm(x.transpose(1, 2), self.num_groups, self.weight, self.bias, self.eps)
            return normal.transpose(1, 2)
        grouped = x.view(batch, length, self.num_groups, -1)  # (B, T, G, C / G)
        real = mask.view(batch, length, 1, 1)
        grouped = grouped.masked_fill(~real, 0.0)
        count = real.sum(1, keepdim=True).clamp(min=1) * grouped.shape[-1]
        mean = grouped.sum((1, 3), keepdim=True) / count
        centred = grouped - mean
        variance = (centred * real).square().sum((1, 3), keepdim=True) / count
        normal = (centred * torch.rsqrt(variance + self.eps)).view(x.shape)
        return normal if self.weight is None else torch.addcmul(self.bias, normal, self.weight)


class ChannelLayerNorm(nn.LayerNorm):
    """Layer normalisation of images (B, C, H, W) over the channels at each place."""

    def forward(self, x: Tensor) -> Tensor:
        """Normalise x (B, C, H, W)."""
        return super().forward(x.permute(0, 2, 3, 1)).permute(0, 3, 1, 2)
