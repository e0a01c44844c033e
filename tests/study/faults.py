"""Trials for executors, and what each fault is to end in."""

import time

from bit_space import Bits

from nasturtium.study import Job
from nasturtium.trial import State


def job(number, ones=None, **options):
    ones = number if ones is None else ones
    return Job(number, Bits((1,) * ones + (0,) * (20 - ones)), 1, seed=number, **options)


def drain(executor, count, on_report=lambda *report: True, seconds=30.0):
    """Waits for ``count`` ends."""
    ended, deadline = [], time.monotonic() + seconds
    while len(ended) < count:
        assert time.monotonic() < deadline, f"only {ended} ended"
        ended += executor.wait(1.0, on_report)
    return ended


TABLE = [
    ("raises", State.FAILED, "ValueError: no such thing as this\n  "),
    ("nan", State.FAILED, "accuracy is nan"),
    ("infinite", State.FAILED, "accuracy is inf"),
    ("out_of_memory", State.FAILED, "out of memory (MemoryError)"),
    ("cuda_out_of_memory", State.FAILED, "out of memory (OutOfMemoryError: CUDA out of memory. Tried"),
    ("hang", State.FAILED, "time limit of 0.3 s"),
    ("segfault", State.LOST, "its worker died: killed by SIGSEGV"),
    ("exits", State.LOST, "its worker died: exit code 3"),
    ("text", State.FAILED, "the estimator returned 'good' for 'accuracy'; a number was expected"),
    ("nothing", State.FAILED, "the estimator returned None; a dict of scores was expected"),
    ("system_exit", State.FAILED, "SystemExit: 5"),
]
