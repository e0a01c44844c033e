"""Generations, NSGA-II against brute force, roulette and scalarisation against their definitions."""

from __future__ import annotations

import itertools
from collections import Counter

import numpy as np
import pytest

from nasturtium.errors import NasturtiumError
from nasturtium.strategies import make
from nasturtium.strategies.population import Cross, Exchange, Member, Ranked, Roulette, Scalarised
from nasturtium.testing.driving import asked, drive, score
from nasturtium.testing.small_spaces import conditional, product
from nasturtium.trial import State, Trial

SPACE = product(8, 4)


def member(*losses, violation=0.0, decisions=(0,) * 8):
    return Member((violation, *map(float, losses)), SPACE.architecture(decisions))


def costs(number, proposal):
    decisions = proposal.architecture.decisions
    return State.COMPLETE, {"accuracy": score(proposal.architecture), "params": float(sum(decisions))}


def dominated(a, b):
    """Whether b is better than a, for (accuracy, params)."""
    return b != a and b[0] >= a[0] and b[1] <= a[1]


def peeled(points):
    """The rank of every point: in which round of removing what nothing dominates it goes (brute force)."""
    ranks, left, rank = {}, set(points), 0
    while left:
        front = {a for a in left if not any(dominated(a, b) for b in left)}
        ranks |= dict.fromkeys(front, rank)
        left, rank = left - front, rank + 1
    return ranks


def test_nsga2_keeps_the_first_ranks_of_parents_and_children():
    strategy = make("nsga2", space=SPACE, seed=1, population=12, objectives=["accuracy", "-params"])
    parents = []
    for generation in range(6):
        children = []
        for number in range(12 * generation, 12 * generation + 12):
            (proposal,) = strategy.ask()
            state, scores = costs(number, proposal)
            children.append((scores["accuracy"], scores["params"]))
            strategy.tell(Trial(number, state, proposal.architecture, 1, scores))
        ranks = peeled([*parents, *children])
        parents = [(-m.losses[1], m.losses[2]) for m in strategy.population]
        assert len(parents) == 12
        worst = max(ranks[each] for each in parents)
        assert {each for each, rank in ranks.items() if rank < worst} <= set(parents)
        assert [ranks[each] for each in parents] == sorted(ranks[each] for each in parents)  # best first


def test_nsga2_finds_the_front_of_a_small_space():
    space = product(5, 3)
    points = {a.decisions: (score(a), float(sum(a.decisions))) for a in space.enumerate()}
    front = {p for p in points.values() if not any(dominated(p, q) for q in points.values())}
    strategy = make("nsga2", space=space, seed=0, population=20, objectives=["accuracy", "-params"])
    found = {points[proposal.architecture.decisions] for proposal in asked(drive(strategy, 120, end=costs))}
    assert len(front & found) >= 0.8 * len(front)
    assert len(found) < len(points)


@pytest.mark.parametrize("name", ["nsga2", "scalarisation"])
def test_what_is_refused_for_its_structure_leads_to_what_is_not(name):
    """Only one in some hundreds keeps the limit at first; violations before training show the way."""

    def gated(number, proposal):
        state, scores = costs(number, proposal)
        return (State.INFEASIBLE, {"params": scores["params"]}) if scores["params"] > 3 else (state, scores)

    strategy = make(name, space=SPACE, seed=2, population=12, objectives=["accuracy", "-params"], limits=["params<=3"])
    feasible = [sum(each.architecture.decisions) <= 3 for each in asked(drive(strategy, 240, end=gated))]
    assert sum(feasible[:12]) < 4
    assert sum(feasible[-60:]) > 10  # at random 0.15 are to be expected


def test_feasible_comes_first_whatever_it_scores():
    strategy = make("genetic", space=SPACE, seed=0, population=4, limits=["params<=10"])
    for number, (accuracy, params) in enumerate([(0.9, 11), (0.1, 10), (0.8, 30), (0.2, 9)]):
        (proposal,) = strategy.ask()
        scores = {"accuracy": accuracy, "params": float(params)}
        strategy.tell(Trial(number, State.COMPLETE, proposal.architecture, 1, scores))
    assert [-each.losses[1] for each in strategy.population] == [0.2, 0.1, 0.9, 0.8]


def test_generations_replace_or_keep():
    for name, elitist in (("genetic", True), ("genetic_cnn", False)):
        strategy = make(name, space=SPACE, seed=3, population=5)
        first = asked(drive(strategy, 5))
        assert {m.architecture for m in strategy.population} == set() or len(strategy.population) == 5
        values = [m.losses[1] for m in strategy.population]
        assert values == sorted(values)
        for number in range(5, 10):
            (proposal,) = strategy.ask()
            strategy.tell(Trial(number, State.COMPLETE, proposal.architecture, 1, {"accuracy": 0.0}))
        kept = {m.architecture.decisions for m in strategy.population} & {p.architecture.decisions for p in first}
        assert len(kept) == (5 if elitist else 0)


