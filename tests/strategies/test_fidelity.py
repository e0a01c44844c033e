"""Budgets, brackets and promotions against the tables and the algorithms of the papers."""

from __future__ import annotations

import math

import pytest

from nasturtium.errors import NasturtiumError
from nasturtium.strategies import make
from nasturtium.strategies.fidelity import steps
from nasturtium.strategies.local_search import LocalSearch
from nasturtium.testing.driving import asked, drive, score
from nasturtium.testing.small_spaces import product
from nasturtium.trial import State, Trial

SPACE = product(8, 4)
PAPER = {  # Li et al. 2018, table 1: R = 81, eta = 3: (architectures, budget) of each level, by bracket
    4: [(81, 1), (27, 3), (9, 9), (3, 27), (1, 81)],
    3: [(27, 3), (9, 9), (3, 27), (1, 81)],
    2: [(9, 9), (3, 27), (1, 81)],
    1: [(6, 27), (2, 81)],
    0: [(5, 81)],
}


def runs(proposals):
    """Consecutive proposals of one budget, as (count, budget)."""
    found = []
    for proposal in proposals:
        if found and found[-1][1] == proposal.budget and (proposal.parent is None) == found[-1][2]:
            found[-1][0] += 1
        else:
            found.append([1, proposal.budget, proposal.parent is None])
    return [(count, budget) for count, budget, _ in found]


def test_hyperband_runs_the_brackets_of_the_paper():
    total = sum(count for levels in PAPER.values() for count, _ in levels)
    proposals = asked(drive(make("hyperband", space=SPACE, budget=81, seed=0), total + 81))
    assert runs(proposals) == [level for s in (4, 3, 2, 1, 0) for level in PAPER[s]] + [(81, 1)]


def test_budgets_are_counted_from_the_top():
    assert steps(81, 1, 3) == [1, 3, 9, 27, 81]
    assert steps(15, 1, 3) == [2, 5, 15]
    assert steps(1, 1, 3) == [1]
    assert steps(200, 12, 4) == [12, 50, 200]
    assert steps(9.0, 1.0, 3) == [1.0, 3.0, 9.0]
    assert steps(256, 1, 4) == [1, 4, 16, 64, 256]


def test_the_best_go_on_from_their_own_checkpoints():
    strategy = make("successive_halving", space=SPACE, budget=9, seed=3)
    proposals = asked(drive(strategy, 13))
    assert runs(proposals) == [(9, 1), (3, 3), (1, 9)]
    order = sorted(range(9), key=lambda n: -score(proposals[n].architecture))
    assert [p.parent for p in proposals[9:12]] == order[:3]
    assert [p.architecture for p in proposals[9:12]] == [proposals[n].architecture for n in order[:3]]
    best = max(range(9, 12), key=lambda n: score(proposals[n].architecture))
    assert proposals[12].parent == best


def test_a_bracket_waits_and_failures_never_go_on():
    strategy = make("successive_halving", space=SPACE, budget=9, seed=3)
    first = strategy.ask(20)
    assert len(first) == 9
    states = [State.FAILED] * 7 + [State.COMPLETE] * 2
    for number, (proposal, state) in enumerate(zip(first, states, strict=True)):
        assert strategy.ask() == []
        strategy.tell(Trial(number, state, proposal.architecture, 1, {"accuracy": 0.1 * number}))
    assert [proposal.parent for proposal in strategy.ask(5)] == [8, 7]


def test_when_all_of_a_bracket_fails_the_next_begins():
    strategy = make("successive_halving", space=SPACE, budget=9, seed=3)
    events = drive(strategy, 30, end=lambda number, proposal: (State.FAILED, {}))
    assert all(proposal.parent is None and proposal.budget == 1 for proposal in asked(events))


