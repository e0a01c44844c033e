"""Motifs: what a reader of networks calls their parts, and what they hold."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from nasturtium.space.infer import Signals
from nasturtium.space.signal import Signal

QUIET = frozenset({"activation", "normalisation", "dropout", "skip", "shape", "join", "zero"})
"""Kinds that a reader of a summary takes for granted: at most said of the whole network."""


@dataclass(frozen=True, slots=True, eq=False)
class Motif:
    """A part of a network under the name it has in the field.

    Attributes:
        kind: Of the table of motifs.
        before, noun, after: Its name: "3x3 ", "convolution", " with stride 2".
        detail: What it is made of: " of two 3x3 convolutions".
        inputs, outputs: The signals that reach it and that leave it.
        params: Of all that is inside.
        holds: How many of each kind are inside, itself included.
        inner: What is inside, in order; of a branch, of all its paths.
        part: The layer, if it is a single one.
    """

    kind: str
    before: str
    noun: str
    after: str
    inputs: Signals
    outputs: Signals
    params: int
    holds: Counter[str]
    detail: str = ""
    inner: tuple[Motif, ...] = ()
    part: Any = field(default=None, repr=False)

    @property
    def quiet(self) -> bool:
        """Whether it is not worth a mention where it stands."""
        return self.kind in QUIET

    @property
    def name(self) -> tuple[str, str, str]:
        """What is the same for motifs that are counted together inside others."""
        return self.before, self.noun, self.after


Series = tuple[Motif, ...]


def compound(
    kind: str, words: tuple[str, str, str], inner: Series, ends: tuple[Signals, Signals], detail: str = "", **less: int
) -> Motif:
    """A motif made of others.

    Args:
        kind: Of the table.
        words: Before the noun, the noun, and after it.
        inner: What is inside.
        ends: The signals that reach it and that leave it.
        detail: What it is made of.
        **less: Kinds inside that count as part of this one and not for themselves, with their number.
    """
    holds = held(inner)
    holds[kind] += 1
    holds.subtract(less)
    return Motif(kind, *words, *ends, sum(each.params for each in inner), +holds, detail, inner)


def held(inner: Iterable[Motif]) -> Counter[str]:
    """How many of each kind are inside."""
    holds: Counter[str] = Counter()
    for each in inner:
        holds.update(each.holds)
    return holds


def loud(series: Iterable[Motif]) -> list[Motif]:
    """The motifs that are worth a mention."""
    return [motif for motif in series if not motif.quiet]


def places(signal: Signal) -> tuple[int | None, ...]:
    """Rows and columns of an image, the length of a sequence; nothing for a vector."""
    if signal.kind == "image":
        return signal.shape[1:]
    return signal.shape[:1] if signal.kind in ("sequence", "nodes", "tokens") else ()
