"""Features of architectures for predictors: what is looked up one by one, and what an early learning curve shows."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nasturtium.space.architecture import Architecture

Array = NDArray[Any]


def looked_up(scores: Callable[[Architecture], Mapping[str, float]]) -> Callable[[Sequence[Architecture]], Array]:
    """The numbers that a function gives for one architecture, such as a ``nasturtium.proxies.scorer``, as columns.

    Args:
        scores: Gives the same names for every architecture; NaN for what it has no number for.
    """

    def columns(architectures: Sequence[Architecture]) -> Array:
        rows = [list(scores(each).values()) for each in architectures]
        return np.array(rows, np.float64).reshape(len(rows), len(rows[0]) if rows else 0)

    return columns


def early(curves: Callable[[Sequence[Architecture]], Any]) -> Callable[[Sequence[Architecture]], Array]:
    """What the first epochs of learning curves show: the last value, their sum, and their last and mean difference.

    The sum is that over training curves (Ru et al. 2021, arXiv:2006.04492); the rest are features of the support vector
    regression of Baker et al. 2017 (arXiv:1705.10823), section 3.

    Args:
        curves: Gives the values of the first epochs, (n, epochs), NaN where there are none; one epoch is enough.
    """

    def columns(architectures: Sequence[Architecture]) -> Array:
        values = np.asarray(curves(architectures), np.float64).reshape(len(architectures), -1)
        last, total = values[:, -1:], values.sum(1, keepdims=True)
        if values.shape[1] < 2:
            return last
        steps = np.diff(values, axis=1)
        return np.hstack([last, total, steps[:, -1:], steps.mean(1, keepdims=True)])

    return columns
