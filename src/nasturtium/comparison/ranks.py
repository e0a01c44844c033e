"""Ranking strategies over benchmarks: average ranks, Friedman's test, and Nemenyi's critical difference."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from nasturtium.errors import NasturtiumError

Numbers = NDArray[np.float64]


@dataclass(frozen=True)
class Ranking:
    """Strategies by their average rank.

    Attributes:
        names: The strategies, the best first.
        ranks: Their average ranks over the blocks.
        blocks: Over how many blocks.
        over: What the blocks are.
        chi_square: Friedman's statistic, corrected for ties.
        p_value: How likely such ranks are if all strategies are alike.
        difference: Nemenyi's critical difference: average ranks that differ by less are not told apart.
        alpha: Its level.
        groups: The strategies that are not told apart, as places of the first and the last; groups of one left out.
    """

    names: tuple[str, ...]
    ranks: tuple[float, ...]
    blocks: int
    over: str
    chi_square: float
    p_value: float
    difference: float
    alpha: float
    groups: tuple[tuple[int, int], ...]


def ranking(names: Sequence[str], values: ArrayLike, *, over: str = "benchmarks", alpha: float = 0.05) -> Ranking:
    """Ranks strategies (Demšar 2006, Journal of Machine Learning Research 7, section 3.2.2).

    Args:
        names: The strategies, k of them.
        values: How good each was in each block, more being better, (blocks, k).
        over: What the blocks are.
        alpha: Level of the critical difference.

    Raises:
        NasturtiumError: If there are fewer than two strategies or blocks, or a value is NaN.
    """
    table = np.asarray(values, dtype=np.float64)
    if table.ndim != 2 or table.shape[1] != len(names) or min(table.shape) < 2:
        raise NasturtiumError(f"values {table.shape} of {len(names)} strategies: a ranking needs two of each at least")
    if np.isnan(table).any():
        raise NasturtiumError("a strategy has no value in some block, so it cannot be ranked there")
    average = block_ranks(table).mean(axis=0)
    order = np.argsort(average, kind="stable")
    ordered = [float(average[place]) for place in order]
    chi_square, p_value = friedman(table)
    difference = critical_difference(len(names), len(table), alpha)
    return Ranking(
        tuple(names[place] for place in order), tuple(ordered), len(table), over, chi_square, p_value, difference,
        alpha, tuple(not_told_apart(ordered, difference)),
    )  # fmt: skip


def block_ranks(values: Numbers) -> Numbers:
    """The rank of each value within its row, 1 for the largest; equal ones share the mean of their ranks."""
    from scipy.stats import rankdata

    ranks: Numbers = rankdata(-values, axis=1)
    return ranks


def friedman(values: Numbers) -> tuple[float, float]:
    """Friedman's chi-square with its correction for ties, and the probability of a larger one.

    Args:
        values: (blocks, strategies).

    Returns:
        0 and 1 where all values are equal within every block.
    """
    from scipy.stats import chi2

    blocks, count = values.shape
    ranks = block_ranks(values)
    spread = float(((ranks.mean(axis=0) - (count + 1) / 2) ** 2).sum())
    variance = float(
        (ranks**2).sum() / blocks - count * (count + 1) ** 2 / 4
    )  # count * (count^2 - 1) / 12 without ties
    if variance <= 1e-12:
        return 0.0, 1.0
    statistic = blocks * spread * (count - 1) / variance
    return statistic, float(chi2.sf(statistic, count - 1))


def critical_difference(count: int, blocks: int, alpha: float = 0.05) -> float:
    """By how much average ranks of ``count`` strategies over ``blocks`` blocks must differ (Nemenyi 1963).

    ``q * sqrt(k (k + 1) / (6 N))``, q being the quantile of the studentised range for infinite degrees of freedom,
    divided by the root of two.
    """
    from scipy.stats import studentized_range

    quantile = float(studentized_range.ppf(1 - alpha, count, np.inf)) / math.sqrt(2)
    return quantile * math.sqrt(count * (count + 1) / (6 * blocks))


def not_told_apart(ranks: Sequence[float], difference: float) -> list[tuple[int, int]]:
    """The largest groups of strategies in order whose average ranks differ by less than the critical difference.

    >>> not_told_apart([1.0, 1.5, 2.8, 4.0], 1.4)
    [(0, 1), (1, 2), (2, 3)]
    """
    groups: list[tuple[int, int]] = []
    for first, rank in enumerate(ranks):
        last = max(place for place, other in enumerate(ranks) if other - rank < difference)
        if last > first and (not groups or last > groups[-1][1]):
            groups.append((first, last))
    return groups
