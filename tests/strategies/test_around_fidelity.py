"""Strategies around one with several budgets: starts, warm starts and neighbours let it go on with what it has."""

from __future__ import annotations

import pytest

from nasturtium.strategies import BayesianOptimisation, NeighboursFirst, Seeded, make
from nasturtium.strategies.filtered import ProxyFilter, one_by_one
from nasturtium.testing.driving import asked, drive, places, plain, replay
from nasturtium.testing.small_spaces import product

SPACE = product(8, 4)
START = [SPACE.architecture([number % 4] * 8) for number in range(4)]
START += [SPACE.architecture([number % 4, *[(number + 1) % 4] * 7]) for number in range(8)]


def total(architecture):
    return float(sum(architecture.decisions))


def judge(score=total):
    return one_by_one(score)


def seeded(name="hyperband", **options):
    return make(name, space=SPACE, seed=1, budget=9, start=START, **options)


def filtered():
    return ProxyFilter(make("hyperband", space=SPACE, seed=1, budget=9), judge(), keep=0.25, start=12)


def both():
    inner = ProxyFilter(make("hyperband", space=SPACE, seed=1, budget=9), judge(), keep=0.25, start=5, after=12)
    return Seeded(inner, START)


def near():
    return NeighboursFirst(SPACE, seed=1, budget=9, then="hyperband")


AROUND = {
    "hyperband": seeded,
    "successive_halving": lambda: seeded("successive_halving"),
    "curve_screen": lambda: seeded("curve_screen"),
    "bohb": lambda: seeded("bohb"),
    "filtered": filtered,
    "filtered seeded": both,
    "neighbours first": near,
    "neighbours first seeded": lambda: seeded("neighbours_first", then="hyperband"),
}


@pytest.mark.parametrize("workers", [1, 4])
@pytest.mark.parametrize("name", AROUND)
def test_a_full_bracket_goes_on_and_the_search_never_stands_still(name, workers):
    proposals = asked(drive(AROUND[name](), 60, workers))
    assert len(proposals) == 60
    assert any(each.parent is not None for each in proposals[:20])


@pytest.mark.parametrize("workers", [1, 4])
@pytest.mark.parametrize("name", AROUND)
def test_replayed_at_any_point_it_goes_on_as_before(name, workers):
    events = drive(AROUND[name](), 50, workers)
    for cut in places(events)[::7]:
        (proposal,) = replay(AROUND[name](), events[:cut], SPACE).ask(1)
        assert plain(proposal) == plain(events[cut])


@pytest.mark.parametrize("name", ["hyperband", "curve_screen", "filtered seeded"])
def test_every_start_is_tried_once_and_in_order_before_anything_else(name):
    new = [each for each in asked(drive(AROUND[name](), 40)) if each.parent is None]
    assert [each.architecture.decisions for each in new[: len(START)]] == [each.decisions for each in START]


def test_the_whole_warm_start_is_tried_though_trials_go_on_in_between():
    strategy = filtered()
    new = [each for each in asked(drive(strategy, 40)) if each.parent is None]
    assert [each.architecture for each in new[:12]] == strategy.warm()


def test_all_neighbours_come_before_what_the_other_strategy_draws():
    new = [each.architecture.decisions for each in asked(drive(near(), 60)) if each.parent is None]
    count = 8 * 3
    assert all(sum(a != b for a, b in zip(new[0], each, strict=True)) == 1 for each in new[1 : 1 + count])


@pytest.mark.parametrize("around", [filtered, near])
def test_what_somebody_else_chose_begins_at_the_small_budget(around):
    strategy = Seeded(around(), START[:4])
    assert [each.budget for each in asked(drive(strategy, 9))] == [1] * 9
    assert around().given(START[0]).budget == 1


def test_curves_are_given_to_what_reads_them_inside():
    assert NeighboursFirst(SPACE, budget=9, then="curve_screen").reads_curves
    assert not NeighboursFirst(SPACE, budget=9).reads_curves


def test_trials_keep_their_numbers_in_strategies_two_levels_down():
    options = {"predictor": "linear", "initial": 4, "start": START[:2]}
    strategy = make("hyperband", space=SPACE, budget=9, strategy="bayesian", options=options)
    drive(strategy, 26)
    inner = strategy.strategy.strategy
    assert isinstance(inner, BayesianOptimisation)
    assert not inner.running
