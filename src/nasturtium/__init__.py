"""Neural architecture search: from data and limits to a trained network."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from nasturtium import layers, spaces
from nasturtium.layers import repeat
from nasturtium.space import (
    Architecture,
    Layer,
    Part,
    Signal,
    Space,
    choice,
    floats,
    integers,
    rule,
    shared,
    subset,
)
from nasturtium.space import encoding as encodings

if TYPE_CHECKING:
    from nasturtium import (
        benchmarks,
        comparison,
        estimators,
        export,
        final,
        predictors,
        proxies,
        report,
        strategies,
        study,
        tasks,
        testing,
        trackers,
    )
    from nasturtium.final import load_best
    from nasturtium.searching import Result, search
    from nasturtium.tasks import Task

__version__ = "0.1.0"

_LATER = {
    "search": "nasturtium.searching", "Result": "nasturtium.searching", "Task": "nasturtium.tasks",
    "load_best": "nasturtium.final",
}  # fmt: skip
_ROOMS = {
    "benchmarks", "comparison", "estimators", "export", "final", "predictors", "proxies", "report", "strategies",
    "study", "tasks", "testing", "trackers",
}  # fmt: skip


def __getattr__(name: str) -> Any:
    """What is imported only when it is first used."""
    import importlib

    if name in _ROOMS:
        return importlib.import_module(f"nasturtium.{name}")
    if name not in _LATER:
        raise AttributeError(f"module 'nasturtium' has no attribute {name!r}")
    found = getattr(importlib.import_module(_LATER[name]), name)
    globals()[name] = found
    return found


def __dir__() -> list[str]:
    """All names, those among them that are imported only when they are first used."""
    return sorted({*globals(), *_LATER, *_ROOMS})


__all__ = [
    "Architecture",
    "Layer",
    "Part",
    "Result",
    "Signal",
    "Space",
    "Task",
    "benchmarks",
    "choice",
    "comparison",
    "encodings",
    "estimators",
    "export",
    "final",
    "floats",
    "integers",
    "layers",
    "load_best",
    "predictors",
    "proxies",
    "repeat",
    "report",
    "rule",
    "search",
    "shared",
    "spaces",
    "strategies",
    "study",
    "subset",
    "tasks",
    "testing",
    "trackers",
]
