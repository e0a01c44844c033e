"""Layers of event sequences: members of a group, scaled times, parts of the channels, learned queries, mixed heads."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from nasturtium.errors import Mismatch, SpaceError
from nasturtium.layers.rules import STEPS, one_of, only, places, positive
from nasturtium.space.part import Cost, Layer
from nasturtium.space.signal import Signal, sequence

if TYPE_CHECKING:
    import torch


class Members(Layer):
    """The signals of a group, each on a wire of its own; the mask of the group goes with every one that has steps."""

    passes: ClassVar[bool] = True

    def signal(self, *inputs: Signal) -> Signal | tuple[Signal, ...]:
        x = only(self, inputs, "group")
        if not x.members:
            raise Mismatch("Members finds nothing in an empty group")
        for name, member in x.members:
            if member.mask or member.kind == "group":
                raise Mismatch(f"Members needs one mask for the whole group and no group inside, not {name}={member}")
        found = [
            member._replace(mask=x.mask and member.kind in ("sequence", "tokens", "nodes")) for _, member in x.members
        ]
        return found[0] if len(found) == 1 else tuple(found)

    def module(self, *inputs: Signal) -> torch.nn.Module:
        from nasturtium.modules.events import Members as Module

        return Module()


class FirstInput(Layer):
    """The first of its inputs; the others end here."""

    passes: ClassVar[bool] = True

    def signal(self, *inputs: Signal) -> Signal:
        if not inputs or inputs[0].kind == "group":
            raise Mismatch("FirstInput takes signals, the first of them no group")
        return inputs[0]

    def module(self, *inputs: Signal) -> torch.nn.Module:
        from nasturtium.modules.events import FirstInput as Module

        return Module()


class SplitChannels(Layer):
    """Cuts the channels into parts of ceil(C / count), the last one shorter, as ``torch.chunk`` does.

    Args:
        count: How many parts; no fewer will do.
    """

    count: int = 2
    passes: ClassVar[bool] = True

    def _sizes(self, x: Signal) -> tuple[int, ...]:
        positive(self, "count", self.count)
        share = -(-x.channels // self.count)
        last = x.channels - share * (self.count - 1)
        if last < 1 or self.count < 2:
            raise Mismatch(f"SplitChannels cannot cut the {x.channels} channels of {x} into {self.count} parts")
        return (*[share] * (self.count - 1), last)

    def signal(self, *inputs: Signal) -> tuple[Signal, ...]:
        x = only(self, inputs, *STEPS)
        return tuple([x.with_channels(size) for size in self._sizes(x)])

    def module(self, *inputs: Signal) -> torch.nn.Module:
        from nasturtium.modules import Chunk

        return Chunk(self._sizes(inputs[0]), 2)


class ScaledTimeEncoding(Layer):
    """Adds sine and cosine of when the events of a sequence happened, on a scale from 0 to ``span`` for each sequence.

    The times come as a second input (T, 1); without it positions stand for them. Padding has no say in the scale. The
    frequencies are 10000^(-k / ceil(d / 2)) for d channels, where the public code of SeqNAS has
    10000^(-2k / (2 floor(d / 2) + 2)).

    Args:
        span: The last time on that scale; the shortest wavelength is 2 pi, the longest 10,000 times that.
    """

    span: float = 1.0
    uses_mask: ClassVar[bool] = True

    def signal(self, *inputs: Signal) -> Signal:
        if len(inputs) not in (1, 2) or any(signal.kind != "sequence" for signal in inputs):
            raise Mismatch("ScaledTimeEncoding takes a sequence, or a sequence and its times (T, 1)")
        if not self.span > 0:
            raise SpaceError(f"ScaledTimeEncoding needs a positive span, not {self.span!r}")
        return inputs[0] if len(inputs) == 1 else timed(self, inputs)

    def module(self, *inputs: Signal) -> torch.nn.Module:
        from nasturtium.modules.events import ScaledTimeWaves

        x = inputs[0]
        return ScaledTimeWaves(x.channels, self.span, x.mask, len(inputs) == 2)


class GapEncoding(Layer):
    """Adds what the time since the event before says, which comes as a second input, the times (T, 1).

    Only their differences count. Where float32 is to keep short gaps in long sequences, times are best small near the
    events that matter: tasks of events count them back from the last.

    Args:
        kind: ``log`` for a linear map of log(1 + gap), or ``learned`` for periodic functions of it with learned lengths
            (after Time2Vec, Kazemi et al. 2019, arXiv:1907.05321, there of the time itself).
        waves: How many functions a learned encoding has.
    """

    kind: str = "log"
    waves: int = 8
    uses_mask: ClassVar[bool] = True

    def signal(self, *inputs: Signal) -> Signal:
        one_of(self, "kind of encoding", self.kind, ("log", "learned"))
        positive(self, "waves", self.waves)
        return timed(self, inputs)

    def cost(self, *inputs: Signal) -> Cost:
        x = inputs[0]
        inside = 2 * self.waves if self.kind == "learned" else 0
        width = self.waves if self.kind == "learned" else 1
        return Cost(inside + (width + 1) * x.channels, places(x) * (inside + 2 * width * x.channels))

    def module(self, *inputs: Signal) -> torch.nn.Module:
        from nasturtium.modules.events import GapEncoding as Module

        return Module(inputs[0].channels, self.kind, self.waves, inputs[0].mask)


def timed(layer: Layer, inputs: tuple[Signal, ...]) -> Signal:
    """The first of two inputs, a sequence; the second must be its times (T, 1).

    Raises:
        Mismatch: If they are not.
    """
    if len(inputs) != 2 or any(signal.kind != "sequence" for signal in inputs):
        raise Mismatch(f"{type(layer).__name__} takes a sequence and its times (T, 1)")
    x, times = inputs
    if times.channels != 1 or times.length != x.length or times.mask != x.mask:
        raise Mismatch(f"{type(layer).__name__} needs times (T, 1) beside {x}, not {times}")
    return x


class LearnedQueries(Layer):
    """Learned vectors, as many channels as the sequence has beside which they stand.

    Args:
        count: Number of vectors.
    """

    count: int

    def signal(self, *inputs: Signal) -> Signal:
        positive(self, "count", self.count)
        return sequence(self.count, only(self, inputs, *STEPS).channels)

    def cost(self, *inputs: Signal) -> Cost:
        return Cost(self.count * inputs[0].channels)

    def module(self, *inputs: Signal) -> torch.nn.Module:
        from nasturtium.modules.events import LearnedQueries as Module

        return Module(self.count, inputs[0].channels)


class MixtureOfHeads(Layer):
    """Attention with heads of a fixed width, a learned scale each, normalised together before they are mixed.

    As in SeqNAS (Udovichenko et al. 2024). With a second input, queries come from the first and keys and values from
    the second. Padding is never attended to.

    Args:
        heads: Number of heads.
        width: Channels of each head, whatever their number.
    """

    heads: int
    width: int = 32
    uses_mask: ClassVar[bool] = True

    def signal(self, *inputs: Signal) -> Signal:
        if len(inputs) not in (1, 2):
            raise Mismatch(f"MixtureOfHeads takes one or two inputs, not {len(inputs)}")
        for signal in inputs:
            if signal.kind not in STEPS:
                raise Mismatch(f"MixtureOfHeads works on sequences, not on {signal}")
        positive(self, "heads", self.heads)
        positive(self, "width", self.width)
        return inputs[0]

    def cost(self, *inputs: Signal) -> Cost:
        x, memory = inputs[0], inputs[-1]
        inner, steps, keys = self.heads * self.width, places(x), places(memory)
        params = (x.channels + 2 * memory.channels + 3) * inner + self.heads + 2 * inner + (inner + 1) * x.channels
        projected = 2 * inner * (2 * steps * x.channels + 2 * keys * memory.channels)
        return Cost(params, projected + 4 * steps * keys * inner)

    def module(self, *inputs: Signal) -> torch.nn.Module:
        from nasturtium.modules.mixture import MixtureOfHeads as Module

        x, memory = inputs[0], inputs[-1]
        return Module(x.channels, memory.channels, self.heads, self.width, len(inputs) == 1, x.mask)
