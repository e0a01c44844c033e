"""How a search ends: by time, by what it was given, by interrupts, and by a driver that dies."""

import signal
import threading
import time

import pytest
from bit_space import BitSpace, OneMax
from search_driver import GOAL, SPACE, search

from nasturtium.errors import StudyError
from nasturtium.objective import Goal
from nasturtium.strategies import RandomSearch, make
from nasturtium.study import Ending, InProcess, LocalProcesses, MemoryStore, Study, open_study, run
from nasturtium.trial import State
from tests.study.fresh import cost, fresh


def test_no_trial_starts_after_the_time():
    study = fresh()
    begun = time.monotonic()
    assert run(study, RandomSearch(SPACE), InProcess(OneMax(seconds=0.05)), trials=999, time=0.4) is Ending.TIME
    assert 0.4 < time.monotonic() - begun < 5
    assert 3 < len(study) == study.counts[State.COMPLETE]


def test_after_the_time_trials_start_as_long_as_there_is_time_for_them():
    study, asked = fresh(), []

    def spares(seen):
        asked.append(len(seen))
        return len(seen) < 12

    ending = run(study, RandomSearch(SPACE), InProcess(OneMax(seconds=0.01)), trials=99, time=0.0, spares=spares)
    assert ending is Ending.TIME
    assert asked == list(range(13))
    assert study.counts[State.COMPLETE] == 12


@pytest.mark.parametrize("strategy", ["random", "evolution", "asha"])
def test_without_a_number_of_trials_all_that_there_is_is_tried(strategy):
    space = BitSpace(3)
    study = fresh(space=space)
    with pytest.warns(UserWarning, match="all"):
        ending = run(study, make(strategy, space=space, budget=4), InProcess(OneMax()), trials=None, time=60)
    assert ending is Ending.NOTHING
    assert {trial.architecture.decisions for trial in study.trials} == {each.decisions for each in space.enumerate()}
    assert len(study) < 30


def test_a_finished_study_can_be_given_more_trials():
    study = fresh()
    run(study, RandomSearch(SPACE), InProcess(OneMax()), trials=5)
    assert run(study, RandomSearch(SPACE), InProcess(OneMax()), trials=5) is Ending.TRIALS
    assert len(study) == 5
    run(study, RandomSearch(SPACE), InProcess(OneMax()), trials=9)
    whole = fresh()
    run(whole, RandomSearch(SPACE), InProcess(OneMax()), trials=9)
    assert comparable(study) == comparable(whole)


def comparable(study):
    return [(t.number, t.state, t.architecture, t.budget, t.scores, t.curve, t.reason) for t in study]


class Dies(Exception):
    pass


@pytest.mark.parametrize("strategy", ["random", "evolution"])
def test_a_driver_that_dies_at_any_event_resumes_to_the_same_study(tmp_path, strategy, monkeypatch):
    """Instead of a kill: every append raises once, before or after the event is stored."""
    whole, _ = search(None, InProcess(OneMax(steps=2)), strategy, trials=14)
    events = len(whole.store.events)
    for cut in range(0, 2 * events, 3):
        store = MemoryStore()
        append = store.append

        def dying(batch, durable=False, store=store, append=append, cut=cut):
            if 2 * len(store.events) >= cut:
                if cut % 2:
                    append(batch, durable)
                raise Dies
            return append(batch, durable)

        store.append = dying
        study = Study(store, GOAL, SPACE)
        options = {"trials": 14, "seed": 3, "cost": cost}
        made = {"space": SPACE, "seed": 3, "objectives": GOAL.objectives, "limits": GOAL.limits}
        with pytest.raises(Dies):
            run(study, make(strategy, **made), InProcess(OneMax(steps=2)), **options)
        store.append = append
        again = Study(store, GOAL, SPACE)
        run(again, make(strategy, **made), InProcess(OneMax(steps=2)), **options)
        assert comparable(again) == comparable(whole)


@pytest.mark.parametrize("kind", ["in process", "one worker"])
def test_the_first_interrupt_finishes_what_runs_and_the_second_ends_it(tmp_path, kind):
    def executor(seconds=0.6):
        estimator = OneMax(seconds=seconds, steps=6)
        return InProcess(estimator) if kind == "in process" else LocalProcesses(estimator, SPACE, 1)

    def interrupt(*after):
        for seconds in after:
            threading.Timer(seconds, signal.raise_signal, (signal.SIGINT,)).start()

    study = open_study(tmp_path / "s.sqlite", Goal.of("accuracy"), SPACE, {})
    interrupt(1.0)
    assert run(study, RandomSearch(SPACE), executor(), trials=50) is Ending.INTERRUPTED
    done = len(study)
    assert 1 <= done <= 4
    assert study.counts[State.COMPLETE] == done
    interrupt(1.0, 3.0)  # far enough apart that a busy machine does not make one signal of the two
    begun = time.monotonic()
    with pytest.raises(KeyboardInterrupt):
        run(study, RandomSearch(SPACE), executor(seconds=9.0), trials=50)
    assert time.monotonic() - begun < 8.0
    assert len(study) == done + 1
    assert study.trials[-1].state is State.WAITING
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    run(study, RandomSearch(SPACE), executor(), trials=done + 1)
    assert study.counts[State.COMPLETE] == done + 1
    study.close()


def test_a_full_disk_ends_the_search_and_what_was_done_is_kept(tmp_path):
    study = open_study(tmp_path / "s.sqlite", Goal.of("accuracy"), SPACE, {})
    study.store.connection.exec_driver_sql("PRAGMA max_page_count=12")
    study.store.connection.commit()
    with pytest.raises(StudyError, match="the disk is full"):
        run(study, RandomSearch(SPACE, repeats=True), InProcess(OneMax(steps=2)), trials=5000, repeats=True)
    done = study.counts[State.COMPLETE]
    assert done > 10
    study.close()
    again = open_study(tmp_path / "s.sqlite", Goal.of("accuracy"), SPACE, {})
    assert again.counts[State.COMPLETE] == done
    run(again, RandomSearch(SPACE, repeats=True), InProcess(OneMax()), trials=done + 5, repeats=True)
    assert again.counts[State.COMPLETE] == done + 5
    again.close()


def test_from_a_thread_it_runs_without_signals():
    study = fresh()
    arguments = (study, RandomSearch(SPACE), InProcess(OneMax()))
    thread = threading.Thread(target=run, args=arguments, kwargs={"trials": 3})
    thread.start()
    thread.join(10)
    assert study.counts[State.COMPLETE] == 3
