"""Dropout of whole channels of a sequence, and of whole paths."""

from __future__ import annotations

import torch
from torch import Tensor, nn


class ChannelDropout(nn.Module):
    """Drops channels of a sequence (B, T, C) over all its steps, in training.

    Args:
        rate: Share of channels dropped; the others are scaled up to keep the mean.
    """

    def __init__(self, rate: float) -> None:
        super().__init__()
        self.rate = rate

    def forward(self, x: Tensor) -> Tensor:
        """Drop."""
        if not self.training or self.rate == 0.0:
            return x
        return x * _kept(x, (x.shape[0], 1, x.shape[2]), self.rate)

    def extra_repr(self) -> str:
        """The rate."""
        return str(self.rate)


class DropPath(nn.Module):
    """Drops the whole value of an example, in training (stochastic depth; Huang et al. 2016).

    Args:
        rate: Share of examples dropped; the others are scaled up to keep the mean, as is now usual.
    """

    def __init__(self, rate: float) -> None:
        super().__init__()
        self.rate = rate

    def forward(self, x: Tensor) -> Tensor:
        """Drop."""
        if not self.training or self.rate == 0.0:
            return x
        return x * _kept(x, (x.shape[0], *[1] * (x.dim() - 1)), self.rate)

    def extra_repr(self) -> str:
        """The rate."""
        return str(self.rate)


def _kept(x: Tensor, shape: tuple[int, ...], rate: float) -> Tensor:
    """Zero with probability ``rate``, else 1 / (1 - rate)."""
    return torch.empty(shape, device=x.device, dtype=x.dtype).bernoulli_(1.0 - rate).div_(1.0 - rate)
