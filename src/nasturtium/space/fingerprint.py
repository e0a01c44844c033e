"""A digest of a space, by which a study knows it again."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

from nasturtium.space.choice import Choice, Rule
from nasturtium.space.part import Part, is_open
from nasturtium.space.text import to_text

if TYPE_CHECKING:
    from nasturtium.space.space import Space


def fingerprint(space: Space) -> str:
    """Sixteen hexadecimal digits from name, version, input and structure."""
    described = f"{space.name}/{space.version}/{space.input}/{_described(space.root, {})}"
    return hashlib.sha256(described.encode()).hexdigest()[:16]


def _described(value: Any, rules: dict[Rule, int]) -> str:
    if isinstance(value, Rule):
        if value in rules:
            return f"<{rules[value]}>"
        rules[value] = len(rules)
    if isinstance(value, Choice):
        options = ",".join(_described(option, rules) for option in value.options)
        return f"{type(value).__name__}({value.share},{value.weights},{options})"
    if isinstance(value, Part) and value.is_open:
        fields = ",".join(f"{name}={_described(value.__dict__[name], rules)}" for name in value.fields)
        return f"{type(value).__name__}({fields})"
    if isinstance(value, tuple) and is_open(value):
        return f"({','.join(_described(item, rules) for item in value)})"
    if callable(value) and not isinstance(value, Part):
        return str(getattr(value, "__qualname__", "computed"))
    return to_text(value)
