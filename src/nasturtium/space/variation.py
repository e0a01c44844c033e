"""Sampling, mutation, crossover and neighbours: one guided derivation with different preferences."""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Callable, Iterator
from functools import lru_cache
from itertools import accumulate
from typing import TYPE_CHECKING, Any

from nasturtium.errors import SpaceError
from nasturtium.space.architecture import Architecture, Origin
from nasturtium.space.choice import Choice, Rule
from nasturtium.space.counting import Infinite, NotFactorable
from nasturtium.space.derivation import Derivation, Point, Step
from nasturtium.space.opening import option_value
from nasturtium.space.part import substitute

if TYPE_CHECKING:
    import numpy

    from nasturtium.space.space import Space

TRIES = 100
"""How often a variation is tried before neighbours are looked through one by one."""

REJECTIONS = 10_000
"""How many samples may fail the constraints in a row."""

PATIENCE = 3
"""How many mutations are tried for one after which no other decision has to be redrawn."""

Prefer = Callable[[Point], int | None]


def draw(point: Point, rng: numpy.random.Generator) -> int:
    """One of the remaining options, by weight."""
    remaining = point.remaining
    if len(remaining) == 1:
        return remaining[0]
    if point.choice.weights is None:
        return remaining[int(rng.random() * len(remaining))]
    cumulative = _cumulative(point.choice, remaining)
    return remaining[min(bisect_right(cumulative, rng.random() * cumulative[-1]), len(remaining) - 1)]


@lru_cache(maxsize=1 << 14)
def _cumulative(choice: Choice, indices: tuple[int, ...]) -> tuple[float, ...]:
    weights = choice.weights or (1.0,) * len(choice.options)
    return tuple(accumulate(weights[index] for index in indices))


def guided(space: Space, rng: numpy.random.Generator, prefer: Prefer, spent: int = 0) -> tuple[Derivation, list[str]]:
    """Derive, taking what is preferred where it is offered and drawing the rest.

    Returns:
        The finished derivation, and the addresses at which a preference could not be kept.
    """
    derivation = space.derive(spent=spent)
    redrawn = []
    while (point := derivation.point) is not None:
        wanted = prefer(point)
        if wanted is not None and point.afresh and len(point.remaining) > 1:
            redrawn.append(point.address)
            derivation.take(draw(point, rng))
            continue
        if wanted is not None and wanted in point.offered and wanted not in point.excluded:
            derivation.take(wanted)
            continue
        if wanted is not None:
            redrawn.append(point.address)
        derivation.take(draw(point, rng))
    return derivation, redrawn


def sample(space: Space, rng: numpy.random.Generator, uniform: bool) -> Architecture:
    """See :meth:`Space.sample`."""
    pick: Callable[[Point, numpy.random.Generator], int] = _balanced(space) if uniform else draw
    for _ in range(REJECTIONS):
        if space.radices is not None:
            architecture = _product_sample(space, rng, pick, uniform)
        else:
            derivation = space.derive()
            while (point := derivation.point) is not None:
                derivation.take(pick(point, rng))
            architecture = space._finished(derivation)
        if space.admits(architecture):
            return architecture
    names = ", ".join(getattr(constraint, "__name__", str(constraint)) for constraint in space.where)
    raise SpaceError(
        f"none of {REJECTIONS} samples of {space.name!r} keeps its constraints ({names}): "
        "loosen them, or close choices that lead nowhere"
    )


def _product_sample(space: Space, rng: numpy.random.Generator, pick: Any, uniform: bool) -> Architecture:
    radices = space.radices or ()
    points = _template(space)
    return space.architecture(
        [
            int(rng.random() * radix) if uniform or step.point.choice.weights is None else pick(step.point, rng)
            for radix, step in zip(radices, points, strict=True)
        ]
    )


def _template(space: Space) -> tuple[Step, ...]:
    """The choices of a product space, which are the same for every architecture."""
    known = space.__dict__.get("_template")
    if known is None:
        known = space.__dict__["_template"] = space.architecture((0,) * len(space.radices or ())).steps
    steps: tuple[Step, ...] = known
    return steps


