"""Repeat: the same layer several times in a row, with decisions of its own for each copy or shared ones."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from nasturtium.errors import SpaceError
from nasturtium.layers.container import Container
from nasturtium.space.choice import Choice
from nasturtium.space.part import Open, Part, Slot, Wiring, check_children, is_open
from nasturtium.space.plain import plain
from nasturtium.space.wiring import view


class Repeat(Container):
    """``count`` layers in a row: one body that is repeated (weights of its own each time), or ``count``
    bodies.

    Equal closed bodies are written once: ``Repeat(2, a, a)`` is ``Repeat(2, a)``.
    """

    variadic: ClassVar[str | None] = "bodies"
    scope: ClassVar[bool] = True

    count: int
    bodies: tuple[Any, ...]

    def __init__(self, count: int, *bodies: Any) -> None:
        count = plain(count)
        if not isinstance(count, Open) and (type(count) is not int or count < 1):
            raise SpaceError(f"Repeat: count must be a whole number from 1, not {count!r:.60}")
        check_children("Repeat", bodies)
        if len(bodies) not in (1, count):
            raise SpaceError(f"Repeat({count}, ...) needs one body or {count}, not {len(bodies)}")
        if len(bodies) > 1 and not is_open(bodies) and len(set(bodies)) == 1:
            bodies = bodies[:1]
        object.__setattr__(self, "count", count)
        object.__setattr__(self, "bodies", bodies)

    def wire(self, x: Any) -> Wiring:
        for index in range(self.count):
            x = yield self.bodies[index % len(self.bodies)], x
        return x

    def chain(self) -> list[Slot]:
        """The children in the order they run."""
        bodies = view(self).bodies
        return [bodies[index % len(bodies)] for index in range(self.count)]

    def copies(self, key: str, closed: Mapping[str, Any]) -> int:
        """How many times the child at ``key`` stands in the network."""
        return self.count if len(self.bodies) == 1 else 1

    def align(self, closed: Part) -> Part | None:
        """Write the copies of ``closed`` out if this part decides on each copy of its own."""
        if not isinstance(closed, Repeat) or closed.count != self.count:
            return None
        if len(closed.bodies) == len(self.bodies):
            return closed
        if len(self.bodies) == 1:
            return None
        written = object.__new__(Repeat)
        written.__dict__.update(count=closed.count, bodies=closed.bodies * closed.count)
        return written


def repeat(body: Any, count: Any, shared: bool = False) -> Any:
    """Repeat ``body`` in a row.

    Args:
        body: A layer, open or closed.
        count: How often: a number (at least 1), or a choice of numbers.
        shared: Whether all copies share one set of decisions; otherwise each copy decides on its own.

    Raises:
        SpaceError: If a count is not a positive whole number.
    """
    counts = count.options if isinstance(count, Choice) else (count,)
    for number in counts:
        if not isinstance(number, int) or isinstance(number, bool) or number < 1:
            raise SpaceError(f"repeat needs whole numbers from 1, not {number!r}")
    own = is_open(body) and not shared
    made = [Repeat(number, *([body] * (number if own else 1))) for number in counts]
    if not isinstance(count, Choice):
        return made[0]
    opened = Choice(made, count.weights, count.name or "count", ordered=True)
    opened.share, opened.whole, opened.transparent = count.share, count.whole, True
    return opened
