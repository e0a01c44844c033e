"""A small space whose scores follow from its decisions, for all tests of predictors."""

import numpy as np

from nasturtium.layers import Sequential
from nasturtium.space import Space, choice
from tests.space.toys import Fits, Plus, Same, Times, Two


def small_space():
    """Two branches of two layers each: 4 x 3 x 4 x 3 networks on which every encoding is possible."""
    left = Sequential(choice(Same(0), Same(1), Same(2), Same(3)), choice(Times(1), Same(4), Same(5)))
    right = Sequential(choice(Same(6), Same(7), Same(8), Same(9)), choice(Fits(1), Same(10), Same(11)))
    return Space(Two(left, right, Plus()), input=2, name="small")


def scored(space, count, seed=0):
    """Architectures without repeats, and scores that hold an interaction and a little noise."""
    rng = np.random.default_rng(seed)
    every = list(space.enumerate())
    chosen = [every[i] for i in rng.permutation(len(every))[:count]]
    return chosen, np.array([truth(each) for each in chosen]) + 0.02 * rng.normal(size=count)


def truth(architecture):
    a, b, c, d = architecture.decisions
    return 70.0 + 3.0 * a + 2.0 * b - 1.5 * c + 2.5 * (a == c) - 2.0 * (b == d == 1)
