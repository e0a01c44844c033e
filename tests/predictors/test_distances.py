"""Assignments of many matrices at once against scipy's, one by one."""

import numpy as np
import pytest
from scipy.optimize import linear_sum_assignment

from nasturtium.predictors.distances import MANY, SMALL, assigned


def alone(costs):
    """The least sum, where what has no partner costs 1."""
    rows, columns = linear_sum_assignment(costs)
    return costs[rows, columns].sum() + abs(costs.shape[0] - costs.shape[1])


@pytest.mark.parametrize("count", [MANY // 2, 2 * MANY])
@pytest.mark.parametrize(("rows", "columns"), [(4, 4), (3, 6), (7, 2), (SMALL + 1, SMALL + 1)])
def test_assignments_are_those_of_scipy(rows, columns, count):
    rng = np.random.default_rng(rows)
    points = [rng.integers(0, 4, (count, size, 2)) for size in (rows, columns)]
    points[1][:, 1] = points[0][:, 0]  # a row and a column at distance 0 in all matrices, and others in some
    costs = np.minimum(0.5 * np.abs(points[0][:, :, None] - points[1][:, None]).sum(3), 2.0)
    np.testing.assert_allclose(assigned(costs), [alone(each) for each in costs])
