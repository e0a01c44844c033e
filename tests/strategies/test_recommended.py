"""What is recommended, and what is learned of what goes on, by strategies that are wrapped in others."""

from __future__ import annotations

import numpy as np
import pytest

from nasturtium.strategies import make
from nasturtium.testing.driving import drive, score
from nasturtium.testing.small_spaces import product
from nasturtium.trial import State, Trial

NOISY = {"initial": 6, "encoding": "one_hot", "predictor": "linear"}
SPACE = product()


def noisy(number, proposal):
    """Short trainings say little, and every score has noise."""
    spread = 0.05 if proposal.budget == 27 else 0.3
    noise = np.random.default_rng((number, *proposal.architecture.decisions)).normal()
    return State.COMPLETE, {"accuracy": score(proposal.architecture) + spread * noise}


def then(name, **options):
    return lambda space, **common: make(name, space=space, **options, **common)


@pytest.mark.parametrize("name", ["asha", "hyperband", "successive_halving"])
@pytest.mark.parametrize("trials", [30, 90])
def test_what_had_the_largest_budget_is_recommended_and_nothing_else(name, trials):
    strategy = make(name, space=SPACE, budget=27, factor=3, strategy="sequences", options=NOISY)
    events = [event for event in drive(strategy, trials, end=noisy) if isinstance(event, Trial)]
    largest = max(event.budget for event in events)
    reached = {event.architecture.decisions for event in events if event.budget == largest}
    recommended = strategy.recommended()
    assert {each.decisions for each in recommended} == reached
    if trials == 90:
        assert largest == 27
        said = strategy.strategy.fitted().predict(recommended)[0]
        assert (np.diff(said) <= 1e-9).all()
        assert max(len(known) for known in strategy.strategy.levels.values()) > len(reached)


def test_what_breaks_a_limit_at_a_larger_budget_is_not_recommended():
    options = {"strategy": "sequences", "options": {**NOISY, "initial": 10}, "limits": ["accuracy>=0.3"]}
    strategy = make("asha", space=SPACE, budget=9, factor=3, **options)

    def end(number, proposal):
        return State.COMPLETE, {"accuracy": 0.1 if proposal.budget == 9 else score(proposal.architecture)}

    events = [event for event in drive(strategy, 40, end=end) if isinstance(event, Trial)]
    broken = {event.architecture.decisions for event in events if event.budget == 9}
    kept = {e.architecture.decisions for e in events if e.budget == 3 and e.scores["accuracy"] >= 0.3}
    assert 0 < len(broken) < 10  # too few to be learned from
    assert {each.decisions for each in strategy.recommended()} == kept - broken != set()


def test_what_goes_by_its_scores_recommends_nothing():
    strategy = make("asha", space=SPACE, budget=9, factor=3, strategy="bayesian", options={**NOISY, "noisy": False})
    drive(strategy, 40, end=noisy)
    assert not strategy.recommended()


def test_neighbours_first_passes_on_what_is_recommended():
    strategy = make("neighbours_first", space=SPACE, then=then("sequences", **NOISY), neighbours=3)
    drive(strategy, 20, end=noisy)
    assert len(strategy.recommended()) == 20
    assert list(strategy.recommended()) == list(strategy.then.recommended())
    staged = then("asha", budget=27, factor=3, strategy="sequences", options=NOISY)
    around = make("neighbours_first", space=SPACE, then=lambda space, **_: staged(space), neighbours=3, budget=27)
    drive(around, 60, end=noisy)
    assert around.recommended()


def test_what_goes_on_is_learned_through_neighbours_first():
    options = {"neighbours": 3, "then": then("tpe", initial=8)}
    strategy = make("asha", space=SPACE, budget=9, factor=3, strategy="neighbours_first", options=options)
    events = [event for event in drive(strategy, 60, end=noisy) if isinstance(event, Trial)]
    by_budget = {budget: sum(event.budget == budget for event in events) for budget in (1, 3, 9)}
    known = {budget: len(rows) for budget, rows in strategy.strategy.then.told.items()}
    assert known == by_budget
