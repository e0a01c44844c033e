"""UCT by hand, and the tree it grows."""

from __future__ import annotations

import math

import numpy as np
import pytest

from nasturtium.space import Space
from nasturtium.strategies import make
from nasturtium.strategies.policy import path
from nasturtium.strategies.tree_search import close
from nasturtium.testing.driving import asked, drive
from nasturtium.testing.small_spaces import product
from nasturtium.trial import Proposal, State, Trial

SPACE = product(3, 3)


def put(strategy, decisions, reward, state=State.COMPLETE):
    number = strategy.number
    architecture = SPACE.architecture(decisions)
    strategy.asked(Proposal(architecture))
    strategy.tell(Trial(number, state, architecture, 1, {} if reward is None else {"accuracy": reward}))


def test_values_are_those_of_the_formula():
    strategy = make("mcts", space=SPACE, exploration=0.3)
    put(strategy, (0, 0, 0), 0.2)
    put(strategy, (1, 0, 0), 1.2)
    put(strategy, (1, 1, 0), 0.7)
    put(strategy, (1, 0, 2), None, State.FAILED)
    put(strategy, (2, 0, 0), 0.2)
    root = strategy.nodes[()]
    # rewards from 0.2 to 1.2 are scaled to 0..1; the failure counts as 0
    expected = {0: 0.0, 1: (1.0 + 0.5 + 0.0) / 3, 2: 0.0}
    visits = {0: 1, 1: 3, 2: 1}
    for option, mean in expected.items():
        uncertain = 2 * 0.3 * math.sqrt(2 * math.log(5) / visits[option])
        assert strategy.value(strategy.nodes[(option,)], root) == pytest.approx(mean + uncertain)
    assert strategy.selected((), (0, 1, 2), np.random.default_rng(0)) == 1
    assert strategy.selected((), (0, 2), np.random.default_rng(0)) in (0, 2)


def test_violations_count_below_the_worst_by_a_share_of_the_range():
    strategy = make("mcts", space=SPACE, exploration=0.0, objectives="loss", limits=["params<=2"])

    def put_limited(decisions, loss, params):
        architecture, number = SPACE.architecture(decisions), strategy.number
        strategy.asked(Proposal(architecture))
        strategy.tell(Trial(number, State.COMPLETE, architecture, 1, {"loss": loss, "params": params}))

    def means():
        return [strategy.value(strategy.nodes[(option,)], strategy.nodes[()]) for option in range(3)]

    put_limited((0, 0, 0), 1.0, 3.0)  # misses by a half
    put_limited((1, 0, 0), 1.0, 2.2)  # by a tenth
    put_limited((2, 0, 0), 1.0, 2.2)
    assert means() == [pytest.approx(0.0), pytest.approx(1.0), pytest.approx(1.0)]
    put_limited((2, 1, 0), 2.3, 1.0)
    put_limited((2, 2, 0), 4.3, 1.0)
    # rewards from -4.3 - 0.5 * 2.0, for the violation of a half, to -2.3
    scaled = [(reward + 5.3) / 3.0 for reward in (-4.3 - 0.1 * 2.0, -2.3, -4.3)]
    assert means() == [pytest.approx(0.0), pytest.approx(scaled[0]), pytest.approx(sum(scaled) / 3)]


def test_options_never_taken_come_first_and_every_trial_adds_one_node():
    strategy = make("mcts", space=SPACE, seed=1)
    for number in range(9):
        (proposal,) = strategy.ask()
        assert len(strategy.nodes) == number + 2
        strategy.tell(Trial(number, State.COMPLETE, proposal.architecture, 1, {"accuracy": 0.5}))
        if number == 2:
            assert {(0,), (1,), (2,)} <= set(strategy.nodes)
    assert sorted(strategy.nodes[(option,)].asked for option in range(3)) == [3, 3, 3]


def test_running_trials_count_as_visits():
    strategy = make("mcts", space=SPACE, seed=0)
    first = {proposal.architecture.decisions[0] for proposal in strategy.ask(3)}
    assert first == {0, 1, 2}


def test_rewards_go_up_the_tree():
    strategy = make("mcts", space=SPACE)
    put(strategy, (0, 1, 2), 0.5)
    put(strategy, (0, 1, 0), 0.25)
    put(strategy, (0, 2, 0), 1.0)
    node = strategy.nodes[(0,)]
    assert (node.asked, node.told, node.total) == (3, 3, 1.75)
    assert (strategy.nodes[(0, 1)].told, strategy.nodes[(0, 1)].total) == (1, 0.25)
    assert set(strategy.nodes) == {(), (0,), (0, 1), (0, 2)}


def test_a_large_constant_is_fair_and_a_small_one_greedy():
    def share(exploration):
        space = product(7, 3)
        strategy = make("mcts", space=space, seed=3, exploration=exploration)
        end = lambda number, proposal: (State.COMPLETE, {"accuracy": float(proposal.architecture.decisions[0] == 2)})  # noqa: E731
        return np.mean([p.architecture.decisions[0] == 2 for p in asked(drive(strategy, 45, end=end))[9:]])

    assert share(0.0) > 0.6
    assert share(20.0) == pytest.approx(1 / 3, abs=0.06)


def test_what_fails_the_constraints_is_not_taken_first_for_ever():
    """Below a well-known node half of the leaves cannot be; the others are proposed, not random architectures."""
    space = Space(product(2, 6).root, where=lambda a: sum(a.decisions) % 2 == 0, name="even")
    for seed in range(20):
        strategy = make("mcts", space=space, seed=seed, exploration=0.0)
        for decisions in ((0, 0), (1, 1), (2, 0), (3, 1), (4, 0), (5, 1), (4, 2), (4, 0)):
            architecture, number = space.architecture(decisions), strategy.number
            strategy.asked(Proposal(architecture))
            reward = 1.0 if decisions[0] == 4 else 0.0
            strategy.tell(Trial(number, State.COMPLETE, architecture, 1, {"accuracy": reward}))
        (proposal,) = strategy.ask()
        assert proposal.architecture.decisions == (4, 4)


def test_a_beginning_closes_when_all_that_follows_is_closed():
    closed = set()
    space = product(2, 2)
    close(path(space, (0, 1)), closed)
    assert closed == {(0, 1)}
    close(path(space, (0, 0)), closed)
    assert closed == {(0, 1), (0, 0), (0,)}
    close(path(space, (1, 0)), closed)
    close(path(space, (1, 1)), closed)
    assert () in closed
