"""The loop: limits, twins, retries, resuming, stopping; and the study is what it should be after each."""

from dataclasses import dataclass

import pytest
from bit_space import FAULTS, Bits, BitSpace, Faulty, OneMax
from search_driver import SPACE

from nasturtium.errors import StudyError
from nasturtium.objective import Goal
from nasturtium.strategies import RandomSearch, make
from nasturtium.study import Ending, InProcess, LocalProcesses, open_study, run
from nasturtium.trial import Proposal, State, trial_seed
from tests.study.fresh import cost, fresh


class Fixed(RandomSearch):
    """Proposes given architectures in order, and nothing after them."""

    continues = True

    def __init__(self, space, *proposals):
        super().__init__(space)
        self.given = proposals

    def propose(self, number, rng):
        return self.given[number] if number < len(self.given) else None


def ones(count, budget=1, parent=None, length=8):
    return Proposal(Bits((1,) * count + (0,) * (length - count)), budget, parent)


@dataclass
class Recorder:
    """Remembers what it was asked, and gives the share of ones."""

    def __post_init__(self):
        self.calls = []

    def evaluate(self, architecture, budget, report):
        self.calls.append((architecture, budget, report.seed, report.folder, report.previous))
        return {"accuracy": sum(architecture.decisions) / 8}


def test_a_search_finds_the_best_and_ends():
    study = fresh(["accuracy"], ["params<=50"])
    strategy = make("evolution", space=SPACE, limits=["params<=50"])
    assert run(study, strategy, InProcess(OneMax()), trials=60, cost=cost) is Ending.TRIALS
    assert study.best.scores["params"] == 50
    assert study.counts[State.COMPLETE] == 60
    assert len(study) == 60 + study.counts[State.INFEASIBLE]


def test_limits_on_structure_are_checked_before_training():
    estimator, study = Recorder(), fresh("accuracy", ["params<=40", "flops<=1M"])
    run(study, Fixed(SPACE, *(ones(count) for count in range(9))), InProcess(estimator), trials=9, cost=cost)
    assert max(sum(call[0].decisions) for call in estimator.calls) == 4
    assert [trial.state for trial in study] == [State.COMPLETE] * 5 + [State.INFEASIBLE] * 4
    assert study.trials[5].reason == "params is 50, the limit is params<=40"
    assert study.trials[5].scores == {"params": 50, "flops": 500}
    assert study.best.number == 4
    assert study.best.scores == {"accuracy": 0.5, "params": 40, "flops": 400}


def test_limits_that_nothing_keeps_end_the_search_with_their_name(monkeypatch):
    monkeypatch.setattr("nasturtium.study.gate.IN_A_ROW", 50)
    study = fresh("accuracy", ["params<=1M", "flops<=-5"])
    message = r"last 50 architectures all broke a limit, 50 of them flops<=-5 .*had \d+\)"
    with pytest.raises(StudyError, match=message):
        run(study, RandomSearch(SPACE), InProcess(OneMax()), trials=5, cost=cost)
    assert study.counts[State.INFEASIBLE] == 50


def test_a_limit_on_scores_is_kept_by_the_winner_and_told_to_the_user():
    study = fresh("-params", ["accuracy>=0.5"])
    run(study, Fixed(SPACE, ones(3), ones(6), ones(8)), InProcess(Recorder()), trials=3, cost=cost)
    assert study.trials[0].state is State.COMPLETE
    assert study.trials[0].reason == "accuracy is 0.375, the limit is accuracy>=0.5"
    assert study.best.number == 1


def test_a_missing_score_fails_the_trial_and_names_what_there_is():
    study = fresh("val_accuracy")
    run(study, Fixed(SPACE, ones(3)), InProcess(Recorder()), trials=1)
    assert study.trials[0].state is State.FAILED
    reason = "there is no score 'val_accuracy'; did you mean 'accuracy'? (scores given: accuracy)"
    assert study.trials[0].reason == reason


def test_a_cost_rule_that_raises_costs_one_trial():
    def broken(architecture):
        if sum(architecture.decisions) == 2:
            raise ZeroDivisionError("no rule for two")
        return architecture.count()

    study = fresh()
    run(study, Fixed(SPACE, ones(1), ones(2), ones(3)), InProcess(OneMax()), trials=3, cost=broken)
    assert [trial.state.value for trial in study] == ["complete", "failed", "complete"]
    assert study.trials[1].reason.startswith("ZeroDivisionError: no rule for two")


def test_the_same_architecture_is_not_trained_twice_unless_asked(tmp_path):
    proposals = (ones(3), ones(3), ones(4), ones(3, budget=2), ones(3, budget=1), ones(3, budget=4, parent=1))
    estimator, study = Recorder(), fresh()
    run(study, Fixed(SPACE, *proposals), InProcess(estimator), trials=6, folder=tmp_path)
    assert [call[1] for call in estimator.calls] == [1, 1, 2, 4]
    assert study.trials[1].scores == study.trials[0].scores
    assert study.trials[1].reason == "scores of trial 0, the same architecture"
    assert study.trials[4].reason == "scores of trial 0, the same architecture"
    assert estimator.calls[-1][4] == tmp_path / "00000"  # the checkpoint of trial 1 is that of trial 0
    again = Recorder()
    run(fresh(), Fixed(SPACE, *proposals), InProcess(again), trials=6, repeats=True)
    assert len(again.calls) == 6


