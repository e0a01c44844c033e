"""What all variation shares: a derivation that keeps earlier decisions where they apply and changes some."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from nasturtium.errors import SpaceError
from nasturtium.space.architecture import Architecture, Origin
from nasturtium.space.derivation import Point, Step
from nasturtium.space.sampling import guided

if TYPE_CHECKING:
    import numpy

    from nasturtium.space.space import Space

Kept = Mapping[str, Step]
"""Decisions of an earlier derivation by address."""


def decisions_of(architecture: Architecture) -> dict[str, Step]:
    """The decisions of an architecture by address."""
    return {step.point.address: step for step in architecture.steps}


def weight(architecture: Architecture) -> int:
    """How many nodes the limit of a space counts in an architecture: its decisions, with copies."""
    return sum(step.point.here.copies for step in architecture.steps)


def again(kept: Kept, point: Point) -> int | None:
    """The option taken at the same address earlier on, if it was among the same options."""
    step = kept.get(point.address)
    if step is None:
        return None
    before, now = step.point.choice, point.choice
    return step.taken if before is now or before.options == now.options else None


def follow(
    space: Space, rng: numpy.random.Generator, kept: Kept, forced: Mapping[str, int], kind: str, spent: int
) -> Architecture | None:
    """The architecture that keeps decisions where they apply and has every decision in ``forced``, or None.

    Args:
        space: The space.
        rng: Draws what was not decided before.
        kept: The decisions to keep.
        forced: Option by address.
        kind: What to call it in the origin.
        spent: How many nodes it may have at least, whatever the limit.
    """

    def prefer(point: Point) -> int | None:
        wanted = forced.get(point.address)
        return again(kept, point) if wanted is None else wanted

    try:
        child = space.finished(guided(space, rng, prefer, spent))
    except SpaceError:
        return None
    redrawn = []
    met = 0
    for step in child.steps:
        address = step.point.address
        if address in forced:
            if step.taken != forced[address]:
                return None
            met += 1
        elif again(kept, step.point) not in (None, step.taken):
            redrawn.append(address)
    if met < len(forced):
        return None
    child.origin = Origin(kind, tuple(forced), tuple(redrawn))
    return child
