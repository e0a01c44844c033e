"""Default recipes: what trains well without anybody looking, by the kind and size of the data."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from nasturtium.estimators.recipe import Recipe

if TYPE_CHECKING:
    from nasturtium.tasks import Task

SMOOTH = 0.3
"""Correlation of neighbouring pixels above which images are pictures that may be moved and turned a little."""

SAMPLE = 1_000


def default_recipe(task: Task) -> Recipe:
    """The recipe for a task, measured on small and middling data sets (see ``benchmarks/recipes.md``)."""
    kind = task.inputs[0].kind
    return Recipe(batch_size=64)


def smoothness(images: npt.NDArray[Any]) -> float:
    """Correlation of neighbouring pixels of images (N, C, H, W), along the rows or columns where it is less.

    Pictures have 0.4 to 0.95; what was merely written into a square (one-hot letters, say) about 0.
    """
    x = np.asarray(images, dtype=np.float64)
    x = x - x.mean(axis=(0, 2, 3), keepdims=True)
    power = float((x**2).mean())
    if power == 0.0 or min(x.shape[2:]) < 2:
        return 0.0
    along = float((x[..., 1:] * x[..., :-1]).mean())
    down = float((x[..., 1:, :] * x[..., :-1, :]).mean())
    return min(along, down) / power
