"""Noisy scores: what a predictor says of what was tried counts, and a lucky score does not."""

from __future__ import annotations

import numpy as np
import pytest

from nasturtium.predictors.committee import Committee
from nasturtium.spaces import nasbench201
from nasturtium.strategies import make
from nasturtium.strategies.lessons import squeezed
from nasturtium.testing.driving import drive, replay
from nasturtium.testing.small_spaces import product
from nasturtium.trial import Proposal, State, Trial

LUCKY, BEST = 5, 20


def noisy(**options):
    """A search of sums of five decisions that has seen 40 scores; one of a bad architecture was lucky."""
    space = product(5, 4)
    options = {"predictor": "gp", "encoding": "ordered", "initial": 30, "every": 1, "seed": 0, **options}
    strategy = make("bayesian", space=space, **options)
    rng = np.random.default_rng(1)
    for number in range(40):
        architecture = space.sample(rng)
        if number == BEST:
            architecture = space.architecture((3, 3, 3, 3, 3))
        truth = sum(architecture.decisions) / 15
        score = 1.3 if number == LUCKY else truth + 0.1 * rng.normal()
        scores = {"accuracy": score, "params": 10.0 if number == BEST else 1.0}
        strategy.tell(Trial(number, State.COMPLETE, architecture, 1, scores))
    return strategy


def test_the_lucky_one_is_not_what_is_recommended():
    trusting, strategy = noisy(), noisy(noisy=True)
    told = [each.architecture for each in strategy.told]
    assert trusting.best()[0] == told[LUCKY]
    assert trusting.recommended() == ()
    assert strategy.recommended()[0] == strategy.best()[0] == told[BEST]
    assert set(strategy.recommended()) == set(told)


def test_what_breaks_a_limit_comes_last():
    strategy = noisy(noisy=True, limits=["params<=5"])
    assert strategy.recommended()[-1] == strategy.told[BEST].architecture


def test_nothing_is_recommended_before_the_predictor_leads():
    assert make("bayesian", space=product(), predictor="gp", noisy=True).recommended() == ()


def test_spreads_are_without_noise_and_what_must_be_improved_on_is_believed():
    strategy = noisy(noisy=True)
    told = [each.architecture for each in strategy.told]
    guess = strategy.guessed(told)
    mean, std = strategy.fitted().predict(told)
    assert strategy.fitted().noise > 0
    np.testing.assert_allclose(guess.std**2, std**2 - strategy.fitted().noise ** 2, atol=1e-12)
    assert guess.best == pytest.approx(mean.max())


@pytest.mark.parametrize("cut", [7, 30, 51])
def test_a_search_of_noisy_scores_goes_on_as_if_it_had_never_stopped(cut):
    space = product()
    events = drive(make("sequences", space=space, seed=3, initial=8), 40)
    while not isinstance(events[cut], Proposal):
        cut += 1
    (proposal,) = replay(make("sequences", space=space, seed=3, initial=8), events[:cut], space).ask(1)
    assert proposal.architecture == events[cut].architecture


def test_values_are_linear_above_the_median_and_logarithmic_below():
    # median 3; above it 0, 1, 3, whose root mean square is sqrt(10 / 3)
    unit = np.sqrt(10 / 3)
    expected = [-np.log1p(103 / unit), -np.log1p(1 / unit), 0, 1 / unit, 3 / unit]
    np.testing.assert_allclose(squeezed(np.array([-100.0, 2.0, 3.0, 4.0, 6.0])), expected)
    assert squeezed(np.ones(4)).tolist() == [0, 0, 0, 0]


def test_processes_and_lines_tell_noise_apart_in_the_unit_of_the_scores():
    from nasturtium.predictors import make as predictor

    space, rng = product(5, 4), np.random.default_rng(0)
    drawn = [space.sample(rng) for _ in range(300)]
    scores = np.array([10.0 * sum(each.decisions) for each in drawn]) + 5.0 * rng.normal(size=300)
    made = [predictor(name, space=space, warp=False, calibrate=False).fit(drawn, scores) for name in ("gp", "linear")]
    assert [each.noise for each in made] == pytest.approx([5.0, 5.0], rel=0.12)
    assert Committee(made).noise == pytest.approx(np.sqrt(np.mean([each.noise**2 for each in made])))
    assert predictor("extra_trees", space=space, warp=False).fit(drawn, scores).noise == 0
    assert predictor("gp", space=space, warp=True).fit(drawn, scores).noise == 0


@pytest.mark.parametrize("name", ["nasbot", "bohamiann"])
def test_noisy_scores_are_not_warped_in_presets_either(name):
    space = nasbench201(cells=1)
    plain, noisy = (make(name, space=space, noisy=noisy) for noisy in (False, True))
    assert plain.made(3).warp
    assert not noisy.made(3).warp
    assert make(name, space=space, noisy=True, predictor_options={"warp": True}).made(3).warp
