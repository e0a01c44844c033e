"""Neighbours: architectures that differ in one decision, and in what must follow from it."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import TYPE_CHECKING

from nasturtium.space.architecture import Architecture, Origin
from nasturtium.space.derivation import Step
from nasturtium.space.following import decisions_of, follow, weight
from nasturtium.space.sampling import template

if TYPE_CHECKING:
    import numpy

    from nasturtium.space.space import Space


def neighbours(
    space: Space, architecture: Architecture, rng: numpy.random.Generator | None, limit: int | None
) -> Iterator[Architecture]:
    """See :meth:`Space.neighbours`."""
    architecture = space.adopt(architecture)
    product = space.radices is not None
    possible = _product_changes(space, architecture) if product else _changes(architecture)
    if rng is None:
        changes, drawing = possible, _fixed_generator(architecture)
    else:
        listed = list(possible)
        changes, drawing = (listed[int(i)] for i in rng.permutation(len(listed))), rng
    found = 0
    for step, index in changes:
        if limit is not None and found >= limit:
            return
        neighbour = _changed(space, architecture, step, index, drawing)
        if neighbour is None or not (product or neighbour.value != architecture.value):
            continue
        if space.admits(neighbour):
            found += 1
            yield neighbour


def _changes(architecture: Architecture) -> Iterator[tuple[Step, int]]:
    for step in architecture.steps:
        for index in step.point.offered:
            if index != step.taken:
                yield step, index


def _product_changes(space: Space, architecture: Architecture) -> Iterator[tuple[Step, int]]:
    """The same where all combinations are architectures of their own: without closing this one."""
    for step, taken in zip(template(space), architecture.decisions, strict=True):
        for index in step.point.offered:
            if index != taken:
                yield step, index


def _changed(
    space: Space, architecture: Architecture, step: Step, index: int, rng: numpy.random.Generator
) -> Architecture | None:
    address = step.point.address
    if space.radices is not None:
        decisions = architecture.decisions
        changed = (*decisions[: step.number], index, *decisions[step.number + 1 :])
        neighbour = Architecture(space=space, decisions=changed)
        neighbour.origin = Origin("neighbour", (address,), ())
        return neighbour
    return follow(space, rng, decisions_of(architecture), {address: index}, "neighbour", weight(architecture))


def _fixed_generator(architecture: Architecture) -> numpy.random.Generator:
    import numpy

    return numpy.random.default_rng([math.prod(d + 2 for d in architecture.decisions) % (1 << 62)])
