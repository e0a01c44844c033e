"""Recovering the decisions that lead to a given closed value, deterministically."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from nasturtium.errors import Mismatch, SpaceError
from nasturtium.space.choice import Choice
from nasturtium.space.derivation import DeadEnd, Derivation, Point
from nasturtium.space.frames import Frame
from nasturtium.space.opening import option_value
from nasturtium.space.part import Part
from nasturtium.space.plain import kinds
from nasturtium.space.text import to_text
from nasturtium.space.wiring import Path, at, slots

if TYPE_CHECKING:
    from nasturtium.space.space import Space

ATTEMPTS = 100_000
"""How many options are tried to recover one value."""


def recover(space: Space, value: Part) -> Derivation:
    """The derivation that closes the space to ``value``: the first in the order of the odometer.

    Raises:
        SpaceError: If the space does not contain the value, with the place where they part.
    """
    matching = _Matching(value)
    furthest: tuple[int, Exception] = (-1, _Misfit(value, "", space.root))
    pending: list[tuple[Derivation, int]] = []  # where another option may fit, and from which index on
    derivation, start = _begun(space), 0
    for _ in range(ATTEMPTS):
        try:
            point = derivation.point
            if point is None:
                if derivation.value == value:
                    return derivation
                raise _Misfit(value, "", space.root)
            index = matching.fitting(derivation, point, start)
            pending.append((derivation.copy(), index + 1))
            start = 0
            derivation.take(index)
        except (DeadEnd, _Misfit) as found:
            if start == 0 and derivation.count > furthest[0]:
                furthest = derivation.count, found
            if not pending:
                break
            derivation, start = pending.pop()
    raise SpaceError(f"{to_text(value)[:200]} is not in the space {space.name!r}: {furthest[1]}")


def _begun(space: Space) -> Derivation:
    try:
        return space.derive(chronological=True, lenient=True)
    except DeadEnd as dead:
        raise SpaceError(f"the space {space.name!r} is empty: {dead}") from None


class _Misfit(Exception):
    """A value is not what is open at a place can become."""

    def __init__(self, value: Any, where: str, opened: Any) -> None:
        super().__init__(value, where, opened)

    def __str__(self) -> str:
        value, where, opened = self.args
        return f"{to_text(value)[:100]} does not fit at {where or 'the root'} ({str(opened)[:100]})"


class _Matching:
    """Finds what each part under way has to close to, and which options can."""

    def __init__(self, value: Part) -> None:
        self.value = value
        self.aligned: dict[tuple[str, Part], Any] = {}
        self.known: dict[tuple[Choice, int], bool] = {}
        self.active: set[tuple[Choice, int]] = set()
        self.met: set[tuple[Choice, int]] = set()  # those of the active ones that answers since then rely on
        self.laid: list[Part] = []  # kept, so that no identity is given twice

    def fitting(self, derivation: Derivation, point: Point, start: int) -> int:
        """The first option at a point, from ``start`` on, that can close to what stands there."""
        target = self._target(derivation.frame, point.here.key)
        passed = _passed(derivation, point)
        if point.part is not None:
            target = _within(_laid(point.part, target, point.address), point.path, point.address, point.part)
        for index in point.offered:
            if index < start or any(point.choice.options[index] is choice for choice in passed):
                continue
            try:
                option = option_value(point.choice.options[index], point.signals)
            except Mismatch:
                continue
            if self._could_be(option, target):
                return index
        raise _Misfit(target, point.address, point.choice)

    def _target(self, frame: Frame | None, key: str) -> Any:
        """What the child ``key`` of a frame has to close to; the whole value outside all frames."""
        if frame is None:
            return self.value
        place = (frame.here.address, frame.part)
        if place not in self.aligned:
            self.aligned[place] = _laid(frame.part, self._target(frame.parent, frame.here.key), frame.here.address)
        path = next(path for path, slot in slots(frame.part) if slot.key == key)
        return _within(self.aligned[place], path, frame.here.address, frame.part)

    def _could_be(self, opened: Any, closed: Any) -> bool:
        """Whether ``opened`` can close to ``closed`` as far as structure tells (signals aside)."""
        if isinstance(opened, Choice):
            return self._option_could_be(opened, closed)
        if isinstance(opened, Part):
            if not isinstance(closed, Part) or not opened.is_open:
                return bool(opened == closed)
            laid = opened.align(closed)
            if laid is None:
                return False
            if laid is not closed:
                self.laid.append(laid)
            return all(self._could_be(opened.__dict__[name], laid.__dict__[name]) for name in opened.fields)
        if isinstance(opened, tuple):
            fits = isinstance(closed, tuple) and len(opened) == len(closed)
            return fits and all(map(self._could_be, opened, closed))
        if callable(opened):
            return not isinstance(closed, Part)
        return kinds((opened,)) == kinds((closed,)) and (opened is closed or bool(opened == closed))

    def _option_could_be(self, choice: Choice, closed: Any) -> bool:
        key = (choice, id(closed))
        known = self.known.get(key)
        if known is not None:
            return known
        if key in self.active:  # a rule that reaches itself on the same value gains nothing
            self.met.add(key)
            return False
        self.active.add(key)
        found = any(self._could_be(option, closed) for option in choice.options)
        self.active.remove(key)
        self.met.discard(key)
        if found or not self.met:  # a no that relies on an unfinished answer is none
            self.known[key] = found
        return found


def _laid(opened: Part, closed: Any, where: str) -> Any:
    laid = opened.align(closed) if isinstance(closed, Part) else None
    if laid is None:
        raise _Misfit(closed, where, opened)
    return laid


def _passed(derivation: Derivation, point: Point) -> list[Choice]:
    """The choices that led straight to a point; one of them as an option would lead round in a circle."""
    passed = [point.choice]
    step = derivation.trail
    while step is not None and step.point.choice.options[step.taken] is passed[-1]:
        passed.append(step.point.choice)
        step = step.previous
    return passed


def _within(closed: Any, path: Path, where: str, opened: Any) -> Any:
    try:
        return at(closed, path)
    except (LookupError, AttributeError, TypeError, ValueError):  # a shorter tuple, or no part
        raise _Misfit(closed, where, opened) from None
