"""Sampling: by the weights of what is offered, within the constraints, and always valid."""

from collections import Counter

import numpy as np
import pytest

from nasturtium.errors import SpaceError
from nasturtium.layers import Sequential
from nasturtium.space import Space, choice, vector
from nasturtium.space.infer import infer
from nasturtium.spaces.einspace import einspace
from tests.skeletons.small import toy_grammar
from tests.space.oracle import chance
from tests.space.toys import Fits, Same, Times


def test_sampling_follows_the_weights():
    net = Sequential(
        choice(Times(choice(1, 2, weights=(3, 1))), Same(choice(0, 1, 2)), weights=(1, 4)),
        Same(choice(5, 6, weights=(2, 3))),
    )
    expected = {}
    for last, weight in ((5, 2 / 5), (6, 3 / 5)):
        for factor, own in ((1, 3 / 4), (2, 1 / 4)):
            expected[f"Sequential(Times({factor}), Same({last}))"] = 1 / 5 * own * weight
        for label in ("", "1", "2"):
            expected[f"Sequential(Same({label}), Same({last}))"] = 4 / 5 / 3 * weight
    space = Space(net, input=1)
    rng = np.random.default_rng(0)
    assert chance(Counter(str(space.sample(rng)) for _ in range(4000)), expected) > 1e-4


def test_sampling_follows_the_weights_of_products():
    space = Space(Sequential(Same(choice(0, 1, weights=(1, 9))), Same(choice(0, 1, 2))), input=1)
    assert space.radices == (2, 3)
    rng = np.random.default_rng(0)
    expected = {(a, b): (0.1, 0.9)[a] / 3 for a in range(2) for b in range(3)}
    assert chance(Counter(space.sample(rng).decisions for _ in range(3000)), expected) > 1e-4


def test_weights_refer_to_the_options_offered():
    space = Space(Sequential(Fits(choice(1, 2, 3, weights=(1, 8, 2)))), input=3)
    rng = np.random.default_rng(0)
    assert chance(Counter(space.sample(rng).decisions[0] for _ in range(3000)), {0: 1 / 3, 2: 2 / 3}) > 1e-4


def test_constraints_hold_for_every_sample_or_say_so():
    space = Space(
        Sequential(Times(choice(1, 2, 3)), Times(choice(1, 2, 3))), input=1, where=lambda a: sum(a.decisions) == 4
    )
    assert {space.sample(np.random.default_rng(seed)).decisions for seed in range(20)} == {(2, 2)}

    def impossible(architecture):
        return False

    with pytest.raises(SpaceError, match=r"keeps its constraints \(impossible\)"):
        Space(Times(choice(1, 2)), input=1, where=impossible).sample(np.random.default_rng(0))


def test_ten_thousand_samples_of_a_grammar_are_valid():
    space, rng = toy_grammar(), np.random.default_rng(0)
    longest = 0
    for _ in range(10_000):
        architecture = space.sample(rng)
        assert infer(architecture.value, *space.input) == vector(2)
        longest = max(longest, len(architecture.decisions))
    assert 50 < longest <= 60


def test_samples_of_einspace_are_valid():
    space, rng = einspace(nodes=500), np.random.default_rng(1)
    for _ in range(200):
        architecture = space.sample(rng)
        assert not architecture.value.is_open
        assert infer(architecture.value, *space.input) == vector(10)
