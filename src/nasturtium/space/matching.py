"""Recovering the decisions that lead to a given closed value, deterministically."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from nasturtium.errors import Mismatch, SpaceError
from nasturtium.space.choice import Choice
from nasturtium.space.derivation import Derivation, Frame, Point
from nasturtium.space.opening import option_value
from nasturtium.space.part import Part, at, slots
from nasturtium.space.text import to_text

if TYPE_CHECKING:
    from nasturtium.space.space import Space


def recover(space: Space, value: Part) -> Derivation:
    """The derivation that closes the space to ``value``, taking the first option that fits at each choice.

    Raises:
        SpaceError: If the space does not contain the value, with the place where they part.
    """
    matching = _Matching(space, value)
    while (point := matching.derivation.point) is not None:
        matching.derivation.take(matching.fitting(point))
    if matching.derivation.value != value:
        raise SpaceError(_not_in(space, value, "the root", space.root))
    return matching.derivation


class _Matching:
    """Keeps, beside a derivation, what each part under way has to close to."""

    def __init__(self, space: Space, value: Part) -> None:
        self.space = space
        self.value = value
        self.derivation = space.derive(lenient=True)
        self.aligned: dict[str, Any] = {}
        self.known: dict[tuple[int, int], bool] = {}

    def fitting(self, point: Point) -> int:
        """The first remaining option at a point that can close to what stands there."""
        target = self._target(self.derivation.frame, point.here.key)
        if point.part is not None:
            target = at(_aligned(point.part, target), point.path)
        for index in point.remaining:
            try:
                option = option_value(point.choice.options[index], point.signals)
            except Mismatch:
                continue
            if _could_be(option, target, self.known):
                return index
        raise SpaceError(_not_in(self.space, target, point.address, point.choice))

    def _target(self, frame: Frame | None, key: str) -> Any:
        """What the child ``key`` of a frame has to close to; the whole value outside all frames."""
        if frame is None:
            return self.value
        address = frame.here.address
        if address not in self.aligned:
            self.aligned[address] = _aligned(frame.part, self._target(frame.parent, frame.here.key))
        path = next(path for path, slot in slots(frame.part) if slot.key == key)
        return at(self.aligned[address], path)


def _aligned(opened: Part, closed: Any) -> Any:
    laid = opened.align(closed) if isinstance(closed, Part) else None
    if laid is None:
        raise SpaceError(f"{to_text(closed)[:100]} does not fit {str(opened)[:100]}")
    return laid


def _not_in(space: Space, value: Any, where: str, opened: Any) -> str:
    found = f"{to_text(value)[:100]} is not in the space {space.name!r}: it does not fit at {where}"
    return f"{found} ({str(opened)[:100]})"


def _could_be(opened: Any, closed: Any, known: dict[tuple[int, int], bool]) -> bool:
    """Whether ``opened`` can close to ``closed`` as far as structure tells (signals aside)."""
    if isinstance(opened, Choice):
        key = (id(opened), id(closed))
        if key not in known:
            known[key] = False  # a rule that reaches itself on the same value gains nothing
            known[key] = any(_could_be(option, closed, known) for option in opened.options)
        return known[key]
    if isinstance(opened, Part):
        if not isinstance(closed, Part) or not opened.is_open:
            return bool(opened == closed)
        laid = opened.align(closed)
        return laid is not None and all(
            _could_be(opened.__dict__[name], laid.__dict__[name], known) for name in opened.fields
        )
    if isinstance(opened, tuple):
        return (
            isinstance(closed, tuple)
            and len(opened) == len(closed)
            and all(_could_be(one, other, known) for one, other in zip(opened, closed, strict=True))
        )
    if callable(opened):
        return not isinstance(closed, Part)
    return type(opened) is type(closed) and bool(opened == closed)
