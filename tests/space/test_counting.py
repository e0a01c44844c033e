"""Sizes, enumeration and uniform sampling against brute force, and against published sizes."""

import math
from collections import Counter

import numpy as np
import pytest

from nasturtium.errors import SpaceError
from nasturtium.layers import Linear, ReLU, Sequential, repeat
from nasturtium.space import Part, Space, choice, rule, shared, subset, vector
from nasturtium.space.counting import NotFactorable
from nasturtium.space.sharing import choices_in
from nasturtium.space.sizes import at_most, bound_of, factored
from nasturtium.spaces.darts import darts
from nasturtium.spaces.nasbench101 import nasbench101
from nasturtium.spaces.nasbench201 import nasbench201
from nasturtium.spaces.seqnas import seqnas
from tests.skeletons.small import recipe_space, toy_grammar
from tests.space.oracle import chance, every_value
from tests.space.toys import At, Fits, Held, Holder, Maybe, Minus, Plus, Same, Times, Twice, Two, random_layer


class Settings(Part):
    rate: float
    layers: tuple = ()


def whole(options=(1, 2)):
    return shared("factor", choice(*options), whole=True)


def own(options=(1, 2)):
    return shared("factor", choice(*options))


SPACES = {
    "product": (Sequential(Times(choice(1, 2, 3)), Same(choice(0, 1))), 1),
    "one": (Sequential(Times(choice(2)), Same()), 1),
    "dead ends": (Sequential(Times(choice(1, 2, 3)), Times(choice(1, 2, 3)), Fits(6)), 1),
    "late dead end": (Sequential(choice(Times(2), Times(3)), Same(choice(0, 1, 2)), Fits(choice(2, 4, 9))), 2),
    "two branches must agree": (Two(Times(choice(1, 2, 4)), Times(choice(2, 4, 8))), 1),
    "completions differ": (Sequential(Times(choice(1, 2)), choice(Fits(1), Fits(2), Fits(2), Fits(2))), 1),
    "two values must suit": (At(choice(1, 3, 5), choice(2, 4, 6)), 4),
    "nested": (Sequential(choice(Times(choice(1, 2)), choice(Same(1), choice(Same(2), Fits(3))))), 2),
    "nested values": (Same(choice(choice(1, 2), (choice(3, 4), choice(5, 6, 7)), choice(choice(8, 9)))), 2),
    "subset": (Same(subset(1, 2, choice(3, 4), k=(0, 2))), 2),
    "equal options": (Sequential(choice(Same(1), Same(1)), Same(choice(2, 2, 3))), 1),
    "repeat": (Sequential(repeat(choice(Times(2), Times(3), Same()), choice(1, 2, 3))), 1),
    "repeat, then a dead end": (Sequential(repeat(Times(choice(1, 2)), choice(1, 2, 3)), Fits(4)), 1),
    "repeat with one set of decisions": (Sequential(repeat(Times(choice(1, 2, 3)), choice(1, 2), shared=True)), 1),
    "twice at other signals": (Twice(choice(Times(2), Times(3), Fits(2))), 2),
    "twice, and the second visit fails": (Twice(Sequential(Times(choice(1, 2, 3)), At(1, choice(3, 9)))), 1),
    "never visited": (Sequential(Times(choice(1, 2)), Maybe(Same(choice(1, 2, 3)))), 1),
    "in a part": (Holder(choice(Held(choice(1, 2), choice(Same(), Times(2))), Held(3, Same(choice(4, 5))))), 1),
    "joins": (Two(choice(Same(1), Times(2)), choice(Same(2), Times(2)), choice(Plus(), Minus())), 1),
    "shared": (Sequential(Times(whole()), Same(choice(0, 1)), Times(whole()), Fits(choice(1, 4))), 1),
    "shared in copies": (Sequential(Times(own()), repeat(Two(Times(own()), Times(own())), 2)), 1),
    "shared by copies": (Sequential(repeat(Sequential(Times(whole()), Same(own((3, 4)))), choice(1, 2))), 1),
    "shared in some": (Sequential(choice(Times(whole()), Same()), choice(Times(whole()), Same(7))), 1),
    "shared layers": (Two(*[shared("body", choice(Times(choice(1, 2)), Same()), whole=True)] * 2), 1),
    "no layer": (Settings(choice(0.1, 0.2), layers=(choice("a", "b"), choice(1, 2, 3))), None),
    "no layer, with layers": (Settings(choice(0.1, 0.2), layers=(choice(Same(), Times(2)), Times(choice(1, 2)))), None),
    "no layer, with an input": (Settings(choice(0.1, 0.2), layers=(choice(Same(), Times(2)), Times(2))), 3),
    "unsatisfiable": (Sequential(Times(choice(2, 4)), Same(choice(0, 1)), Fits(3)), 1),
}


