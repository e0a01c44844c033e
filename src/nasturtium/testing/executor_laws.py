"""The laws of executors, as functions of what makes one for an estimator and a space."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from nasturtium.space import Architecture, Space
from nasturtium.study import Ended, Executor, Job
from nasturtium.testing.broken import require
from nasturtium.testing.small_spaces import product
from nasturtium.trial import Budget, Estimator, Report, State

Make = Callable[[Estimator, Space], Executor]
"""Makes an executor of an estimator and the space of what it will be given."""

FINE, RAISES, NAN, REPORTS = range(4)
"""What a trial does, by the first decision of its architecture."""

STEPS = 4
PATIENCE = 60.0
"""Seconds after which a job that has not ended is taken for lost."""


class Obedient:
    """An estimator that does what the first decision of the architecture says."""

    def evaluate(self, architecture: Architecture, budget: Budget, report: Report) -> dict[str, float]:
        """Scores, an error, no number, or a score after each of some reports."""
        does, rest = architecture.decisions[0], sum(architecture.decisions[1:])
        if does == RAISES:
            raise ValueError("no such thing as this")
        for step in range(1, STEPS + 1 if does == REPORTS else 1):
            if not report(step, {"accuracy": step / STEPS}):
                return {"accuracy": step / STEPS}
        accuracy = float("nan") if does == NAN else rest / 10
        return {"accuracy": accuracy, "budget": float(budget), "seed": float(report.seed)}


SPACE = product(4, 4)


def job(number: int, does: int = FINE, rest: int = 0, stoppable: bool = False) -> Job:
    """A job whose trial does something."""
    architecture = SPACE.architecture((does, rest, 0, 0))
    return Job(number, architecture, 3, seed=number + 100, stoppable=stoppable)


def drained(executor: Executor, count: int, on_report: Callable[..., bool] = lambda *report: True) -> list[Ended]:
    """What ends, until so many jobs have.

    Raises:
        LawBroken: If they take longer than ``PATIENCE`` seconds.
    """
    ended: list[Ended] = []
    deadline = time.monotonic() + PATIENCE
    while len(ended) < count:
        require(time.monotonic() < deadline, f"after {PATIENCE:.0f} s, {len(ended)} of {count} jobs have ended", ended)
        ended += executor.wait(1.0, on_report)
    return ended


def gives_scores(executor: Executor) -> None:
    """Each job ends once, under its number, with the scores for its architecture, budget and seed.

    There are more of them than it runs at a time.
    """
    numbers = range(executor.capacity + 2)
    for number in numbers:
        executor.submit(job(number, FINE, number % 4))
    ended = sorted(drained(executor, len(numbers)), key=lambda each: each.number)
    expected = [{"accuracy": number % 4 / 10, "budget": 3.0, "seed": number + 100.0} for number in numbers]
    require([each.number for each in ended] == [*numbers], "jobs end under other numbers, or more than once", ended)
    require([each.scores for each in ended] == expected, "jobs end with other scores than the estimator gave", ended)
    require(all(each.state is State.COMPLETE for each in ended), "a job with scores is not complete", ended)
    require(all(each.seconds >= 0 for each in ended), "a job took less than no time", ended)


def outlives_faults(executor: Executor) -> None:
    """An error, or a score that is no number, is a failed trial with a reason, and the next one runs."""
    for number, (does, reason) in enumerate(((RAISES, "no such thing as this"), (NAN, "nan"))):
        executor.submit(job(number, does))
        (ended,) = drained(executor, 1)
        require(ended.state is State.FAILED and not ended.scores, "what went wrong is not failed", ended)
        require(reason in ended.reason, f"the reason of a failed trial does not say {reason!r}", ended)
    executor.submit(job(2))
    (ended,) = drained(executor, 1)
    require(ended.state is State.COMPLETE, "after a fault the next trial does not run", ended)


def passes_reports_on(executor: Executor) -> None:
    """Reports come in order with the number of their trial; where one is answered by False the trial is stopped."""
    seen: list[Any] = []

    def noted(*report: Any) -> bool:
        seen.append(report)
        return True

    executor.submit(job(0, REPORTS))
    (ended,) = drained(executor, 1, noted)
    expected = [(0, step, {"accuracy": step / STEPS}) for step in range(1, STEPS + 1)]
    require(seen == expected, "reports come otherwise than they were made", seen)
    require(ended.state is State.COMPLETE, "a trial whose reports were all answered by True is not complete", ended)
    executor.submit(job(1, REPORTS, stoppable=True))
    (ended,) = drained(executor, 1, lambda number, step, scores: step < 2)
    stopped = ended.state is State.STOPPED and ended.scores == {"accuracy": 2 / STEPS}
    require(stopped, "a trial whose second report was answered by False was not stopped there", ended)


def forgets_what_is_cancelled(executor: Executor) -> None:
    """Of a job that was cancelled nothing more is said; the others end."""
    numbers = range(executor.capacity + 2)
    for number in numbers:
        executor.submit(job(number))
    executor.cancel(numbers[-1])
    ended = {each.number for each in drained(executor, len(numbers) - 1)}
    require(ended == {*numbers[:-1]}, f"job {numbers[-1]} was cancelled, and others ended than the rest", ended)
    require(executor.wait(0.1, lambda *report: True) == [], "of a cancelled job something is said")


def waits_for_nothing_in_vain(executor: Executor) -> None:
    """Where nothing runs, waiting gives nothing and ends in time."""
    begun = time.monotonic()
    require(executor.wait(0.1, lambda *report: True) == [], "where nothing was submitted, something ends")
    require(time.monotonic() - begun < PATIENCE, "waiting for 0.1 s takes a minute")


EXECUTOR_LAWS: dict[str, Callable[[Executor], None]] = {
    "waits_for_nothing_in_vain": waits_for_nothing_in_vain,
    "gives_scores": gives_scores,
    "outlives_faults": outlives_faults,
    "passes_reports_on": passes_reports_on,
    "forgets_what_is_cancelled": forgets_what_is_cancelled,
}
"""Every law by its name; each takes an executor of ``Obedient()`` and ``SPACE``."""


def check_executor(make: Make) -> None:
    """Hold all laws over an executor.

    Args:
        make: Makes one for an estimator, which can be sent to other processes, and the space of what it will be given.

    Raises:
        LawBroken: At the first that is broken, with what was at fault.
    """
    for law in EXECUTOR_LAWS.values():
        executor = make(Obedient(), SPACE)
        try:
            law(executor)
        finally:
            executor.shutdown()
