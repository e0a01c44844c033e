"""Remembered stops change nothing but the time: what is derived with them is what is derived without."""

from __future__ import annotations

import copy

import numpy as np
import pytest

from nasturtium import spaces
from nasturtium.errors import SpaceError
from nasturtium.space.remembered import Remembered
from nasturtium.testing.small_spaces import conditional, constrained, grammar
from tests.strategies.toy_searches import dead_ends

MAKERS = {
    "conditional": conditional,
    "constrained": constrained,
    "dead ends": dead_ends,
    "transnas_macro": spaces.transnas_macro,
    "nasbench_graph": spaces.nasbench_graph,
}


def varied(space, seed):
    """Samples, mutations, crossovers and neighbours, with all that is known of them."""
    rng = np.random.default_rng(seed)
    made = [space.sample(rng) for _ in range(40)]
    made += [space.mutate(each, rng) for each in made[:20]]
    made += [space.cross(a, b, rng) for a, b in zip(made[:10], made[10:20], strict=True)]
    made += [each for a in made[:3] for each in space.neighbours(a, rng, 5)]
    return [
        (str(each), each.decisions, each.origin, [(s.number, s.point.address, s.point.offered) for s in each.steps])
        for each in made
    ]


@pytest.mark.parametrize("kind", MAKERS)
@pytest.mark.parametrize("most", [1, 7, 20_000])
def test_the_same_is_drawn_with_and_without(kind, most):
    plain, remembering = MAKERS[kind](), MAKERS[kind]()
    remembering.remembered = Remembered(most)
    for seed in (0, 1, 0):
        assert varied(remembering, seed) == varied(plain, seed)
    assert 0 < remembering.remembered.count <= most


def test_enumeration_is_the_same_and_remembers_nothing():
    plain, remembering = spaces.transnas_macro(), spaces.transnas_macro()
    remembering.remembered = Remembered()
    varied(remembering, 0)
    before = remembering.remembered.count
    assert [a.decisions for a in remembering.enumerate()] == [a.decisions for a in plain.enumerate()]
    assert remembering.remembered.count == before


def test_mistakes_are_found_behind_remembered_decisions():
    space = conditional()
    space.remembered = Remembered()
    decisions = space.sample(np.random.default_rng(0)).decisions
    for _ in range(2):
        assert space.replay(decisions).point is None
        with pytest.raises(SpaceError, match="too few"):
            space.replay(decisions[:-1])
        with pytest.raises(SpaceError, match="takes option 99"):
            space.replay((*decisions[:-1], 99))


def test_a_copy_of_a_remembered_derivation_goes_its_own_way():
    space = conditional()
    space.remembered = Remembered()
    space.sample(np.random.default_rng(0))
    first = space.derive()
    second = first.copy()
    option, other = first.point.offered[:2]
    first.take(option)
    second.take(other)
    assert [step.taken for step in first.taken()] == [option]
    assert [step.taken for step in second.taken()] == [other]
    assert space.derive().count == 0


def test_grammars_are_not_remembered_and_stops_do_not_travel():
    space = grammar()
    space.remembered = Remembered()
    space.sample(np.random.default_rng(0))
    assert space.remembered.count == 0
    space = conditional()
    space.remembered = Remembered()
    space.sample(np.random.default_rng(0))
    assert copy.deepcopy(space).remembered is None
    assert copy.deepcopy(space).sample(np.random.default_rng(0)) == space.sample(np.random.default_rng(0))
