"""Each law of executors can be broken, and says what is at fault; ours keep them all."""

from __future__ import annotations

from typing import Any

import pytest

from nasturtium.study import Ended, InProcess, LocalProcesses
from nasturtium.testing import EXECUTOR_LAWS, LawBroken, check_executor
from nasturtium.testing.executor_laws import SPACE, Obedient
from nasturtium.trial import State


class Renumbering(InProcess):
    """Gives all jobs one number."""

    def wait(self, timeout: float | None, on_report: Any) -> list[Ended]:
        return [each._replace(number=0) for each in super().wait(timeout, on_report)]


class Blind(InProcess):
    """Takes whatever ends for complete."""

    def wait(self, timeout: float | None, on_report: Any) -> list[Ended]:
        return [each._replace(state=State.COMPLETE) for each in super().wait(timeout, on_report)]


class Deaf(InProcess):
    """Passes no report on."""

    def wait(self, timeout: float | None, on_report: Any) -> list[Ended]:
        return super().wait(timeout, lambda *report: True)


class Stubborn(InProcess):
    """Does not stop what was stopped."""

    def wait(self, timeout: float | None, on_report: Any) -> list[Ended]:
        return super().wait(timeout, lambda *report: on_report(*report) or True)


class Faithful(InProcess):
    """Cancels nothing."""

    def cancel(self, number: int) -> None:
        """Does nothing."""


class Echo(InProcess):
    """Gives something where nothing was submitted."""

    def wait(self, timeout: float | None, on_report: Any) -> list[Ended]:
        return super().wait(timeout, on_report) or [Ended(0, State.LOST, {}, 0.0, "")]


BROKEN = [
    ("gives_scores", Renumbering, "jobs end under other numbers"),
    ("outlives_faults", Blind, "what went wrong is not failed"),
    ("passes_reports_on", Deaf, "reports come otherwise"),
    ("passes_reports_on", Stubborn, "answered by False was not stopped"),
    ("forgets_what_is_cancelled", Faithful, "of a cancelled job something is said"),
    ("waits_for_nothing_in_vain", Echo, "nothing was submitted, something ends"),
]


@pytest.mark.parametrize(("law", "kind", "said"), BROKEN, ids=[kind.__name__ for _, kind, _ in BROKEN])
def test_laws_can_be_broken(law: str, kind: type[InProcess], said: str) -> None:
    with pytest.raises(LawBroken, match=said):
        EXECUTOR_LAWS[law](kind(Obedient()))
    with pytest.raises(LawBroken, match=said):
        check_executor(lambda estimator, space: kind(estimator))


def test_a_job_that_never_ends_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    class Idle(InProcess):
        def wait(self, timeout: float | None, on_report: Any) -> list[Ended]:
            return []

    monkeypatch.setattr("nasturtium.testing.executor_laws.PATIENCE", 0.05)
    with pytest.raises(LawBroken, match="0 of 3 jobs have ended"):
        EXECUTOR_LAWS["gives_scores"](Idle(Obedient()))


@pytest.mark.parametrize("workers", [1, 2])
def test_worker_processes_keep_them(workers: int) -> None:
    check_executor(lambda estimator, space: LocalProcesses(estimator, space, workers))


def test_an_executor_in_the_driver_keeps_them() -> None:
    assert InProcess(Obedient()).capacity == 1
    assert SPACE.size == 256
    check_executor(lambda estimator, space: InProcess(estimator))