@pytest.mark.parametrize("name", SPACES)
def test_enumeration_size_and_samples_equal_brute_force(name):
    root, signal = SPACES[name]
    space = Space(root, input=signal, name=name)
    truth = every_value(space)
    every = list(space.enumerate())
    assert Counter(architecture.value for architecture in every) == truth
    assert len({architecture.decisions for architecture in every}) == len(every) == space.size
    if not every:
        with pytest.raises(SpaceError, match=" at "):
            space.sample(np.random.default_rng(0), uniform=True)
        return
    rng = np.random.default_rng(0)
    drawn = Counter(space.sample(rng, uniform=True).decisions for _ in range(20 * len(every)))
    assert len(every) == 1 or chance(drawn, {a.decisions: 1 / len(every) for a in every}) > 1e-4
    assert {space.sample(rng).decisions for _ in range(50)} <= {a.decisions for a in every}


@pytest.mark.parametrize("start", range(0, 100, 25))
def test_random_spaces_equal_brute_force(start):
    compared = 0
    for seed in range(start, start + 25):
        rng = np.random.default_rng(seed)
        root = Sequential(random_layer(rng, 3))
        if not root.is_open or at_most(root) > 500:
            continue
        space = Space(root, input=int(rng.integers(1, 4)))
        every = list(space.enumerate())
        assert len({architecture.decisions for architecture in every}) == len(every) == space.size, root
        if not any(callable(option) for found in choices_in(root) for option in found.options if is_function(option)):
            assert Counter(architecture.value for architecture in every) == every_value(space), root
        compared += len(every) > 1
        if every:
            assert space.sample(rng, uniform=True).decisions in {a.decisions for a in every}
    assert compared > 8


def is_function(option):
    return type(option).__name__ == "function"


def test_the_fast_count_is_used_where_it_can_be():
    for name, exact in {
        "dead ends": True,
        "two branches must agree": True,
        "shared": True,
        "shared in some": False,
    }.items():
        root, signal = SPACES[name]
        space = Space(root, input=signal)
        if exact:
            assert factored(space) == sum(every_value(space).values())
        else:
            with pytest.raises(NotFactorable):
                factored(space)


def test_options_computed_from_the_signal():
    kernel = choice(1, lambda x: x.channels, lambda x: 2 * x.channels)
    space = Space(Sequential(Times(choice(1, 2)), Times(kernel)), input=3)
    expected = {f"Sequential(Times({a}), Times({b}))" for a in (1, 2) for b in (1, 3 * a, 6 * a)}
    assert {str(a) for a in space.enumerate()} == expected
    assert space.size == 6
    drawn = Counter(str(space.sample(np.random.default_rng(s), uniform=True)) for s in range(300))
    assert chance(drawn, dict.fromkeys(expected, 1 / 6)) > 1e-4


def test_computed_options_are_not_counted_where_no_signal_is_known():
    space = Space(Maybe(Times(choice(1, lambda x: x.channels))), input=1)
    assert space.size == sum(1 for _ in space.enumerate()) == 1


def test_uniform_samples_of_large_spaces_use_exact_counts():
    # After the first factor 1 there are 3^30 ways on, after 2 there are 4^30: nearly all derivations take 2.
    row = [choice(Fits(1), Fits(1), Fits(1), Fits(2)) for _ in range(30)]
    space = Space(Sequential(Times(choice(1, 2)), *row), input=1)
    assert space.size == 3**30 + 4**30
    rng = np.random.default_rng(0)
    assert all(space.sample(rng, uniform=True).decisions[0] == 1 for _ in range(30))
    both = Space(Sequential(Times(choice(1, 2)), *row[:1]), input=1)
    drawn = Counter(both.sample(rng, uniform=True).decisions[0] for _ in range(700))
    assert chance(drawn, {0: 3 / 7, 1: 4 / 7}) > 1e-4


