"""Options: what can be given to whatever makes a strategy, read off its signature."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from functools import partial
from types import SimpleNamespace
from typing import Any, Unpack, get_args, get_origin, get_type_hints


def taken(maker: Callable[..., Any]) -> list[str] | None:
    """The names of all that ``maker`` takes, or None if it takes whatever it is given.

    The keys of a typed dictionary are among them where ``**common: Unpack[...]`` takes them (PEP 692).

    >>> from nasturtium.strategies import RandomSearch
    >>> taken(RandomSearch)
    ['space', 'uniform', 'repeats', 'seed', 'budget', 'objectives', 'limits']

    Raises:
        ValueError: If it is built into Python and has no signature.
    """
    names: list[str] = []
    for each in inspect.signature(maker).parameters.values():
        found = [each.name] if each.kind is not each.VAR_KEYWORD else _keys(maker, each.annotation)
        if found is None:
            return None
        names += found
    return names


def _keys(maker: Callable[..., Any], annotation: Any) -> list[str] | None:
    """What ``Unpack[...]`` takes; None of another annotation, or where only a type checker knows what it names."""
    function: Any = maker
    while isinstance(function, partial):
        function = function.func
    function = inspect.unwrap(getattr(function, "__init__", function) if isinstance(function, type) else function)
    alone = SimpleNamespace(__annotations__={"taken": annotation})  # of the others some are not known while it runs
    try:
        hint = get_type_hints(alone, getattr(function, "__globals__", {}))["taken"]
    except (NameError, AttributeError, SyntaxError, TypeError):
        return None
    return list(get_args(hint)[0].__annotations__) if get_origin(hint) is Unpack else None
