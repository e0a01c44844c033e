"""Executors: the protocol, how one trial is run wherever that is, and the executor in the driver itself."""

from __future__ import annotations

import errno
import math
import time
import traceback
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from nasturtium.errors import NasturtiumError
from nasturtium.study.leftovers import end_leftovers, process_time
from nasturtium.trial import Budget, Estimator, Scores, State

if TYPE_CHECKING:
    from nasturtium.space import Architecture

OnReport = Callable[[int, int, dict[str, float]], bool]
"""Called with (trial, step, scores) for each report; False stops the trial."""

NO_ROOM = frozenset({errno.ENOSPC, errno.EDQUOT})
NO_ROOM_TEXT = "No space left on device"

FRAMES = 3
"""How many of the last frames of a traceback are kept in a trial's reason."""


@dataclass(frozen=True, slots=True)
class Job:
    """What an executor must know to run a trial.

    Attributes:
        number: Number of the trial.
        architecture: What is to be evaluated.
        budget: How much to spend.
        seed: Seed of everything random in it.
        folder: Where it may keep a checkpoint.
        previous: Folder of the trial it continues.
        seconds: Time limit; the trial is ended by force when it is over.
        stoppable: Whether reports wait for an answer, so that a trial can be stopped early.
    """

    number: int
    architecture: Architecture
    budget: Budget
    seed: int
    folder: Path | None = None
    previous: Path | None = None
    seconds: float | None = None
    stoppable: bool = False


class Ended(NamedTuple):
    """How the run of a trial ended; ``lost`` when its worker died, ``waiting`` when the disk was full.

    A full disk is not the trial's fault, and would fail each one that follows: the loop ends and says so.
    """

    number: int
    state: State
    scores: dict[str, float]
    seconds: float
    reason: str


class Executor(Protocol):
    """Runs jobs, up to ``capacity`` at a time."""

    capacity: int

    def submit(self, job: Job) -> None:
        """Starts a job, or queues it until :meth:`wait`."""
        ...

    def wait(self, timeout: float | None, on_report: OnReport) -> list[Ended]:
        """Waits for a job to end, a report, or ``timeout`` seconds; passes reports on."""
        ...

    def cancel(self, number: int) -> None:
        """Ends a job without a word more about it, if the executor can."""
        ...

    def shutdown(self) -> None:
        """Ends all jobs and lets go of all processes."""
        ...


class TimeIsUp(Exception):
    """Raised by a report after the deadline where nobody can end the trial from outside."""


@dataclass(slots=True)
class JobReport:
    """The report that an estimator is given (see :class:`nasturtium.trial.Report`).

    Args:
        job: What is run.
        send: Takes each report; its answer says whether to go on.
        deadline: ``time.monotonic()`` when the time limit is over.
        enforce: Whether a report after the deadline raises, because nobody else would end the trial.
    """

    job: Job
    send: Callable[[int, dict[str, float]], bool]
    deadline: float | None
    enforce: bool = False
    stopped: bool = False
    broken: BaseException | None = None
    seed: int = field(init=False)
    previous: Path | None = field(init=False)

    def __post_init__(self) -> None:
        self.seed = self.job.seed
        self.previous = self.job.previous

    @property
    def folder(self) -> Path | None:
        """Where the trial may keep a checkpoint; made when first read."""
        if self.job.folder is not None:
            self.job.folder.mkdir(parents=True, exist_ok=True)
        return self.job.folder

    def __call__(self, step: int, scores: Scores) -> bool:
        """Records scores at a step; False asks the estimator to end now."""
        if self.enforce and self.deadline is not None and time.monotonic() > self.deadline:
            raise TimeIsUp
        point = {str(name): float(value) for name, value in scores.items()}
        try:
            go_on = self.send(int(step), point)
        except BaseException as error:
            self.broken = error  # the driver's trouble, such as a full disk: not to be blamed on the trial
            raise
        self.stopped = self.stopped or not go_on
        return go_on


