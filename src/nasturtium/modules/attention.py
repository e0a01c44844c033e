"""Multi-head attention that honours padding."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class SelfAttention(nn.Module):
    """Multi-head attention of a sequence to itself (Vaswani et al. 2017, section 3.2).

    A step that sees no real step gets the output's bias alone, never NaN.

    Args:
        channels: Channels in and out.
        heads: Number of heads.
        width: Channels of each head.
        causal: Whether a step sees only itself and the steps before it.
        dropout: Share of attention weights dropped in training.
    """

    def __init__(self, channels: int, heads: int, width: int, causal: bool = False, dropout: float = 0.0) -> None:
        super().__init__()
        self.heads, self.width, self.causal, self.dropout = heads, width, causal, dropout
        self.project = _linear(channels, 3 * heads * width)
        self.output = _linear(heads * width, channels)

    def forward(self, x: Tensor, mask: Tensor | None = None) -> Tensor:
        """Attend within x (B, T, C); mask (B, T) is True where a step is real."""
        query, key, value = self.project(x).unflatten(-1, (3, self.heads, self.width)).unbind(2)  # (B, T, H, W)
        dropout = self.dropout if self.training else 0.0
        joined: Tensor = self.output(attend(query, key, value, mask, self.causal, dropout))
        return joined

    def extra_repr(self) -> str:
        """Heads, their width, and what differs from the usual."""
        return f"heads={self.heads}, width={self.width}, causal={self.causal}, dropout={self.dropout}"


class CrossAttention(nn.Module):
    """Multi-head attention of a sequence to another one (Vaswani et al. 2017, section 3.2).

    Args:
        channels: Channels of the queries, and of the output.
        memory: Channels of the other sequence.
        heads: Number of heads.
        width: Channels of each head.
        dropout: Share of attention weights dropped in training.
        masked: Whether the queries come with a mask (it is not needed, but stands among the arguments).
    """

    def __init__(
        self, channels: int, memory: int, heads: int, width: int, dropout: float = 0.0, masked: bool = False
    ) -> None:
        super().__init__()
        self.heads, self.width, self.dropout, self.masked = heads, width, dropout, masked
        self.query = _linear(channels, heads * width)
        self.key_value = _linear(memory, 2 * heads * width)
        self.output = _linear(heads * width, channels)

    def forward(self, x: Tensor, *rest: Tensor) -> Tensor:
        """Attend from x (B, T, C), [its mask,] to the memory (B, S, M)[, with a mask (B, S)]."""
        memory, *masks = rest[1:] if self.masked else rest
        query = self.query(x).unflatten(-1, (self.heads, self.width))  # (B, T, H, W)
        key, value = self.key_value(memory).unflatten(-1, (2, self.heads, self.width)).unbind(2)
        dropout = self.dropout if self.training else 0.0
        joined: Tensor = self.output(attend(query, key, value, masks[0] if masks else None, False, dropout))
        return joined

    def extra_repr(self) -> str:
        """Heads, their width and the dropout."""
        return f"heads={self.heads}, width={self.width}, dropout={self.dropout}"


def attend(
    query: Tensor, key: Tensor, value: Tensor, mask: Tensor | None, causal: bool = False, dropout: float = 0.0
) -> Tensor:
    """Softmax(Q K' / sqrt(width)) V for each head.

    Args:
        query: (B, T, H, W); key, value: (B, S, H, W).
        mask: (B, S), True where a key is real.
        causal: Whether query t sees the keys up to t alone.
        dropout: Share of weights dropped.

    Returns:
        (B, T, H * W); zero where no key is real.
    """
    seen = None
    if mask is not None:
        value = value.masked_fill(~mask[:, :, None, None], 0.0)
        seen = mask[:, None, None, :]  # (B, 1, 1, S)
        if causal:
            seen = seen & torch.ones(query.shape[1], key.shape[1], dtype=torch.bool, device=query.device).tril()
        # Where no key is real all are seen: their values are zero, and the softmax stays finite in every kernel.
        seen = seen | ~seen.any(-1, keepdim=True)
    query, key, value = query.transpose(1, 2), key.transpose(1, 2), value.transpose(1, 2)  # (B, H, T, W)
    attended = F.scaled_dot_product_attention(query, key, value, seen, dropout, causal and mask is None)
    return attended.transpose(1, 2).flatten(2)


def _linear(inputs: int, outputs: int) -> nn.Linear:
    layer = nn.Linear(inputs, outputs)
    nn.init.xavier_uniform_(layer.weight)
    nn.init.zeros_(layer.bias)
    return layer
