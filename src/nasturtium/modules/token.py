"""A learned step before a sequence, and its first step alone."""

from __future__ import annotations

import torch
from torch import Tensor, nn


class PrependToken(nn.Module):
    """Puts one learned vector before every sequence (the class token of Dosovitskiy et al. 2021, section 3.1).

    Args:
        channels: Channels of the sequence.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.token = nn.Parameter(torch.empty(channels))
        nn.init.trunc_normal_(self.token, std=0.02)

    def forward(self, x: Tensor, mask: Tensor | None = None) -> Tensor | tuple[Tensor, Tensor]:
        """From x (B, T, C)[, mask (B, T)] to (B, T + 1, C)[, (B, T + 1)]; the token is real in every example."""
        longer = torch.cat([self.token.to(x.dtype).expand(x.shape[0], 1, -1), x], 1)  # (B, T + 1, C)
        if mask is None:
            return longer
        return longer, torch.cat([torch.ones_like(mask[:, :1]), mask], 1)


class FirstStep(nn.Module):
    """The first step of a sequence."""

    def forward(self, x: Tensor) -> Tensor:
        """From x (B, T, C) to (B, C)."""
        return x[:, 0]
