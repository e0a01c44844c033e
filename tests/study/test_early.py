"""Early stopping: what is stopped and why, and that a study that was stopped and resumed decides the same."""

from __future__ import annotations

import math
from statistics import NormalDist

import numpy as np
import pytest

from nasturtium.errors import NasturtiumError
from nasturtium.objective import Goal
from nasturtium.predictors.curves import make
from nasturtium.strategies import make as strategy
from nasturtium.study import InProcess, LocalProcesses, Study, open_study, run
from nasturtium.study.early import CurveStop, MedianStop, averages_of, early_stop, text_of
from nasturtium.trial import State
from tests.study.learners import EPOCHS, SPACE, InOrder, Learner, searched


def states(study):
    return [trial.state for trial in study]


def extrapolating(maximise, bound):
    return make("pow3", maximise=maximise, bound=bound)


def test_what_cannot_win_is_stopped_and_what_can_is_not():
    study = searched(CurveStop(), 4, 5, 3, 2, 8, 7)
    assert states(study) == [State.COMPLETE] * 3 + [State.STOPPED, State.COMPLETE, State.STOPPED]
    stopped = study.trials[3]
    assert len(stopped.curve) == 5  # the first epoch at which a trial may be stopped
    assert stopped.scores["accuracy"] == stopped.curve[-1]["accuracy"]  # its last epoch, not a guess
    assert "stopped early after 5 of 20 epochs: accuracy would end at 0.56" in stopped.reason
    assert "and trial 1 has 0.7" in stopped.reason
    assert study.best.number == 4
    assert [trial.number for trial in study.top(9)] == [4, 1, 0, 2]


def test_a_loss_is_stopped_the_other_way_round():
    study = searched(CurveStop(), 4, 5, 3, 2, 8, objectives="loss")
    assert states(study) == [State.COMPLETE] * 3 + [State.STOPPED, State.COMPLETE]


def test_the_probability_is_that_of_the_extrapolated_curve_and_what_it_missed_before():
    x = np.arange(1.0, EPOCHS + 1)
    ended = np.stack([top - 0.4 * x**-0.8 + 0.1 * (x > 15) for top in (0.5, 0.55, 0.61)])  # they leap at the end
    values = 0.7 - 0.4 * x[:8] ** -0.8
    objective = Goal.of("accuracy").objectives[0]
    chance, mean, std = CurveStop("mmf").chance(values, ended, objective, 0.79)
    (own, *others), (wide, *_) = make("mmf", bound=1.0).extrapolate(np.vstack([values, ended[:, :8]]), EPOCHS)
    missed = ended[:, -1] - others
    assert mean == pytest.approx(own + missed.mean())
    assert std == pytest.approx(np.sqrt(wide**2 + missed.var(ddof=1) * 4 / 3))
    assert chance == pytest.approx(1 - NormalDist(mean, std).cdf(0.79))
    assert abs(mean - (0.7 - 0.4 * EPOCHS**-0.8 + 0.1)) < 0.02  # the leap is foreseen


def test_where_all_leap_at_the_end_the_best_is_not_stopped():
    study = searched(CurveStop(), 4, 5, 3, 1, 8, estimator=Learner(leap=0.3))
    assert states(study) == [State.COMPLETE] * 3 + [State.STOPPED, State.COMPLETE]
    (end,), (std,) = make("pow3", bound=1.0).extrapolate(
        [[point["accuracy"] for point in study.trials[4].curve[:8]]], EPOCHS
    )
    assert end + 3 * std < study.trials[1].scores["accuracy"] + 0.05  # its curve alone would not have shown it


def test_a_trial_that_breaks_a_limit_is_not_what_others_must_beat():
    study = searched(CurveStop(), 8, 7, 6, 1, limits=["loss>=0.4"])
    assert states(study) == [State.COMPLETE] * 4


def test_the_median_rule_is_that_of_its_paper():
    study = searched(MedianStop(trials=3), 4, 5, 6, 3, 7)
    assert states(study) == [State.COMPLETE] * 3 + [State.STOPPED, State.COMPLETE]
    step = len(study.trials[3].curve)
    averages = [np.mean([point["accuracy"] for point in study.trials[n].curve[:step]]) for n in range(3)]
    assert max(point["accuracy"] for point in study.trials[3].curve) < np.median(averages)
    assert f"half of the trials before had {np.median(averages):.4g} on average" in study.trials[3].reason


