"""Trials in the process of the search: the same faults, limits and errors as in workers."""

from bit_space import FAULTS, Faulty, OneMax

from nasturtium.errors import TrainingError
from nasturtium.study import InProcess
from nasturtium.study.executor import judge, reason_of
from nasturtium.trial import State
from tests.study.faults import TABLE, drain, job


def test_in_process_knows_the_same_faults():
    executor = InProcess(Faulty())
    able = [row for row in TABLE if row[0] not in ("hang", "segfault", "exits")]
    for fault, state, reason in able:
        executor.submit(job(FAULTS.index(fault)))
        (ended,) = drain(executor, 1)
        assert ended.state is state
        assert ended.reason.startswith(reason)


def test_in_process_keeps_the_time_limit_at_reports():
    executor = InProcess(OneMax(seconds=5, steps=50))
    executor.submit(job(0, seconds=0.25))
    (ended,) = drain(executor, 1)
    assert (ended.state, ended.reason) == (State.FAILED, "time limit of 0.25 s")
    assert ended.seconds < 3


def test_our_own_errors_stand_as_they_are():
    assert reason_of(TrainingError("the loss is nan at step 3")) == "the loss is nan at step 3"
    assert reason_of(RuntimeError("DefaultCPUAllocator: can't allocate memory: you")).startswith("out of memory")
    assert judge({}) == (State.FAILED, {}, "the estimator returned {}; a dict of scores was expected")
