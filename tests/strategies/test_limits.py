"""What breaks a limit is worth less than what keeps it, in whatever unit; and scores must be there to be judged."""

from __future__ import annotations

import math

import numpy as np
import pytest

from nasturtium.errors import ObjectiveError
from nasturtium.strategies import PRESETS, STRATEGIES, make
from nasturtium.strategies.policy import Advantages, Rewards
from nasturtium.testing.driving import asked, drive, good
from nasturtium.testing.small_spaces import SMALL_SPACES, product
from nasturtium.trial import State, Trial
from tests.strategies.toy_searches import QUICK, quick

RATES = {"reinforce": {"learning_rate": 0.1}, "controller": {"learning_rate": 0.02}, "ppo": {"learning_rate": 0.02}}
LEARNING = sorted({*STRATEGIES, *(name for name, preset in PRESETS.items() if not preset.start)} - {"random"})


@pytest.mark.parametrize("unit", [0.01, 1.0, 1000.0])
@pytest.mark.parametrize("sign", [-1, 1])
def test_what_breaks_a_limit_is_worth_less_in_whatever_unit_scores_are(unit, sign):
    rewards = Rewards()
    assert [rewards((0.5, math.inf)), rewards((3.0, math.inf)), rewards.range] == [-0.5, -1.0, (-1.0, -0.5)]
    first = rewards((0.0, sign * 2.3 * unit))
    assert rewards((0.1, math.inf)) < first
    worst = first - unit
    assert rewards((0.0, -worst)) == worst
    assert rewards((0.5, math.inf)) == pytest.approx(worst - 0.5 * unit)
    assert rewards.range == (pytest.approx(worst - unit), first)


def test_the_baseline_holds_nothing_of_violations_before_anything_kept_the_limits():
    advantages = Advantages(0.9)
    assert [advantages((violation, math.inf)) for violation in (0.4, 0.8)] == [
        pytest.approx(0.0), pytest.approx(-0.8 + (0.9 * 0.4 + 0.8) / 1.9)
    ]  # fmt: skip
    assert advantages((0.0, 2.3)) == pytest.approx(0.0)
    assert advantages((0.2, math.inf)) < 0


@pytest.mark.parametrize("name", ["mcts", "reinforce", "controller", "ppo"])
def test_a_policy_is_led_to_what_keeps_a_limit_where_scores_are_losses(name):
    """The score is a loss above 2; without the limit the search would go where it is broken."""

    def end(number, proposal):
        count = float(sum(each == 3 for each in proposal.architecture.decisions))
        return State.COMPLETE, {"loss": 4.0 - 0.1 * count, "params": 1.0 + count}

    def share(**limits):
        options = {**QUICK.get(name, {}), **RATES.get(name, {})}
        strategy = make(name, space=product(6, 4), seed=1, objectives="loss", **limits, **options)
        return np.mean([1 + p.architecture.decisions.count(3) <= 1 for p in asked(drive(strategy, 200, end=end))[100:]])

    assert share(limits=["params<=1"]) > share() + 0.2


@pytest.mark.parametrize("name", LEARNING)
@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"objectives": "max:acuracy"}, r"no score 'acuracy'; did you mean 'accuracy'\? \(scores given: accuracy, par"),
        ({"limits": ["param<=3"]}, r"no score 'param'; did you mean 'params'\?"),
    ],
)
def test_a_score_that_no_trial_gives_is_said_at_the_first_complete_one(name, options, message):
    strategy = quick(name, SMALL_SPACES["product"], **options)
    first, second, third = strategy.ask(3)
    strategy.tell(Trial(0, State.FAILED, first.architecture, first.budget))
    strategy.tell(Trial(1, State.STOPPED, second.architecture, second.budget, {"loss": 1.0}))
    with pytest.raises(ObjectiveError, match=message):
        strategy.tell(Trial(2, State.COMPLETE, third.architecture, third.budget, good(2, third)[1]))
