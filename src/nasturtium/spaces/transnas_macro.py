"""The space ``transnas_macro``: the plans of residual networks of TransNAS-Bench-101."""

from __future__ import annotations

import re
from functools import partial
from typing import Any

from nasturtium.errors import ParseError
from nasturtium.layers import Add, BatchNorm, Container, Conv2d, GlobalPool, Linear, ReLU, Sequential, repeat
from nasturtium.layers.rules import one_of
from nasturtium.space.architecture import Architecture
from nasturtium.space.choice import choice
from nasturtium.space.notations import Notation, indices
from nasturtium.space.part import Wiring
from nasturtium.space.space import Space
from nasturtium.spaces.inputs import one_input
from nasturtium.spaces.transnas_micro import stem_of

COUNTS = (4, 5, 6)
"""How many modules a network can have."""


class TransNASModule(Container):
    """Two basic blocks of He et al. (2016) with the activations first.

    Args:
        kind: 1 keeps the shape, 2 doubles the channels, 3 halves the side, 4 does both, in the first block.
    """

    kind: int = 1

    def wire(self, x: Any) -> Wiring:
        one_of(self, "kind", str(self.kind), "1234")
        channels = x.signal.channels * (2 if self.kind % 2 == 0 else 1)
        for stride in (2 if self.kind > 2 else 1, 1):
            y = x
            for step in (stride, 1):
                y = yield ReLU(), y
                y = yield Conv2d(channels, stride=step, bias=False), y
                y = yield BatchNorm(), y
            if (channels, stride) != (x.signal.channels, 1):
                x = yield Conv2d(channels, 1, stride, bias=False), x
                x = yield BatchNorm(), x
            x = yield Add(), x, y
        return x


def transnas_macro(input: Any = (3, 256, 256), outputs: int = 75, *, channels: int | None = None) -> Space:
    """The residual networks of TransNAS-Bench-101 (Duan et al. 2021): 3,256 sequences of modules.

    Four to six modules of two basic blocks. A module keeps the shape (1), doubles the channels (2), halves the side
    (3), or does both (4); one to four halve the side, and one to three double the channels. Stem and head are those
    of ``transnas_micro``.

    Notation: ``64-1234-basic`` (channels and the digits of the modules), or ``1234`` to read.

    Of the 4^4 + 4^5 + 4^6 = 5,376 sequences the two conditions leave 3,256, those of the published table.

    Args:
        input: (channels, height, width), or an image signal.
        outputs: Numbers that leave.
        channels: Channels behind the stem, an even number.

    Raises:
        SpaceError: If the input is no image, or an option cannot be used.

    >>> transnas_macro().size
    3256
    """
    signal = one_input("transnas_macro", input, "image")
    stem = stem_of("transnas_macro", signal, channels, outputs)
    modules = repeat(TransNASModule(choice(1, 2, 3, 4)), choice(*COUNTS))
    return Space(
        Sequential(stem, modules, GlobalPool(), Linear(outputs)),
        input=signal,
        name="transnas_macro",
        where=_inside,
        size=3_256,
        notation=Notation(_write, partial(_read, channels=stem.channels)),
    )


def kinds_of(architecture: Architecture) -> str:
    """The digits of the modules of a network."""
    network: Any = architecture.value
    modules = network.layers[1]
    bodies = modules.bodies * (modules.count // len(modules.bodies))
    return "".join(str(module.kind) for module in bodies)


def halves_and_doubles(kinds: str) -> bool:
    """Whether one to four modules halve the side, and one to three double the channels."""
    halving, doubling = sum(kind in "34" for kind in kinds), sum(kind in "24" for kind in kinds)
    return 1 <= halving <= 4 and 1 <= doubling <= 3


def _inside(architecture: Architecture) -> bool:
    return halves_and_doubles(kinds_of(architecture))


def _write(architecture: Architecture) -> str:
    root: Any = architecture.value
    return f"{root.layers[0].channels}-{kinds_of(architecture)}-basic"


def _read(text: str, channels: int) -> tuple[int, ...]:
    found = re.fullmatch(rf"(?:{channels}-(\w+)-basic|(\w+))", text.strip())
    if found is None:
        raise ParseError(f"{text[:60]!r} is no plan of modules; expected {channels}-1234-basic, or 1234 for short")
    digits = found[1] or found[2]
    kinds = indices(digits, "1234", "kind of module")
    if len(digits) not in COUNTS or not halves_and_doubles(digits):
        raise ParseError(
            f"{digits!r} is outside the space: 4 to 6 modules, 1 to 4 of them 3 or 4, 1 to 3 of them 2 or 4"
        )
    return (COUNTS.index(len(digits)), *kinds)
