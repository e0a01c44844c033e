"""Strategies in real studies: stopped and opened again, they end with the trials of a study that was not stopped."""

from __future__ import annotations

import pytest

from nasturtium.objective import Goal
from nasturtium.study import InProcess, open_study, run
from nasturtium.testing.driving import score
from nasturtium.testing.small_spaces import conditional, grammar
from tests.strategies.toy_searches import quick


class Scored:
    """Gives the score of a toy search, and fails now and then."""

    def evaluate(self, architecture, budget, report):
        value = score(architecture)
        if value > 0.6 and sum(architecture.decisions) % 5 == 0:
            raise ValueError("no luck")
        return {"accuracy": value + budget / 1000}


@pytest.mark.parametrize("make_space", [conditional, grammar])
@pytest.mark.parametrize("name", ["local_search", "genetic", "ppo", "mcts", "hyperband", "asha"])
def test_a_study_that_was_stopped_ends_as_one_that_was_not(tmp_path, name, make_space):
    def go_on(path, trials):
        space = make_space()
        study = open_study(path, Goal.of("accuracy"), space, {"strategy": name})
        run(study, quick(name, space, seed=4), InProcess(Scored()), trials=trials, seed=4)
        found = [
            (t.architecture.decisions, t.budget, t.parent, t.state, t.scores.get("accuracy")) for t in study.trials
        ]
        study.close()
        return found

    whole = go_on(tmp_path / "whole.db", 30)
    for trials in (7, 8, 21, 30):
        stopped = go_on(tmp_path / "stopped.db", trials)
        assert stopped == whole[:trials]
    assert len(whole) == 30
