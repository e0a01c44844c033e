"""Multi-head attention within a sequence, or from one to another."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from nasturtium.errors import Mismatch, SpaceError
from nasturtium.layers.rules import STEPS, places, positive
from nasturtium.space.part import Cost, Layer
from nasturtium.space.signal import Signal

if TYPE_CHECKING:
    import torch


class Attention(Layer):
    """Multi-head attention (Vaswani et al. 2017), as many channels out as in; padding is never attended to.

    With a second input, queries come from the first and keys and values from the second.

    Args:
        heads: Number of heads.
        width: Channels of each head; the channels divided by the heads if not given.
        causal: Whether a step sees only itself and those before it (with one input).
        dropout: Share of attention weights dropped in training.
    """

    heads: int = 4
    width: int | None = None
    causal: bool = False
    dropout: float = 0.0

    uses_mask: ClassVar[bool] = True

    def _width(self, channels: int) -> int:
        return channels // self.heads if self.width is None else self.width

    def signal(self, *inputs: Signal) -> Signal:
        if len(inputs) not in (1, 2):
            raise Mismatch(f"Attention takes one or two inputs, not {len(inputs)}")
        for signal in inputs:
            if signal.kind not in STEPS:
                raise Mismatch(f"Attention works on sequences, not on {signal}")
        positive(self, "heads", self.heads)
        x = inputs[0]
        if self.width is None and x.channels % self.heads:
            raise Mismatch(f"Attention: {self.heads} heads do not divide the {x.channels} channels of {x}")
        if not 0 <= self.dropout < 1:
            raise SpaceError(f"Attention needs a dropout from 0 up to 1, not {self.dropout!r}")
        positive(self, "width", self._width(x.channels))
        if self.causal and len(inputs) == 2:
            raise Mismatch("Attention to another sequence cannot be causal")
        return x

    def cost(self, *inputs: Signal) -> Cost:
        x, memory = inputs[0], inputs[-1]
        inner = self.heads * self._width(x.channels)
        steps, keys = places(x), places(memory)
        params = (x.channels + 2 * memory.channels) * inner + 3 * inner + (inner + 1) * x.channels
        projected = 2 * inner * (steps * x.channels + 2 * keys * memory.channels + steps * x.channels)
        return Cost(params, projected + 4 * steps * keys * inner)

    def module(self, *inputs: Signal) -> torch.nn.Module:
        from nasturtium.modules import CrossAttention, SelfAttention

        x = inputs[0]
        width = self._width(x.channels)
        if len(inputs) == 1:
            return SelfAttention(x.channels, self.heads, width, bool(self.causal), self.dropout)
        return CrossAttention(x.channels, inputs[1].channels, self.heads, width, self.dropout, x.mask)
