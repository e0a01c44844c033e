"""Dropout of single values, quicker than torch's on a CPU; of whole channels of a sequence, and of whole paths."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

LEVELS = 1 << 16
"""Values of the 16 random bits by which it is decided what is dropped."""


class QuickDropout(nn.Dropout):
    """Dropout as torch has it, with 16 random bits a value instead of a draw each, which is a third of the time.

    Torch draws one Bernoulli variable after another on a CPU, which can take a third of a training step. The rate is
    rounded to a multiple of 2^-16, and what is kept is scaled up by what that leaves, so that the mean stays. On other
    devices, and where nothing is to be dropped, all is as in torch.
    """

    def forward(self, input: Tensor) -> Tensor:
        """Drop."""
        dropped = round(self.p * LEVELS)
        if not self.training or input.device.type != "cpu" or not 0 < dropped < LEVELS:
            return F.dropout(input, self.p, self.training)
        count = input.numel()
        drawn = torch.empty((count + 3) // 4, dtype=torch.int64).random_(-(2**63), None)
        kept = drawn.view(torch.int16)[:count].view(input.shape) >= dropped - LEVELS // 2
        return input * kept.to(input.dtype).mul_(LEVELS / (LEVELS - dropped))


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
