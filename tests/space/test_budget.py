"""Limits of grammars: exact bounds against brute force, and kept by every derivation."""

import itertools

import numpy as np
import pytest

from nasturtium.errors import SpaceError
from nasturtium.layers import Repeat, Sequential
from nasturtium.space import Space, choice, rule
from nasturtium.space.budget import Budget
from nasturtium.space.choice import Choice, Rule
from nasturtium.space.part import Part
from nasturtium.spaces.einspace import einspace
from tests.skeletons.small import toy_grammar
from tests.space.toys import Same, Times, Two


def smallest(value, decisions, depth):
    """Whether ``value`` can close with exactly so many decisions within so many levels of rules, by trying."""
    return decisions in _sizes(value, decisions, depth)


def _sizes(value, most, depth):
    """All numbers of decisions up to ``most`` with which a value can close."""
    if isinstance(value, Choice):
        below = depth - isinstance(value, Rule)
        if below < 0 or most < 1:
            return set()
        return {1 + size for option in value.options for size in _sizes(option, most - 1, below)}
    if isinstance(value, Part) and value.is_open:
        copies = value.count if isinstance(value, Repeat) and len(value.bodies) == 1 else 1
        value = tuple(item for item in value.values for _ in range(copies))
    if isinstance(value, tuple):
        found = {0}
        for item in value:
            sizes = _sizes(item, most, depth)
            found = {a + b for a, b in itertools.product(found, sizes) if a + b <= most}
        return found
    return {0}


def grammars():
    plain = rule("plain", lambda r: choice(Sequential(r, r), Same(), Times(choice(1, 2))))
    yield "plain", plain
    yield "costly end", rule("r", lambda r: choice(Sequential(r, r), Two(Same(choice(0, 1)), Times(choice(1, 2)))))
    outer = rule("outer", lambda outer: choice(Sequential(outer, plain), Two(plain, plain)))
    yield "nested", outer
    yield "copies", rule("r", lambda r: choice(Repeat(3, r), Two(Repeat(2, Same(choice(0, 1))), Same(choice(0, 1)))))
    one = rule("one", lambda one: choice(two_of(one), Sequential(one, one)))
    yield "mutual", one


def two_of(one):
    return rule("two", lambda two: choice(Sequential(two, one), Same(choice(1, 2))))


GRAMMARS = dict(grammars())


@pytest.mark.parametrize("name", GRAMMARS)
def test_least_and_height_equal_brute_force(name):
    grammar = GRAMMARS[name]
    root = Two(grammar, Same(choice(1, 2)))
    budget = Budget(root, 100, 100)
    least = next(n for n in range(1, 20) if smallest(grammar, n, 20))
    height = next(d for d in range(1, 10) if _sizes(grammar, 14, d))
    assert budget.least(grammar) == least
    assert budget.least(root) == least + 1
    Budget(root, height, least + 1)
    for depth, nodes in ((height - 1, 100), (100, least)):
        with pytest.raises(SpaceError, match="no derivation fits"):
            Budget(root, depth, nodes)


def weight(architecture):
    return sum(step.point.here.copies for step in architecture.steps)


def depth_of(architecture):
    return max(step.point.here.depth + isinstance(step.point.choice, Rule) for step in architecture.steps)


@pytest.mark.parametrize("name", GRAMMARS)
@pytest.mark.parametrize("slack", [0, 1, 5, 20])
def test_no_sample_exceeds_the_limits(name, slack):
    root = Two(GRAMMARS[name], Same(choice(1, 2)))
    least = Budget(root, 100, 100).least(root)
    space = Space(root, input=1, nodes=least + slack, depth=5)
    rng = np.random.default_rng(0)
    sampled = [space.sample(rng) for _ in range(60)]
    assert max(map(weight, sampled)) <= least + slack
    assert max(map(depth_of, sampled)) <= 5
    for one, other in itertools.pairwise(sampled):
        assert weight(space.cross(one, other, rng)) <= least + slack
    if slack == 20:
        assert all(weight(space.mutate(architecture, rng)) <= least + slack for architecture in sampled[:30])


@pytest.mark.parametrize("nodes", [20, 60, 300])
def test_copies_that_show_late_count_too(nodes):
    space, rng = einspace(nodes=nodes), np.random.default_rng(0)
    heaviest = max(weight(space.sample(rng)) for _ in range(150))
    assert 0.5 * nodes < heaviest <= nodes


def test_the_depth_limit_binds():
    rng = np.random.default_rng(0)
    toy = toy_grammar()
    for depth in (1, 2, 4):
        space = Space(toy.root, input=toy.input, depth=depth, nodes=60)
        assert max(depth_of(space.sample(rng)) for _ in range(200)) == depth


def test_all_derivations_within_the_limits_are_found():
    grammar = rule("g", lambda g: choice(Sequential(g, g), Same(), Times(1)))
    space = Space(Sequential(grammar), input=1, nodes=7, depth=3)
    counted = sum(2 ** (leaves) for leaves in _shapes(3) if 2 * leaves - 1 <= 7)
    found = {a.value for derivation in space.leaves() for a in [space.finished(derivation)]}
    assert len(found) == counted


def _shapes(depth):
    """Numbers of leaves of all binary trees of at most so many levels, one entry a tree."""
    if depth == 1:
        return [1]
    below = _shapes(depth - 1)
    return [1] + [a + b for a in below for b in below]


def test_given_architectures_may_exceed_the_limits():
    toy = toy_grammar()
    small = Space(toy.root, input=toy.input, depth=3, nodes=8, name="small")
    rng = np.random.default_rng(0)
    large = next(a for a in iter(lambda: toy.sample(rng), None) if weight(a) > 20)
    adopted = small.parse(str(large))
    assert adopted.value == large.value
    assert weight(small.mutate(adopted, rng)) <= weight(large)
