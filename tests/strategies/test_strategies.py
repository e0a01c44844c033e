"""Random search and seeding, on a space that has no more than they need; errors that help."""

import numpy as np
import pytest
from bit_space import BitSpace

from nasturtium.errors import NasturtiumError
from nasturtium.strategies import RandomSearch, Seeded, make
from nasturtium.trial import Proposal, State, Trial, trial_rng


def ended(number, proposal, state=State.COMPLETE):
    score = sum(proposal.architecture.decisions)
    scores = {"accuracy": score, "params": 10.0 * score} if state is State.COMPLETE else {}
    return Trial(number, state, proposal.architecture, proposal.budget, scores)


def drive(strategy, count, told=(), fail_every=0):
    """Asks and tells one after another; gives what was asked."""
    asked = list(told)
    for number in range(len(asked), count):
        (proposal,) = strategy.ask(1)
        asked.append(proposal)
        state = State.FAILED if fail_every and number % fail_every == 1 else State.COMPLETE
        strategy.tell(ended(number, proposal, state))
    return asked


def replayed(strategy, asked, fail_every=0):
    for number, proposal in enumerate(asked):
        strategy.asked(proposal)
        state = State.FAILED if fail_every and number % fail_every == 1 else State.COMPLETE
        strategy.tell(ended(number, proposal, state))
    return strategy


@pytest.mark.parametrize("name", ["random", "evolution"])
@pytest.mark.parametrize("stop", [0, 1, 9, 10, 11, 35, 59])
def test_a_replayed_strategy_goes_on_as_if_it_had_never_stopped(name, stop):
    space = BitSpace(12)
    start = [space.read("Bits(000000000000)")]
    whole = drive(make(name, space=space, seed=5, start=start), 60, fail_every=4)
    again = replayed(make(name, space=space, seed=5, start=start), whole[:stop], fail_every=4)
    assert drive(again, 60, whole[:stop], fail_every=4) == whole
    assert whole[0].architecture == start[0]


@pytest.mark.parametrize("name", ["random", "evolution"])
def test_global_random_state_is_neither_read_nor_changed(name):
    np.random.seed(1)
    before = np.random.get_state()[1].copy()
    first = drive(make(name, space=BitSpace(10), seed=2), 40)
    np.testing.assert_array_equal(before, np.random.get_state()[1])
    np.random.seed(99)
    assert drive(make(name, space=BitSpace(10), seed=2), 40) == first
    assert drive(make(name, space=BitSpace(10), seed=3), 40) != first


def test_several_are_asked_at_once_as_one_by_one():
    one, many = RandomSearch(BitSpace(10), seed=4), RandomSearch(BitSpace(10), seed=4)
    assert many.ask(7) == [one.ask(1)[0] for _ in range(7)]


def test_random_search_takes_its_draws_from_the_space():
    strategy = RandomSearch(BitSpace(10), seed=8, budget=3, repeats=True)
    for number in range(5):
        assert strategy.ask(1) == [Proposal(BitSpace(10).sample(trial_rng(8, number)), 3)]


def test_random_search_exhausts_a_small_space_before_it_repeats():
    strategy = RandomSearch(BitSpace(6), seed=0)
    asked = [proposal.architecture.decisions for proposal in strategy.ask(64)]
    assert sorted(asked) == sorted(a.decisions for a in BitSpace(6).enumerate())
    assert not strategy.exhausted
    with pytest.warns(UserWarning, match=r"space 'bits': all of its architectures were proposed \(64\)"):
        assert strategy.ask(3)[0].architecture.decisions in asked
    assert strategy.exhausted


def test_random_search_may_repeat():
    asked = RandomSearch(BitSpace(3), seed=0, repeats=True).ask(20)
    assert len({proposal.architecture for proposal in asked}) < 20


def test_seeds_come_first_and_are_told_on():
    space = BitSpace(8)
    given = [space.read("Bits(11111111)"), space.read("Bits(00000000)")]
    strategy = make("evolution", space=space, seed=1, start=[str(given[0]), given[1]], initial=2)
    assert isinstance(strategy, Seeded)
    asked = drive(strategy, 30)
    assert [proposal.architecture for proposal in asked[:2]] == given
    # both seeds are the whole initial population, so the third proposal is a child of the better one
    assert sum(asked[2].architecture.decisions) == 7


@pytest.mark.parametrize(
    ("name", "options", "message"),
    [
        ("evolutoin", {}, r"unknown strategy 'evolutoin'; did you mean 'evolution'\?"),
        ("evolution", {"populaton": 5}, r"has no option 'populaton'; did you mean 'population'\? \(its"),
        ("evolution", {"population": 0}, "option population=0: a whole number from 1 up"),
        ("evolution", {"tournament": 2.5}, "option tournament=2.5"),
        ("evolution", {"survival": "oldst"}, r"unknown name 'oldst'; did you mean 'oldest'\?"),
        ("random", {"population": 3}, r"'random' has no option 'population'"),
        ("random", {"objectives": "acuracy"}, r"did you mean 'accuracy'\?"),
        ("random", {"limits": ["params"]}, "cannot read the limit 'params'"),
    ],
)
def test_mistakes_are_named(name, options, message):
    with pytest.raises(NasturtiumError, match=message):
        make(name, space=BitSpace(4), **options)
