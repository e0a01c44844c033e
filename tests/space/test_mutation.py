"""Mutation: what it keeps, what it changes, and what it says of it."""

from collections import Counter

import numpy as np
import pytest

from nasturtium.errors import SpaceError
from nasturtium.layers import Conv2d, GlobalPool, Linear, Sequential, repeat
from nasturtium.space import Part, Space, choice, shared
from nasturtium.spaces.einspace import einspace
from nasturtium.spaces.nasbench201 import nasbench201
from tests.skeletons.small import toy_grammar
from tests.space.oracle import applies, by_address, chance
from tests.space.toys import Fits, Same, Times, Two, random_spaces


@pytest.mark.parametrize("subtree", [False, True])
@pytest.mark.parametrize("count", [1, 2])
def test_mutations_of_random_spaces(subtree, count):
    mutated = 0
    for space, every, rng in random_spaces():
        known = {architecture.decisions for architecture in every}
        values = {architecture.value for architecture in every}
        parent = every[int(rng.integers(len(every)))]
        try:
            child = space.mutate(parent, rng, count=count, subtree=subtree)
        except SpaceError:
            assert all(neighbour is None for neighbour in space.neighbours(parent))
            continue
        assert len(values) > 1
        assert child.decisions in known
        assert child.value != parent.value
        before, after = by_address(parent), by_address(child)
        assert set(child.origin.changed) <= set(after)
        for address, step in after.items():
            if address in before and applies(before[address], step) and not subtree:
                touched = address in (*child.origin.changed, *child.origin.redrawn)
                assert touched or step.taken == before[address].taken
        for address in child.origin.redrawn:
            assert after[address].taken != before[address].taken
        mutated += 1
    assert mutated > 25


def test_a_mutation_changes_as_many_decisions_as_asked():
    space, rng = nasbench201(), np.random.default_rng(0)
    parent = space.sample(rng)
    for count in (1, 2, 5, 6, 9):
        child = space.mutate(parent, rng, count=count)
        differing = sum(one != other for one, other in zip(parent.decisions, child.decisions, strict=True))
        assert differing == min(count, 6) == len(child.origin.changed)
    with pytest.raises(SpaceError, match="at least one"):
        space.mutate(parent, rng, count=0)


def test_mutations_of_a_product_are_uniform_over_the_neighbours():
    space, rng = Space(Sequential(Same(choice(*range(4))), Same(choice(*range(4)))), input=1), np.random.default_rng(0)
    parent = space.architecture((1, 2))
    drawn = Counter(space.mutate(parent, rng).decisions for _ in range(3000))
    expected = {neighbour.decisions: 1 / 6 for neighbour in space.neighbours(parent)}
    assert len(expected) == 6
    assert chance(drawn, expected) > 1e-4


def test_mutations_follow_the_weights():
    space, rng = Space(Sequential(Same(choice(0, 1, 2, weights=(1, 2, 6)))), input=1), np.random.default_rng(0)
    drawn = Counter(space.mutate(space.architecture((1,)), rng).decisions for _ in range(2000))
    assert chance(drawn, {(0,): 1 / 7, (2,): 6 / 7}) > 1e-4


def test_nested_value_decisions_are_kept():
    nested = choice(choice(1, 2, 3), (choice(4, 5, 6), 7))
    space, rng = Space(Sequential(Same(nested), Same(choice(*range(5)))), input=1), np.random.default_rng(0)
    parent = space.parse("Sequential(Same((5, 7)), Same(3))")
    for _ in range(100):
        child = space.mutate(parent, rng)
        assert child.origin.redrawn == ()
        if child.origin.changed == ("1.label",):
            assert child.value.layers[0] == parent.value.layers[0]
        else:
            assert child.value.layers[1] == parent.value.layers[1]


def test_what_follows_from_a_change_is_said():
    space = Space(Sequential(Times(choice(2, 3)), Fits(choice(2, 3))), input=1)
    child = space.mutate(space.parse("Sequential(Times(2), Fits(2))"), np.random.default_rng(0))
    assert str(child) == "Sequential(Times(3), Fits(3))"
    assert child.origin.redrawn in ((), ("1.size",))  # by changing the one, or the other and going back
    assert set(child.origin.changed) <= {"0.factor", "1.size"}


def test_a_change_of_count_keeps_the_copies():
    space = Space(Sequential(repeat(Same(choice(*range(9))), choice(2, 3, 4))), input=1)
    parent, rng = space.parse("Sequential(Repeat(3, Same(5), Same(6), Same(7)))"), np.random.default_rng(0)
    labels = set()
    for _ in range(60):
        child = space.mutate(parent, rng)
        if child.origin.changed == ("0",):
            repeated = child.value.layers[0]
            written = [body.label for body in repeated.bodies] * (repeated.count if len(repeated.bodies) == 1 else 1)
            assert written[:3] == [5, 6, 7][: len(written)]
            labels.add(len(written))
    assert labels == {2, 4}


