"""Early stopping: what is stopped and why, and that a study that was stopped and resumed decides the same."""

from __future__ import annotations

import math
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
import pytest
from bit_space import Bits, BitSpace

from nasturtium.errors import NasturtiumError
from nasturtium.objective import Goal
from nasturtium.predictors.curves import make
from nasturtium.strategies import RandomSearch
from nasturtium.strategies import make as strategy
from nasturtium.study import InProcess, LocalProcesses, Study, open_study, run
from nasturtium.study.early import CurveStop, MedianStop, averages_of, early_stop, text_of
from nasturtium.trial import Proposal, State

SPACE = BitSpace(8)
EPOCHS = 20


@dataclass
class Learner:
    """Learns by a power law towards an accuracy that grows with the ones, with a little noise."""

    dies_at: tuple[int, int] | None = None
    leap: float = 0.0

    def evaluate(self, architecture, budget, report):
        top = 0.5 + 0.05 * sum(architecture.decisions)
        noise = np.random.default_rng(report.seed).normal(0, 0.002, EPOCHS)
        value = 0.0
        for epoch in range(1, int(budget) + 1):
            value = float(top - self.leap - 0.4 * epoch**-0.8 + noise[epoch - 1])
            value += self.leap * (epoch > 15)
            if self.dies_at == (sum(architecture.decisions), epoch):
                raise KeyboardInterrupt
            if not report(epoch, {"accuracy": value, "loss": 1 - value}):
                break
        return {"accuracy": value, "loss": 1 - value}


class InOrder(RandomSearch):
    def __init__(self, *ones):
        super().__init__(SPACE, budget=EPOCHS)
        self.ones = ones

    def propose(self, number, rng):
        if number >= len(self.ones):
            return None
        count = self.ones[number]
        return Proposal(Bits((1,) * count + (0,) * (8 - count)), EPOCHS)


def searched(rule, *ones, objectives="accuracy", limits=(), place=None, estimator=None):
    study = open_study(place, Goal.of(objectives, limits), SPACE, {"seed": 1})
    try:
        run(study, InOrder(*ones), InProcess(estimator or Learner()), trials=len(ones), seed=1, stop=rule)
    except KeyboardInterrupt:
        study.close()
        raise
    return study


def extrapolating(maximise, bound):
    return make("pow3", maximise=maximise, bound=bound)


def states(study):
    return [trial.state for trial in study]


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


def test_only_what_ended_before_a_trial_was_asked_counts():
    rule = CurveStop()
    study = searched(None, 5, 8, 2)
    assert [[t.number for t in rule.before.trials(study, trial)] for trial in study] == [[], [0], [0, 1]]
    study.history[:] = [0, 1, ~1, 2, ~0, ~2]  # two at a time
    rule = CurveStop()
    assert [[t.number for t in rule.before.trials(study, trial)] for trial in study] == [[], [], [1]]
    assert [[t.number for t in rule.before.alike(study, trial)] for trial in study] == [[], [], [1]]


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
