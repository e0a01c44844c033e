"""How alike architectures are by their decisions: what joint draws and penalised batches go by."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from nasturtium.space import Architecture

Array = NDArray[Any]


def likeness(first: Sequence[Architecture], second: Sequence[Architecture], scale: float = 0.25) -> Array:
    """exp(-d / scale), d the part of decisions in which two architectures differ; (n, m), 1 where none does.

    Decisions are compared by their place in the derivation; where one is longer the rest of it differs. As a function
    of the places that differ this is a product of kernels, so a matrix of likenesses has no negative eigenvalue.
    """
    length = max((len(each.decisions) for each in (*first, *second)), default=0)
    left, right = _padded(first, length), _padded(second, length)
    differ = np.zeros((len(first), len(second)))
    for place in range(length):
        differ += left[:, place, None] != right[None, :, place]
    return np.exp(-differ / (scale * max(1, length)))


def _padded(architectures: Sequence[Architecture], length: int) -> Array:
    rows = np.full((len(architectures), length), -1)
    for row, architecture in zip(rows, architectures, strict=True):
        row[: len(architecture.decisions)] = architecture.decisions
    return rows
