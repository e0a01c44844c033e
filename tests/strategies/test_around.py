"""Neighbours first: the centre, then exactly its neighbours by brute force, then the other strategy; resumable."""

import pytest

from nasturtium import Space, choice
from nasturtium.errors import NasturtiumError
from nasturtium.layers import Linear, ReLU, Sequential, Tanh
from nasturtium.strategies import RandomSearch, RegularisedEvolution, Seeded, Strategy
from nasturtium.strategies.around import NeighboursFirst
from nasturtium.trial import State, Trial


def small_space():
    root = Sequential(Linear(choice(2, 4, 8)), choice(ReLU(), Tanh()), Linear(choice(3, 5, 7)), Linear(2))
    start = "Sequential(Linear(4), ReLU(), Linear(5), Linear(2))"
    return Space(root, input=(3,), name="small", members={"start": start})


def bits(count):
    """One decision for each of ``count`` activations."""
    return Space(Sequential(*[choice(ReLU(), Tanh())] * count, Linear(2)), input=(3,), name="bits")


def ended(number, proposal):
    scores = {"accuracy": float(sum(proposal.architecture.decisions)), "params": 1.0}
    return Trial(number, State.COMPLETE, proposal.architecture, proposal.budget, scores)


def drive(strategy, count):
    asked = []
    for number in range(count):
        (proposal,) = strategy.ask(1)
        asked.append(proposal)
        strategy.tell(ended(number, proposal))
    return asked


def near(space, centre):
    """What differs in one decision, by looking at all architectures."""
    return {
        each.hash
        for each in space.enumerate()
        if sum(a != b for a, b in zip(each.decisions, centre.decisions, strict=True)) == 1
    }


@pytest.mark.parametrize("then", ["evolution", "random", RegularisedEvolution, RandomSearch])
def test_neighbours_of_the_start_come_first(then):
    space = small_space()
    centre = space.member("start")
    asked = [each.architecture for each in drive(NeighboursFirst(space, seed=3, then=then), 14)]
    assert asked[0] == centre
    assert {each.hash for each in asked[1:6]} == near(space, centre)
    assert len({each.hash for each in asked}) == 14


def test_their_number_may_be_limited_and_their_order_follows_the_seed():
    space = small_space()
    orders = []
    for seed in (0, 1, 0):
        asked = drive(NeighboursFirst(space, seed=seed, neighbours=3), 12)
        assert {each.architecture.hash for each in asked[1:4]} <= near(space, space.member("start"))
        orders.append([each.architecture.hash for each in asked])
    assert orders[0] == orders[2] != orders[1]


@pytest.mark.parametrize("stop", [0, 1, 3, 6, 9])
def test_a_replayed_one_goes_on_as_if_it_had_never_stopped(stop):
    space = bits(5)
    whole = drive(Seeded(NeighboursFirst(space, seed=2), [space.architecture((1, 0, 1, 1, 0))]), 16)
    again = Seeded(NeighboursFirst(space, seed=2), [space.architecture((1, 0, 1, 1, 0))])
    for number, proposal in enumerate(whole[:stop]):
        again.asked(proposal)
        again.tell(ended(number, proposal))
    for number, proposal in enumerate(whole[stop:], stop):
        (mine,) = again.ask(1)
        assert mine == proposal
        again.tell(ended(number, mine))


def test_what_the_user_starts_from_is_the_centre_where_there_is_no_member():
    space = bits(6)
    given = space.architecture((0, 1, 0, 1, 0, 1))
    asked = drive(Seeded(NeighboursFirst(space), [given]), 7)
    differing = [
        sum(a != b for a, b in zip(each.architecture.decisions, given.decisions, strict=True)) for each in asked
    ]
    assert differing == [0] + [1] * 6


def test_options_that_cannot_be_used_are_named():
    with pytest.raises(NasturtiumError, match="did you mean 'random'"):
        NeighboursFirst(bits(3), then="randon")
    with pytest.raises(NasturtiumError, match="neighbours=-1"):
        NeighboursFirst(bits(3), neighbours=-1)
    with pytest.raises(NasturtiumError, match="made no strategy"):
        NeighboursFirst(bits(3), then=lambda space, **options: object())
    assert issubclass(NeighboursFirst, Strategy)