@pytest.mark.parametrize("rule", [CurveStop, lambda: MedianStop(trials=2)])
def test_a_study_that_was_broken_off_stops_the_same_trials(tmp_path, rule):
    ones = (5, 4, 3, 2, 8, 7, 6, 1)
    whole = searched(rule(), *ones)
    assert State.STOPPED in states(whole)
    place = tmp_path / "s.sqlite"
    for dies_at in ((2, 4), (8, 5), (1, 2)):
        with pytest.raises(KeyboardInterrupt):
            searched(rule(), *ones, place=place, estimator=Learner(dies_at))
    again = searched(rule(), *ones, place=place)
    assert [(t.state, t.scores, t.reason, list(t.curve)) for t in again] == [
        (t.state, t.scores, t.reason, list(t.curve)) for t in whole
    ]


def test_a_rule_can_be_used_again():
    rule = CurveStop()
    assert states(searched(rule, 5, 4, 3, 2, 8)) == states(searched(rule, 5, 4, 3, 2, 8))


def test_a_rule_is_noted_by_its_options_or_its_name():
    assert (
        text_of(CurveStop(probability=0.9))
        == "CurveStop(predictor='pow3', probability=0.9, after=0.2, least=5, trials=3)"
    )
    assert text_of(states) == "states"  # no address, which would differ in the next process
    noted = text_of(CurveStop(predictor=extrapolating))
    assert noted == text_of(CurveStop(predictor=extrapolating))
    assert "test_early.extrapolating:" in noted
    assert " at 0x" not in noted
    assert text_of(None) is None


def test_workers_stop_when_told():
    study = Study(open_study(None, Goal.of("accuracy"), SPACE, {}).store, Goal.of("accuracy"), SPACE)
    ones = (8, 7, 6, 1, 2, 3)
    run(study, InOrder(*ones), LocalProcesses(Learner(), SPACE, 1), trials=6, seed=1, stop=CurveStop())
    assert states(study) == [State.COMPLETE] * 3 + [State.STOPPED] * 3


def test_a_trial_that_goes_on_has_the_curve_of_its_parent_before_it():
    from nasturtium.study.early import values_of

    study = searched(None, 5, 6)
    study.trials[1].parent = 0
    study.trials[1].curve = [{"step": EPOCHS + 1, "accuracy": 0.9}, {"step": EPOCHS + 3, "accuracy": 0.95}]
    found = values_of(study, study.trials[1], "accuracy")
    assert found[:EPOCHS].tolist() == [point["accuracy"] for point in study.trials[0].curve]
    assert found[EPOCHS] == 0.9
    assert math.isnan(found[EPOCHS + 1])
    assert found[EPOCHS + 2] == 0.95


def test_smaller_budgets_are_not_judged_by_larger_ones():
    study = open_study(None, Goal.of("accuracy"), SPACE, {})
    chosen = strategy("asha", space=SPACE, seed=0, budget=18, factor=3, least=6)
    run(study, chosen, InProcess(Learner()), trials=25, seed=0, stop=CurveStop(probability=0.9))
    for trial in study:
        if trial.state is State.STOPPED:
            assert "and trial" in trial.reason
            rival = study.trials[int(trial.reason.split("and trial ")[1].split()[0])]
            assert rival.budget <= trial.budget


def test_what_cannot_be_used_is_said():
    goal = Goal.of("accuracy")
    assert early_stop(None, goal) is None
    assert early_stop("curve", goal) == CurveStop()
    with pytest.raises(NasturtiumError, match="unknown early_stop 'curv'; did you mean 'curve'"):
        early_stop("curv", goal)
    with pytest.raises(NasturtiumError, match="looks at one objective, not at max:accuracy, min:params"):
        early_stop("curve", Goal.of(["accuracy", "-params"]))
    with pytest.raises(NasturtiumError, match=r"probability from 0\.5 to 1"):
        CurveStop(probability=0.2)
    with pytest.raises(NasturtiumError, match="trials from 1 up"):
        MedianStop(trials=0)
    for trials in (1, 0):  # the miss of one curve has no spread
        with pytest.raises(NasturtiumError, match=r"trials from 2 up"):
            CurveStop(trials=trials)


def test_running_averages_are_those_of_each_beginning():
    study = open_study(None, Goal.of("accuracy"), SPACE, {"seed": 1})
    run(study, InOrder(3), InProcess(Learner()), trials=1, seed=1)
    nan, inf = math.nan, math.inf
    study.trials[0].curve = [{"step": step, "accuracy": a} for step, a in enumerate([nan, inf, 2.0, nan, 4.0], 1)]
    found = averages_of(study, study.trials[0], study.goal.objectives[0])
    assert [str(each) for each in found] == ["nan", "nan", "inf", "inf", "inf"]
    study.trials[0].curve = [{"step": step, "accuracy": a} for step, a in ((2, 1.0), (3, 2.0), (5, 6.0))]
    found = averages_of(study, study.trials[0], study.goal.objectives[0])
    assert found[1:] == [1.0, 1.5, 1.5, 3.0]
    assert math.isnan(found[0])
