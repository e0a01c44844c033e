"""Ranks, Friedman and Nemenyi against scipy, brute force and the tables of Demšar (2006)."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import friedmanchisquare

from nasturtium.comparison import critical_difference, friedman, ranking
from nasturtium.comparison.ranks import block_ranks, not_told_apart
from nasturtium.errors import NasturtiumError

Q05 = (1.960, 2.343, 2.569, 2.728, 2.850, 2.949, 3.031, 3.102, 3.164)
Q10 = (1.645, 2.052, 2.291, 2.459, 2.589, 2.693, 2.780, 2.855, 2.920)
"""Demšar 2006, table 5(a): the critical values of Nemenyi's test for 2 to 10 classifiers."""


@pytest.mark.parametrize(("alpha", "published"), [(0.05, Q05), (0.10, Q10)])
def test_critical_values_as_published(alpha: float, published: tuple[float, ...]) -> None:
    blocks = 1000
    for count, value in zip(range(2, 11), published, strict=True):
        found = critical_difference(count, blocks, alpha) / np.sqrt(count * (count + 1) / (6 * blocks))
        assert found == pytest.approx(value, abs=0.0011)


def test_demsars_example() -> None:
    # section 3.2.3: four classifiers on 14 data sets, average ranks 3.143, 2.000, 2.893 and 1.964
    assert critical_difference(4, 14) == pytest.approx(1.25, abs=0.005)
    assert critical_difference(4, 14, 0.10) == pytest.approx(1.12, abs=0.005)
    order = [1.964, 2.000, 2.893, 3.143]
    assert not_told_apart(order, 1.25) == [(0, 3)]  # no difference is found at 5 %
    assert not_told_apart(order, 1.12) == [(0, 2), (2, 3)]  # at 10 % the last is worse than the first two


@pytest.mark.parametrize("ties", [False, True])
def test_friedman_equals_scipy(ties: bool) -> None:
    rng = np.random.default_rng(1)
    for blocks, count in ((5, 3), (12, 6), (40, 4)):
        values = rng.integers(0, 4, (blocks, count)).astype(float) if ties else rng.random((blocks, count))
        expected = friedmanchisquare(*values.T)
        assert friedman(values) == pytest.approx((expected.statistic, expected.pvalue))


def test_equal_values_say_nothing() -> None:
    assert friedman(np.ones((6, 3))) == (0.0, 1.0)


def test_ranks_by_counting() -> None:
    values = np.random.default_rng(2).integers(0, 5, (20, 7)).astype(float)
    counted = (
        1
        + (values[:, None, :] > values[:, :, None]).sum(2)
        + ((values[:, None, :] == values[:, :, None]).sum(2) - 1) / 2
    )
    assert np.allclose(block_ranks(values), counted)


def test_groups_by_brute_force() -> None:
    rng = np.random.default_rng(3)
    for _ in range(50):
        ranks = sorted((1 + 6 * rng.random(7)).tolist())
        width = 3 * rng.random()
        together = [(i, j) for i in range(7) for j in range(i + 1, 7) if ranks[j] - ranks[i] < width]
        largest = [(i, j) for i, j in together if not any((a, b) != (i, j) and a <= i and j <= b for a, b in together)]
        assert not_told_apart(ranks, width) == largest


def test_refuses_what_cannot_be_ranked() -> None:
    with pytest.raises(NasturtiumError, match="two of each"):
        ranking(["a"], [[1.0], [2.0]])
    with pytest.raises(NasturtiumError, match="no value"):
        ranking(["a", "b"], [[1.0, np.nan], [2.0, 1.0]])
