"""The space ``nats_size``: the channels of one fixed network, NATS-Bench's size space (Dong et al. 2021)."""

from __future__ import annotations

from typing import Any

from nasturtium.errors import ParseError
from nasturtium.layers import (
    BatchNorm,
    Cell,
    Container,
    Conv2d,
    Edge,
    GlobalPool,
    Identity,
    Linear,
    Node,
    ReLU,
    Sequential,
)
from nasturtium.space.architecture import Architecture
from nasturtium.space.choice import integers
from nasturtium.space.notations import Notation
from nasturtium.space.part import Wiring
from nasturtium.space.signal import Signal
from nasturtium.space.space import Space
from nasturtium.spaces.cell_operations import ReluConvNorm
from nasturtium.spaces.inputs import one_input, positive
from nasturtium.spaces.nasbench201 import halving

CHANNELS = tuple(range(8, 65, 8))
"""Channel counts to choose from, in the published order."""

PLACES = 5
"""Channel counts of a network: stem and first cell, halving, second cell, halving, third cell."""


class SizedCell(Container):
    """The fixed cell of NATS-Bench's size space, with any number of channels out.

    ``|nor_conv_3x3~0|+|nor_conv_3x3~0|nor_conv_3x3~1|+|skip_connect~0|nor_conv_3x3~1|nor_conv_3x3~2|``, where the
    operations that read the input change the channels; the skip connection is then a 1x1 convolution with batch
    normalisation.

    Args:
        channels: Channels that leave; as many as come in if not given.
    """

    channels: int | None = None

    def wire(self, x: Any) -> Wiring:
        equal = self.channels in (None, x.signal.channels)
        skip = Identity() if equal else Sequential(Conv2d(self.channels, kernel=1, bias=False), BatchNorm())
        entry, inner = ReluConvNorm(self.channels, 3), ReluConvNorm(kernel=3)
        first = Node((Edge(0, entry),))
        second = Node((Edge(0, entry), Edge(1, inner)))
        third = Node((Edge(0, skip), Edge(1, inner), Edge(2, inner)))
        return (yield Cell((first, second, third)), x)


class SizedHalving(Container):
    """The residual block that halves the resolution between two cells of NATS-Bench.

    Args:
        channels: Channels that leave.
    """

    channels: int

    def wire(self, x: Any) -> Wiring:
        return (yield halving(self.channels), x)


def nats_size(input: Any = (3, 32, 32), outputs: int = 10) -> Space:
    """The 32,768 networks of NATS-Bench's size search space (Dong et al. 2021, arXiv:2009.00437).

    A 3x3 stem, three copies of a fixed cell of NAS-Bench-201 with a halving residual block between them, batch
    normalisation, ReLU, mean pooling and a linear layer. Five channel counts are open, each one of 8, 16, ..., 64:
    8^5 networks: that of stem and first cell, and those of the four blocks behind it. The notation is the published
    one, ``8:16:64:32:64``.

    Parameters equal the published ones; the published FLOPs are :func:`published_flops`.

    Args:
        input: (channels, height, width), or an image signal.
        outputs: Classes.

    Raises:
        SpaceError: If the input is no image, or an option cannot be used.

    >>> space = nats_size()
    >>> space.size
    32768
    >>> space.from_notation("8:8:8:16:32").count()["params"]
    49202
    """
    signal = one_input("nats_size", input, "image")
    positive("nats_size", outputs=outputs)
    channels = [integers(CHANNELS[0], CHANNELS[-1], step=8) for _ in range(PLACES)]
    root = Sequential(
        Conv2d(channels[0], bias=False),
        BatchNorm(),
        SizedCell(),
        SizedHalving(channels[1]),
        SizedCell(channels[2]),
        SizedHalving(channels[3]),
        SizedCell(channels[4]),
        BatchNorm(),
        ReLU(),
        GlobalPool(),
        Linear(outputs),
    )
    return Space(root, input=signal, name="nats_size", notation=Notation(write, read), members=MEMBERS)


MEMBERS = {"smallest": "8:8:8:8:8", "largest": "64:64:64:64:64"}
"""The two corners of the space."""


def write(architecture: Architecture) -> str:
    """The published string of an architecture: its channel counts between colons."""
    return ":".join(str(CHANNELS[index]) for index in architecture.decisions)


def read(text: str) -> tuple[int, ...]:
    """The decisions of a published string.

    Raises:
        ParseError: If it is not five of the channel counts between colons.
    """
    named = {str(channels): index for index, channels in enumerate(CHANNELS)}
    counts = text.strip().split(":")
    if len(counts) != PLACES or any(count not in named for count in counts):
        raise ParseError(
            f"{text!r} is no network of NATS-Bench's size space; it takes {PLACES} channel counts "
            f"out of {', '.join(named)} between colons: '8:16:64:32:64'"
        )
    return tuple([named[count] for count in counts])


def published_flops(architecture: Architecture) -> int:
    """What NATS-Bench calls FLOPs (its tables give millions): multiply-accumulates, and one for each constant added.

    Only the last layer adds one, to each output.
    """
    leaving = architecture.output
    return architecture.count()["flops"] // 2 + (leaving.channels if isinstance(leaving, Signal) else 0)
