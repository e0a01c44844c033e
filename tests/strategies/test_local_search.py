"""Local search against the algorithm written out plainly, and the defects of others' codes."""

from __future__ import annotations

import numpy as np
import pytest

from nasturtium.errors import NasturtiumError
from nasturtium.strategies.local_search import LocalSearch
from nasturtium.testing.driving import asked, drive, score
from nasturtium.testing.small_spaces import product
from nasturtium.trial import State, Trial

SPACE = product(6, 3)


def told(number, architecture, value):
    return Trial(number, State.COMPLETE, architecture, 1, {"accuracy": value})


def around(decisions):
    """All that differs in one decision."""
    for place, taken in enumerate(decisions):
        for other in range(3):
            if other != taken:
                yield (*decisions[:place], other, *decisions[place + 1 :])


def values(rugged=0.3):
    noise = np.random.default_rng(0)
    return {each.decisions: score(each) + rugged * noise.random() for each in SPACE.enumerate()}


@pytest.mark.parametrize("full", [False, True])
def test_every_step_is_to_a_neighbour_of_the_place_and_places_only_get_better(full):
    table = values()
    strategy = LocalSearch(SPACE, seed=2, initial=4, full=full)
    place, restarts, seen = None, 0, set()
    for number in range(500):
        (proposal,) = strategy.ask()
        decisions = proposal.architecture.decisions
        seen.add(decisions)
        assert strategy.place is None or decisions in set(around(strategy.place.decisions))
        strategy.tell(told(number, proposal.architecture, table[decisions]))
        after = strategy.place and strategy.place.decisions
        if after != place and place is not None:
            better = {each for each in around(place) if table[each] > table[place]}
            if after is not None:
                assert table[after] > table[place]
            else:  # it restarts: nothing around is better, or what is better is known, and so on from there
                assert better & seen if better else seen >= set(around(place))
                restarts += 1
        place = after
    assert restarts >= 3


def test_with_the_full_neighbourhood_it_goes_to_the_best():
    table = values()
    strategy = LocalSearch(SPACE, seed=0, initial=1, full=True)
    (start,) = strategy.ask()
    strategy.tell(told(0, start.architecture, table[start.architecture.decisions]))
    first = start.architecture.decisions
    for number in range(1, 13):
        (proposal,) = strategy.ask()
        assert strategy.place.decisions == first
        strategy.tell(told(number, proposal.architecture, table[proposal.architecture.decisions]))
    best = max(around(first), key=table.get)
    assert strategy.place.decisions == best


def test_at_the_first_improvement_it_moves():
    strategy = LocalSearch(SPACE, seed=0, initial=2)
    for number, proposal in enumerate(strategy.ask(2)):
        strategy.tell(told(number, proposal.architecture, number))
    assert strategy.place.decisions == proposal.architecture.decisions
    (worse,) = strategy.ask()
    strategy.tell(told(2, worse.architecture, 0.5))
    assert strategy.place.decisions == proposal.architecture.decisions
    (better,) = strategy.ask()
    strategy.tell(told(3, better.architecture, 2.0))
    assert strategy.place.decisions == better.architecture.decisions


def test_a_restart_remembers_what_was_visited():
    """NASLib's restart leaves the new architecture out of its history and queries visited ones again."""
    small = product(3, 2)
    strategy = LocalSearch(small, seed=0, initial=1)
    events = [proposal.architecture.decisions for proposal in asked(drive(strategy, 8))]
    assert sorted(events) == sorted(each.decisions for each in small.enumerate())


def test_what_is_known_to_be_better_is_moved_to_without_asking_again():
    strategy = LocalSearch(SPACE, seed=5, initial=1)
    (start,) = strategy.ask()
    strategy.tell(told(0, start.architecture, 1.0))
    (neighbour,) = strategy.ask()
    strategy.tell(Trial(1, State.FAILED, neighbour.architecture, 1))
    assert strategy.place.decisions == start.architecture.decisions
    later = strategy.ask(10)
    assert neighbour.architecture not in [each.architecture for each in later]
    for number, proposal in enumerate(later, 2):
        strategy.tell(told(number, proposal.architecture, 0.0))
    (last,) = strategy.ask()
    strategy.tell(told(12, last.architecture, 0.0))  # the twelfth neighbour: a local optimum
    assert strategy.place is None


def test_it_waits_for_what_decides():
    strategy = LocalSearch(SPACE, seed=0, initial=3)
    first = strategy.ask(5)
    assert len(first) == 3
    for number, proposal in enumerate(first):
        strategy.tell(told(number, proposal.architecture, float(number)))
    assert len(strategy.ask(20)) == 12  # the neighbours of the best, and no more until one was told


def test_few_neighbours_may_be_looked_at():
    strategy = LocalSearch(SPACE, seed=0, initial=1, around=4)
    (start,) = strategy.ask()
    strategy.tell(told(0, start.architecture, 1.0))
    assert len(strategy.ask(20)) == 4


def test_options_are_checked():
    with pytest.raises(NasturtiumError, match="option initial=0"):
        LocalSearch(SPACE, initial=0)


def test_the_order_of_neighbours_is_random_and_the_seed_decides_it():
    def order(seed):
        strategy = LocalSearch(SPACE, seed=seed, initial=1)
        given = SPACE.architecture((1,) * 6)
        strategy.asked(strategy.given(given))
        strategy.tell(told(0, given, 1.0))
        return [proposal.architecture.decisions for proposal in strategy.ask(12)]

    assert order(1) == order(1)
    assert order(1) != order(2)
    assert set(order(1)) == set(around((1,) * 6))
    firsts = np.array([order(seed)[0] for seed in range(60)])
    assert all(len({tuple(row) for row in firsts if row[place] != 1}) for place in range(6))
