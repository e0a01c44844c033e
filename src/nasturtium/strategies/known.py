"""What a strategy has proposed already, and how it finds something that it has not."""

from __future__ import annotations

import itertools
import warnings
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from nasturtium.errors import SpaceError

if TYPE_CHECKING:
    import numpy as np

    from nasturtium.space import Architecture, Space

Decisions = tuple[int, ...]

TRIES = 10
"""Draws of a strategy's own kind that may hit something known."""
STEPS = 20
"""Mutations, each of the one before, by which the surroundings of a known architecture are left."""
SAMPLES = 100
"""Random draws that may hit something known before the rest of the space is enumerated."""
ENUMERABLE = 100_000
"""How many architectures are enumerated at most to find what has not been asked yet."""


class Known:
    """The decisions of all that was asked.

    Args:
        space: Where architectures come from.

    Attributes:
        seen: The decisions of every architecture that was asked.
        exhausted: Whether an enumeration found that nothing else is left.
    """

    def __init__(self, space: Space) -> None:
        self.space = space
        self.seen: set[Decisions] = set()
        self.exhausted = False
        self._rest: list[Decisions] | None = None

    def __contains__(self, architecture: Architecture) -> bool:
        return architecture.decisions in self.seen

    def add(self, architecture: Architecture) -> None:
        """Takes note of an architecture."""
        self.seen.add(architecture.decisions)

    def fresh(
        self, draw: Callable[[], Architecture], rng: np.random.Generator, tries: int = TRIES, near: bool = True
    ) -> Architecture:
        """Something that was not asked before, as like to what ``draw`` gives as can be; says so if nothing is left.

        First some draws; then a walk of mutations that begins at the last of them; then random samples; then what an
        enumeration finds. If that finds nothing, it is a draw after all.

        Args:
            draw: Draws as the strategy likes.
            rng: The generator of the trial.
            tries: How many draws may hit something known.
            near: Whether to look around the draws before anywhere else.
        """
        if self.exhausted:
            return self._drawn(draw, rng)
        first: Architecture | None = None
        for candidate in self._candidates(draw, rng, tries, near):
            if candidate.decisions not in self.seen:
                return candidate
            first = first or candidate
        left = self._left()
        if left or first is None:
            return self.space.architecture(left[int(rng.random() * len(left))])
        self._say()
        return first  # what it is from now on too: whether that was found out already must not matter to a replay

    def look(self) -> bool:
        """Whether nothing is left; found out by an enumeration, which ends at the first that was not asked before."""
        small = not self.space.recursive and len(self.seen) < ENUMERABLE
        self.exhausted = self.exhausted or (small and all(each in self.seen for each in _every(self.space)))
        return self.exhausted

    def _candidates(
        self, draw: Callable[[], Architecture], rng: np.random.Generator, tries: int, near: bool
    ) -> Iterator[Architecture]:
        for _ in range(tries):
            last = self._drawn(draw, rng)
            yield last
        for _ in range(STEPS if near else 0):
            last = self._drawn(lambda: self.space.mutate(last, rng), rng)  # noqa: B023 - called at once
            yield last
        for _ in range(SAMPLES if near else 0):
            yield self.space.sample(rng)

    def _drawn(self, draw: Callable[[], Architecture], rng: np.random.Generator) -> Architecture:
        try:
            return draw()
        except SpaceError:  # a space of one architecture has no other to vary to; so it is that one
            return self.space.sample(rng)

    def _left(self) -> list[Decisions]:
        """What enumeration finds beside what was asked; of a very large space only its beginning is looked at."""
        rest = _listed(self.space) if self._rest is None else self._rest
        self._rest = [decisions for decisions in rest if decisions not in self.seen]
        return self._rest

    def _say(self) -> None:
        whole = not self.space.recursive and len(self.seen) < ENUMERABLE
        self.exhausted = whole
        found = "all of its architectures were proposed" if whole else "no other architecture was found"
        warnings.warn(
            f"space {self.space.name!r}: {found} ({len(self.seen)}); from here on known ones are proposed again",
            stacklevel=2,
        )


def _listed(space: Space) -> list[Decisions]:
    """The decisions of all architectures, of the first in a large space, of none in an infinite one."""
    return [] if space.recursive else list(itertools.islice(_every(space), ENUMERABLE))


def _every(space: Space) -> Iterator[Decisions]:
    radices = getattr(space, "radices", None)
    if radices and not space.where:
        return itertools.product(*(range(radix) for radix in radices))
    return (architecture.decisions for architecture in space.enumerate())
