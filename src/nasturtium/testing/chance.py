"""Where numbers are drawn from: global generators, and those that an object keeps."""

from __future__ import annotations

import contextlib
import random
import sys
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

DEPTH = 6
"""How deep in an object generators are looked for."""

Kept = dict[int, tuple[Any, str]]
"""Generators by their id, with the state in which they were."""


def global_state() -> list[str]:
    """The state of the global generators of Python, of numpy, and of torch where it is imported."""
    state = [str(random.getstate()), str(np.random.get_state())]
    torch = sys.modules.get("torch")
    return state if torch is None else [*state, str(torch.random.get_rng_state().tolist())]


@contextlib.contextmanager
def disturbed(seed: int) -> Iterator[None]:
    """Inside, the global generators of Python and numpy are seeded by others; afterwards they are as they were."""
    python, numpys = random.getstate(), np.random.get_state()
    random.seed(seed)
    np.random.seed(seed)
    try:
        yield
    finally:
        random.setstate(python)
        np.random.set_state(numpys)


def kept(value: Any) -> Kept:
    """Each generator that an object keeps, in its attributes or what they hold."""
    found: Kept = {}
    _look(value, DEPTH, set(), found)
    return found


def moved(before: Kept, after: Kept) -> bool:
    """Whether a generator that was there before, and is there yet, has another state."""
    return any(after[place][1] != state for place, (_, state) in before.items() if place in after)


def _look(value: Any, depth: int, met: set[int], found: Kept) -> None:
    if id(value) in met or not depth:
        return
    met.add(id(value))
    state = _state(value)
    if state is not None:
        found[id(value)] = value, state
        return
    inner = [*getattr(value, "__dict__", {}).values()]
    if isinstance(value, list | tuple | set | frozenset):
        inner += value
    if isinstance(value, Mapping):
        inner += value.values()
    for each in inner:
        _look(each, depth - 1, met, found)


def _state(value: Any) -> str | None:
    """The state of a generator; None of anything else."""
    if isinstance(value, np.random.Generator):
        return str(value.bit_generator.state)
    if isinstance(value, random.Random):
        return str(value.getstate())
    torch = sys.modules.get("torch")
    if torch is not None and isinstance(value, torch.Generator):
        return str(value.get_state().tolist())
    return None
