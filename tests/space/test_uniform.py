"""Uniform sampling of spaces whose decisions depend on each other and that are too large to be listed."""

from collections import Counter

import numpy as np
import pytest

from nasturtium.layers import Linear, Sequential
from nasturtium.space import Space, choice, shared
from nasturtium.space.counting import NotFactorable
from nasturtium.space.sizes import factored
from nasturtium.spaces import densenet, hierarchical, nasnet, resnet
from tests.space.oracle import chance
from tests.space.toys import Fits, Same, Times, Twice


def test_uniform_sampling_takes_combinations_where_there_are_too_many_to_list():
    # One width in sixteen places: three architectures, each as likely as any other whatever its weight.
    weighted = shared("width", choice(4, 6, 8, weights=(1, 5, 9)), whole=True)
    space = Space(Sequential(*[Linear(weighted) for _ in range(16)], Linear(2)), input=3)
    rng = np.random.default_rng(0)
    drawn = Counter(space.sample(rng, uniform=True).decisions for _ in range(600))
    assert chance(drawn, {(index,): 1 / 3 for index in range(3)}) > 1e-4


def test_uniform_sampling_where_children_are_visited_again_follows_the_numbers_of_options():
    # Five ways at an inner choice, one beside it: the outer options must have the weights 5 and 1.
    row = [choice(Times(choice(1, 2, 3, 4, 5)), Same(), weights=(1, 7)) for _ in range(14)]
    space = Space(Twice(Sequential(Times(2), *row)), input=1)
    with pytest.raises(NotFactorable):
        factored(space)
    rng = np.random.default_rng(0)
    drawn = Counter(len(str(space.sample(rng, uniform=True)).split("Times")) - 2 for _ in range(300))
    assert sum(count * times for count, times in drawn.items()) / 300 == pytest.approx(14 * 5 / 6, abs=0.3)


@pytest.mark.parametrize("make", [resnet, densenet, nasnet, hierarchical])
def test_published_spaces_with_dependent_decisions_are_sampled_uniformly(make):
    space, rng = make(), np.random.default_rng(0)
    assert len({space.sample(rng, uniform=True).decisions for _ in range(5)}) == 5


def test_combinations_that_lead_nowhere_are_drawn_anew():
    # Of 2^20 combinations a quarter works: the second layer must fit the first, which is one decision in both visits.
    row = [Same(choice(0, 1)) for _ in range(18)]
    space = Space(Twice(Sequential(Times(choice(1, 2)), choice(Fits(1), Fits(4)), *row)), input=1)
    rng = np.random.default_rng(0)
    drawn = Counter(space.sample(rng, uniform=True).decisions[:2] for _ in range(400))
    working = [pair for pair in ((0, 0), (0, 1), (1, 0), (1, 1)) if _works(pair)]
    assert chance(drawn, {pair: 1 / len(working) for pair in working}) > 1e-4


def _works(pair):
    factor, divisor = (1, 2)[pair[0]], (1, 4)[pair[1]]
    return factor % divisor == 0 and factor**2 % divisor == 0
