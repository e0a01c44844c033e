"""Recovering the decisions that lead to a given closed value, deterministically."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from nasturtium.errors import Mismatch, SpaceError
from nasturtium.space.choice import Choice
from nasturtium.space.derivation import Derivation, Point
from nasturtium.space.infer import joined
from nasturtium.space.opening import option_value
from nasturtium.space.part import Part, is_layer
from nasturtium.space.text import to_text

if TYPE_CHECKING:
    from nasturtium.space.space import Space


def recover(space: Space, value: Part) -> Derivation:
    """The derivation that closes the space to ``value``, taking the first option that fits at each choice.

    Raises:
        SpaceError: If the space does not contain the value, with the place where they part.
    """
    if not _could_be(space.root, value, {}):
        raise SpaceError(_not_in(space, value, "the root", space.root))
    targets: dict[str, Any] = {}
    _register(space.root, value, "", targets)
    derivation = space.derive(lenient=True)
    known: dict[tuple[int, int], bool] = {}
    while (point := derivation.point) is not None:
        target = targets.get(point.place, _MISSING)
        index = _fitting(point, target, known)
        if index is None:
            raise SpaceError(_not_in(space, target, point.address, point.choice))
        derivation.take(index)
        below = f"{point.address}#{index}" if point.part is None else point.place
        _register(point.choice.options[index], target, below, targets)
    if derivation.value != value:
        raise SpaceError(_not_in(space, value, "the root", space.root))
    return derivation


_MISSING = object()


def _not_in(space: Space, value: Any, where: str, opened: Any) -> str:
    shown = to_text(value) if value is not _MISSING else "nothing"
    found = f"{shown[:100]} is not in the space {space.name!r}: it does not fit at {where}"
    return f"{found} ({str(opened)[:100]})"


def _fitting(point: Point, target: Any, known: dict[tuple[int, int], bool]) -> int | None:
    for index in point.remaining:
        try:
            option = option_value(point.choice.options[index], point.signals)
        except Mismatch:
            continue
        if _could_be(option, target, known):
            return index
    return None


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


def _register(opened: Any, closed: Any, address: str, targets: dict[str, Any]) -> None:
    """Note what every choice inside ``opened`` has to close to, by its place."""
    if isinstance(opened, Choice):
        targets[address] = closed
    elif isinstance(opened, Part) and opened.is_open:
        laid = opened.align(closed)
        if laid is None:
            return
        for name in opened.fields:
            _register_field(opened, name, opened.__dict__[name], laid.__dict__[name], address, targets)
    elif isinstance(opened, tuple):
        for index, (one, other) in enumerate(zip(opened, closed, strict=True)):
            _register(one, other, f"{address}[{index}]", targets)


def _register_field(
    part: Part, name: str, opened: Any, closed: Any, address: str, targets: dict[str, Any]
) -> None:
    if not isinstance(opened, tuple):
        _register(opened, closed, joined(address, name), targets)
        return
    for index, (one, other) in enumerate(zip(opened, closed, strict=True)):
        if is_layer(one):
            key = str(index) if name == part.variadic else f"{name}_{index}"
            _register(one, other, joined(address, key), targets)
        else:
            _register(one, other, f"{joined(address, name)}[{index}]", targets)
