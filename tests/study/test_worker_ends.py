"""Ends of workers that come at bad times."""

import os
import signal
import time

from bit_space import BitSpace, OneMax
from test_executors import drain, job

from nasturtium.study import LocalProcesses
from nasturtium.trial import State


def test_a_worker_that_died_and_is_late_as_well_costs_one_trial():
    executor = LocalProcesses(OneMax(seconds=60), BitSpace(20), 1)
    try:
        executor.submit(job(0, seconds=1.0))
        worker, begun = executor.workers[0], time.monotonic()
        while worker.deadline > worker.begun + 1.0 and time.monotonic() < begun + 60:
            executor.wait(0.05, lambda *report: True)  # until the trial has begun, and its limit counts
        os.kill(worker.process.pid, signal.SIGKILL)
        worker.process.join(10)
        time.sleep(max(0.0, worker.deadline - time.monotonic()) + 0.05)  # the driver is busy that long
        (ended,) = drain(executor, 1)
        assert (ended.number, ended.state) == (0, State.LOST)
        assert ended.reason.startswith("its worker died: killed by SIGKILL")
        assert executor.workers == []
    finally:
        executor.shutdown()