def _balanced(space: Space) -> Callable[[Point, numpy.random.Generator], int]:
    """Weights that make every derivation equally likely: the number of derivations below each option."""
    try:
        size = sum(space.counting.tally(space.root, space.input).values())
    except (Infinite, NotFactorable):
        raise SpaceError(f"sampling uniformly over {space.name!r} needs its exact size, which is not known") from None

    def ways(point: Point, index: int) -> int:
        option = option_value(point.choice.options[index], point.signals)
        if point.part is not None:
            option = substitute(point.part, point.path, option)
        return space.counting.total(option, point.signals)

    def pick(point: Point, rng: numpy.random.Generator) -> int:
        numbers = list(accumulate(ways(point, index) for index in point.remaining))
        if numbers[-1] == 0:
            raise SpaceError(f"{space.name!r} cannot be sampled uniformly: its {size} derivations depend on each other")
        return point.remaining[bisect_right(numbers, rng.random() * numbers[-1])]

    return pick


def mutate(space: Space, parent: Architecture, rng: numpy.random.Generator, count: int, subtree: bool) -> Architecture:
    """See :meth:`Space.mutate`."""
    parent = space.adopt(parent)
    if space.radices is not None and not space.where:
        return _mutate_product(space, parent, rng, count)
    best: Architecture | None = None
    for attempt in range(TRIES):
        child = _mutated(space, parent, rng, count, subtree)
        if child is None or child.value == parent.value or not space.admits(child):
            continue
        if best is None or len(_redrawn(child)) < len(_redrawn(best)):
            best = child
        if not _redrawn(best) or attempt >= PATIENCE:
            return best
    if best is None:
        best = next(neighbours(space, parent, rng, 1), None)
    if best is None:
        raise SpaceError(f"{space.name!r} has no other architecture next to {str(parent)[:100]}")
    return best


def _redrawn(child: Architecture) -> tuple[str, ...]:
    return child.origin.redrawn if child.origin is not None else ()


def _mutate_product(space: Space, parent: Architecture, rng: numpy.random.Generator, count: int) -> Architecture:
    radices = space.radices or ()
    free = [number for number, radix in enumerate(radices) if radix > 1]
    if not free:
        raise SpaceError(f"{space.name!r} has only one architecture")
    steps, decisions = _template(space), list(parent.decisions)
    for number in _several(free, count, rng):
        point = steps[number].point
        decisions[number] = draw(point._replace(excluded=frozenset((decisions[number],))), rng)
    child = space.architecture(decisions)
    changed = tuple(steps[i].point.address for i in free if decisions[i] != parent.decisions[i])
    child.origin = Origin("mutation", changed, ())
    return child


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
    forced: dict[str, int] = {}
    for number in _several(free, count, rng):
        step = steps[number]
        only_here = len(step.point.offered) == 1
        point = step.point._replace(excluded=frozenset() if subtree and only_here else frozenset((step.taken,)))
        forced[step.point.address] = draw(point, rng)
    kept = _kept(steps, forced, subtree)
    return _follow(space, rng, kept, forced, "mutation", len(steps))


def _kept(steps: tuple[Step, ...], forced: dict[str, int], subtree: bool) -> dict[str, Step]:
    """The parent's decisions, without those below a change."""
    kept = {step.point.address: step for step in steps}
    if subtree:
        inside = tuple(f"{address}#" for address in forced)
        kept = {address: step for address, step in kept.items() if not address.startswith(inside)}
    return kept


def _again(step: Step | None, point: Point) -> int | None:
    """The option taken in an earlier derivation, if it was among the same options."""
    if step is None:
        return None
    before, now = step.point.choice, point.choice
    return step.taken if before is now or before.options == now.options else None


