"""Default recipes: what trains well without anybody looking, by the kind and size of the data."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from nasturtium.estimators.recipe import Augmentation, Recipe

if TYPE_CHECKING:
    from nasturtium.tasks import Split, Task

SMOOTH = 0.3
"""Correlation of neighbouring pixels above which images are pictures that may be moved and turned a little."""

SAMPLE, SAMPLE_OF_FILES = 1_000, 64
"""Images looked at for that."""

FEW, MANY = 1_000, 20_000
"""Rows below which weights decay strongly and slowly change, and from which batches are large."""


def default_recipe(task: Task) -> Recipe:
    """The recipe for a task: what did well on validation rows of small and middling data sets.

    Pictures are shifted by a sixteenth of their side and turned and scaled a little; nothing is mirrored, as that
    makes letters and digits of some classes look like others. Labels are smoothed unless the metric is the log
    loss, which smoothing makes worse. Small batches make up for few rows, so that an epoch has some 20 steps.
    """
    kind = task.inputs[0].kind
    if kind == "image":
        return _of_images(task)
    smoothing = _smoothing(task)
    if kind != "vector":
        rate = 2e-3 if kind == "tokens" else 4e-3
        size = _batch_size(len(task.train), 64)
        return Recipe(learning_rate=rate, weight_decay=0.1, batch_size=size, label_smoothing=smoothing)
    few = len(task.train) < FEW
    size = _batch_size(len(task.train), 64 if len(task.train) < MANY else 128)
    if task.kind == "regression":
        rate, decay = (2e-3, 0.5) if few else (5e-3, 0.1)
        return Recipe(learning_rate=rate, weight_decay=decay, batch_size=size)
    rate, decay = (3e-3, 0.3) if few else (1e-2, 0.02)
    return Recipe(learning_rate=rate, weight_decay=decay, batch_size=size, label_smoothing=smoothing)


def _of_images(task: Task) -> Recipe:
    signal, train = task.inputs[0], task.train
    pictures = smoothness(_sample(train)) > SMOOTH
    side = min(size or 0 for size in signal.shape[1:])
    moved = Augmentation(shift=side / 16, rotate=10.0, scale=0.1)
    return Recipe(
        learning_rate=5e-3,
        weight_decay=0.05,
        batch_size=_batch_size(len(train), 128 if len(train) >= MANY else 64),
        label_smoothing=_smoothing(task),
        augmentation=moved if pictures else Augmentation(),
    )


def _sample(split: Split) -> npt.NDArray[Any]:
    """Some images (N, C, H, W) from all over a split."""
    rows = np.linspace(0, len(split) - 1, min(len(split), SAMPLE if split.inputs else SAMPLE_OF_FILES)).astype(int)
    if split.dataset is None:
        return np.asarray(split.inputs[0][rows])
    images = [split.dataset[int(row)][0] for row in rows]
    return np.stack([np.asarray(image[0] if isinstance(image, tuple) else image) for image in images])


def _smoothing(task: Task) -> float:
    return 0.1 if task.loss == "cross_entropy" and task.metric != "log_loss" else 0.0


def _batch_size(rows: int, most: int) -> int:
    """The power of two next to a sixteenth of the rows, from 16 to ``most``."""
    nearest = round(math.log2(max(rows, 1) / 16))
    return int(min(max(2**nearest, 16), most))


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
