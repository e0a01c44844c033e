"""Shared decisions and computed options: what a scope binds, and whether choices depend on each other."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from nasturtium.errors import SpaceError
from nasturtium.space.choice import Choice, Rule
from nasturtium.space.part import Part, is_open


class NotFactorable(Exception):
    """The number of derivations does not follow from the parts; only enumeration tells."""


def shared_in(value: Any, whole: bool, conditional: bool) -> Iterator[tuple[str, tuple[Any, ...]]]:
    """Shared choices that a scope binds, by name; gives up on those that only some derivations reach."""
    if isinstance(value, Choice):
        if value.share is not None and value.whole == whole:
            if conditional or any(is_open(option) or computed(option) for option in value.options):
                raise NotFactorable
            yield value.share, value.options
        if isinstance(value, Rule):
            return
        for option in value.options:
            yield from shared_in(option, whole, True)
    elif isinstance(value, tuple):
        for item in value:
            yield from shared_in(item, whole, conditional)
    elif isinstance(value, Part) and value.is_open:
        if getattr(value, "scope", False) and not whole:
            return
        for item in value.values:
            yield from shared_in(item, whole, conditional)


def bound(value: Any, taken: dict[str, int], whole: bool) -> Any:
    """The value with the shared choices of a scope replaced by the options taken."""
    if isinstance(value, Choice):
        known = value.share in taken and value.whole == whole
        return value.options[taken[str(value.share)]] if known else value
    if isinstance(value, tuple):
        return tuple(bound(item, taken, whole) for item in value)
    if isinstance(value, Part) and value.is_open:
        if getattr(value, "scope", False) and not whole:
            return value  # what is inside has a scope of its own
        return value.with_values({name: bound(value.__dict__[name], taken, whole) for name in value.fields})
    return value


def is_flat(value: Any) -> bool:
    """Whether the same choices are open whatever is decided: none inside another's options, shared or computed."""
    if isinstance(value, Rule):
        return False
    if isinstance(value, Choice):
        return value.share is None and not any(is_open(option) or computed(option) for option in value.options)
    if isinstance(value, tuple):
        return all(is_flat(item) for item in value)
    return not isinstance(value, Part) or not value.is_open or all(is_flat(item) for item in value.values)


def computed(option: Any) -> bool:
    return callable(option) and not isinstance(option, (Part, Choice))


def check_shared(root: Part) -> bool:
    """Whether any decision is shared.

    Raises:
        SpaceError: If choices with different options share a name.
    """
    names: dict[tuple[str, bool], Choice] = {}
    for choice in choices_in(root):
        if choice.share is None:
            continue
        first = names.setdefault((choice.share, choice.whole), choice)
        if first.options != choice.options:
            raise SpaceError(
                f"{choice.share!r} is shared by choices with different options, {first} and {choice}: "
                "give them the same options, or different names"
            )
    return bool(names)


def choices_in(root: Any) -> list[Choice]:
    """Every choice of a space once, those inside options too, in the order they stand."""
    found: dict[Choice, None] = {}
    pending = [root]
    while pending:
        value = pending.pop()
        if isinstance(value, Choice):
            if value not in found:
                found[value] = None
                pending.extend(reversed(value.options))
        elif isinstance(value, tuple):
            pending.extend(reversed(value))
        elif isinstance(value, Part) and value.is_open:
            pending.extend(reversed(value.values))
    return list(found)
