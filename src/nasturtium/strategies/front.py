"""Fronts: what is not dominated, and the volume that a front dominates."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]

BLOCK = 256
"""So many points are compared with a front at a time."""


def undominated(points: Array) -> Array:
    """Those rows of losses (n, k) that no other row dominates, each once, in lexicographic order; less is better.

    In that order nothing is dominated by what comes later, so that rows are compared with the front of those before.
    """
    points = np.unique(points, axis=0)
    if points.shape[1] <= 2:
        least = np.minimum.accumulate(points[:, -1])
        return np.asarray(points[np.append(True, points[1:, -1] < least[:-1])[: len(points)]])
    front = points[:0]
    for begin in range(0, len(points), BLOCK):
        block = points[begin : begin + BLOCK]
        block = block[~_reached(block, front).any(1)]
        front = np.vstack([front, block[_reached(block, block).sum(1) == 1]])  # each reaches itself
    return front


def _reached(points: Array, others: Array) -> Array:
    """Which of the others (n, k) are as good as each of the points (m, k) in everything, or better; (m, n)."""
    return np.asarray((others[None] <= points[:, None]).all(2))


def hypervolume(points: Array, reference: Array) -> float:
    """The volume of what points (n, k) dominate below the reference point (k,); less is better.

    By slices along the last objective (Knowles 2002; While et al. 2006, HSO), exact for any number of objectives.
    """
    points = np.asarray(points, np.float64)
    points = points[(points < reference).all(1)]
    if not len(points):
        return 0.0
    if points.shape[1] == 1:
        return float(reference[0] - points.min())
    points = undominated(points)
    if points.shape[1] == 2:
        return _area(points, reference)
    points = points[np.argsort(points[:, -1], kind="stable")]
    heights = np.diff(np.append(points[:, -1], reference[-1]))
    slices = [
        hypervolume(points[: n + 1, :-1], reference[:-1]) if height > 0 else 0.0 for n, height in enumerate(heights)
    ]
    return float(np.dot(slices, heights))


def _area(points: Array, reference: Array) -> float:
    """Of an undominated front of two objectives, in lexicographic order: the second falls as the first grows."""
    widths = np.append(points[1:, 0], reference[0]) - points[:, 0]
    return float(np.dot(widths, reference[1] - points[:, 1]))


def improvements(points: Array, front: Array, reference: Array) -> Array:
    """By how much each of the points (m, k) would let the hypervolume of a front (n, k) grow, (m,).

    For all points in one go: with two objectives by strips, with more by slices along the last, in each of which the
    front is that of the others.
    """
    front = undominated(front[(front < reference).all(1)]) if len(front) else front.reshape(0, len(reference))
    if len(reference) == 1:
        best = front.min() if len(front) else reference[0]
        return np.asarray(np.maximum(best - points[:, 0], 0.0))
    if len(reference) == 2:
        return _areas(points, front, reference)
    front = front[np.argsort(front[:, -1], kind="stable")]
    edges = np.concatenate([[-np.inf], front[:, -1], reference[-1:]])
    found = np.zeros(len(points))
    for n, (low, high) in enumerate(itertools.pairwise(edges)):
        heights = high - np.maximum(points[:, -1], low)
        there = np.flatnonzero(heights > 0)
        if low < high and len(there):
            found[there] += heights[there] * improvements(points[there, :-1], front[:n, :-1], reference[:-1])
    return found


def _areas(points: Array, front: Array, reference: Array) -> Array:
    """Of two objectives: in each strip between neighbours of the front, what lies below its step and above a point."""
    edges = np.concatenate([[-np.inf], front[:, 0], [reference[0]]])
    steps = np.append(reference[1], front[:, 1])  # what is free below, strip by strip
    left = np.maximum(edges[None, :-1], points[:, :1])
    widths = np.maximum(edges[None, 1:] - left, 0.0)  # (m, n + 1)
    return np.asarray((widths * np.maximum(steps[None] - points[:, 1:], 0.0)).sum(1))
