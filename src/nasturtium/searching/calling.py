"""The call of a search as its settings note it, so that it can be made again."""

from __future__ import annotations

import inspect
import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from nasturtium.objective import Limit, Objective
from nasturtium.space import Architecture
from nasturtium.tasks import Task

ELSEWHERE = frozenset({"task", "task_options", "out", "store", "quiet", "device", "isolated"})
"""What the task says, and what belongs to a place or a machine and does not change what comes of it."""


def call_of(search: Callable[..., Any], given: Mapping[str, Any], task: Task) -> dict[str, Any]:
    """What a search was asked for, to be asked again.

    Args:
        search: The function, whose defaults need not be said.
        given: Its arguments.
        task: As it was loaded.

    Returns:
        ``text``, the call, and ``own``: what stands in it by its name alone, because no text can say it (arrays,
        spaces, functions).
    """
    words, own = task_words(task, given["seed"])
    for name, parameter in inspect.signature(search).parameters.items():
        if name in ELSEWHERE or _same(given[name], parameter.default):
            continue
        try:
            words.append(f"{name}={python_text(given[name])}")
        except TypeError:
            words.append(f"{name}={name}")
            own.append(name)
    return {"text": f"nasturtium.search({', '.join(words)})", "own": own}


def task_words(task: Task, seed: int) -> tuple[list[str], list[str]]:
    """The task and its options as arguments of the call, and what of them stands there by its name alone."""
    origin = task.origin
    if origin is None or origin.seed != seed:  # loaded with another seed, it has another split
        return ["task"], ["task"]
    named = [name for name in origin.own if name != origin.source]
    held = [f"{python_text(name)}: {python_text(value)}" for name, value in origin.options.items()]
    held += [f"{python_text(name)}: {name}" for name in named]
    return [origin.source, *([f"task_options={{{', '.join(held)}}}"] if held else [])], list(origin.own)


def python_text(value: Any) -> str:
    """A value as a call takes it again.

    Raises:
        TypeError: If no text can say it.

    >>> python_text({"depth": 1, "wide": True, "limits": ("params<=1k",)})
    '{"depth": 1, "wide": True, "limits": ["params<=1k"]}'
    """
    if value is None or isinstance(value, bool | int | float):
        return repr(value)
    if isinstance(value, str) or type(value) in (Limit, Objective) or isinstance(value, Architecture | Path):
        return json.dumps(str(value), ensure_ascii=False)
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(python_text, value))}]"
    if isinstance(value, Mapping):
        return f"{{{', '.join(f'{python_text(name)}: {python_text(each)}' for name, each in value.items())}}}"
    raise TypeError(f"no text says what a {type(value).__name__} is")


def _same(value: Any, default: Any) -> bool:
    if value is None or isinstance(value, list | tuple | dict):
        return not value and not default
    return isinstance(value, bool | int | float | str) and value == default
