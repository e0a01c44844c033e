"""Policies and scores out of all proportion: they do not decide all that is learned afterwards."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from nasturtium.errors import NasturtiumError
from nasturtium.strategies import make
from nasturtium.strategies.policy import Advantages, MovingAverage, path
from nasturtium.testing.driving import asked, drive, score
from nasturtium.testing.small_spaces import product
from nasturtium.trial import State

SPACE = product(4, 4)
BATCHES = {"reinforce": {"learning_rate": 0.1}, "controller": {"batch": 4, "learning_rate": 0.01},
           "ppo": {"batch": 6, "minibatch": 3, "hidden": 20, "learning_rate": 0.01}}  # fmt: skip


def diverging(where, loss):
    def end(number, proposal):
        usual = 20.0 - 10.0 * score(proposal.architecture)
        return State.COMPLETE, {"perplexity": loss if number in where else usual}

    return end


@pytest.mark.parametrize("name", BATCHES)
@pytest.mark.parametrize(("where", "loss"), [({5}, 2.7e43), ({0}, 2.7e43), ({9, 10, 11, 40, 41}, 1e300), ({7}, -1e30)])
def test_a_huge_score_does_not_end_the_learning(name, where, loss):
    strategy = make(name, space=SPACE, seed=2, objectives="perplexity", repeats=True, **BATCHES[name])
    proposals = asked(drive(strategy, 300, end=diverging(where, loss)))
    begun, late = (np.mean([score(each.architecture) for each in part]) for part in (proposals[:50], proposals[-50:]))
    assert late > begun + 0.05
    if name != "reinforce":
        assert all(each.isfinite().all() for each in strategy.network.parameters())


@pytest.mark.parametrize("name", ["controller", "ppo"])
def test_a_step_that_is_no_number_is_left_out(name):
    strategy = make(name, space=SPACE, seed=2, **BATCHES[name])
    drive(strategy, 20)
    before = [each.detach().clone() for each in strategy.network.parameters()]
    logs, _ = strategy.network.log_probabilities(strategy.network.gathered([path(SPACE, (0, 1, 2, 3))]))
    strategy._step((logs * math.inf).sum())
    logs, _ = strategy.network.log_probabilities(strategy.network.gathered([path(SPACE, (0, 1, 2, 3))]))
    assert all(torch.equal(a, b) for a, b in zip(before, strategy.network.parameters(), strict=True))
    strategy._step(-logs.sum())
    assert any(not torch.equal(a, b) for a, b in zip(before, strategy.network.parameters(), strict=True))


@pytest.mark.parametrize("power", [1.0, 3.0])
def test_usual_rewards_have_the_advantage_over_their_average_and_nothing_else(power):
    rng, advantages, average = np.random.default_rng(0), Advantages(0.9, power), MovingAverage(0.9)
    for number in range(200):
        reward = float(rng.choice([0.0, 0.1, 0.1000001, rng.random()]))
        expected = reward**power - average.update(reward**power)
        assert advantages((0.0, -reward)) == pytest.approx(expected, abs=0), number


@pytest.mark.parametrize("name", BATCHES)
@pytest.mark.parametrize("momentum", [1, 1.0, 1.5, -0.1])
def test_an_average_that_takes_nothing_in_is_refused(name, momentum):
    with pytest.raises(NasturtiumError, match=rf"option momentum={momentum}: a number from 0 to"):
        make(name, space=SPACE, momentum=momentum)