def test_decisions_that_are_shared_count_once_in_bounds():
    net = Sequential(*[Linear(whole((4, 6, 8))) for _ in range(16)], Linear(2))
    assert Space(net, input=3, limits={"params": 10**9}).size == 3
    conditional = Space(Sequential(*[choice(Times(whole((1, 2))), Same()) for _ in range(3)]), input=1)
    assert bound_of(conditional) == 2 * 2**3 < at_most(conditional.root) == 27


def test_tallies_are_forgotten_in_time(monkeypatch):
    monkeypatch.setattr("nasturtium.space.counting.REMEMBERED", 20)
    row = [choice(Fits(1), Fits(2), Same(), Times(2)) for _ in range(8)]
    space = Space(Sequential(Times(choice(1, 2, 3)), *row), input=1)
    plain = Space(space.root, input=1)
    rng = np.random.default_rng(0)
    for _ in range(20):
        space.sample(rng, uniform=True)
        assert len(space.counting._known) <= 20
    monkeypatch.undo()
    assert space.size == plain.size


def test_uniform_sampling_over_large_dependent_spaces_is_refused():
    parts = [choice(Times(whole((1, 2, 3))), Same()) for _ in range(40)]
    with pytest.raises(SpaceError, match="depend on each other"):
        Space(Sequential(*parts), input=1).sample(np.random.default_rng(0), uniform=True)


def test_uniform_sampling_over_an_infinite_space_is_refused():
    with pytest.raises(SpaceError, match="infinite"):
        toy_grammar().sample(np.random.default_rng(0), uniform=True)


def test_published_sizes():
    assert nasbench201().size == 5**6 == 15_625
    assert seqnas().size == 3_425_438_016
    # DARTS: a node reads two of the earlier states by one of seven operations each (the paper counts eight, with none).
    cell = math.prod(math.comb(node + 2, 2) * 7**2 for node in range(4))
    assert darts(cells=4).size == cell**2
    assert nasbench101().size == 423_624


def test_a_recipe_counts_by_hand():
    # (7 rates x 2 momenta + 5 rates x 2 decays) x 4 batches x (1 + 3 + 3) subsets
    assert recipe_space().size == (14 + 10) * 4 * 7 == sum(1 for _ in recipe_space().enumerate())


def test_recursive_spaces_are_infinite_with_constraints_too():
    toy = toy_grammar()
    assert toy.size == math.inf
    assert Space(toy.root, input=toy.input, where=lambda a: True).size == math.inf
    with pytest.raises(SpaceError, match="infinite"):
        next(toy.enumerate())


def test_rules_that_do_not_contain_themselves_are_finite():
    row = rule("row", lambda row: choice(Linear(1), Sequential(ReLU(), Linear(2))))
    assert Space(Sequential(row, row), input=3).size == 4


def test_constraints_are_counted_by_enumeration():
    space = Space(
        Sequential(Linear(choice(1, 2, 3)), Linear(choice(1, 2, 3))), input=2, where=lambda a: sum(a.decisions) < 3
    )
    assert space.unconstrained_size == 9
    assert space.size == 6 == len(list(space.enumerate()))
    assert all(sum(a.decisions) < 3 for a in space.enumerate())


def test_large_constrained_spaces_must_declare_their_size():
    root = Sequential(*(Linear(choice(*range(1, 11))) for _ in range(8)))
    with pytest.raises(SpaceError, match="declare its size"):
        _ = Space(root, input=2, where=lambda a: True).size
    assert Space(root, input=2, where=lambda a: True, size=77).size == 77


def test_radices_only_where_every_combination_is_another_architecture():
    assert Space(Sequential(Linear(choice(1, 2)), Linear(choice(1, 2, 3))), input=2).radices == (2, 3)
    assert Space(Sequential(choice(Same(1), Same(1))), input=2).radices is None
    assert Space(Sequential(Times(choice(1, 2)), Fits(2)), input=1).radices is None
    assert Space(Sequential(Times(choice(1, 2)), Fits(1)), input=vector(1)).radices == (2,)


def test_sampling_does_not_enumerate():
    # Two visits at other signals are not counted from the parts; up to ten million derivations must not be listed.
    body = Sequential(*(choice(Times(2), Times(3), Same()) for _ in range(14)))
    space = Space(Twice(body), input=1)
    assert space.radices is None
    assert str(space.sample(np.random.default_rng(0))).startswith("Twice(Sequential(")
