"""Neighbours: all that differ in one decision, lazily."""

import numpy as np

from nasturtium.layers import Sequential
from nasturtium.space import Space, choice
from nasturtium.spaces.einspace import einspace
from nasturtium.spaces.nasbench201 import nasbench201
from tests.skeletons.small import toy_grammar
from tests.space.toys import Fits, Same, Times


def test_neighbours_of_a_product_are_all_at_distance_one():
    space = Space(Sequential(*(Same(choice(*range(n))) for n in (2, 3, 4))), input=1)
    every = {architecture.decisions for architecture in space.enumerate()}
    for decisions in every:
        found = [neighbour.decisions for neighbour in space.neighbours(space.architecture(decisions))]
        truth = {o for o in every if sum(a != b for a, b in zip(o, decisions, strict=True)) == 1}
        assert set(found) == truth
        assert len(found) == len(truth)


def test_neighbours_with_dead_ends_are_symmetric_and_complete():
    # No choice stands inside another's option; some combinations do not work.
    space = Space(Sequential(Times(choice(1, 2, 3, 4)), Fits(choice(1, 2, 3)), Same(choice(0, 1))), input=1)
    every = {a.decisions: a for a in space.enumerate()}
    found = {d: {n.decisions for n in space.neighbours(a) if not n.origin.redrawn} for d, a in every.items()}
    truth = {d: {o for o in every if sum(a != b for a, b in zip(o, d, strict=True)) == 1} for d in every}
    assert found == truth


def test_neighbours_of_nested_values():
    space = Space(Same(choice(choice(1, 2), choice(3, 4), 5)), input=1)
    texts = {str(a): a for a in space.enumerate()}
    assert {str(n) for n in space.neighbours(texts["Same(1)"])} >= {"Same(2)", "Same(5)"}
    assert {str(n) for n in space.neighbours(texts["Same(1)"])} & {"Same(3)", "Same(4)"}
    assert len(list(space.neighbours(texts["Same(5)"]))) == 2


def test_neighbours_are_lazy_limited_and_random():
    space, rng = nasbench201(), np.random.default_rng(0)
    architecture = space.sample(rng)
    assert len(list(space.neighbours(architecture))) == 24
    assert len(list(space.neighbours(architecture, limit=5))) == 5
    orders = {tuple(n.decisions for n in space.neighbours(architecture, np.random.default_rng(s))) for s in range(5)}
    assert len(orders) == 5
    assert len({frozenset(order) for order in orders}) == 1
    assert next(einspace().neighbours(einspace().sample(rng))).origin.kind == "neighbour"


def test_without_a_generator_neighbours_are_always_the_same():
    space = toy_grammar()
    architecture = space.sample(np.random.default_rng(3))
    one, other = ([str(n) for n in space.neighbours(architecture)] for _ in range(2))
    assert one == other
    assert len(one) > 3
