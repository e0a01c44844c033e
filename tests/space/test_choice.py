"""Open parts: what they offer, and what they refuse."""

import itertools
import math

import numpy as np
import pytest

from nasturtium.errors import SpaceError
from nasturtium.layers import ReLU, Sequential
from nasturtium.space import Space, choice, floats, integers, rule, shared, subset
from tests.space.toys import Same, Times


def test_options_keep_their_order_and_weights():
    opened = choice("a", (1, 2), None, weights=(1, 2, 3), name="n")
    assert opened.options == ("a", (1, 2), None)
    assert opened.weights == (1.0, 2.0, 3.0)
    assert opened.name == "n"


def test_options_become_plain_values():
    opened = choice(*np.linspace(0, 1, 3), np.int64(4), [1, [2]])
    assert opened.options == (0.0, 0.5, 1.0, 4, (1, (2,)))
    assert [type(option) for option in opened.options] == [float, float, float, int, tuple]
    space = Space(Same(opened), input=1)
    assert [str(a) for a in space.enumerate()] == ["Same(0.0)", "Same(0.5)", "Same(1.0)", "Same(4)", "Same((1, (2,)))"]


@pytest.mark.parametrize(
    ("weights", "what"),
    [((1,), "2 options need"), ((1, 0), "positive"), ((1, -1), "positive"), ((1, math.inf), "positive")],
)
def test_weights_are_checked(weights, what):
    with pytest.raises(SpaceError, match=what):
        choice(1, 2, weights=weights)


def test_what_cannot_be_an_option():
    with pytest.raises(SpaceError, match="no options"):
        choice()
    with pytest.raises(SpaceError, match="cannot be an option"):
        choice({1: 2})
    with pytest.raises(SpaceError, match="mixes layers with values"):
        _ = choice(ReLU(), 3).of_layers


@pytest.mark.parametrize("k", [None, 0, 1, 3, (0, 2), (2, 3)])
def test_subsets_are_all_combinations(k):
    sizes = range(1, 4) if k is None else [k] if isinstance(k, int) else range(k[0], k[1] + 1)
    expected = [combination for size in sizes for combination in itertools.combinations("abc", size)]
    assert list(subset("a", "b", "c", k=k).options) == expected


@pytest.mark.parametrize("k", [4, (2, 1), (-1, 2)])
def test_impossible_subsets(k):
    with pytest.raises(SpaceError, match="cannot take"):
        subset("a", "b", "c", k=k)
    with pytest.raises(SpaceError, match="too many subsets"):
        subset(*range(40))


def test_ranges():
    assert integers(1, 10, step=4).options == (1, 5, 9)
    assert integers(3, 50, log=True).options == (3, 6, 12, 24, 48)
    assert integers(2, 2).options == (2,)
    assert floats(0.0, 1.0, steps=5).options == (0.0, 0.25, 0.5, 0.75, 1.0)
    np.testing.assert_allclose(floats(1e-4, 1.0, log=True, steps=9).options, np.geomspace(1e-4, 1, 9), rtol=1e-5)
    assert integers(1, 3).ordered
    assert floats(0.1, 0.2).ordered
    for wrong in (lambda: integers(3, 2), lambda: integers(0, 4, log=True), lambda: integers(1, 2, step=0)):
        with pytest.raises(SpaceError, match="no whole numbers"):
            wrong()
    for wrong in (lambda: floats(1, 1), lambda: floats(0, 1, log=True), lambda: floats(0, 1, steps=1)):
        with pytest.raises(SpaceError, match="no range"):
            wrong()


def test_shared_names_need_one_set_of_options():
    with pytest.raises(SpaceError, match="'width' is shared by choices with different options"):
        Space(Sequential(Times(shared("width", choice(1, 2))), Times(shared("width", choice(1, 2, 3)))), input=1)
    with pytest.raises(SpaceError, match="needs a choice"):
        shared("width", 3)
    with pytest.raises(SpaceError, match="needs a choice"):
        shared("width", rule("r", lambda r: choice(Same(), Sequential(r, r))))


def test_rules_are_defined_once_and_by_a_choice():
    calls = []

    def define(again):
        calls.append(again)
        return choice(Same(), Sequential(again, again), weights=(2, 1))

    grammar = rule("g", define)
    assert calls == []
    assert len(grammar.options) == 2
    assert grammar.weights == (2.0, 1.0)
    assert calls == [grammar]
    assert str(grammar) == "rule('g')"
    with pytest.raises(SpaceError, match="must be defined as a choice"):
        _ = rule("broken", lambda again: Same()).options


def test_rules_without_an_end_are_refused():
    with pytest.raises(SpaceError, match="'endless' can never end"):
        Space(Sequential(rule("endless", lambda again: choice(Sequential(again, Same())))), input=1)


def test_spaces_need_parts():
    with pytest.raises(SpaceError, match="needs a part"):
        Space(choice(Same(), Times(2)), input=1)
