"""Crossover: every decision from one of two parents, or a sub-tree of one grafted onto the other."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from nasturtium.space.architecture import Architecture, Origin
from nasturtium.space.choice import Rule
from nasturtium.space.derivation import Point, Step
from nasturtium.space.following import again, decisions_of, follow, weight
from nasturtium.space.limits import TooLarge
from nasturtium.space.sampling import guided

if TYPE_CHECKING:
    import numpy

    from nasturtium.space.space import Space

TRIES = 100
"""How many children may fail the constraints before the first parent is given back."""

GRAFTS = 3
"""How many places for a sub-tree are tried."""


def cross(space: Space, first: Architecture, second: Architecture, rng: numpy.random.Generator) -> Architecture:
    """See :meth:`Space.cross`."""
    first, second = space.adopt(first), space.adopt(second)
    for _ in range(TRIES):
        child = _grafted(space, first, second, rng) if space.recursive else None
        try:
            child = child or _mixed(space, first, second, rng)
        except TooLarge:
            continue
        if space.admits(child):
            return child
    return first


def _mixed(space: Space, first: Architecture, second: Architecture, rng: numpy.random.Generator) -> Architecture:
    if space.radices is not None:
        pairs = zip(first.decisions, second.decisions, strict=True)
        child = space.architecture([one if rng.random() < 0.5 else other for one, other in pairs])
        child.origin = Origin("crossover", (), ())
        return child
    parents = decisions_of(first), decisions_of(second)

    def prefer(point: Point) -> int | None:
        wanted = [again(parent, point) for parent in (parents if rng.random() < 0.5 else parents[::-1])]
        return next((index for index in wanted if index in point.remaining), None)

    child = space.finished(guided(space, rng, prefer, max(weight(first), weight(second))))
    redrawn = []
    for step in child.steps:
        offers = {again(parent, step.point) for parent in parents} - {None}
        if offers and step.taken not in offers:
            redrawn.append(step.point.address)
    child.origin = Origin("crossover", (), tuple(redrawn))
    return child


def _grafted(
    space: Space, first: Architecture, second: Architecture, rng: numpy.random.Generator
) -> Architecture | None:
    """Replace one sub-tree of the first parent by one of the second, of the same rule and with equal input."""
    donors: dict[Any, list[Step]] = {}
    for step in second.steps:
        if isinstance(step.point.choice, Rule):
            donors.setdefault((step.point.choice, step.point.signals), []).append(step)
    places = [step for step in first.steps if (step.point.choice, step.point.signals) in donors and step.number]
    for _ in range(GRAFTS if places else 0):
        place = places[int(rng.random() * len(places))]
        among = donors[(place.point.choice, place.point.signals)]
        donor = among[int(rng.random() * len(among))]
        kept = {s.point.address: s for s in first.steps if place.point.below(s.point.address) is None}
        kept |= _moved(second, donor.point, place.point)
        spent = max(weight(first), weight(second))
        child = follow(space, rng, kept, {place.point.address: donor.taken}, "crossover", spent)
        if child is not None and child.value != first.value:
            return child
    return None


def _moved(donor: Architecture, there: Point, here: Point) -> dict[str, Step]:
    """The decisions below a point of the donor, by the addresses they have below another point."""
    bases = here.bases
    moved = {}
    for step in donor.steps:
        below = there.below(step.point.address)
        if below is not None:
            moved[bases[min(int(below[0]), len(bases) - 1)] + below[1:]] = step
    return moved
