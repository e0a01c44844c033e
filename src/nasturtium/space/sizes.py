"""How many architectures a space has, and all of them in order."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

from nasturtium.errors import SpaceError
from nasturtium.space.choice import Choice
from nasturtium.space.counting import Infinite, NotFactorable
from nasturtium.space.derivation import DeadEnd, Derivation, Point
from nasturtium.space.part import Part
from nasturtium.space.sharing import is_flat

if TYPE_CHECKING:
    from nasturtium.space.space import Space

ENUMERABLE = 10**7
"""Spaces whose size does not follow from their parts are counted by enumeration up to this many derivations."""


def leaves(space: Space) -> Iterator[Derivation]:
    """See :meth:`Space.leaves`: depth first, the first option first."""
    start = _attempt(lambda: space.derive(chronological=True))
    if start is not None:
        start.stop = None  # every beginning is met once: nothing to remember
    pending: list[tuple[Derivation, Point, int]] = []
    current: Derivation | None = start
    while True:
        if current is not None:
            point = current.point
            if point is None:
                yield current
            else:
                pending += [(current, point, index) for index in reversed(point.remaining)]
        if not pending:
            return
        before, point, index = pending.pop()
        current = _attempt(lambda: _taken(before.copy(), index))  # noqa: B023 - called at once


def _attempt(go_on: Callable[[], Derivation]) -> Derivation | None:
    try:
        return go_on()
    except DeadEnd:
        return None


def _taken(derivation: Derivation, index: int) -> Derivation:
    derivation.take(index)
    return derivation


def unconstrained(space: Space) -> int | float:
    """See :attr:`Space.unconstrained_size`."""
    try:
        return factored(space)
    except Infinite:
        return math.inf
    except NotFactorable:
        if space.recursive:
            return math.inf
        declared = space.declared_size if not space.where else None
        return enumerated(space, space.leaves) if declared is None else declared


def factored(space: Space) -> int:
    """The number of derivations as it follows from the parts.

    Raises:
        Infinite: If a rule contains itself.
        NotFactorable: If it does not follow.
    """
    return sum(space.counting.scoped(space.root, space.input, whole=True).values())


def enumerated(space: Space, every: Callable[[], Iterator[Any]]) -> int:
    """The number of derivations by enumeration.

    Raises:
        SpaceError: If there may be too many.
    """
    most = bound_of(space)
    if most > ENUMERABLE:
        raise SpaceError(f"{space.name!r} may have {most} architectures, too many to enumerate: declare its size")
    return sum(1 for _ in every())


def bound_of(space: Space) -> int:
    """How many derivations a space without recursion has before its constraints, at most."""
    try:
        return factored(space)
    except NotFactorable:
        names: dict[str, int] = {}
        return _once(space.root, names) * math.prod(names.values())


def _once(value: Any, names: dict[str, int]) -> int:
    """As ``at_most``, but a decision shared over the whole space is one option; ``names`` gets how many it has."""
    if isinstance(value, Choice):
        found = [_once(option, names) for option in value.options]
        if value.share is None or not value.whole:
            return sum(found)
        names[value.share] = len(found)
        return max(found)
    inside = value.values if isinstance(value, Part) and value.is_open else value if isinstance(value, tuple) else ()
    return math.prod([_once(item, names) for item in inside])


def at_most(value: Any) -> int:
    """How many derivations a part without rules that contain themselves has if everything works everywhere."""
    if isinstance(value, Choice):
        return sum(at_most(option) for option in value.options)
    if isinstance(value, Part) and value.is_open:
        return math.prod(at_most(item) for item in value.values)
    return math.prod(at_most(item) for item in value) if isinstance(value, tuple) else 1


def radices(space: Space) -> tuple[int, ...] | None:
    """See :attr:`Space.radices`; None too where it would take an enumeration to tell."""
    if space.recursive or not is_flat(space.root):
        return None
    try:
        derivation = space.derive(chronological=True)
        while derivation.point is not None:
            derivation.take(0)
        points = [step.point for step in derivation.taken()]
        found = tuple(len(point.choice.options) for point in points)
        if any(len(set(point.choice.options)) < len(point.choice.options) for point in points):
            return None  # two decisions would mean the same architecture
        return found if factored(space) == math.prod(found) else None
    except (DeadEnd, SpaceError, NotFactorable):
        return None
