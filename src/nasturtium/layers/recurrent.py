"""Recurrent layers over sequences; padding changes nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from nasturtium.layers.rules import only, places, positive
from nasturtium.space.part import Cost, Layer
from nasturtium.space.signal import Signal

if TYPE_CHECKING:
    import torch


class _Recurrent(Layer, abstract=True):
    hidden: int | None = None
    bidirectional: bool = False

    uses_mask: ClassVar[bool] = True
    kind: ClassVar[str]
    gates: ClassVar[int]

    def _hidden(self, x: Signal) -> int:
        return x.channels if self.hidden is None else self.hidden

    def signal(self, *inputs: Signal) -> Signal:
        x = only(self, inputs, "sequence")
        hidden = self._hidden(x)
        positive(self, "hidden", hidden)
        return x.with_channels(hidden * (1 + self.bidirectional))

    def cost(self, *inputs: Signal) -> Cost:
        (x,) = inputs
        hidden, directions = self._hidden(x), 1 + self.bidirectional
        weights = directions * self.gates * hidden * (x.channels + hidden)
        return Cost(weights + directions * 2 * self.gates * hidden, 2 * places(x) * weights)

    def module(self, *inputs: Signal) -> torch.nn.Module:
        from nasturtium.modules import Recurrent

        (x,) = inputs
        return Recurrent(self.kind, x.channels, self._hidden(x), self.bidirectional)


class GRU(_Recurrent):
    """A gated recurrent unit over a sequence (Cho et al. 2014), all steps given.

    Args:
        hidden: Channels that leave for each direction; as many as come in if not given.
        bidirectional: Whether to read backwards too; twice as many channels leave.
    """

    kind: ClassVar[str] = "gru"
    gates: ClassVar[int] = 3


class LSTM(_Recurrent):
    """A long short-term memory over a sequence (Hochreiter and Schmidhuber 1997), all steps given.

    Args:
        hidden: Channels that leave for each direction; as many as come in if not given.
        bidirectional: Whether to read backwards too; twice as many channels leave.
    """

    kind: ClassVar[str] = "lstm"
    gates: ClassVar[int] = 4