def run_job(estimator: Estimator, job: Job, send: Callable[[int, dict[str, float]], bool], enforce: bool) -> Ended:
    """Runs one trial to its end; whatever the estimator does short of ending the process becomes a state.

    Args:
        estimator: What is asked for the scores.
        job: What is run.
        send: Takes each report; its answer says whether to go on.
        enforce: Whether a report after the deadline ends the trial.

    Raises:
        KeyboardInterrupt: If the user wants it to end.
        BaseException: What ``send`` raised, whatever the estimator made of it.
    """
    begun, at = time.monotonic(), process_time()
    report = JobReport(job, send, begun + job.seconds if job.seconds is not None else None, enforce)
    try:
        state, scores, reason = judge(estimator.evaluate(job.architecture, job.budget, report), report.stopped)
    except KeyboardInterrupt:
        raise
    except TimeIsUp:
        state, scores, reason = State.FAILED, {}, time_limit_reason(job)
    except BaseException as error:  # SystemExit too: a trial that calls exit() must not end the search
        state, scores, reason = State.WAITING if disk_is_full(error) else State.FAILED, {}, reason_of(error)
    if report.broken is not None:
        raise report.broken
    if state is State.FAILED:
        end_leftovers(at)
    return Ended(job.number, state, scores, time.monotonic() - begun, reason)


def judge(given: Any, stopped: bool = False) -> tuple[State, dict[str, float], str]:
    """The state, scores and reason that follow from what an estimator returned."""
    if not isinstance(given, Mapping) or not given:
        return State.FAILED, {}, f"the estimator returned {given!r:.80}; a dict of scores was expected"
    scores: dict[str, float] = {}
    for name, value in given.items():
        try:
            scores[str(name)] = float(value)
        except (TypeError, ValueError):
            return (
                State.FAILED,
                {},
                f"the estimator returned {value!r:.80} for {name!r}; a number was expected",
            )
        if not math.isfinite(scores[str(name)]):
            return State.FAILED, {}, f"{name} is {scores[str(name)]}"
    return (State.STOPPED, scores, "stopped early") if stopped else (State.COMPLETE, scores, "")


def disk_is_full(error: BaseException) -> bool:
    """Whether a disk without room is what an exception comes from."""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, OSError) and cause.errno in NO_ROOM:
            return True
        if NO_ROOM_TEXT in str(cause):  # safetensors and others raise errors of their own
            return True
        cause = cause.__cause__ or cause.__context__
    return False


def reason_of(error: BaseException) -> str:
    """What an exception says: ours as it stands, others with the last lines of the traceback."""
    said = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
    # By name, so that torch need not be imported: torch.OutOfMemoryError; on the CPU a plain RuntimeError.
    memory = isinstance(error, MemoryError) or type(error).__name__ == "OutOfMemoryError"
    if memory or (isinstance(error, RuntimeError) and "can't allocate memory" in str(error)):
        return f"out of memory ({said.splitlines()[0]})"
    if isinstance(error, NasturtiumError):
        return str(error)
    frames = traceback.extract_tb(error.__traceback__)[-FRAMES:]
    places = [f"  {frame.filename}:{frame.lineno} in {frame.name}: {frame.line}" for frame in frames]
    return "\n".join([said, *places])


def time_limit_reason(job: Job) -> str:
    """The reason of a trial whose time was over."""
    return f"time limit of {job.seconds:g} s"


class InProcess:
    """Runs one trial at a time in the driver; what ends the process ends the search (it can be resumed).

    A time limit is kept at reports only: a trial that hangs without reporting cannot be ended from within.

    Args:
        estimator: What evaluates architectures.
    """

    capacity = 1

    def __init__(self, estimator: Estimator) -> None:
        self.estimator = estimator
        self.queue: deque[Job] = deque()

    def submit(self, job: Job) -> None:
        """Queues a job until :meth:`wait`."""
        self.queue.append(job)

    def wait(self, timeout: float | None, on_report: OnReport) -> list[Ended]:
        """Runs the next job to its end, however long that takes."""
        if not self.queue:
            return []
        job = self.queue.popleft()

        def send(step: int, scores: dict[str, float]) -> bool:
            return on_report(job.number, step, scores) or not job.stoppable

        return [run_job(self.estimator, job, send, enforce=True)]

    def cancel(self, number: int) -> None:
        """Drops a job that has not begun."""
        self.queue = deque(job for job in self.queue if job.number != number)

    def shutdown(self) -> None:
        """Drops what has not begun."""
        self.queue.clear()


def without_architecture(job: Job) -> tuple[Job, tuple[int, ...]]:
    """A job for a process that has the space: the decisions stand for the architecture."""
    return replace(job, architecture=None), tuple(job.architecture.decisions)  # type: ignore[arg-type]
