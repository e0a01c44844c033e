"""What a rule of early stopping compares a trial with: which trials before it count, and how often they are read."""

import math

import numpy as np
import pytest

from nasturtium.objective import Goal
from nasturtium.study import InProcess, open_study, run
from nasturtium.study.early import CurveStop, MedianStop
from nasturtium.trial import State
from tests.study.learners import SPACE, InOrder, Learner, searched


def test_only_what_ended_before_a_trial_was_asked_counts():
    rule = CurveStop()
    study = searched(None, 5, 8, 2)
    assert [[t.number for t in rule.before.trials(study, trial)] for trial in study] == [[], [0], [0, 1]]
    study.history[:] = [0, 1, ~1, 2, ~0, ~2]  # two at a time
    rule = CurveStop()
    assert [[t.number for t in rule.before.trials(study, trial)] for trial in study] == [[], [], [1]]
    assert [[t.number for t in rule.before.alike(study, trial)] for trial in study] == [[], [], [1]]


def cut(study, number, epochs=8):
    """A trial as it was after some epochs."""
    trial = study.trials[number]
    trial.curve = list(trial.curve)[:epochs]
    return trial


def test_where_fewer_than_two_curves_have_begun_nothing_is_stopped():
    study = searched(None, 8, 7, 6, 1)
    poor = cut(study, 3)
    assert "stopped early after 8 of 20 epochs" in CurveStop()(study, poor)
    for trial in study.trials[:2]:
        trial.curve = list(trial.curve)[10:]  # the metric was reported from there on alone
    chance, mean, std = CurveStop().chance(
        np.linspace(0.1, 0.2, 8),
        np.stack([[np.nan] * 10 + [0.9] * 10, np.linspace(0.1, 0.9, 20)]),
        study.goal.objectives[0],
        0.9,
    )
    assert (chance, math.isnan(mean), std) == (0.5, True, math.inf)
    assert CurveStop()(study, poor) == ""


def test_curves_that_were_foreseen_exactly_have_no_spread_and_can_be_judged():
    class Knows:
        learns = False

        def __init__(self, maximise, bound):
            pass

        def extrapolate(self, lines, horizon):
            return np.full(len(lines), 0.8), np.zeros(len(lines))

    ended = np.full((3, 20), 0.8)
    objective = Goal.of("accuracy").objectives[0]
    for best, chance in ((0.9, 0.0), (0.7, 1.0)):
        assert CurveStop(predictor=Knows).chance(np.full(8, 0.8), ended, objective, best) == (chance, 0.8, 0.0)


def test_only_the_latest_curves_are_read(monkeypatch):
    monkeypatch.setattr("nasturtium.study.early.LAST", 3)
    study = searched(None, 4, 5, 6, 5, 4, 6, 5, 1)
    rule = CurveStop()
    assert rule(study, cut(study, 7))
    assert sorted(number for what, number in rule.before.read if what == "curve") == [4, 5, 6]
    more = CurveStop(trials=5)  # so many must there be, however few are compared
    assert more(study, cut(study, 7))
    assert sorted(number for what, number in more.before.read if what == "curve") == [2, 3, 4, 5, 6]


def test_the_latest_of_the_same_budget_come_first():
    study = searched(None, 5, 8, 2, 7, 1)
    study.trials[1].budget = 5
    before = CurveStop().before
    assert [[t.number for t in before.alike(study, trial)] for trial in study] == [[], [], [0], [2, 0], [3, 2, 0]]


@pytest.mark.parametrize("make_rule", [CurveStop, lambda: MedianStop(trials=1, after=0.0)])
def test_curves_that_ended_are_read_once(make_rule, monkeypatch):
    """Which is what a rule costs at every report."""
    read = []

    class Watching(list):
        def __iter__(self):
            read.append(self)
            return super().__iter__()

    def watched(study, trial):
        for each in study.trials[: trial.number]:
            if not isinstance(each.curve, Watching):
                each.curve = Watching(each.curve)
        return rule(study, trial)

    rule = make_rule()
    study = open_study(None, Goal.of("accuracy"), SPACE, {"seed": 1})
    run(study, InOrder(*range(8), *range(8)), InProcess(Learner()), trials=16, seed=1, stop=watched, repeats=True)
    assert 5 < len(read) <= 16 + 1
    assert 0 < study.counts[State.STOPPED] < 16
