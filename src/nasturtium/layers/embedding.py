"""Embedding of tokens, and encodings of positions and times."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nasturtium.errors import Mismatch
from nasturtium.layers.rules import one_of, only, positive
from nasturtium.space.part import Cost, Layer
from nasturtium.space.signal import Signal

if TYPE_CHECKING:
    import torch


class Embedding(Layer):
    """A learned vector for each token: integers (T,) become a sequence (T, dim).

    Args:
        dim: Channels of the vectors.
    """

    dim: int

    def signal(self, *inputs: Signal) -> Signal:
        x = only(self, inputs, "tokens")
        positive(self, "dim", self.dim)
        if not x.vocabulary:
            raise Mismatch(
                "Embedding cannot tell how many tokens there are; write the input as tokens(length, vocabulary)"
            )
        return Signal("sequence", (x.length, self.dim), mask=x.mask)

    def cost(self, *inputs: Signal) -> Cost:
        return Cost(inputs[0].vocabulary[0] * self.dim)

    def module(self, *inputs: Signal) -> torch.nn.Module:
        from torch import nn

        return nn.Embedding(inputs[0].vocabulary[0], self.dim)


class PositionalEncoding(Layer):
    """Adds to each step of a sequence what tells its position.

    Args:
        kind: ``sinusoidal`` (Vaswani et al. 2017, section 3.5) or ``learned``.
        longest: Number of learned positions; the length of the sequence if not given.
    """

    kind: str = "sinusoidal"
    longest: int | None = None

    def _longest(self, x: Signal) -> int:
        longest = x.length if self.longest is None else self.longest
        if longest is None:
            raise Mismatch("PositionalEncoding('learned') needs longest=... where the length depends on the data")
        if x.length is not None and x.length > longest:
            raise Mismatch(f"PositionalEncoding has {longest} positions, too few for {x}")
        return longest

    def signal(self, *inputs: Signal) -> Signal:
        x = only(self, inputs, "sequence")
        one_of(self, "kind of encoding", self.kind, ("sinusoidal", "learned"))
        if self.kind == "learned":
            positive(self, "longest", self._longest(x))
        return x

    def cost(self, *inputs: Signal) -> Cost:
        (x,) = inputs
        return Cost(self._longest(x) * x.channels) if self.kind == "learned" else Cost()

    def module(self, *inputs: Signal) -> torch.nn.Module:
        from nasturtium.modules import LearnedPositions, SinusoidalPositions

        (x,) = inputs
        if self.kind == "learned":
            return LearnedPositions(self._longest(x), x.channels)
        return SinusoidalPositions(x.channels)


class TimeEncoding(Layer):
    """Sine and cosine of the times at which events happened.

    With two inputs, a sequence (T, C) and its times (T, 1), the encoding is added to the sequence; with the
    times alone it is given as a sequence (T, channels).

    Args:
        channels: Channels of the encoding where it stands alone.
        longest: Ratio of the longest wavelength to the shortest, which is 2 pi time units.
    """

    channels: int | None = None
    longest: float = 10_000.0

    def signal(self, *inputs: Signal) -> Signal:
        if len(inputs) not in (1, 2) or any(signal.kind != "sequence" for signal in inputs):
            raise Mismatch("TimeEncoding takes times (T, 1), or a sequence and its times")
        x, times = inputs[0], inputs[-1]
        if times.channels != 1 or times.length != x.length:
            raise Mismatch(f"TimeEncoding needs times (T, 1) beside {x}, not {times}")
        if len(inputs) == 2:
            if self.channels not in (None, x.channels):
                raise Mismatch(f"TimeEncoding of {self.channels} channels cannot be added to {x}")
            return x._replace(mask=x.mask or times.mask)
        if self.channels is None:
            raise Mismatch("TimeEncoding of times alone needs channels=...")
        positive(self, "channels", self.channels)
        return times.with_channels(self.channels)

    def module(self, *inputs: Signal) -> torch.nn.Module:
        from nasturtium.modules import AddedTimeWaves, TimeWaves

        if len(inputs) == 2:
            return AddedTimeWaves(inputs[0].channels, self.longest)
        return TimeWaves(self.signal(*inputs).channels, self.longest)
