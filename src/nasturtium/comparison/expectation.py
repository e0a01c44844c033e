"""What random search must give: the exact expectation of the best of n, computed from a table."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import gammaln

Numbers = NDArray[np.float64]


def expected_best(
    signal: ArrayLike,
    verdict: ArrayLike | None = None,
    counts: Sequence[int] = (1,),
    *,
    maximise: bool = True,
    replacement: bool = False,
) -> Numbers:
    """The expected verdict of the row with the best signal among n rows drawn at random.

    Let ``G_1, G_2, ...`` be the groups of rows with equal signal, the best first, and ``T_j`` the number of rows in the
    first j of them. With N rows, the best of n lies beyond group j with probability ``C(N - T_j, n) / C(N, n)`` without
    replacement and ``(1 - T_j / N)^n`` with it; the differences are the probabilities of the groups. Within a group the
    row that is drawn first is the incumbent, which is each with equal probability, so that the expectation is

        E_n = sum_j P(best of n in G_j) * mean of the verdict in G_j.

    Args:
        signal: What the search sees of each row, (N,); rows that are NaN are left out.
        verdict: What is reported of each row, (N,); the signal if None.
        counts: The n.
        maximise: Whether more of the signal is better.
        replacement: Whether a row may be drawn twice.

    Returns:
        One number for each n. Without replacement, n beyond the number of rows counts as all of them.

    >>> expected_best([1, 2, 3], counts=[1, 2, 3])
    array([2.        , 2.66666667, 3.        ])
    """
    seen = np.asarray(signal, dtype=np.float64)
    told = seen if verdict is None else np.asarray(verdict, dtype=np.float64)
    seen, told = seen[~np.isnan(seen)], told[~np.isnan(seen)]
    _, group = np.unique(-seen if maximise else seen, return_inverse=True)  # group 0 is the best
    sizes = np.bincount(group)
    means = np.bincount(group, weights=told) / sizes
    upto = np.cumsum(sizes)
    found = []
    for n in counts:
        beyond = _beyond(upto, len(seen), n, replacement)
        chances = np.concatenate([[1.0], beyond[:-1]]) - beyond
        found.append(float(chances @ means))
    return np.array(found)


def _beyond(upto: NDArray[np.int64], rows: int, n: int, replacement: bool) -> Numbers:
    """The probability that none of n draws is among the first ``upto`` rows."""
    left = rows - upto
    if replacement:
        powers: Numbers = (left / rows) ** n
        return powers
    n = min(n, rows)
    chances = np.zeros(len(upto))
    open_ = left >= n  # elsewhere n draws cannot all lie beyond
    chances[open_] = np.exp(_log_choose(left[open_], n) - _log_choose(np.array([rows]), n))
    return chances


def _log_choose(among: NDArray[np.int64], n: int) -> Numbers:
    logs: Numbers = gammaln(among + 1) - gammaln(n + 1) - gammaln(among - n + 1)
    return logs
