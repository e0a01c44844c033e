"""Trials that are given the scores of another: of the same budget, and with all that the goal needs."""

import pytest
from bit_space import BitSpace, OneMax
from test_loop import Fixed, Recorder, fresh, ones

from nasturtium.objective import Goal
from nasturtium.strategies import make
from nasturtium.study import Ending, InProcess, MemoryStore, Study, run
from nasturtium.trial import Proposal, State


class Patient(Recorder):
    """Longer training helps far more than the architecture does."""

    def evaluate(self, architecture, budget, report):
        super().evaluate(architecture, budget, report)
        return {"accuracy": (0.5 + 0.005 * sum(architecture.decisions)) * budget / 9}


def test_the_scores_of_a_larger_budget_are_not_those_of_a_smaller_one():
    estimator, study = Patient(), fresh()
    proposals = (ones(3, budget=9), ones(3), ones(3, budget=9), ones(3, budget=1), ones(3, budget=3, parent=3))
    run(study, Fixed(study.space, *proposals), InProcess(estimator), trials=5)
    assert [call[1] for call in estimator.calls] == [9, 1, 3]
    assert study.copies == {2: 0, 3: 1}
    assert study.trials[1].scores["accuracy"] < 0.1 < study.trials[0].scores["accuracy"]


def test_on_each_rung_of_asha_are_scores_of_its_budget():
    space = BitSpace(5)
    study = fresh(space=space)
    strategy = make("asha", space=space, budget=9, factor=3, options={"repeats": True})
    strategy.strategy.propose = lambda number, rng: Proposal(space.sample(rng))  # as a space with many names for one
    run(study, strategy, InProcess(Patient()), trials=80)
    assert study.copies
    for trial in study:
        ceiling = (0.5 + 0.005 * 5) * trial.budget / 9
        assert trial.scores["accuracy"] <= ceiling


def test_what_lacks_a_score_of_the_goal_is_no_twin():
    class More(OneMax):
        def evaluate(self, architecture, budget, report):
            scores = super().evaluate(architecture, budget, report)
            return {**scores, "auroc": scores["accuracy"] / 2}

    store = MemoryStore()
    study = Study(store, Goal.of("accuracy"), BitSpace(8))
    run(study, Fixed(study.space, ones(3)), InProcess(OneMax()), trials=1)
    again = Study(store, Goal.of(["accuracy", "auroc"], ["latency_ms<=5"]), BitSpace(8))
    objectives = {"objectives": ["accuracy", "auroc"], "limits": ["latency_ms<=5"]}
    strategy = make("evolution", space=BitSpace(8), **objectives)
    strategy.propose = lambda number, rng: ones(3)
    run(again, strategy, InProcess(More()), trials=3, cost=lambda architecture: {"latency_ms": 1.0})
    assert again.copies == {2: 1}
    assert [trial.state for trial in again] == [State.COMPLETE] * 3
    assert again.trials[2].scores == again.trials[1].scores


def test_what_is_known_beforehand_need_not_be_in_the_scores_of_a_twin():
    store = MemoryStore()
    run(Study(store, Goal.of("accuracy"), BitSpace(8)), Fixed(BitSpace(8), ones(3)), InProcess(Recorder()), trials=1)
    again = Study(store, Goal.of("accuracy", ["params<=100", "accuracy>=0.9"]), BitSpace(8))
    strategy = Fixed(BitSpace(8), ones(3), ones(3))
    estimator = Recorder()
    run(again, strategy, InProcess(estimator), trials=2, cost=lambda architecture: architecture.count())
    assert (estimator.calls, again.copies) == ([], {1: 0})
    assert again.trials[1].scores == {"params": 30, "flops": 300, "accuracy": 0.375}
    remark = "accuracy is 0.375, the limit is accuracy>=0.9"
    assert again.trials[1].reason == f"scores of trial 0, the same architecture; {remark}"


@pytest.mark.filterwarnings("ignore:space .bits")
@pytest.mark.parametrize("name", ["random", "evolution", "local_search", "asha"])
def test_a_search_of_all_that_there_is_ends_where_it_ended(name):
    space, study, lengths = BitSpace(3), fresh(space=BitSpace(3)), []
    for _ in range(4):
        strategy = make(name, space=space, budget=4)
        assert run(study, strategy, InProcess(OneMax()), trials=None) is Ending.NOTHING
        lengths.append(len(study))
    assert lengths == lengths[:1] * 4
    assert run(study, make(name, space=space, budget=4), InProcess(OneMax()), trials=lengths[0] + 2) is Ending.TRIALS


def test_a_copy_alone_does_not_end_a_search_without_a_number_of_trials():
    space, study = BitSpace(3), fresh(space=BitSpace(3))
    run(study, Fixed(space, ones(1, length=3), ones(1, length=3)), InProcess(OneMax()), trials=2)
    assert study.repeating
    with pytest.warns(UserWarning, match="all of its architectures were proposed"):
        run(study, make("random", space=space), InProcess(OneMax()), trials=None)
    assert len({trial.architecture.decisions for trial in study}) == 8
