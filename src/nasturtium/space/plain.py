"""Plain values of parts: numbers, strings, None and tuples of them, told apart by type as their texts are."""

from __future__ import annotations

from typing import Any

PLAIN: frozenset[type] = frozenset((bool, int, float, str, type(None)))
"""The types of plain values."""

_KNOWN: set[object] = set(PLAIN)
"""Types met so far that stand for themselves: neither tuples nor numpy's."""


def plain(value: Any) -> Any:
    """A number or string as Python's own type: numpy's scalars, and what inherits from int, float or str."""
    if type(value) in PLAIN:
        return value
    if hasattr(type(value), "dtype") and getattr(value, "ndim", 0) == 0:
        value = value.item()
    if isinstance(value, bool):
        return value
    if isinstance(value, int):
        return int(value)
    if isinstance(value, float):
        return float(value)
    return str.__str__(value) if isinstance(value, str) else value


def kinds(values: tuple[Any, ...]) -> tuple[Any, ...]:
    """The types of plain values, of those in tuples too."""
    found = tuple(map(type, values))
    return found if _KNOWN.issuperset(found) else tuple(map(_kind, values))


def _kind(value: Any) -> Any:
    if type(value) is tuple:
        return kinds(value)
    if hasattr(type(value), "dtype"):
        return type(plain(value))
    _KNOWN.add(type(value))
    return type(value)


def hashable(value: Any) -> bool:
    """Whether a value can be told from others by its hash, so that it cannot change."""
    try:
        hash(value)
    except TypeError:
        return False
    return True
