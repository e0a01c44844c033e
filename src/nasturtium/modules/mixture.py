"""Attention whose heads have a learned scale each and are normalised together before they are mixed."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class MixtureOfHeads(nn.Module):
    """Attention of a sequence to itself or to another one; padding is never attended to.

    Each head is softmax(Q K' / sqrt(width)) V times a learned number, which starts at 1; the heads side by side are
    normalised and mixed by a linear map.

    Args:
        channels: Channels of the queries, and of the output.
        memory: Channels of the sequence attended to.
        heads: Number of heads.
        width: Channels of each head.
        own: Whether the queries attend to their own sequence.
        masked: Whether the queries come with a mask.
    """

    def __init__(
        self, channels: int, memory: int, heads: int, width: int, own: bool = True, masked: bool = False
    ) -> None:
        super().__init__()
        self.heads, self.width, self.own, self.masked = heads, width, own, masked
        self.query = nn.Linear(channels, heads * width)
        self.key_value = nn.Linear(memory, 2 * heads * width)
        self.scale = nn.Parameter(torch.ones(heads))
        self.norm = nn.LayerNorm(heads * width)
        self.output = nn.Linear(heads * width, channels)

    def forward(self, x: Tensor, *rest: Tensor) -> Tensor:
        """Attend from x (B, T, C)[, its mask (B, T)] to itself, or to a memory (B, S, M)[, its mask (B, S)]."""
        if self.own:
            memory, masks = x, rest
        else:
            memory, *masks = rest[1:] if self.masked else rest  # type: ignore[assignment]
        query = self.query(x).unflatten(-1, (self.heads, self.width))  # (B, T, H, W)
        key, value = self.key_value(memory).unflatten(-1, (2, self.heads, self.width)).unbind(2)
        heads = _attend(query, key, value, masks[0] if masks else None) * self.scale.unsqueeze(-1)
        mixed: Tensor = self.output(self.norm(heads.flatten(2)))  # (B, T, C)
        return mixed

    def extra_repr(self) -> str:
        """Heads and their width."""
        return f"heads={self.heads}, width={self.width}"


def _attend(query: Tensor, key: Tensor, value: Tensor, mask: Tensor | None) -> Tensor:
    """Softmax(Q K' / sqrt(W)) V for query (B, T, H, W), key and value (B, S, H, W); zero where no key is real."""
    seen = None
    if mask is not None:
        value = value.masked_fill(~mask[:, :, None, None], 0.0)
        seen = mask[:, None, None, :]  # (B, 1, 1, S)
        # Where no key is real all are seen: their values are zero, and the softmax stays finite in every kernel.
        seen = seen | ~seen.any(-1, keepdim=True)
    query, key, value = query.transpose(1, 2), key.transpose(1, 2), value.transpose(1, 2)  # (B, H, T, W)
    return F.scaled_dot_product_attention(query, key, value, seen).transpose(1, 2)