def test_subtree_mutation_redraws_what_is_below():
    body = Sequential(*(Same(choice(*range(50))) for _ in range(4)))
    space = Space(Sequential(choice(body, Times(2)), Same(choice(*range(50)))), input=1)
    parent, rng = space.architecture((0, 1, 2, 3, 4, 5)), np.random.default_rng(0)
    below = 0
    for _ in range(60):
        child = space.mutate(parent, rng, subtree=True)
        if child.origin.changed == ("1.label",):
            assert child.decisions[:5] == parent.decisions[:5]
        elif child.origin.changed == ("0",) and child.decisions[0] == 0:
            below += 1
    assert below == 0  # with two options the change takes the other one
    only = Space(Sequential(choice(body), Same(choice(*range(50)))), input=1)
    parent = only.architecture((0, 1, 2, 3, 4, 5))
    changed = [only.mutate(parent, rng, subtree=True) for _ in range(60)]
    redrawn = [c for c in changed if c.origin.changed == ("0",)]
    assert redrawn
    assert all(sum(a != b for a, b in zip(c.decisions, parent.decisions, strict=True)) >= 3 for c in redrawn)
    assert all(c.decisions[5] == 5 for c in redrawn)


class Optimiser(Part):
    rate: float
    steps: tuple = ()


def test_subtree_mutation_redraws_values_below_too():
    numbers = choice(*range(1000))
    options = choice(Optimiser(numbers, (numbers, 1)), Optimiser(numbers, (numbers, 2)))
    space, rng = Space(Same(options), input=1), np.random.default_rng(0)
    parent = space.architecture((0, 5, 6))
    kept = [c for c in (space.mutate(parent, rng) for _ in range(60)) if c.origin.changed == ("label",)]
    assert {c.decisions for c in kept} == {(1, 5, 6)}
    redrawn = [space.mutate(parent, rng, subtree=True) for _ in range(60)]
    redrawn = [c for c in redrawn if c.origin.changed == ("label",)]
    assert {c.decisions[0] for c in redrawn} == {1}
    assert sum(5 in c.decisions or 6 in c.decisions for c in redrawn) < 3


def test_spaces_of_one_architecture_have_no_mutation():
    for root in (
        Sequential(Times(choice(2))),
        Sequential(choice(Same(1), Same(1))),
        Sequential(Times(choice(1, 2)), Fits(2)),
    ):
        space = Space(root, input=1)
        architecture = space.sample(np.random.default_rng(0))
        with pytest.raises(SpaceError, match=r"only one architecture|no other architecture"):
            space.mutate(architecture, np.random.default_rng(0))
        assert list(space.neighbours(architecture)) == []


def test_mutations_keep_the_constraints():
    space = Space(
        Sequential(*(Same(choice(0, 1)) for _ in range(6))), input=1, where=lambda a: sum(a.decisions) in (2, 3)
    )
    rng = np.random.default_rng(0)
    parent = space.sample(rng)
    for _ in range(60):
        parent = space.mutate(parent, rng)
        assert sum(parent.decisions) in (2, 3)


@pytest.mark.parametrize("make", [einspace, toy_grammar])
def test_mutations_of_grammars_seldom_redraw(make):
    space, rng = make(), np.random.default_rng(0)
    parents = [space.sample(rng) for _ in range(40)]
    redrawn = [len(space.mutate(parents[i % 40], rng).origin.redrawn) > 0 for i in range(120)]
    assert sum(redrawn) <= 6


def test_what_all_options_share_stays_when_another_is_taken():
    """A grammar changed locally drew the inside of a transparent choice anew, and did not say so."""
    space, rng = einspace((16, 16, 16)), np.random.default_rng(0)
    parent = space.from_notation("B[clone4 {S[C[linear16] C[softmax]]} cat_tensors1d4t]")
    before = {step.point.address: step for step in parent.steps}
    splits = set()
    for _ in range(300):
        child = space.mutate(parent, rng)
        if child.origin.changed == (parent.steps[1].point.address,):
            splits.add(child.decisions[1])
            assert child.value.layers[0].paths[0] == parent.value.layers[0].paths[0]
            for step in child.steps[2:]:
                known = before.get(step.point.address)
                if known is not None and known.point.choice.options == step.point.choice.options:
                    assert known.taken == step.taken
    assert len(splits) > 5


def test_two_branches_that_must_agree_mutate_together():
    widths = [Times(choice(*range(1, 9))) for _ in range(2)]
    space, rng = Space(Two(*widths), input=1), np.random.default_rng(0)
    for _ in range(20):
        parent = space.sample(rng)
        child = space.mutate(parent, rng)
        assert child.value.left == child.value.right != parent.value.left


def test_shared_decisions_mutate_as_one():
    width = shared("width", choice(4, 8, 12), whole=True)
    space = Space(Sequential(Conv2d(width), Conv2d(width), GlobalPool("mean"), Linear(2)), input=(1, 4, 4))
    parent = space.architecture((1,))
    child = space.mutate(parent, np.random.default_rng(0))
    assert child.origin.changed == ("<width>",)
    assert child.value.layers[0] == child.value.layers[1] != parent.value.layers[0]
