"""Predictors within searches of several budgets: the largest budget at which enough is known is learned from."""

from __future__ import annotations

import numpy as np
import pytest

from nasturtium.strategies import make
from nasturtium.testing.driving import asked, drive, plain, replay, score
from nasturtium.testing.small_spaces import product
from nasturtium.trial import Proposal, State, Trial


def misleading(number, proposal):
    """Short trainings say nothing of what long ones give."""
    short = np.random.default_rng(proposal.architecture.decisions).random()
    return State.COMPLETE, {"accuracy": score(proposal.architecture) if proposal.budget == 9 else short}


def staged(name="asha", inner="bayesian", **options):
    return make(
        name, space=product(), seed=2, budget=9, factor=3, strategy=inner, options={"initial": 8, **options},
    )  # fmt: skip


def told(strategy, count, budget, rng, sign):
    space = product()
    for number in range(count):
        architecture = space.sample(rng)
        scores = {"accuracy": sign * score(architecture)}
        strategy.went_on(Trial(number, State.COMPLETE, architecture, budget, scores))


def test_the_largest_budget_with_enough_trials_counts():
    strategy = make("bayesian", space=product(), initial=6)
    rng = np.random.default_rng(0)
    told(strategy, 10, 1, rng, -1)
    assert strategy.basis.level == 1
    told(strategy, 5, 9, rng, 1)
    assert (strategy.basis.level, len(strategy.told)) == (1, 10)
    told(strategy, 1, 9, rng, 1)
    assert (strategy.basis.level, len(strategy.told)) == (9, 6)
    best = max(strategy.levels[9], key=lambda each: score(each.architecture))
    assert strategy.best()[0] == best.architecture
    assert strategy.told[strategy._led - 1] == best
    told(strategy, 30, 1, rng, -1)
    assert (strategy.basis.level, len(strategy.told)) == (9, 6)


@pytest.mark.parametrize("inner", ["bayesian", "tpe"])
def test_what_goes_on_is_learned(inner):
    strategy = staged(inner=inner)
    events = [event for event in drive(strategy, 60, end=misleading) if isinstance(event, Trial)]
    levels = strategy.strategy.levels if inner == "bayesian" else strategy.strategy.told
    by_budget = {budget: sum(event.budget == budget for event in events) for budget in (1, 3, 9)}
    assert {budget: len(rows) for budget, rows in levels.items()} == by_budget


def test_it_finds_what_short_trainings_hide():
    """With 200 proposals the searches that learn from long trainings find better ones than ASHA over random ones."""
    best = {}
    for inner in ("bayesian", "random"):
        found = []
        for seed in range(3):
            options = {"initial": 8} if inner == "bayesian" else {}
            strategy = make(
                "asha", space=product(), seed=seed, budget=9, factor=3, strategy=inner, options=options
            )  # fmt: skip
            events = drive(strategy, 200, end=misleading)
            found.append(max(score(each.architecture) for each in asked(events) if each.budget == 9))
        best[inner] = np.mean(found)
    assert best["bayesian"] > best["random"] + 0.05


@pytest.mark.parametrize("name", ["asha", "hyperband"])
@pytest.mark.parametrize("cut", [10, 45, 80])
def test_it_goes_on_as_if_it_had_never_stopped(name, cut):
    events = drive(staged(name), 60, 2, misleading)
    while not isinstance(events[cut], Proposal):
        cut += 1
    (proposal,) = replay(staged(name), events[:cut], product()).ask(1)
    assert plain(proposal) == plain(events[cut])