def test_a_checkpoint_that_went_is_missed_and_not_trained_again_in_silence(tmp_path):
    class Forgets(Fixed):
        continues = False

    proposals, gone = (ones(3), ones(3, budget=2, parent=0)), []
    options = {"trials": 2, "folder": tmp_path, "tidy": gone.append}
    with pytest.raises(StudyError, match=r"Forgets has a trial go on from trial 0, .* continues = True"):
        run(fresh(), Forgets(SPACE, *proposals), InProcess(Recorder()), **options)
    assert gone == [tmp_path / "00000"]
    run(fresh(), Fixed(SPACE, *proposals), InProcess(Recorder()), **options)
    assert gone == [tmp_path / "00000"]  # trials of a strategy whose trials go on keep theirs


def test_a_goal_that_asks_for_more_goes_on_with_what_it_has(tmp_path):
    first = open_study(tmp_path / "s.db", Goal.of("accuracy"), SPACE, {})
    run(first, make("evolution", space=SPACE), InProcess(OneMax()), trials=3)
    first.close()
    goal = Goal.of("accuracy", ["latency_ms<=5"])
    study = open_study(tmp_path / "s.db", goal, SPACE, {})
    strategy = make("evolution", space=SPACE, limits=["latency_ms<=5"])
    run(study, strategy, InProcess(OneMax()), trials=6, cost=lambda architecture: {"latency_ms": 1.0})
    assert study.counts[State.COMPLETE] == 6
    assert study.best.number >= 3
    study.close()


def test_twins_side_by_side_wait_for_each_other():
    executor = LocalProcesses(OneMax(seconds=0.2), SPACE, 2)
    study = fresh()
    run(study, Fixed(SPACE, ones(3), ones(3), ones(3), ones(5)), executor, trials=4)
    assert sum(trial.reason.endswith("of trial 0, the same architecture") for trial in study) == 2
    assert study.counts[State.COMPLETE] == 4


def test_every_trial_has_its_own_seed_and_folder(tmp_path):
    estimator, study = Recorder(), fresh()
    run(study, RandomSearch(SPACE, seed=5), InProcess(estimator), trials=4, seed=5, folder=tmp_path)
    assert [call[2] for call in estimator.calls] == [trial_seed(5, number) for number in range(4)]
    assert [call[3] for call in estimator.calls] == [tmp_path / f"0000{number}" for number in range(4)]


def test_seeds_may_be_given_by_the_trial(tmp_path):
    estimator, study = Recorder(), fresh()
    run(study, Fixed(SPACE, ones(1), ones(2), ones(5)), InProcess(estimator), trials=3, seed_of=lambda t: 7 + t.budget)
    assert [call[2] for call in estimator.calls] == [8, 8, 8]


def test_every_fault_is_recorded_and_none_ends_the_study():
    study = fresh(space=BitSpace(20))
    proposals = [ones(FAULTS.index(name), length=20) for name in FAULTS]
    executor = LocalProcesses(Faulty(), BitSpace(20), 2)
    assert run(study, Fixed(study.space, *proposals), executor, trials=99, trial_seconds=3) is Ending.NOTHING
    states = {name: trial.state for name, trial in zip(FAULTS, study, strict=True)}
    assert states.pop("fine") is State.COMPLETE
    assert set(states.values()) == {State.FAILED}
    died = study.trials[FAULTS.index("segfault")]
    assert died.reason == "its worker died: killed by SIGSEGV (3 times, not tried again)"
    assert study.losses == {FAULTS.index("segfault"): 3, FAULTS.index("exits"): 3}


def test_a_lost_trial_is_tried_again_and_may_succeed(tmp_path):
    class DiesOnce:
        def evaluate(self, architecture, budget, report):
            import os

            if not (report.folder / "tried").exists():
                (report.folder / "tried").touch()
                os.kill(os.getpid(), 9)
            return {"accuracy": 0.5}

    study = fresh()
    run(study, RandomSearch(SPACE), LocalProcesses(DiesOnce(), SPACE, 1), trials=2, folder=tmp_path)
    assert [(trial.state, study.losses[trial.number]) for trial in study] == [(State.COMPLETE, 1)] * 2


def test_reports_make_the_curve_and_a_stop_ends_the_trial_early():
    study = fresh()
    run(
        study,
        Fixed(SPACE, ones(8), ones(2)),
        InProcess(OneMax(steps=4)),
        trials=2,
        stop=lambda study, trial: len(trial.curve) >= 2 and trial.curve[-1]["accuracy"] < 0.3,
    )
    assert study.trials[0].state is State.COMPLETE
    assert study.trials[0].curve == [{"accuracy": step / 4, "step": step} for step in range(1, 5)]
    assert study.trials[1].state is State.STOPPED
    assert len(study.trials[1].curve) == 2
