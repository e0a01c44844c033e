"""Bootstrap: how far a mean test score may be off, by the choice of the rows and by the seeds of the trainings."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Score = Callable[[npt.NDArray[np.int64]], Sequence[float]]

DRAWS = 1000
FEWEST_DRAWS = 200
WORK = 30_000_000
"""Rows that may be scored in all; large test splits get fewer draws, and then fewer rows a draw."""
FEWEST_OF_A_KIND = 30
"""Rows of the rarest class that a draw should hold: scores of a handful are no measure of those of many."""
MOST_MORE = 4
"""How many times as many rows a draw may take for their sake."""
HURRIED_DRAWS = 50
"""Draws that are made even where the time is over."""
LEVEL = 0.95


class Interval(NamedTuple):
    """Where a mean lies with a probability of 95 %."""

    low: float
    high: float


def draws_for(rows: int, trainings: int) -> int:
    """How often to draw, so that it takes seconds."""
    return int(min(DRAWS, max(FEWEST_DRAWS, WORK // max(rows * trainings, 1))))


def rows_for(rows: int, trainings: int, rarest: float = 1.0) -> int:
    """How many rows to draw each time: all there are, or where that would take minutes fewer.

    Args:
        rows: There are.
        trainings: In all.
        rarest: Share of the rows that the rarest class has.
    """
    enough = max(WORK // max(draws_for(rows, trainings) * trainings, 1), 1)
    return int(min(rows, max(enough, min(math.ceil(FEWEST_OF_A_KIND / rarest), MOST_MORE * enough))))


def resampled(
    scores: Mapping[str, Score], rows: int, trainings: int, seed: int = 0, rarest: float = 1.0,
    deadline: float | None = None,
) -> dict[str, Floats]:  # fmt: skip
    """Scores of each network on test rows drawn with replacement, the same rows for all networks.

    Of large test splits m of n rows are drawn, and what a score deviates from that of all rows is multiplied by
    sqrt(m / n), as it falls with the root of the rows (the m out of n bootstrap, Bickel, Götze and van Zwet 1997).

    Args:
        scores: For each network what scores its trainings (S of them) on given rows.
        rows: How many test rows there are.
        trainings: How many trainings there are in all.
        seed: Of the draws.
        rarest: Share of the rows that the rarest class has.
        deadline: ``time.monotonic()`` after which fewer draws have to do.

    Returns:
        For each network an array (draws, S).
    """
    rng = np.random.default_rng(seed)
    size = rows_for(rows, trainings, rarest)
    found: dict[str, list[Sequence[float]]] = {name: [] for name in scores}
    for draw in range(draws_for(rows, trainings)):
        if deadline is not None and draw >= HURRIED_DRAWS and time.monotonic() > deadline:
            break
        chosen = rng.integers(rows, size=size)
        for name, score in scores.items():
            found[name].append(score(chosen))
    drawn = {name: np.array(each) for name, each in found.items()}
    if size == rows:
        return drawn
    whole = {name: np.array(score(np.arange(rows))) for name, score in scores.items()}  # (S,)
    return {name: whole[name] + np.sqrt(size / rows) * (each - whole[name]) for name, each in drawn.items()}


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
