"""Parts as text and back: short, exact, and read without evaluating anything."""

from __future__ import annotations

import ast
import math
from typing import Any

from nasturtium.errors import NasturtiumError, ParseError, UnknownLayer, did_you_mean
from nasturtium.space.part import PARTS, Part
from nasturtium.space.plain import kinds, plain

LONGEST = 1_000_000
"""Texts longer than this many characters are refused."""


def to_text(value: Any) -> str:
    """A part or a value as text; fields at their default are left out.

    >>> to_text((1, "a", None))
    "(1, 'a', None)"
    """
    if isinstance(value, Part):
        text: str | None = value.__dict__.get("_text")
        if text is None:
            text = f"{type(value).__name__}({', '.join(_arguments(value))})"
            if not value.is_open:
                value.__dict__["_text"] = text
        return text
    if isinstance(value, tuple):
        inner = ", ".join(to_text(item) for item in value)
        return f"({inner},)" if len(value) == 1 else f"({inner})"
    value = plain(value)
    return "0.0" if isinstance(value, float) and value == 0 else repr(value)  # -0.0 equals 0.0


def _arguments(part: Part) -> list[str]:
    written = []
    first_named = 1 if part.variadic is None else part.fields.index(part.variadic)
    for index, name in enumerate(part.fields):
        value = part.__dict__[name]
        if name == part.variadic:
            written += [to_text(item) for item in value]
        elif part.variadic is not None and index < first_named:
            written.append(to_text(value))  # even at its default: what follows is known by its position
        elif name not in part.defaults or not _same(value, part.defaults[name]):
            written.append(to_text(value) if index < first_named else f"{name}={to_text(value)}")
    return written


def _same(value: Any, default: Any) -> bool:
    return bool(value == default) and kinds((value,)) == kinds((default,))


def from_text(text: str) -> Any:
    """Read a part or a value from its text.

    Raises:
        ParseError: If the text is not one, with the place and, for a misspelt name, the nearest known one.
    """
    if not isinstance(text, str):
        raise ParseError(f"an architecture is read from text, not from {text!r:.60}")
    if len(text) > LONGEST:
        raise ParseError(f"the text has {len(text)} characters; at most {LONGEST} are read")
    try:
        return _value(ast.parse(text.strip(), mode="eval").body, "")
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        where = f" (column {error.offset})" if isinstance(error, SyntaxError) and error.offset else ""
        why = str(error) or "it is nested too deeply"
        raise ParseError(f"cannot read {_shortened(text)!r} as an architecture{where}: {why}") from None


def _value(node: ast.expr, where: str) -> Any:
    if isinstance(node, ast.Constant) and isinstance(node.value, (bool, int, float, str, type(None))):
        return node.value
    if isinstance(node, (ast.Tuple, ast.List)):
        return tuple(_value(item, f"{where}[{index}]") for index, item in enumerate(node.elts))
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        operand = _value(node.operand, where)
        if isinstance(operand, (int, float)) and not isinstance(operand, bool):
            return -operand
    if isinstance(node, ast.Name) and node.id in ("inf", "nan"):
        return math.inf if node.id == "inf" else math.nan
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
        return _part(node, node.func.id, where)
    raise ParseError(f"only layers and plain values can stand{_at(where)}, not {_shortened(ast.unparse(node))!r}")


def _part(node: ast.Call, name: str, where: str) -> Part:
    if name not in PARTS:
        raise UnknownLayer(f"unknown layer {name!r}{_at(where)}{did_you_mean(name, PARTS)}")
    if any(keyword.arg is None for keyword in node.keywords):
        raise ParseError(f"'**' cannot stand in {name}{_at(where)}")
    if len({keyword.arg for keyword in node.keywords}) < len(node.keywords):
        raise ParseError(f"a field of {name}{_at(where)} is given twice")
    inside = f"{where}.{name}" if where else name
    positional = [_value(item, f"{inside}[{index}]") for index, item in enumerate(node.args)]
    named = {str(k.arg): _value(k.value, f"{inside}.{k.arg}") for k in node.keywords}
    known = PARTS[name].fields
    for field in named:
        if field not in known:
            raise ParseError(f"{name} has no field {field!r}{_at(where)}{did_you_mean(field, known)}")
    try:
        return PARTS[name](*positional, **named)
    except (NasturtiumError, TypeError, ValueError, AttributeError, LookupError, ArithmeticError) as error:
        raise ParseError(f"{name}{_at(where)} cannot be made: {error}") from None


def _at(where: str) -> str:
    return f" at {where}" if where else ""


def _shortened(text: str) -> str:
    return text if len(text) <= 60 else text[:57] + "..."
