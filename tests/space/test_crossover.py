"""Crossover: every decision from a parent, and sub-trees in grammars."""

from collections import Counter

import numpy as np

from nasturtium.layers import Sequential
from nasturtium.space import Part, Space, choice, rule
from nasturtium.spaces.darts import darts
from nasturtium.spaces.nasbench201 import nasbench201
from tests.skeletons.small import recipe_space
from tests.space.oracle import applies, by_address, chance
from tests.space.toys import Same, Two, random_spaces


def test_crossover_takes_decisions_from_its_parents():
    crossed = 0
    for space, every, rng in random_spaces():
        known = {architecture.decisions for architecture in every}
        first, second = every[int(rng.integers(len(every)))], every[int(rng.integers(len(every)))]
        child = space.cross(first, second, rng)
        assert child.decisions in known
        one, other = by_address(first), by_address(second)
        for address, step in by_address(child).items():
            offers = {p[address].taken for p in (one, other) if address in p and applies(p[address], step)}
            if offers and address not in child.origin.redrawn:
                assert step.taken in offers
            if address in child.origin.redrawn:  # only where a dead end led back, or nothing of theirs works
                assert step.taken not in offers
        if first.value == second.value and first.decisions == second.decisions:
            assert child.value == first.value
        crossed += child.origin is not None and not child.origin.redrawn
    assert crossed > 35


def test_crossover_mixes_evenly_where_choices_depend():
    # Not a product, for the second choice only stands in one option of the first.
    nested = choice(Sequential(Same(choice(0, 1)), Same(choice(0, 1))), Same(7))
    space, rng = Space(Sequential(nested, Same(choice(0, 1))), input=1), np.random.default_rng(0)
    assert space.radices is None
    first, second = space.architecture((0, 0, 0, 0)), space.architecture((0, 1, 1, 1))
    drawn = Counter(space.cross(first, second, rng).decisions for _ in range(2000))
    expected = {(0, a, b, c): 1 / 8 for a in (0, 1) for b in (0, 1) for c in (0, 1)}
    assert chance(drawn, expected) > 1e-4


def test_crossover_of_products_mixes_evenly():
    space, rng = Space(Sequential(*(Same(choice(0, 1, 2)) for _ in range(3))), input=1), np.random.default_rng(0)
    first, second = space.architecture((0, 0, 0)), space.architecture((1, 2, 0))
    drawn = Counter(space.cross(first, second, rng).decisions for _ in range(2000))
    assert chance(drawn, {(a, b, 0): 1 / 4 for a in (0, 1) for b in (0, 2)}) > 1e-4


def test_crossover_of_equal_parents_is_the_parent():
    for space in (nasbench201(), darts(cells=4), recipe_space()):
        rng = np.random.default_rng(0)
        parent = space.sample(rng)
        assert space.cross(parent, parent, rng) == parent


def test_crossover_keeps_the_constraints_or_gives_back_the_first_parent():
    space = Space(Sequential(Same(choice(0, 1)), Same(choice(0, 1))), input=1, where=lambda a: sum(a.decisions) == 1)
    rng = np.random.default_rng(0)
    for _ in range(30):
        assert space.cross(space.architecture((0, 1)), space.architecture((1, 0)), rng) in space


def test_grammars_exchange_sub_trees():
    grammar = rule("g", lambda g: choice(Two(g, g), Same(choice(*range(40)))))
    space, rng = Space(Sequential(grammar), input=1, depth=40, nodes=200), np.random.default_rng(0)

    def trees(value):
        found = [value]
        for inner in (value.left, value.right) if isinstance(value, Two) else ():
            found += trees(inner)
        return found

    def stands_at(value, address):
        """What the rule at an address such as ``0#0.left`` became."""
        for field in address.split(".")[1:]:
            value = getattr(value, field.partition("#")[0])
        return value

    grafted = 0
    for _ in range(60):
        first, second = space.sample(rng), space.sample(rng)
        child = space.cross(first, second, rng)
        if child.origin.kind != "crossover" or not child.origin.changed:
            continue
        grafted += 1
        assert child.origin.redrawn == ()
        (address,) = child.origin.changed
        assert address in by_address(first)
        child_tree, first_tree = child.value.layers[0], first.value.layers[0]
        assert stands_at(child_tree, address) in trees(second.value.layers[0])
        assert stands_at(child_tree, address) != stands_at(first_tree, address)
        leaves = Counter(tree for tree in trees(first_tree) if isinstance(tree, Same))
        leaves -= Counter(tree for tree in trees(stands_at(first_tree, address)) if isinstance(tree, Same))
        leaves += Counter(tree for tree in trees(stands_at(child_tree, address)) if isinstance(tree, Same))
        assert leaves == Counter(tree for tree in trees(child_tree) if isinstance(tree, Same))
    assert grafted > 20


class Leaf(Part):
    number: int


class Bough(Part):
    left: object
    right: object


def test_grammars_of_values_exchange_sub_trees_too():
    tree = rule("tree", lambda t: choice(Bough(t, t), Leaf(choice(*range(90)))))
    space, rng = Space(Bough(tree, tree), depth=20, nodes=100), np.random.default_rng(0)
    first = space.parse("Bough(Bough(Leaf(1), right=Leaf(2)), right=Leaf(3))")
    second = space.parse("Bough(Leaf(11), right=Bough(Leaf(12), right=Bough(Leaf(13), right=Leaf(14))))")
    seen = Counter()
    for _ in range(80):
        child = space.cross(first, second, rng)
        numbers = [int(n) for n in "".join(c if c.isdigit() else " " for c in str(child)).split()]
        assert set(numbers) <= {1, 2, 3, 11, 12, 13, 14}
        seen["both"] += any(n > 10 for n in numbers) and any(n < 10 for n in numbers)
        assert child.origin.redrawn == ()
    assert seen["both"] > 40
    assert space.mutate(first, rng).value != first.value
