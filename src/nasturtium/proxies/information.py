"""What proxies say about accuracy together: conditional entropy, averages of ranks, and votes."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from nasturtium.proxies.table import ProxyError

Values = npt.NDArray[np.float64]
Codes = npt.NDArray[np.int64]

BINS = 24
"""Bins of accuracy and of each proxy."""

EXHAUSTIBLE = 200_000
"""How many sets of proxies are looked at to find the best one."""


class Known(NamedTuple):
    """What is left unknown of the accuracy when some proxies are known.

    Attributes:
        names: The proxies.
        entropy: H(y | z1, ..., zk) in nats.
    """

    names: tuple[str, ...]
    entropy: float


def binned(values: npt.ArrayLike, bins: int = BINS) -> Codes:
    """The bin of each value, of as many of equal share of the networks; what is not finite has a bin of its own.

    Equal values share a bin, so bins do not depend on the scale of a proxy, which may be logarithmic or not.
    """
    from scipy.stats import rankdata

    numbers = np.asarray(values, dtype=np.float64)
    finite = np.isfinite(numbers)
    codes = np.full(len(numbers), bins, dtype=np.int64)
    if finite.any():
        shares = (rankdata(numbers[finite]) - 0.5) / finite.sum()
        codes[finite] = (shares * bins).astype(np.int64)
    return codes


def entropy(codes: Codes) -> float:
    """The entropy in nats of the rows of codes (n,) or (n, k), by their frequencies."""
    _, counts = np.unique(codes, axis=0, return_counts=True)
    shares = counts / counts.sum()
    return float(-(shares * np.log(shares)).sum())


def conditional_entropy(target: Codes, given: Codes) -> float:
    """H(y | z) = H(y, z) - H(z) in nats, for y (n,) and z (n, k); H(y) where k is 0."""
    if given.shape[1] == 0:
        return entropy(target)
    return max(entropy(np.column_stack((target, given))) - entropy(given), 0.0)


def greedy(
    accuracy: npt.ArrayLike, scores: Mapping[str, npt.ArrayLike], most: int | None = None, bins: int = BINS
) -> list[Known]:
    """The proxies in the order in which each leaves least unknown beside those before it.

    (Krishnakumar et al. 2022, section 4.1.) With few networks and many proxies every network has bins of its own and
    the entropy goes to 0, whatever the proxies say: compare it with that of shuffled accuracies.

    Args:
        accuracy: (n,).
        scores: Of each proxy (n,).
        most: How many proxies at most.
        bins: Of each of them.

    Returns:
        For k = 0, 1, ... what is left unknown.
    """
    target, codes = _coded(accuracy, scores, bins)
    taken: tuple[str, ...] = ()
    found = [Known(taken, entropy(target))]
    for _ in range(len(scores) if most is None else min(most, len(scores))):
        rest = [name for name in scores if name not in taken]
        tried = [Known((*taken, name), _left(target, codes, (*taken, name))) for name in rest]
        found.append(min(tried, key=lambda each: each.entropy))
        taken = found[-1].names
    return found


def exhaustive(
    accuracy: npt.ArrayLike, scores: Mapping[str, npt.ArrayLike], most: int | None = None, bins: int = BINS
) -> list[Known]:
    """For each k the set of k proxies that leaves least unknown, of all sets (see :func:`greedy`).

    Raises:
        ProxyError: If there are more sets than can be looked at.
    """
    target, codes = _coded(accuracy, scores, bins)
    largest = len(scores) if most is None else min(most, len(scores))
    sets = sum(math.comb(len(scores), k) for k in range(largest + 1))
    if sets > EXHAUSTIBLE:
        raise ProxyError(f"{sets:,} sets of up to {largest} proxies are too many; give fewer proxies or a smaller most")
    return [_best(target, codes, itertools.combinations(scores, k)) for k in range(largest + 1)]


def _best(target: Codes, codes: Mapping[str, Codes], sets: Iterator[tuple[str, ...]]) -> Known:
    return min((Known(names, _left(target, codes, names)) for names in sets), key=lambda each: each.entropy)


def _coded(accuracy: npt.ArrayLike, scores: Mapping[str, npt.ArrayLike], bins: int) -> tuple[Codes, dict[str, Codes]]:
    return binned(accuracy, bins), {name: binned(values, bins) for name, values in scores.items()}


def _left(target: Codes, codes: Mapping[str, Codes], names: Sequence[str]) -> float:
    given = np.column_stack([codes[name] for name in names]) if names else np.empty((len(target), 0), np.int64)
    return conditional_entropy(target, given)


def rank_average(scores: Mapping[str, npt.ArrayLike]) -> Values:
    """The mean rank of each network over the proxies that have a value for it, from 0 to 1; NaN where none has.

    Args:
        scores: Of each proxy (n,), better ones larger: minus infinity has the lowest rank, as where the determinant of
            nwot is 0; NaN, and infinity, which is an overflow, have none.
    """
    from scipy.stats import rankdata

    columns = _columns(scores)
    known = ~np.isnan(columns)
    ranks = np.zeros_like(columns)
    for column, valid, row in zip(columns, known, ranks, strict=True):
        row[valid] = (rankdata(column[valid]) - 0.5) / max(int(valid.sum()), 1)
    votes = known.sum(0)
    return np.where(votes > 0, ranks.sum(0) / np.maximum(votes, 1), np.nan)


def votes(scores: Mapping[str, npt.ArrayLike]) -> Values:
    """The share of other networks that each one beats by the majority of proxies; half a win where they are even.

    The vote of zero-cost-nas (Abdelfattah et al. 2021, section 3.3) over all pairs. A network without a value has no
    vote by that proxy, and NaN stands where it has none by any.

    Args:
        scores: Of each proxy (n,), as for :func:`rank_average`.
    """
    columns = _columns(scores)
    count = columns.shape[1]
    if count < 2:
        raise ProxyError(f"a vote is between at least two networks, not {count}")
    wins = np.empty(count)
    for place in range(count):
        own = columns[:, place, None]
        ahead = np.where(own == columns, 0.0, np.sign(own - columns))  # two of minus infinity are even
        balance = np.sign(np.nansum(ahead, 0))
        wins[place] = ((balance > 0).sum() + 0.5 * ((balance == 0).sum() - 1)) / (count - 1)
    wins[np.isnan(columns).all(0)] = np.nan
    return wins


def _columns(scores: Mapping[str, npt.ArrayLike]) -> Values:
    """(k, n): NaN where a network has no value, minus infinity where it is below all others."""
    columns = np.array([np.asarray(values, dtype=np.float64) for values in scores.values()])
    return np.where(np.isposinf(columns), np.nan, columns)