def _follow(
    space: Space,
    rng: numpy.random.Generator,
    kept: dict[str, Step],
    forced: dict[str, int],
    kind: str,
    spent: int,
) -> Architecture | None:
    """The architecture that keeps ``kept`` where it applies and has every decision in ``forced``, or None."""

    def prefer(point: Point) -> int | None:
        wanted = forced.get(point.address)
        return _again(kept.get(point.address), point) if wanted is None else wanted

    try:
        derivation, redrawn = guided(space, rng, prefer, spent)
    except SpaceError:
        return None
    child = space._finished(derivation)
    taken = {step.point.address: step.taken for step in child.steps if step.point.address in forced}
    if taken != forced:
        return None
    child.origin = Origin(kind, tuple(forced), tuple(address for address in redrawn if address not in forced))
    return child


def cross(space: Space, first: Architecture, second: Architecture, rng: numpy.random.Generator) -> Architecture:
    """See :meth:`Space.cross`."""
    first, second = space.adopt(first), space.adopt(second)
    for _ in range(TRIES):
        child = (_grafted(space, first, second, rng) if space.recursive else None) or _mixed(space, first, second, rng)
        if space.admits(child):
            return child
    return first


def _mixed(space: Space, first: Architecture, second: Architecture, rng: numpy.random.Generator) -> Architecture:
    if space.radices is not None:
        pairs = zip(first.decisions, second.decisions, strict=True)
        child = space.architecture([one if rng.random() < 0.5 else other for one, other in pairs])
        child.origin = Origin("crossover", (), ())
        return child
    parents = [{step.point.address: step for step in parent.steps} for parent in (first, second)]

    def prefer(point: Point) -> int | None:
        one, other = (parents[0], parents[1]) if rng.random() < 0.5 else (parents[1], parents[0])
        wanted = one.get(point.address)
        return wanted if wanted is not None and wanted in point.remaining else other.get(point.address, wanted)

    derivation, redrawn = guided(space, rng, prefer, len(first.steps) + len(second.steps))
    child = space._finished(derivation)
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
    for _ in range(PATIENCE if places else 0):
        place = places[int(rng.random() * len(places))]
        among = donors[(place.point.choice, place.point.signals)]
        donor = among[int(rng.random() * len(among))]
        here, there = place.point.address, donor.point.address
        kept = {s.point.address: s for s in first.steps if not s.point.address.startswith(f"{here}#")}
        inside = (s for s in second.steps if s.point.address.startswith(f"{there}#"))
        kept |= {here + s.point.address[len(there) :]: s for s in inside}
        spent = len(first.steps) + len(second.steps)
        child = _follow(space, rng, kept, {here: donor.taken}, "crossover", spent)
        if child is not None and child.value != first.value:
            return child
    return None


def neighbours(
    space: Space, architecture: Architecture, rng: numpy.random.Generator | None, limit: int | None
) -> Iterator[Architecture]:
    """See :meth:`Space.neighbours`."""
    architecture = space.adopt(architecture)
    if rng is None:
        changes, drawing = _changes(architecture), _fixed_generator(architecture)
    else:
        listed = list(_changes(architecture))
        changes, drawing = (listed[int(i)] for i in rng.permutation(len(listed))), rng
    found = 0
    for step, index in changes:
        if limit is not None and found >= limit:
            return
        neighbour = _changed(space, architecture, step, index, drawing)
        if neighbour is not None and neighbour.value != architecture.value and space.admits(neighbour):
            found += 1
            yield neighbour


def _changes(architecture: Architecture) -> Iterator[tuple[Step, int]]:
    for step in architecture.steps:
        for index in step.point.offered:
            if index != step.taken:
                yield step, index


def _changed(
    space: Space, architecture: Architecture, step: Step, index: int, rng: numpy.random.Generator
) -> Architecture | None:
    address = step.point.address
    if space.radices is not None:
        decisions = architecture.decisions
        neighbour = space.architecture((*decisions[: step.number], index, *decisions[step.number + 1 :]))
        neighbour.origin = Origin("neighbour", (address,), ())
        return neighbour
    kept = {other.point.address: other for other in architecture.steps}
    return _follow(space, rng, kept, {address: index}, "neighbour", len(architecture.steps))


def _fixed_generator(architecture: Architecture) -> numpy.random.Generator:
    import numpy

    return numpy.random.default_rng([math.prod(d + 2 for d in architecture.decisions) % (1 << 62)])
