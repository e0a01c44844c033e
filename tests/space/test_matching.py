"""Recovering decisions from closed values: always found where there are any, the first in order."""

import numpy as np
import pytest

from nasturtium.errors import SpaceError
from nasturtium.layers import Repeat, Sequential, repeat
from nasturtium.space import Architecture, Space, choice, rule, shared
from nasturtium.space.sizes import at_most
from nasturtium.spaces.einspace import einspace
from tests.skeletons.small import toy_grammar
from tests.space.toys import Fits, Held, Holder, Same, Times, Two, random_layer


def test_every_architecture_of_random_spaces_is_recovered():
    recovered = 0
    for seed in range(80):
        rng = np.random.default_rng(seed)
        root = Sequential(random_layer(rng, 3))
        if at_most(root) > 200:
            continue
        space = Space(root, input=int(rng.integers(1, 4)))
        first = {}
        for architecture in space.enumerate():
            first.setdefault(architecture.value, architecture.decisions)
        for value, decisions in first.items():
            assert space.decisions(value) == decisions, (root, value)
            assert space.parse(str(value)).decisions == decisions
            recovered += 1
    assert recovered > 300


def test_the_first_fitting_option_may_lead_nowhere():
    computed = choice(Times(choice(lambda x: 2 * x.channels)), Times(choice(lambda x: 3 * x.channels)))
    space = Space(Sequential(computed), input=1)
    assert space.decisions("Sequential(Times(2))") == (0, 0)
    assert space.decisions("Sequential(Times(3))") == (1, 0)
    factor = shared("factor", choice(1, 2), whole=True)
    space = Space(Sequential(choice(Times(factor), Times(choice(1, 2))), choice(Times(factor), Same())), input=1)
    assert space.decisions("Sequential(Times(2), Times(1))") == (1, 1, 0, 0)
    assert space.decisions("Sequential(Times(2), Times(2))") == (0, 1, 0)


def test_aligned_parts_are_told_apart_after_going_back():
    held = choice(Held(choice(1, 2), choice(Same(), Fits(2))), Held(2, Times(2)))
    space = Space(Holder(held), input=2)
    assert space.decisions("Holder(Held(2, layer=Times(2)))") == (1,)
    assert space.decisions("Holder(Held(2, layer=Fits(2)))") == (0, 1, 1)


def test_equal_copies_are_recovered():
    space = Space(Sequential(repeat(choice(Same(1), Same(2)), choice(1, 2, 3))), input=1)
    assert space.decisions("Sequential(Repeat(3, Same(2)))") == (2, 1, 1, 1)
    assert space.decisions("Sequential(Repeat(2, Same(1), Same(2)))") == (1, 0, 1)
    assert space.parse("Sequential(Repeat(2, Same(1), Same(1)))").value == Sequential(Repeat(2, Same(1)))


def test_rules_that_pass_on_to_each_other():
    one = rule("one", lambda one: choice(rule("two", lambda two: choice(one, Fits(2), Sequential(one, two))), Same()))
    space = Space(Sequential(one, one.options[0]), input=2, depth=8)
    assert space.parse("Sequential(Same(), Fits(2))").decisions == (1, 1)


@pytest.mark.parametrize(
    ("text", "where"),
    [
        ("Sequential(Times(3), Same(0))", r"3 does not fit at 0.factor \(choice\(1, 2\)\)"),
        ("Sequential(Times(1), Same(7))", r"7 does not fit at 1.label"),
        ("Sequential(Times(1))", "does not fit at the root"),
        ("Times(1)", "does not fit at the root"),
        ("Sequential(Same(), Same())", "does not fit at 0"),
        ("Sequential(Times(1.0), Same(0))", "1.0 does not fit at 0.factor"),
    ],
)
def test_what_is_not_in_a_space_is_refused_with_the_place(text, where):
    space = Space(
        Sequential(Times(choice(1, 2)), Same(choice(0, 1)) if "7" in text else choice(Same(0), Same(1))), input=1
    )
    with pytest.raises(SpaceError, match=where):
        space.parse(text)
    assert Architecture.parse(text) not in space


def test_values_that_do_not_work_are_refused():
    space = Space(Sequential(Times(choice(1, 2, 3)), Fits(2)), input=1)
    with pytest.raises(SpaceError, match="2 does not divide 3 at 1"):
        space.parse("Sequential(Times(3), Fits(2))")


def test_branches_and_nested_choices():
    nested = choice(choice(Same(1), Same(2)), choice(Same(2), Times(2)))
    space = Space(Two(nested, nested), input=1)
    assert space.decisions("Two(Same(2), right=Same(1))") == (0, 1, 0, 0)
    assert space.decisions("Two(Times(2), right=Times(2))") == (1, 1, 1, 1)


@pytest.mark.parametrize("make", [einspace, toy_grammar])
def test_grammars(make):
    space, rng = make(), np.random.default_rng(0)
    for _ in range(30):
        architecture = space.sample(rng)
        decisions = space.decisions(str(architecture))
        assert space.replay(decisions).value == architecture.value
        assert space.decisions(architecture.value) == decisions
