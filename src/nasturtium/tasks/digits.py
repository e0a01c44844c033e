"""The built-in task ``digits``: scikit-learn's 1797 handwritten digits of 8x8 pixels."""

from __future__ import annotations

from typing import Any

import numpy as np

from nasturtium.tasks.arrays import from_arrays
from nasturtium.tasks.task import Task

TEST_ROWS = 360


def digits(**options: Any) -> Task:
    """Images 1x8x8 of ten digits (Alpaydin and Kaynak 1998, UCI); the last 360 rows are the test split.

    The others are split into train and valid, stratified, by ``seed``.

    Args:
        options: ``seed``, ``metric`` and ``name`` as of ``nasturtium.tasks.arrays.from_arrays``.
    """
    from sklearn.datasets import load_digits

    data = load_digits()
    split = np.where(np.arange(len(data.images)) < len(data.images) - TEST_ROWS, "train", "test")
    options = {"name": "digits", **{key: value for key, value in options.items() if value is not None}}
    options |= {"layout": "image", "kind": "classification"}
    return from_arrays(data.images, data.target, split=split, **options)
