"""Mutation: some decisions are changed, the others kept wherever they still apply."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nasturtium.errors import SpaceError
from nasturtium.space.architecture import Architecture, Origin
from nasturtium.space.derivation import Step
from nasturtium.space.following import decisions_of, follow, weight
from nasturtium.space.local import changed
from nasturtium.space.neighbourhood import neighbours
from nasturtium.space.sampling import draw, template

if TYPE_CHECKING:
    import numpy

    from nasturtium.space.space import Space

TRIES = 100
"""How often a mutation is tried before neighbours are looked through one by one."""

LOCAL_TRIES = 64
"""How many changes of a grammar are tried that leave all other decisions as they are."""

PATIENCE = 3
"""How many mutations are tried for one after which no other decision has to be redrawn."""


def mutate(space: Space, parent: Architecture, rng: numpy.random.Generator, count: int, subtree: bool) -> Architecture:
    """See :meth:`Space.mutate`."""
    if count < 1:
        raise SpaceError(f"a mutation changes at least one decision, not {count}")
    parent = space.adopt(parent)
    product = space.radices is not None
    if space.recursive and count == 1 and not subtree and not space.shares:
        child = _changed_locally(space, parent, rng)
        if child is not None:
            return child
    best: Architecture | None = None
    for attempt in range(TRIES):
        varied = _mutate_product(space, parent, rng, count) if product else None
        child = varied or _mutated(space, parent, rng, count, subtree)
        if child is None or (not product and child.value == parent.value) or not space.admits(child):
            continue
        if best is None or _redrawn(child) < _redrawn(best):
            best = child
        if not _redrawn(best) or attempt >= PATIENCE:
            return best
    if best is None:
        best = next(neighbours(space, parent, rng, 1), None)
    if best is None:
        raise SpaceError(f"{space.name!r} has no other architecture next to {str(parent)[:100]}")
    return best


def _changed_locally(space: Space, parent: Architecture, rng: numpy.random.Generator) -> Architecture | None:
    """A mutation that leaves all other decisions as they are, if one is found soon."""
    steps, start = parent.steps, space.derive(spent=weight(parent))
    free = [step.number for step in steps if len(step.point.offered) > 1]
    for _ in range(LOCAL_TRIES if free else 0):
        step = steps[free[int(rng.random() * len(free))]]
        child = changed(parent, step, _other(step, rng), rng, start)
        if child is not None and space.admits(child):
            return child
    return None


def _redrawn(child: Architecture) -> int:
    return len(child.origin.redrawn) if child.origin is not None else 0


def _mutate_product(space: Space, parent: Architecture, rng: numpy.random.Generator, count: int) -> Architecture:
    free = _free(space)
    if not free:
        raise SpaceError(f"{space.name!r} has only one architecture")
    steps, decisions = template(space), list(parent.decisions)
    chosen = _several(free, count, rng)
    for number in chosen:
        point = steps[number].point
        if point.choice.weights is None:
            index = int(rng.random() * (len(point.offered) - 1))
            decisions[number] = index + (index >= decisions[number])
        else:
            decisions[number] = draw(point._replace(excluded=frozenset((decisions[number],))), rng)
    child = Architecture(space=space, decisions=tuple(decisions))
    child.origin = Origin("mutation", tuple([steps[number].point.address for number in sorted(chosen)]), ())
    return child


def _free(space: Space) -> list[int]:
    """The decisions of a product space that leave a choice."""
    known: list[int] | None = space.__dict__.get("_free")
    if known is None:
        known = space.__dict__["_free"] = [number for number, radix in enumerate(space.radices or ()) if radix > 1]
    return known


def _several(numbers: list[int], count: int, rng: numpy.random.Generator) -> list[int]:
    if count == 1:
        return [numbers[int(rng.random() * len(numbers))]]
    chosen = rng.permutation(len(numbers))[: min(count, len(numbers))]
    return [numbers[int(index)] for index in chosen]


def _mutated(
    space: Space, parent: Architecture, rng: numpy.random.Generator, count: int, subtree: bool
) -> Architecture | None:
    steps = parent.steps
    free = [step.number for step in steps if subtree or len(step.point.offered) > 1]
    if not free:
        return None
    changed = [steps[number] for number in _several(free, count, rng)]
    forced = {step.point.address: _other(step, rng) for step in changed}
    kept = decisions_of(parent)
    if subtree:
        points = [step.point for step in changed]
        kept = {a: s for a, s in kept.items() if all(point.below(s.point.place) is None for point in points)}
    return follow(space, rng, kept, forced, "mutation", weight(parent))


def _other(step: Step, rng: numpy.random.Generator) -> int:
    """Another option than the one taken, if there is one."""
    if len(step.point.offered) == 1:
        return step.taken
    return draw(step.point._replace(excluded=frozenset((step.taken,))), rng)
