"""Bootstrap: how far a mean test score may be off, by the choice of the rows and by the seeds of the trainings."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Score = Callable[[npt.NDArray[np.int64]], Sequence[float]]

DRAWS = 1000
FEWEST_DRAWS = 200
WORK = 30_000_000
"""Rows that may be scored in all; large test splits get fewer draws."""
LEVEL = 0.95


class Interval(NamedTuple):
    """Where a mean lies with a probability of 95 %."""

    low: float
    high: float


def draws_for(rows: int, trainings: int) -> int:
    """How often to draw, so that it takes seconds."""
    return int(min(DRAWS, max(FEWEST_DRAWS, WORK // max(rows * trainings, 1))))


def resampled(scores: Mapping[str, Score], rows: int, trainings: int, seed: int = 0) -> dict[str, Floats]:
    """Scores of each network on test rows drawn with replacement, the same rows for all networks.

    Args:
        scores: For each network what scores its trainings (S of them) on given rows.
        rows: How many test rows there are.
        trainings: How many trainings there are in all.
        seed: Of the draws.

    Returns:
        For each network an array (draws, S).
    """
    rng = np.random.default_rng(seed)
    found: dict[str, list[Sequence[float]]] = {name: [] for name in scores}
    for _ in range(draws_for(rows, trainings)):
        chosen = rng.integers(rows, size=rows)
        for name, score in scores.items():
            found[name].append(score(chosen))
    return {name: np.array(each) for name, each in found.items()}


def mean_draws(drawn: Floats, seed: int = 1) -> Floats:
    """Means over trainings that are drawn with replacement too, one for each draw of the rows.

    The plain bootstrap of S trainings has only (S - 1) / S of the variance of their mean, which for three is a third
    too little; deviations are widened by sqrt(S / (S - 1)) for that (Efron and Tibshirani 1993, section 5.3).

    Args:
        drawn: Scores (draws, S).
        seed: Of the draws; the same for networks whose trainings are paired.
    """
    count, trainings = drawn.shape
    means = drawn.mean(axis=1)  # (draws,)
    if trainings == 1:
        return np.asarray(means)
    picks = np.random.default_rng(seed).integers(trainings, size=(count, trainings))
    picked = np.take_along_axis(drawn, picks, axis=1).mean(axis=1)  # (draws,)
    return np.asarray(means + (picked - means) * np.sqrt(trainings / (trainings - 1)))


def interval(draws: Floats) -> Interval:
    """The middle 95 % of what was drawn."""
    tail = (1 - LEVEL) / 2
    low, high = np.nanquantile(draws, [tail, 1 - tail])
    return Interval(float(low), float(high))


def difference(first: Floats, second: Floats, paired: bool = True) -> Interval:
    """The interval of mean(first) - mean(second), of scores (draws, S) paired by draw.

    Args:
        first: Scores of the one.
        second: Scores of the other.
        paired: Whether each column stands for the same seed in both; otherwise trainings are drawn for each alone.
    """
    if paired:
        return interval(mean_draws(first - second))
    return interval(mean_draws(first) - mean_draws(second, seed=2))
