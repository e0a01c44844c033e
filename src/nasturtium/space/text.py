"""Parts as text and back: short, exact, and read without evaluating anything."""

from __future__ import annotations

import ast
import math
from typing import Any

from nasturtium.errors import NasturtiumError, ParseError, did_you_mean
from nasturtium.space.part import PARTS, Part

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
    return repr(value)


def _arguments(part: Part) -> list[str]:
    written = []
    plain = True  # whether the next field may still be positional
    variadic = part.variadic
    for index, name in enumerate(part.fields):
        value = part.__dict__[name]
        if name == variadic:
            written += [to_text(item) for item in value]
            continue
        if name in part.defaults and _same(value, part.defaults[name]):
            plain = False
            continue
        positional = plain and (index == 0 or (variadic is not None and index < part.fields.index(variadic)))
        written.append(to_text(value) if positional else f"{name}={to_text(value)}")
    return written


def _same(value: Any, default: Any) -> bool:
    return type(value) is type(default) and bool(value == default)


def from_text(text: str) -> Any:
    """Read a part or a value from its text.

    Raises:
        ParseError: If the text is not one, with the place and, for a misspelt name, the nearest known one.
    """
    if len(text) > LONGEST:
        raise ParseError(f"the text has {len(text)} characters; at most {LONGEST} are read")
    try:
        tree = ast.parse(text.strip(), mode="eval")
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        where = f" (column {error.offset})" if isinstance(error, SyntaxError) and error.offset else ""
        raise ParseError(f"cannot read {_shortened(text)!r} as an architecture{where}: {error}") from None
    return _value(tree.body, "")


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
        raise ParseError(f"unknown layer {name!r}{_at(where)}{did_you_mean(name, PARTS)}")
    if any(keyword.arg is None for keyword in node.keywords):
        raise ParseError(f"'**' cannot stand in {name}{_at(where)}")
    inside = f"{where}.{name}" if where else name
    positional = [_value(item, f"{inside}[{index}]") for index, item in enumerate(node.args)]
    named = {str(k.arg): _value(k.value, f"{inside}.{k.arg}") for k in node.keywords}
    known = PARTS[name].fields
    for field in named:
        if field not in known:
            raise ParseError(f"{name} has no field {field!r}{_at(where)}{did_you_mean(field, known)}")
    try:
        return PARTS[name](*positional, **named)
    except NasturtiumError:
        raise
    except (TypeError, ValueError) as error:
        raise ParseError(f"{name}{_at(where)} cannot be made: {error}") from None


def _at(where: str) -> str:
    return f" at {where}" if where else ""


def _shortened(text: str) -> str:
    return text if len(text) <= 60 else text[:57] + "..."
