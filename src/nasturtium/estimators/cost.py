"""Structural scores: what an architecture costs, known before it is trained."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from nasturtium.errors import Mismatch, ObjectiveError, did_you_mean
from nasturtium.estimators.recipe import Recipe, recipe_of
from nasturtium.tasks.ragged import Lengths

if TYPE_CHECKING:
    from nasturtium.space import Architecture
    from nasturtium.trial import Trial

WITHOUT_TASK = Lengths(1, 64, 64)
"""Steps where no task says how long rows are; the rule of studies that were begun before tasks said so."""


def _params(architecture: Architecture, recipe: Recipe, lengths: Lengths) -> float:
    return float(architecture.count(flops=False)["params"])


def _flops(architecture: Architecture, recipe: Recipe, lengths: Lengths) -> float:
    try:
        return float(architecture.count(params=False, length=lengths.counted)["flops"])
    except Mismatch:  # it does not take so many steps, as its training will say
        return float(architecture.count(params=False)["flops"])


def _latency(architecture: Architecture, recipe: Recipe, lengths: Lengths) -> float:
    from nasturtium.estimators.latency import latency_ms

    return latency_ms(architecture, length=lengths.timed)


def _memory(architecture: Architecture, recipe: Recipe, lengths: Lengths) -> float:
    from nasturtium.estimators.memory import training_memory

    return training_memory(architecture, recipe_of(architecture, recipe).batch_size, lengths.held)


COSTS: dict[str, Callable[[Architecture, Recipe, Lengths], float]] = {
    "params": _params,
    "flops": _flops,
    "latency_ms": _latency,
    "memory_mb": _memory,
}
"""Parameters; FLOPs of one row, two for each multiply-accumulate; milliseconds of one row on the CPU; MB (10^6 bytes)
of a training step."""


def structural(
    architecture: Architecture,
    names: Iterable[str] = ("params", "flops"),
    recipe: Recipe | None = None,
    lengths: Lengths | None = None,
) -> dict[str, float]:
    """What an architecture costs, by name, without training it.

    Args:
        architecture: With its input known.
        names: Of :data:`COSTS`; those not asked for are not measured.
        recipe: By which it is trained, where it has none of its own: the memory depends on the size of batches.
        lengths: Steps of sequences whose length depends on the data, as a task says them (``Task.lengths``): FLOPs and
            latency are those of a typical row, the memory that of a batch of the longest. Without them FLOPs are
            those of one step, latency and memory of 64.

    Raises:
        ObjectiveError: If a name is unknown.
        SpaceError: If the input of the architecture is not known.
    """
    scores = {}
    for name in names:
        if name not in COSTS:
            raise ObjectiveError(f"unknown cost {name!r}; known: {', '.join(COSTS)}{did_you_mean(name, COSTS)}")
        scores[name] = COSTS[name](architecture, recipe or Recipe(), lengths or WITHOUT_TASK)
    return scores


def lengths_for(lengths: Lengths | None, trials: Iterable[Trial]) -> Lengths | None:
    """The lengths by which a study goes on: those of its task, or those by which its trials were counted.

    Costs of one study must compare. One that was begun when FLOPs were those of a single step keeps to that.

    Args:
        lengths: Of the task.
        trials: Of the study so far.
    """
    for trial in trials:
        if lengths is not None and "flops" in trial.scores:
            flops = [structural(trial.architecture, ["flops"], None, each)["flops"] for each in (lengths, None)]
            if flops[0] != flops[1]:
                return None if trial.scores["flops"] == flops[1] else lengths
    return lengths
