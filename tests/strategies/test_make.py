"""Strategies of one's own in place of a name, and what is said where they are none."""

from __future__ import annotations

from functools import partial
from typing import Unpack

import numpy as np
import pytest

from nasturtium.errors import NasturtiumError
from nasturtium.strategies import COMMON, STRATEGIES, Common, Strategy, make
from nasturtium.strategies.options import taken
from nasturtium.testing.driving import asked, drive, score
from nasturtium.testing.small_spaces import product
from nasturtium.trial import Proposal, trial_rng

SPACE = product(5, 3)


class Climb(Strategy):
    """Mutates the best so far."""

    def __init__(self, space, *, seed=0, budget=1, objectives="accuracy", limits=(), count=1):
        super().__init__(space, seed=seed, budget=budget, objectives=objectives, limits=limits)
        self.count = count
        self.best = None

    def propose(self, number, rng):
        def draw():
            if self.best is None:
                return self.space.sample(rng)
            return self.space.mutate(self.best[1], rng, self.count)

        return Proposal(self.fresh(draw, rng), self.budget)

    def tell(self, trial):
        losses = self.losses(trial)
        if losses is not None and (self.best is None or losses < self.best[0]):
            self.best = losses, self.space.architecture(trial.architecture.decisions)


class Bare:
    """Only the three methods, and none of the common arguments but the seed."""

    def __init__(self, space, seed):
        self.space, self.seed, self.number = space, seed, 0

    def ask(self, n=1):
        proposals = []
        for _ in range(n):
            proposals.append(Proposal(self.space.sample(trial_rng(self.seed, self.number))))
            self.asked(proposals[-1])
        return proposals

    def asked(self, proposal):
        self.number += 1

    def tell(self, trial):
        pass


def test_a_class_stands_in_for_a_name():
    strategy = make(Climb, space=SPACE, seed=3, budget=4, count=2)
    assert (strategy.seed, strategy.budget, strategy.count) == (3, 4, 2)
    found = [score(proposal.architecture) for proposal in asked(drive(make(Climb, space=SPACE), 60))]
    assert max(found) == max(score(architecture) for architecture in SPACE.enumerate())
    assert len({p.architecture.decisions for p in asked(drive(strategy, 60))}) == 60


def test_it_takes_part_in_whatever_strategies_do():
    start = SPACE.architecture((0,) * 5)
    assert make(Climb, space=SPACE, start=[start]).ask()[0].architecture == start
    proposals = asked(drive(make("asha", space=SPACE, budget=4, strategy=Climb), 30))
    assert {proposal.budget for proposal in proposals} == {1, 4}


def test_the_bare_protocol_is_enough_and_functions_make_strategies_too():
    first = asked(drive(make(Bare, space=SPACE, seed=1, budget=7), 10))
    second = asked(drive(make(lambda space, **common: Bare(space, common["seed"]), space=SPACE, seed=1), 10))
    assert first == second == asked(drive(make("random", space=SPACE, seed=1, repeats=True), 10))


@pytest.mark.parametrize(
    ("given", "options", "message"),
    [
        (dict, {}, "dict is no strategy: give a name, a class or a function"),
        (lambda space: {}, {}, r"made dict, which is no strategy: it has no ask, asked, tell \(a strategy has"),
        (lambda space: Bare, {"start": [SPACE.architecture((0,) * 5)]}, "cannot be given architectures to start from"),
        (Climb, {"cuont": 2}, r"strategy Climb has no option 'cuont'; did you mean 'count'\?"),
        (7, {}, "7 is no strategy: give a name, a class or a function"),
        ("climb", {}, r"unknown strategy 'climb'.*there are: random, local_search"),
    ],
)
def test_what_is_no_strategy_is_refused(given, options, message):
    with pytest.raises(NasturtiumError, match=message):
        make(given, space=SPACE, **options)


class Warm(Climb):
    """Takes the common arguments as the strategies here do."""

    def __init__(self, space, *, warm=1, **common: Unpack[Common]):
        super().__init__(space, **common)
        self.warm = warm


@pytest.mark.parametrize("maker", [Warm, type("Warm", (Warm,), {}), partial(Warm, warm=2)])
def test_what_a_typed_dictionary_takes_is_known_by_name(maker):
    assert taken(maker) == ["space", "warm", "seed", "budget", "objectives", "limits"]
    strategy = make(maker, space=SPACE, seed=3, budget=4, limits=["params<=5"], warm=6)
    assert (strategy.seed, strategy.budget, len(strategy.goal.limits), strategy.warm) == (3, 4, 1, 6)
    with pytest.raises(NasturtiumError, match=r"no option 'wram'; did you mean 'warm'\? \(its options: warm\)"):
        make(maker, space=SPACE, wram=1)


def anything(space, **options):
    return Warm(space, **options)


def checked_elsewhere(space, **options: Unpack[Unknown]):  # noqa: F821
    return Warm(space, **options)


@pytest.mark.parametrize("maker", [anything, checked_elsewhere])
def test_what_takes_anything_is_given_anything(maker):
    assert taken(maker) is None
    strategy = make(maker, space=SPACE, seed=3, warm=6)
    assert (strategy.seed, strategy.warm) == (3, 6)


def complaint(name, option):
    try:
        make(name, space=SPACE, **{option: object()})
    except Exception as error:  # of the value, which no option can use
        return str(error)
    return ""


@pytest.mark.parametrize("name", STRATEGIES)
def test_every_option_that_is_named_is_taken(name):
    options = [each for each in taken(STRATEGIES[name]) if each not in COMMON]
    assert not [each for each in options if "keyword argument" in complaint(name, each)]


def test_a_strategy_that_only_lacks_a_method_hears_which():
    class Deaf(Bare):
        tell = None

    with pytest.raises(NasturtiumError, match=r"Deaf made Deaf, which is no strategy: it has no tell \("):
        make(Deaf, space=SPACE)


def test_multi_fidelity_needs_a_derived_strategy():
    with pytest.raises(
        NasturtiumError, match=r"derived from nasturtium.strategies.Strategy with one budget, not .* Bare"
    ):
        make("asha", space=SPACE, strategy=Bare)


@pytest.mark.parametrize("name", ["random", "evolution", "bayesian", "asha"])
@pytest.mark.parametrize("seed", [-1, None, 1.5, "a", True])
def test_a_seed_that_cannot_be_used_is_named(name, seed):
    with pytest.raises(NasturtiumError, match=rf"option seed={seed!r}: a whole number from 0 up is expected"):
        make(name, space=SPACE, seed=seed)


def test_a_seed_of_numpy_is_that_number():
    plain, other = (asked(drive(make("evolution", space=SPACE, seed=seed), 5)) for seed in (3, np.int64(3)))
    assert [each.architecture for each in plain] == [each.architecture for each in other]
