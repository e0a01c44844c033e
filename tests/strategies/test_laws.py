"""What holds for every strategy, on every kind of space."""

from __future__ import annotations

import math
import warnings
from functools import cache

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nasturtium.strategies import PRESETS, STRATEGIES
from nasturtium.trial import State
from tests.strategies.toy_searches import SPACES, asked, drive, places, plain, product, quick, replay, rough

NAMES = [*STRATEGIES, *(name for name, preset in PRESETS.items() if not preset.start)]
FIDELITY = {"curve_screen", "successive_halving", "hyperband", "asha", "hyperband_evolution", "bohb", "asha_sequences"}
COUNT = 36


@cache
def recorded(name, kind, workers):
    return drive(quick(name, SPACES[kind], seed=7), COUNT, workers, rough)


@pytest.mark.parametrize("kind", SPACES)
@pytest.mark.parametrize("name", NAMES)
@settings(max_examples=5, deadline=None, derandomize=True)
@given(st.data())
def test_replayed_at_any_point_it_goes_on_as_before(name, kind, data):
    space = SPACES[kind]
    events = recorded(name, kind, data.draw(st.sampled_from([1, 3])))
    cuts = places(events)
    cut = data.draw(st.sampled_from(cuts[len(cuts) // 4 :]))
    (proposal,) = replay(quick(name, space, seed=7), events[:cut], space).ask(1)
    assert plain(proposal) == plain(events[cut])


@pytest.mark.parametrize("name", NAMES)
def test_the_seed_decides_all_and_no_global_state_is_touched(name):
    np.random.seed(1)
    before = np.random.get_state()[1].copy()
    first = [plain(each) for each in asked(drive(quick(name, SPACES["product"], seed=2), 30))]
    np.testing.assert_array_equal(before, np.random.get_state()[1])
    np.random.seed(99)
    assert [plain(each) for each in asked(drive(quick(name, SPACES["product"], seed=2), 30))] == first
    assert [plain(each) for each in asked(drive(quick(name, SPACES["product"], seed=3), 30))] != first


@pytest.mark.parametrize("kind", SPACES)
@pytest.mark.parametrize("name", NAMES)
def test_nothing_new_is_asked_twice_and_all_of_it_is_in_the_space(name, kind):
    space = SPACES[kind]
    new = [each for each in asked(recorded(name, kind, 3)) if each.parent is None]
    assert len({each.architecture.decisions for each in new}) == len(new)
    assert all(space.admits(each.architecture) for each in new)
    assert all(space.replay(each.architecture.decisions).point is None for each in new)


@pytest.mark.parametrize("name", NAMES)
def test_an_exhausted_space_is_gone_through_and_then_it_is_said(name):
    space = product(3, 2)
    strategy = quick(name, space, seed=1)
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        new = [e for e in asked(drive(strategy, 40)) if e.parent is None]
    assert len({each.architecture.decisions for each in new[:8]}) == 8
    assert len(new) > 8
    assert strategy.exhausted
    assert "all of its architectures were proposed (8)" in str(said[0].message)


@pytest.mark.parametrize("workers", [1, 3])
@pytest.mark.parametrize("name", [name for name in NAMES if name not in FIDELITY])
def test_an_exhausted_space_replays_too(name, workers):
    space = product(3, 2)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        events = drive(quick(name, space, seed=1), 24, workers)
        for cut in places(events)[9::5]:
            (proposal,) = replay(quick(name, space, seed=1), events[:cut], space).ask(1)
            assert plain(proposal) == plain(events[cut])


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("state", [State.FAILED, State.INFEASIBLE, State.STOPPED, State.COMPLETE])
def test_when_nothing_ever_works_it_goes_on(name, state):
    scores = {"accuracy": math.nan, "params": math.nan} if state is State.COMPLETE else {}
    events = drive(quick(name, SPACES["product"], seed=4), 25, 2, lambda number, proposal: (state, scores))
    assert len(asked(events)) == 25


@pytest.mark.parametrize("name", [name for name in NAMES if name not in FIDELITY])
def test_a_space_of_one_architecture_is_no_trap(name):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        events = drive(quick(name, product(2, 1), seed=0), 6)
    assert {each.architecture.decisions for each in asked(events)} == {(0, 0)}
