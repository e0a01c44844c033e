"""Inside a part: which layers stand where, and how the wiring of a container is driven."""

from __future__ import annotations

from typing import Any

from nasturtium.errors import SpaceError
from nasturtium.space.fields import no_layer
from nasturtium.space.part import Part, Slot, is_layer

Path = tuple[str | int, ...]
"""Where a value stands inside a part: names of fields and indices in tuples."""


def slots(part: Part) -> tuple[tuple[Path, Slot], ...]:
    """The layers among the fields of a part, in tuples and in parts that are no layers too, with their paths."""
    state = part.__dict__
    if "_slots" not in state:
        found: list[tuple[Path, Slot]] = []
        for name in part.fields:
            _collect(part, state[name], (name,), found)
        if len({slot.key for _, slot in found}) < len(found):
            keys = sorted(slot.key for _, slot in found)
            raise SpaceError(f"two layers in {type(part).__name__} have the same name ({keys}): rename a field")
        state["_slots"] = tuple(found)
    known: tuple[tuple[Path, Slot], ...] = state["_slots"]
    return known


def _collect(part: Part, value: Any, path: Path, found: list[tuple[Path, Slot]]) -> None:
    if is_layer(value):
        found.append((path, Slot(slot_key(part, path), value)))
    elif isinstance(value, tuple):
        for index, item in enumerate(value):
            _collect(part, item, (*path, index), found)
    elif isinstance(value, Part):
        for name in value.fields:
            _collect(part, value.__dict__[name], (*path, name), found)
    elif isinstance(value, type) and issubclass(value, Part):
        raise no_layer(value, f"{type(part).__name__}: {slot_key(part, path)}")


def slot_key(part: Part, path: Path) -> str:
    """What the child at ``path`` is called: its field, its number among variadic arguments, or both."""
    if path[0] == part.variadic and len(path) > 1:
        path = path[1:]
    return "_".join(str(step) for step in path)


def substitute(value: Any, path: Path, option: Any) -> Any:
    """``value`` with ``option`` put in at ``path``."""
    if not path:
        return option
    key, rest = path[0], path[1:]
    if isinstance(value, tuple):
        index = int(key)
        return (*value[:index], substitute(value[index], rest, option), *value[index + 1 :])
    return value.with_values({str(key): substitute(value.__dict__[str(key)], rest, option)})


def at(value: Any, path: Path) -> Any:
    """What stands at ``path`` inside a value."""
    for key in path:
        value = value[int(key)] if isinstance(value, tuple) else value.__dict__[str(key)]
    return value


def view(part: Any) -> Any:
    """The part as its ``wire`` method sees it: every layer inside it stands as a slot."""
    state = part.__dict__
    if "_view" not in state:
        state["_view"] = _viewed(part, slots(part))
    return state["_view"]


def _viewed(value: Any, found: tuple[tuple[Path, Slot], ...]) -> Any:
    """A copy without checks, with the slots at the heads of their paths put in."""
    heads: dict[str | int, list[tuple[Path, Slot]]] = {}
    for path, slot in found:
        if not path:
            return slot
        heads.setdefault(path[0], []).append((path[1:], slot))
    if isinstance(value, tuple):
        return tuple([_viewed(v, tuple(heads[i])) if i in heads else v for i, v in enumerate(value)])
    seen = object.__new__(type(value))
    for name in value.fields:
        inner = value.__dict__[name]
        seen.__dict__[name] = _viewed(inner, tuple(heads[name])) if name in heads else inner
    return seen


def run_wiring(part: Any, inputs: tuple[Any, ...], visit: Any) -> Any:
    """Drive the wiring of a container: ``visit(child, *wires)`` gives the wire that leaves each child.

    Children that are fields arrive as :class:`Slot`, layers made on the fly as they are.
    """
    steps = view(part).wire(*inputs)
    try:
        request = next(steps)
        while True:
            request = steps.send(visit(request[0], *request[1:]))
    except StopIteration as stop:
        return stop.value
