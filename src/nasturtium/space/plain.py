"""Plain values of parts: numbers, strings, None and tuples of them, told apart by type as their texts are."""

from __future__ import annotations

from typing import Any

PLAIN = frozenset((bool, int, float, str, type(None)))
"""The types of plain values."""


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
    found: list[Any] = []
    for value in values:
        kind = type(value)
        if kind is tuple:
            found.append(kinds(value))
        else:
            found.append(kind if kind in PLAIN or not hasattr(kind, "dtype") else type(plain(value)))
    return tuple(found)


def hashable(value: Any) -> bool:
    """Whether a value can be told from others by its hash, so that it cannot change."""
    try:
        hash(value)
    except TypeError:
        return False
    return True
