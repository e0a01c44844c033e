"""What says that something a user gave is the same as in an earlier run: functions, classes, options that hold them."""

from __future__ import annotations

import ast
import functools
import hashlib
import inspect
import re
import textwrap
from collections.abc import Iterator, Mapping
from dataclasses import fields, is_dataclass
from typing import Any

import numpy as np

ADDRESS = re.compile(r" at 0x[0-9A-Fa-f]+")
"""What Python says of a thing that has no text of its own; it differs in each process."""
DEPTH = 3
"""So far what functions hold is followed: functions that hold functions, and so on."""
OURS = __name__.partition(".")[0]
CONTAINERS = (dict, list, tuple, set, frozenset)


def identity(function: Any, depth: int = DEPTH) -> str:
    """What says that a function, class or callable object is the same as in an earlier run.

    Its name, what it holds (closure, defaults, plain attributes of an object; the arguments of a partial one), and a
    digest of its source, in which comments and line breaks do not count. Where there is no source the rest says it, and
    of what a release brings the source does not count: a study goes on under the next one.

    >>> identity(functools.partial(len, [1, 2]))
    'partial(builtins.len:, [1, 2])'
    """
    if isinstance(function, functools.partial):
        bound = [told(each, depth) for each in function.args]
        bound += [f"{name}={told(value, depth)}" for name, value in function.keywords.items()]
        return f"partial({', '.join([identity(function.func, depth), *bound])})"
    place = function if hasattr(function, "__qualname__") else type(function)
    kept = depth > 0
    if place is function:
        held = ", ".join(told(each, depth - 1) for each in _held(function)) if kept else ""
        said = f"[{held}]" if held else ""
    else:
        held = ", ".join(f"{k}={told(v, depth - 1)}" for k, v in _settings(function)) if kept else ""
        said = f"({held})"
    return f"{_module(place)}.{place.__qualname__}{said}:{_digest(place)}"


def told(value: Any, depth: int = DEPTH) -> str:
    """The text of a value, by which it is known again in another process.

    As ``repr`` gives it where that says it all; of functions, and of objects that ``repr`` knows by their address, what
    :func:`identity` says; of arrays, which ``repr`` shortens, a digest.

    >>> told({"population": 50, "weights": (1.0,)})
    "{'population': 50, 'weights': (1.0,)}"
    """
    if isinstance(value, np.ndarray):
        digest = hashlib.sha256(np.ascontiguousarray(value).tobytes()).hexdigest()[:16]
        return f"{value.dtype}{value.shape}{digest}"
    if type(value) in CONTAINERS:
        return _contents(value, depth)
    if inspect.isroutine(value) or isinstance(value, functools.partial):
        return identity(value, depth)
    text = value.__name__ if inspect.ismodule(value) else repr(value)
    if not ADDRESS.search(text):
        return text
    if isinstance(value, (Mapping, *CONTAINERS)) and depth > 0:
        plain = dict(value) if isinstance(value, Mapping) else list(value)
        return f"{type(value).__qualname__}({_contents(plain, depth - 1)})"
    if is_dataclass(value) and depth > 0:
        shown = [(each.name, getattr(value, each.name)) for each in fields(value) if each.repr]
        return f"{type(value).__qualname__}({', '.join(f'{name}={told(each, depth - 1)}' for name, each in shown)})"
    return identity(value, depth)


def _contents(value: Any, depth: int) -> str:
    """Of a container, as ``repr`` writes it; sets, whose order differs in each process too, in that of the texts."""
    if isinstance(value, dict):
        return f"{{{', '.join(f'{told(name, depth)}: {told(each, depth)}' for name, each in value.items())}}}"
    if isinstance(value, set | frozenset):
        return f"{{{', '.join(sorted(told(each, depth) for each in value))}}}"
    inner = ", ".join(told(each, depth) for each in value)
    return f"[{inner}]" if isinstance(value, list) else f"({inner}{',' * (len(value) == 1)})"


def _held(function: Any) -> Iterator[Any]:
    """What a function has closed over, its defaults, and what a method is bound to."""
    for cell in getattr(function, "__closure__", None) or ():
        try:
            yield cell.cell_contents
        except ValueError:  # empty so far
            continue
    yield from getattr(function, "__defaults__", None) or ()
    yield from (getattr(function, "__kwdefaults__", None) or {}).values()
    if inspect.ismethod(function):
        yield function.__self__


def _settings(thing: object) -> list[tuple[str, Any]]:
    """The plain attributes of a callable object, such as the ``delta`` of a loss module."""
    plain = (bool, int, float, str, tuple)
    held = sorted(getattr(thing, "__dict__", {}).items())
    return [(k, v) for k, v in held if isinstance(v, plain) and k not in ("training", "call_super_init")]


def _module(place: Any) -> str:
    return str(getattr(place, "__module__", None))


def _digest(function: Any) -> str:
    if _module(function).partition(".")[0] == OURS:
        return ""
    try:
        text = textwrap.dedent(inspect.getsource(function))
    except (OSError, TypeError):  # built in, or typed at a prompt
        return ""
    try:
        text = ast.dump(ast.parse(text))
    except SyntaxError:  # a lambda inside a call that its line does not close
        text = " ".join(text.split())
    return hashlib.sha256(text.encode()).hexdigest()[:12]
