"""The affine-invariant ensemble sampler of Goodman and Weare 2010, for many targets at once."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]
LogDensity = Callable[[Array], Array]
"""Gives the logarithm of each target's density, (n, W), at walkers (D, n, W); -inf where there is none."""

STRETCH = 2.0
"""a, how far a move may stretch; the paper's value."""


def ensemble(density: LogDensity, walkers: Array, steps: int, rng: np.random.Generator) -> Iterator[Array]:
    """Walkers after each step, (D, n, W), of stretch moves in two halves (Goodman and Weare 2010, eq. 7 to 9).

    Half of the walkers moves along lines through walkers of the other half, as in Foreman-Mackey et al. 2013. The same
    draws move the walkers of every target, so that what a target's chain does depends on no other target.

    Args:
        density: Of the targets.
        walkers: Where they begin, (D, n, W) with W even.
        steps: How many.
        rng: Of the moves.
    """
    walkers = walkers.copy()
    size, _, count = walkers.shape
    half = count // 2
    halves = (slice(0, half), slice(half, count))
    logs = density(walkers)
    for _ in range(steps):
        for mine, others in (halves, halves[::-1]):
            here, there = walkers[:, :, mine], walkers[:, :, others]
            width = here.shape[2]
            stretch = ((STRETCH - 1.0) * rng.random(width) + 1.0) ** 2 / STRETCH
            partners = there[:, :, rng.integers(there.shape[2], size=width)]
            moved = partners + stretch * (here - partners)
            new, old = density(moved), logs[:, mine]
            with np.errstate(invalid="ignore"):  # minus infinity from minus infinity is no number, and no move
                taken = np.log(rng.random(width)) < (size - 1) * np.log(stretch) + new - old
            walkers[:, :, mine] = np.where(taken, moved, here)
            logs[:, mine] = np.where(taken, new, old)
        yield walkers
