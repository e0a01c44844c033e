"""What holds for every strategy, on every kind of space."""

from __future__ import annotations

import warnings

import pytest

from nasturtium.strategies import PRESETS, STRATEGIES
from nasturtium.testing import SMALL_SPACES, STRATEGY_LAWS
from nasturtium.testing.driving import asked, drive, places, plain, replay, rough
from nasturtium.testing.small_spaces import product
from tests.strategies.toy_searches import quick

NAMES = [*STRATEGIES, *(name for name, preset in PRESETS.items() if not preset.start)]
FIDELITY = {"curve_screen", "successive_halving", "hyperband", "asha", "hyperband_evolution", "bohb", "asha_sequences"}
EVERY_KIND = ("replays", "stays_in_the_space")
"""The laws that the kind of a space matters to."""

HELD = [(law, kind) for law in STRATEGY_LAWS for kind in SMALL_SPACES if law in EVERY_KIND or kind == "product"]


@pytest.mark.parametrize(("law", "kind"), HELD)
@pytest.mark.parametrize("name", NAMES)
def test_law(name, law, kind):
    STRATEGY_LAWS[law](lambda space, seed: quick(name, space, seed=seed), SMALL_SPACES[kind], 7)


@pytest.mark.parametrize("name", NAMES)
def test_another_seed_is_another_search(name):
    one, other = ([*map(plain, asked(drive(quick(name, SMALL_SPACES["product"], seed=s), 30)))] for s in (2, 3))
    assert one != other


@pytest.mark.parametrize("kind", SMALL_SPACES)
@pytest.mark.parametrize("name", NAMES)
def test_nothing_new_is_asked_twice(name, kind):
    events = drive(quick(name, SMALL_SPACES[kind], seed=7), 36, 3, rough)
    new = [each for each in asked(events) if each.parent is None]
    assert len({each.architecture.decisions for each in new}) == len(new)


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


@pytest.mark.parametrize("name", [name for name in NAMES if name not in FIDELITY])
def test_a_space_of_one_architecture_is_no_trap(name):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        events = drive(quick(name, product(2, 1), seed=0), 6)
    assert {each.architecture.decisions for each in asked(events)} == {(0, 0)}
