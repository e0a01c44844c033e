"""Least squares for many curves at once: Levenberg-Marquardt within bounds, from several starts."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from nasturtium.predictors.curves.families import Family

Array = NDArray[Any]

CHUNK = 500
"""So many curves at a time stay in the cache."""
SCOUTING, ROUNDS = 6, 40
"""Steps from every start; steps from the best of them."""
PRECISION = 1e-7
"""A fit ends where a step lowers the loss by less than this share."""


class Fitted(NamedTuple):
    """The fits of a family.

    Attributes:
        theta: The parameters, (P, n).
        loss: The sum of squared residuals, each times its weight, (n,).
    """

    theta: Array
    loss: Array


def weights_of(values: Array, lengths: Array, recency: float) -> Array:
    """How much each value counts, (n, t): 1 at the end of a curve, 1 / recency at its beginning, 0 for what is missing.

    Args:
        values: Curves, (n, t); NaN where there is no value.
        lengths: How many epochs each has, (n,).
        recency: Of how many values at the beginning one at the end counts as much.
    """
    ages = 1.0 - np.arange(1.0, values.shape[1] + 1.0) / lengths[:, None]
    return np.where(np.isfinite(values), recency ** -np.maximum(ages, 0.0), 0.0)


def fit(family: Family, values: Array, lengths: Array, recency: float = 1.0) -> Fitted:
    """The least squares fit to each curve, which is the maximum of the likelihood under normal noise.

    Args:
        family: What is fitted.
        values: Rising curves, (n, t); NaN where there is no value.
        lengths: How many epochs each has, (n,).
        recency: See :func:`weights_of`; 1 for equal weights.
    """
    roots = np.sqrt(weights_of(values, lengths, recency))
    y = np.where(roots > 0, values, 0.0)
    pieces = [slice(begin, begin + CHUNK) for begin in range(0, len(values), CHUNK)]
    parts = [_some(family, y[piece], roots[piece], lengths[piece]) for piece in pieces]
    return Fitted(np.concatenate([part.theta for part in parts], 1), np.concatenate([part.loss for part in parts]))


def _some(family: Family, y: Array, roots: Array, lengths: Array) -> Fitted:
    y, roots = y[:, : lengths.max()], roots[:, : lengths.max()]
    rows = np.arange(len(y))
    first, last = y[rows, np.argmax(roots > 0, axis=1)], y[rows, lengths - 1]
    begun = family.begin(first, last, lengths.astype(np.float64))  # (S, P, n)
    starts = len(begun)
    theta = np.concatenate(list(begun), axis=1)  # (P, S n)
    if starts > 1:
        scouts = _descend(family, np.tile(y, (starts, 1)), np.tile(roots, (starts, 1)), theta, SCOUTING)
        best = scouts.loss.reshape(starts, -1).argmin(0)
        theta = scouts.theta.reshape(len(theta), starts, -1)[:, best, rows]
    return _descend(family, y, roots, theta, ROUNDS)


def _descend(family: Family, y: Array, roots: Array, theta: Array, rounds: int) -> Fitted:
    """Steps of Levenberg and Marquardt; curves that have converged drop out."""
    low, high = family.low[:, None], family.high[:, None]
    x = np.arange(1.0, y.shape[1] + 1.0)
    theta, damping = theta.copy(), np.full(len(y), 1e-2)
    off = _residuals(family, x, y, roots, theta)
    loss = (off**2).sum(1)
    active = np.arange(len(y))
    for _ in range(rounds):
        here, part = theta[:, active], roots[active]
        slopes = jacobian(family, x, here) * part  # (P, m, t)
        gradient = np.einsum("pmt,mt->mp", slopes, off[active])
        held = ((here <= low) & (gradient.T > 0)) | ((here >= high) & (gradient.T < 0))
        slopes[held] = 0.0
        step = _step(slopes, np.where(held.T, 0.0, gradient), damping[active])
        there = np.clip(here + step.T, low, high)
        new = _residuals(family, x, y[active], part, there)
        lower = (new**2).sum(1)
        old = loss[active]
        better = lower < old
        taken = active[better]
        theta[:, taken], off[taken], loss[taken] = there[:, better], new[better], lower[better]
        damping[active] = np.where(better, damping[active] * 0.2, damping[active] * 4.0)
        ended = (better & (old - lower < PRECISION * old + 1e-15)) | (damping[active] > 1e7)
        active = active[~ended]
        if not len(active):
            break
    return Fitted(theta, loss)


def _residuals(family: Family, x: Array, y: Array, roots: Array, theta: Array) -> Array:
    found = (family(x, theta[:, :, None]) - y) * roots
    return np.where(np.isfinite(found), found, 1e6)


def jacobian(family: Family, x: Array, theta: Array) -> Array:
    """The derivative by each parameter, (P, m, t), by differences.

    Args:
        family: What is differentiated.
        x: Epochs, (t,).
        theta: Parameters, (P, m).
    """
    value = family(x, theta[:, :, None])
    found = np.empty((len(theta), *value.shape))
    for place, each in enumerate(theta):
        width = 1e-6 * np.maximum(np.abs(each), 1e-2)
        moved = theta.copy()
        moved[place] += np.where(each + width > family.high[place], -width, width)
        found[place] = (family(x, moved[:, :, None]) - value) / (moved[place] - each)[:, None]
    return np.where(np.isfinite(found), found, 0.0)


def _step(slopes: Array, gradient: Array, damping: Array) -> Array:
    """The solution of (J'J + damping diag(J'J)) step = -gradient, (m, P)."""
    normal = gram(slopes)
    places = np.arange(normal.shape[1])
    normal[:, places, places] += damping[:, None] * normal[:, places, places] + 1e-12
    found: Array = np.linalg.solve(normal, -gradient[:, :, None])[:, :, 0]
    return found


def gram(slopes: Array) -> Array:
    """J'J of each curve, (m, P, P), from (P, m, t)."""
    count, curves, _ = slopes.shape
    found = np.empty((curves, count, count))
    for i in range(count):
        for j in range(i + 1):
            found[:, i, j] = found[:, j, i] = np.einsum("mt,mt->m", slopes[i], slopes[j])
    return found