def test_roulette_is_in_proportion_to_the_lead_over_the_worst():
    population = [member(-0.9), member(-0.7), member(-0.6), member(-0.95, violation=1.0)]
    rng = np.random.default_rng(0)
    drawn = Counter(population.index(Roulette()(population, rng)) for _ in range(8000))
    assert set(drawn) == {0, 1}  # leads 0.3, 0.1 and none
    assert drawn[0] / 8000 == pytest.approx(0.75, abs=0.02)
    equal = [member(-0.5), member(-0.5), member(-0.5)]
    same = Counter(id(Roulette()(equal, rng)) for _ in range(900))
    assert min(same.values()) > 240


def test_the_crowded_tournament_prefers_the_better_placed():
    population = [member(float(n)) for n in range(10)]
    rng = np.random.default_rng(0)
    wins = Counter(Ranked(2)(population, rng).losses[1] for _ in range(8000))
    for n in range(10):  # best of two with replacement
        assert wins[n] / 8000 == pytest.approx(((10 - n) ** 2 - (9 - n) ** 2) / 100, abs=0.02)


def test_scalarisation_by_hand():
    losses = np.array([[0.0, 10.0], [1.0, 0.0], [0.5, 4.0]])
    weights = np.array([0.25, 0.75])
    # scaled: (0, 1), (1, 0), (0.5, 0.4); weighted: (0, .75), (.25, 0), (.125, .3)
    np.testing.assert_allclose(Scalarised(kind="linear").scalar(losses, weights), [0.75, 0.25, 0.425])
    expected = [0.75 + 0.05 * 0.75, 0.25 + 0.05 * 0.25, 0.3 + 0.05 * 0.425]
    np.testing.assert_allclose(Scalarised().scalar(losses, weights), expected)
    refused = np.vstack([losses, [np.inf, np.inf]])
    np.testing.assert_allclose(Scalarised(kind="linear").scalar(refused, weights)[:3], [0.75, 0.25, 0.425])


def test_chebyshev_reaches_what_linear_weights_cannot():
    population = [member(0, 1), member(1, 0), member(0.6, 0.6)]  # the third is on a part of the front that caves in
    rng = np.random.default_rng(1)
    for kind, reached in (("linear", {0, 1}), ("chebyshev", {0, 1, 2})):
        assert {population.index(Scalarised(40, kind)(population, rng)) for _ in range(300)} == reached


def test_scalarisation_prefers_what_keeps_the_limits():
    population = [member(0, 0, violation=0.5), member(1, 1), member(np.inf, np.inf, violation=2.0)]
    rng = np.random.default_rng(0)
    assert {population.index(Scalarised(30)(population, rng)) for _ in range(50)} == {1}


def test_exchange_takes_as_many_decisions_as_its_rates_say():
    rng = np.random.default_rng(0)
    zeros, ones = SPACE.architecture((0,) * 8), SPACE.architecture((1,) * 8)
    parents = itertools.cycle((zeros, ones))
    crossing = Exchange(crossover=1.0, exchange=0.25)
    taken = [sum(crossing(lambda: next(parents), SPACE, rng).decisions) for _ in range(1500)]
    assert np.mean(taken) == pytest.approx(2.0, abs=0.15)  # a binomial of 8 and 1/4
    assert np.var(taken) == pytest.approx(1.5, abs=0.2)
    mutating = Exchange(crossover=0.0, mutation=0.5, rate=0.25)
    changed = [np.count_nonzero(mutating(lambda: zeros, SPACE, rng).decisions) for _ in range(1500)]
    assert np.mean(changed) == pytest.approx(0.5 * 2.0, abs=0.12)


def test_crossover_works_without_a_product_too():
    space, rng = conditional(), np.random.default_rng(0)
    parents = [space.sample(rng) for _ in range(6)]
    for variation in (Exchange(1.0), Cross(1.0, 0.0)):
        for _ in range(20):
            child = variation(lambda: parents[int(rng.integers(6))], space, rng)
            assert space.replay(child.decisions).point is None


@pytest.mark.parametrize(
    ("name", "options", "message"),
    [
        ("genetic", {"crossover": 1.5}, "option crossover=1.5: a number from 0 to 1"),
        ("genetic", {"selection": "rank"}, r"unknown name 'rank'; did you mean 'ranked'\?"),
        ("genetic_cnn", {"population": 0}, "option population=0"),
        ("nsga2", {"variation": "mutat"}, r"did you mean 'mutate'\?"),
        ("scalarisation", {"kind": "chebychev"}, r"option kind='chebychev'; did you mean 'chebyshev'\?"),
        ("scalarisation", {"rho": -1}, "option rho=-1: a number from 0 up"),
    ],
)
def test_mistakes_are_named(name, options, message):
    with pytest.raises(NasturtiumError, match=message):
        make(name, space=SPACE, **options)
