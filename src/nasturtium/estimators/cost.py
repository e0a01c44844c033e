"""Structural scores: what an architecture costs, known before it is trained."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from nasturtium.errors import ObjectiveError, did_you_mean
from nasturtium.estimators.recipe import Recipe, recipe_of

if TYPE_CHECKING:
    from nasturtium.space import Architecture


def _params(architecture: Architecture, recipe: Recipe) -> float:
    return float(architecture.count(flops=False)["params"])


def _flops(architecture: Architecture, recipe: Recipe) -> float:
    return float(architecture.count(params=False)["flops"])


def _latency(architecture: Architecture, recipe: Recipe) -> float:
    from nasturtium.estimators.latency import latency_ms

    return latency_ms(architecture)


def _memory(architecture: Architecture, recipe: Recipe) -> float:
    from nasturtium.estimators.memory import training_memory

    return training_memory(architecture, recipe_of(architecture, recipe).batch_size)


COSTS: dict[str, Callable[[Architecture, Recipe], float]] = {
    "params": _params,
    "flops": _flops,
    "latency_ms": _latency,
    "memory_mb": _memory,
}
"""Parameters; FLOPs of one row, two for each multiply-accumulate; milliseconds of one row on the CPU; MB (10^6 bytes)
of a training step."""


def structural(
    architecture: Architecture, names: Iterable[str] = ("params", "flops"), recipe: Recipe | None = None
) -> dict[str, float]:
    """What an architecture costs, by name, without training it.

    Args:
        architecture: With its input known.
        names: Of :data:`COSTS`; those not asked for are not measured.
        recipe: By which it is trained, where it has none of its own: the memory depends on the size of batches.

    Raises:
        ObjectiveError: If a name is unknown.
        SpaceError: If the input of the architecture is not known.
    """
    scores = {}
    for name in names:
        if name not in COSTS:
            raise ObjectiveError(f"unknown cost {name!r}; known: {', '.join(COSTS)}{did_you_mean(name, COSTS)}")
        scores[name] = COSTS[name](architecture, recipe or Recipe())
    return scores
