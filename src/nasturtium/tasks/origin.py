"""Where a task comes from: what has to be given to load it again."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from os import PathLike
from typing import Any


@dataclass(frozen=True)
class Origin:
    """What :func:`nasturtium.tasks.load` was given.

    Attributes:
        source: As text in a Python call: ``"digits"``, ``"data.csv"``, or names where it was no text: ``(x, y)``.
        own: What of the source and the options cannot be written down.
        seed: Of the split.
        options: Those that can be.
    """

    source: str
    own: tuple[str, ...]
    seed: int
    options: Mapping[str, Any]


def origin_of(source: object, seed: int, options: Mapping[str, Any], before: Origin | None = None) -> Origin | None:
    """Where a task comes from that was loaded from a source with these options.

    Args:
        source: As ``load`` takes it; a task that was made before counts as what it was loaded from.
        seed: Of the split.
        options: As they were given.
        before: Where the source comes from, if it is a task that was loaded.
    """
    if before is not None:
        text, own, seed, known = before.source, before.own, before.seed, dict(before.options)
    else:
        text = _text(source)
        own, known = () if text.startswith('"') else (text,), {}
    for name, value in options.items():
        if value is None or (isinstance(value, tuple | list) and not value):
            continue
        plain = str(value) if isinstance(value, PathLike) else value
        try:
            known[name] = json.loads(json.dumps(plain))
        except (TypeError, ValueError):
            own = (*own, name)
    return Origin(text, own, seed, known)


def _text(source: object) -> str:
    if isinstance(source, str | PathLike):
        return json.dumps(str(source), ensure_ascii=False)
    if isinstance(source, tuple | list) and all(hasattr(each, "shape") or isinstance(each, list) for each in source):
        return {2: "(x, y)", 4: "(x, y, x_test, y_test)"}.get(len(source), "data")
    return "data"
