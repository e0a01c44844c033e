"""A small task, a small space, and a search that takes a second."""

from __future__ import annotations

import numpy as np

from nasturtium.layers import Linear, ReLU, Sequential
from nasturtium.space import Space, choice

QUICK = {"trials": 4, "epochs": 2, "final_epochs": 3, "quiet": True, "strategy": "random"}


def rings(rows: int = 300) -> tuple[np.ndarray, np.ndarray]:
    """Two classes that no line parts: inside and outside of a circle."""
    rng = np.random.default_rng(0)
    x = rng.normal(size=(rows, 2)).astype(np.float32)
    return x, (np.linalg.norm(x, axis=1) > 1.2).astype(int)


def space(input=None, outputs=None) -> Space:
    return Space(Sequential(Linear(choice(4, 8, 16, 32)), ReLU(), Linear(2)), input=(2,), name="widths")
