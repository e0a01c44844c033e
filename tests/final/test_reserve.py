"""The time that is kept for the final trainings: when a search may go on in it."""

from __future__ import annotations

import time
from dataclasses import replace

import pytest

import nasturtium as nt
from nasturtium.estimators import Training
from nasturtium.final import Reserve, Wanted
from nasturtium.final.reserve import CAUTION
from nasturtium.layers import Linear, Sequential
from nasturtium.objective import Goal
from nasturtium.space import Space, choice
from nasturtium.study import MemoryStore, Study
from nasturtium.trial import Proposal, State
from tests.final.rings import rings, space

WANTED = Wanted(2, 3, 8, False, 0, 4, 1, 0)
WHOLE = 2 * 3 * 8 * 0.5 * 1.1
"""Seconds: two finalists, three seeds, eight epochs of half a second, on 1.18 times as many rows, and a tenth more."""


@pytest.fixture
def training() -> Training:
    return Training(nt.tasks.load(rings()))


class Listed:
    """Proposes a list."""

    def __init__(self) -> None:
        self.left = [Proposal(each, 4) for each in space().enumerate()]

    def ask(self, n=1):
        return [self.left.pop(0)]


def study(*seconds: float) -> Study:
    made, strategy = Study(MemoryStore(), Goal.of("accuracy"), space()), Listed()
    for number, lasted in enumerate(seconds):
        trial = made.ask(strategy)
        made.tell(trial, State.COMPLETE, {"accuracy": 0.9 - number / 100, "flops": 100.0}, lasted)
    return made


def spared(training: Training, trials: Study, left: float, **changes) -> bool:
    wanted = replace(WANTED, deadline=time.monotonic() + left, **changes)
    return Reserve(training, wanted).spares(trials)


def test_a_trial_may_start_where_all_that_is_wanted_still_fits(training):
    trials = study(2.0, 2.0, 2.0)
    whole = CAUTION * (WHOLE * Reserve(training, WANTED).rows + 2.0)
    assert spared(training, trials, whole + 1.0)
    assert not spared(training, trials, whole - 0.1)
    assert spared(training, trials, whole / 2, seeds=1)  # there is less to be done
    assert spared(training, trials, whole / 1.5, workers=2)


def test_the_trial_itself_must_fit(training):
    fast = study(2.0, 2.0, 2.0, 2.0)
    slow = study(2.0, 2.0, 2.0, 30.0)
    assert not spared(training, slow, CAUTION * (WHOLE * Reserve(training, WANTED).rows + 29.0))
    assert spared(training, fast, CAUTION * (WHOLE * Reserve(training, WANTED).rows + 29.0))


def test_what_took_no_time_says_nothing_of_the_next_trial(training):
    trials, alone = study(10.0), study(10.0)
    for state in (State.INFEASIBLE, State.COMPLETE):  # refused, and a copy of another's scores
        trial = trials.ask(Listed())
        trials.tell(trial, state, {"accuracy": 0.1} if state is State.COMPLETE else {}, 0.0)
    trials.ask(Listed())  # it waits
    whole = 10 / 4 * 2 * 3 * 8 * 1.1 * Reserve(training, WANTED).rows
    for given in (trials, alone):
        assert not spared(training, given, CAUTION * (whole + 9.0))
        assert spared(training, given, CAUTION * (whole + 11.0))


def test_what_goes_on_at_a_larger_budget_is_longer_than_all_before(training):
    trials = study(2.0, 2.0, 2.0)
    whole = WHOLE * Reserve(training, WANTED).rows
    assert spared(training, trials, CAUTION * (whole + 3.0))
    assert not spared(training, trials, CAUTION * (whole + 15.0), search_epochs=32)
    assert spared(training, trials, CAUTION * (whole + 17.0), search_epochs=32)


def test_baselines_are_part_of_it(training):
    trials = study(2.0, 2.0, 2.0)
    whole = CAUTION * (WHOLE * Reserve(training, WANTED).rows + 2.0)
    assert not spared(training, trials, whole + 1.0, baselines=True)
    assert spared(training, trials, 3 * whole, baselines=True)


def test_none_may_where_nothing_tells_or_tuning_takes_all(training):
    assert not spared(training, study(), 1e6)
    assert not spared(training, study(0.0, 0.0), 1e6)
    assert not spared(training, study(2.0, 2.0), 1e6, tune=5)
    assert not Reserve(training, WANTED).spares(study(2.0, 2.0))  # no limit, so nothing is kept


def test_a_search_takes_what_its_final_trainings_do_not_need(tmp_path):
    """Trainings of milliseconds need next to nothing of ten seconds, of which six are the search's in any case."""
    wide = Space(Sequential(Linear(choice(*range(4, 2000), name="width")), Linear(2)), input=(2,), name="wide")
    begun = time.monotonic()
    result = nt.search(
        rings(60), wide, out=tmp_path, time="10s", strategy="random", epochs=1, final_epochs=1, final_seeds=1,
        finalists=1, baselines=False, quiet=True,
    )  # fmt: skip
    assert result.ending == "time"
    assert len(result.finals.networks) == 1
    assert 7.0 < time.monotonic() - begun < 12.0
