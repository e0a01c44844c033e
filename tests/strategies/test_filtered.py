"""The filtered strategy: the best of the pool first, the best candidates after, and resumable like any other."""

import math

import numpy as np
import pytest

from nasturtium import Space, choice
from nasturtium.errors import NasturtiumError
from nasturtium.layers import Linear, ReLU, Sequential, Tanh
from nasturtium.strategies import make
from nasturtium.strategies.filtered import ProxyFilter, one_by_one
from nasturtium.trial import State, Trial


def bits(count):
    return Space(Sequential(*[choice(ReLU(), Tanh())] * count, Linear(2)), input=(3,), name="bits")


def ones(architecture):
    return float(sum(architecture.decisions))


def ended(number, proposal):
    scores = {"accuracy": ones(proposal.architecture), "params": 1.0}
    return Trial(number, State.COMPLETE, proposal.architecture, proposal.budget, scores)


def drive(strategy, count, begin=0):
    asked = []
    for number in range(begin, begin + count):
        (proposal,) = strategy.ask(1)
        asked.append(proposal)
        strategy.tell(ended(number, proposal))
    return asked


def test_the_best_of_the_pool_come_first():
    strategy = ProxyFilter(make("random", space=bits(10), seed=1), one_by_one(ones), keep=0.1, start=4)
    drawn = [bits(10).sample(rng) for rng in [np.random.default_rng([1, 2])] for _ in range(40)]
    best = sorted({each.decisions for each in drawn}, key=sum, reverse=True)[:4]
    asked = [each.architecture.decisions for each in drive(strategy, 4)]
    assert [sum(each) for each in asked] == [sum(each) for each in best]


@pytest.mark.parametrize("name", ["random", "evolution"])
def test_it_tries_better_ones_than_without(name):
    plain = drive(make(name, space=bits(14), seed=3), 30)
    filtered = drive(ProxyFilter(make(name, space=bits(14), seed=3), one_by_one(ones), keep=0.25), 30)
    means = [np.mean([ones(each.architecture) for each in asked[:10]]) for asked in (plain, filtered)]
    assert means[1] > means[0] + 1
    assert len({each.architecture.decisions for each in filtered}) == 30


def test_with_everything_kept_it_is_the_other_strategy():
    plain = drive(make("evolution", space=bits(8), seed=3), 20)
    assert drive(ProxyFilter(make("evolution", space=bits(8), seed=3), one_by_one(ones), keep=1.0), 20) == plain


def test_what_has_no_score_comes_last():
    def score(architecture):
        return math.nan if architecture.decisions[0] else ones(architecture)

    asked = drive(ProxyFilter(make("random", space=bits(8), seed=0), one_by_one(score), keep=0.05, start=5), 8)
    assert not any(each.architecture.decisions[0] for each in asked)


@pytest.mark.parametrize(
    ("keep", "asked"), [(1.0, 20), (0.75, 26), (0.6, 33), (0.5, 40), (0.4, 50), (0.3, 66), (0.25, 80), (0.1, 200)]
)
def test_the_share_is_kept_whatever_it_is(keep, asked):
    """Rounded to one of a whole number of candidates, 0.75 kept all and 0.4 a half."""
    inner = make("random", space=bits(14), seed=1)
    propose, counted = inner.propose, []
    inner.propose = lambda number, rng: counted.append(number) or propose(number, rng)
    strategy = ProxyFilter(inner, one_by_one(ones), keep=keep)
    drive(strategy, 20)
    assert len(counted) == asked == math.floor(20 / keep + 1e-9)
    each = [counted.count(number) for number in range(20)]
    assert max(each) - min(each) <= 1  # spread evenly


def test_the_pool_is_as_large_as_the_share_says():
    made = [ProxyFilter(make("random", space=bits(8)), one_by_one(ones), keep=keep, start=6) for keep in (0.75, 0.4)]
    assert [each.pool for each in made] == [8, 15]


@pytest.mark.parametrize("name", ["random", "evolution", "local_search", "hyperband"])
@pytest.mark.parametrize(("stop", "keep"), [(0, 0.2), (2, 0.2), (5, 0.4), (11, 0.2), (12, 0.75)])
def test_a_replayed_one_goes_on_as_if_it_had_never_stopped(name, stop, keep):
    def fresh():
        budget = {"budget": 9} if name == "hyperband" else {}
        return ProxyFilter(make(name, space=bits(8), seed=2, **budget), one_by_one(ones), keep=keep, start=3)

    whole = drive(fresh(), 16)
    again = fresh()
    for number, proposal in enumerate(whole[:stop]):
        again.asked(proposal)
        again.tell(ended(number, proposal))
    assert drive(again, 16 - stop, stop) == whole[stop:]


def test_asking_alone_changes_nothing():
    strategy = ProxyFilter(make("random", space=bits(8), seed=2), one_by_one(ones), keep=0.2, start=1)
    one, other = (strategy.propose(0, np.random.default_rng(5)) for _ in range(2))
    assert one == other
    assert strategy.number == 0


def test_options_are_checked():
    inner = make("random", space=bits(4))
    with pytest.raises(NasturtiumError, match="keep"):
        ProxyFilter(inner, one_by_one(ones), keep=0)
    with pytest.raises(NasturtiumError, match="pool"):
        ProxyFilter(inner, one_by_one(ones), start=5, pool=3)
