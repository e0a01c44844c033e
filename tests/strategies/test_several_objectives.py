"""Several objectives in strategies that learn the first: the best are those by the first."""

from __future__ import annotations

import pytest

from nasturtium.strategies import make
from nasturtium.testing.small_spaces import product
from nasturtium.trial import State, Trial

BOTH = {"objectives": ["accuracy", "-params"]}
ROWS = [(0.1, 1.0), (0.9, 100.0), (0.8, 50.0), (0.85, 70.0), (0.95, 200.0), (0.99, 2000.0)]


def told(name, **options):
    """A strategy that knows six networks, the worst of which is the smallest and the best breaks a limit."""
    space = product()
    strategy = make(name, space=space, predictor="linear", encoding="counts", limits=["params<=1000"], **options)
    for number, (accuracy, params) in enumerate(ROWS):
        architecture = space.architecture((number % 4, number // 4, 0, 0, 0, 0, 0, 0))
        scores = {"accuracy": accuracy, "params": params}
        strategy.tell(Trial(number, State.COMPLETE, architecture, 1, scores))
    return strategy


@pytest.mark.parametrize("name", ["bayesian", "pnas", "npenas"])
def test_the_best_are_those_by_the_first_objective_and_what_breaks_a_limit_is_last(name):
    strategy = told(name, **BOTH)
    known = [each.architecture for each in strategy.told]
    assert [known.index(each) for each in strategy.best()] == [4, 1, 3, 2, 0, 5]
    assert strategy.best() == told(name).best()
    assert strategy.best(3) == [known[1], known[2], known[0]]


def test_for_the_hypervolume_the_best_are_those_of_the_first_front():
    strategy = told("hypervolume", **BOTH)
    known = [each.architecture for each in strategy.told]
    assert {known.index(each) for each in strategy.best()[:2]} == {0, 4}  # the ends of the front
    assert known.index(strategy.best()[-1]) == 5