def algorithm_2(scores, rungs, factor):
    """Li et al. 2020, algorithm 2 (get_job), one worker: what is asked, as (rung, number of the continued trial)."""
    done = [[] for _ in range(rungs)]
    promoted = [set() for _ in range(rungs)]
    jobs, values, of = [], {}, {}
    for number in range(len(scores) * 3):
        job = None
        for k in range(rungs - 2, -1, -1):
            best = sorted(done[k], key=lambda trial: (-values[trial], trial))[: len(done[k]) // factor]
            able = [trial for trial in best if trial not in promoted[k]]
            if able:
                promoted[k].add(able[0])
                job = (k + 1, able[0])
                break
        if job is None:
            if len(of) == len(scores):
                return jobs
            of[number] = number
            job = (0, None)
            values[number] = scores[len(of) - 1]
        else:
            values[number] = values[job[1]]
        done[job[0]].append(number)
        jobs.append(job)
    return jobs


@pytest.mark.parametrize("factor", [2, 3, 4])
def test_asha_promotes_as_algorithm_2_of_the_paper(factor):
    strategy = make("asha", space=SPACE, budget=factor**3, seed=1, factor=factor)
    proposals = asked(drive(strategy, 150))
    new = [score(p.architecture) for p in proposals if p.parent is None]
    jobs = algorithm_2(new, 4, factor)[: len(proposals)]
    rung = {factor**k: k for k in range(4)}
    assert [(rung[p.budget], p.parent) for p in proposals] == jobs
    assert max(level for level, _ in jobs) == 3


def test_asha_never_waits():
    strategy = make("asha", space=SPACE, budget=16, seed=0)
    first = strategy.ask(8)
    assert [p.budget for p in first] == [1] * 8
    for number, proposal in enumerate(first[:4]):
        strategy.tell(Trial(number, State.COMPLETE, proposal.architecture, 1, {"accuracy": number / 10}))
    assert [(p.budget, p.parent) for p in strategy.ask(3)] == [(4, 3), (1, None), (1, None)]


def test_asha_with_several_objectives_promotes_from_the_first_front():
    strategy = make("asha", space=SPACE, budget=2, seed=0, factor=2, objectives=["accuracy", "-params"])
    points = [(0.05, 9.0), (0.9, 8.0), (0.04, 7.0), (0.1, 1.0)]  # the second and the last are dominated by none
    for number, (proposal, (accuracy, params)) in enumerate(zip(strategy.ask(4), points, strict=True)):
        scores = {"accuracy": accuracy, "params": params}
        strategy.tell(Trial(number, State.COMPLETE, proposal.architecture, 1, scores))
    assert {proposal.parent for proposal in strategy.ask(2)} == {1, 3}
    assert strategy.ask()[0].parent is None


def test_the_other_strategy_is_asked_for_what_is_new_and_told_how_it_did():
    heard = []

    class Listening(LocalSearch):
        def tell(self, trial):
            heard.append((trial.number, trial.budget))
            super().tell(trial)

    strategy = make("asha", space=SPACE, budget=16, seed=0, strategy=Listening, options={"initial": 2})
    events = drive(strategy, 40)
    new = [number for number, proposal in enumerate(asked(events)) if proposal.parent is None]
    assert [number for number, _ in heard] == new
    assert {budget for _, budget in heard} == {1}
    assert strategy.strategy.initial == 2


def test_given_architectures_begin_at_the_smallest_budget():
    start = [SPACE.architecture((1,) * 8), SPACE.architecture((2,) * 8)]
    for name in ("asha", "hyperband", "successive_halving"):
        strategy = make(name, space=SPACE, budget=9, start=start, factor=3)
        assert [(p.architecture, p.budget) for p in asked(drive(strategy, 13))[:2]] == [(each, 1) for each in start]


def test_fractions_of_a_budget_stay_fractions():
    strategy = make("hyperband", space=SPACE, budget=1.0, least=0.1)
    assert strategy.budgets == [pytest.approx(1 / 9), pytest.approx(1 / 3), 1.0]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"least": 0}, "option least=0: more than 0 and at most the budget"),
        ({"least": 30}, "option least=30"),
        ({"factor": 1}, "option factor=1: a whole number from 2 up"),
        ({"strategy": "randm"}, r"unknown strategy 'randm'; did you mean 'random'\?"),
        ({"strategy": "asha"}, "with one budget, not from ASHA"),
        ({"options": {"populaton": 3}, "strategy": "evolution"}, r"did you mean 'population'\?"),
    ],
)
def test_mistakes_are_named(options, message):
    with pytest.raises(NasturtiumError, match=message):
        make("hyperband", space=SPACE, budget=9, **options)
    with pytest.raises(NasturtiumError, match="option skip=5: of the budgets"):
        make("asha", space=SPACE, budget=9, skip=5)


def test_scores_that_are_no_numbers_do_not_go_on():
    strategy = make("asha", space=SPACE, budget=4, factor=2, seed=0)
    first = strategy.ask(4)
    for number, (proposal, value) in enumerate(zip(first, (math.nan, 0.5, math.inf, 0.2), strict=True)):
        strategy.tell(Trial(number, State.COMPLETE, proposal.architecture, 1, {"accuracy": value}))
    assert [(p.budget, p.parent) for p in strategy.ask(3)] == [(2, 1), (2, 3), (1, None)]


@pytest.mark.parametrize("budgets", [(), (1, 12), (12, 1, 90), (0, 90), (1, 1, 90)])
def test_budgets_that_do_not_rise_to_the_largest_are_refused(budgets):
    with pytest.raises(NasturtiumError, match=r"option budgets=.* from above 0 to 90 are expected"):
        make("asha", space=product(), budget=90, budgets=budgets)


def test_budgets_may_be_given_one_by_one():
    strategy = make("hyperband", space=product(), budget=90, factor=4, budgets=(1, 12, 90))
    assert {proposal.budget for proposal in asked(drive(strategy, 80))} == {1, 12, 90}
    with pytest.raises(NasturtiumError, match="no option 'budgets'"):
        make("curve_screen", space=product(), budget=90, budgets=(1, 90))
