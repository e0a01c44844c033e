"""The executor on local processes: a worker's death, hang or greed costs one trial, never the search."""

from __future__ import annotations

import contextlib
import multiprocessing
import multiprocessing.connection
import os
import signal
import time
import weakref
from collections import deque
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from nasturtium.errors import NasturtiumError, StudyError
from nasturtium.study.executor import Ended, Job, OnReport, time_limit_reason, without_architecture
from nasturtium.study.leftovers import end_group
from nasturtium.study.memory import WATCH_SECONDS, held_by, memory_reason
from nasturtium.study.sending import packed, starting
from nasturtium.study.worker import Work, main
from nasturtium.trial import Estimator, State

if TYPE_CHECKING:
    from nasturtium.space import Space

START_SECONDS = 120.0
"""How long a worker may take to start; importing torch on a busy machine takes a while."""
JOIN_SECONDS = 5.0
STILLBORN = 5
"""After so many workers in a row that were killed while they started the search ends and says so."""


class Worker:
    """One process and the job it has."""

    def __init__(self, context: Any, work: bytes, guard: contextlib.AbstractContextManager[None], place: int) -> None:
        self.place = place
        self.connection, theirs = context.Pipe()
        self.process = context.Process(target=main, args=(theirs, place), name="nasturtium worker")
        with guard:
            self.process.start()
        theirs.close()
        self.job: Job | None = None
        self.ready = False
        self.deadline: float | None = time.monotonic() + START_SECONDS
        self.begun = time.monotonic()
        with contextlib.suppress(OSError):  # it died at once; waiting for it will tell
            self.connection.send_bytes(work)

    @property
    def late(self) -> bool:
        """Whether what it is at took too long."""
        return self.deadline is not None and time.monotonic() > self.deadline

    def give(self, job: Job) -> None:
        """Sends it a job."""
        self.job = job
        with contextlib.suppress(OSError):  # it has died meanwhile; waiting for it will tell
            self.connection.send(without_architecture(job))

    def end(self) -> str:
        """Ends the process and all that it started; says how it ended."""
        end_group(self.process.pid)
        self.process.kill()
        self.process.join(JOIN_SECONDS)
        self.connection.close()
        code = self.process.exitcode
        if code is None:
            return "its end could not be seen"
        return f"exit code {code}" if code >= 0 else f"killed by {signal_name(-code)}"


class LocalProcesses:
    """Runs trials in worker processes that are kept from one trial to the next.

    Each worker knows its place (``NASTURTIUM_WORKER`` in its environment: 0, 1, ...), by which trainings on CUDA are
    shared out among the devices.

    Args:
        estimator: What evaluates architectures; sent once to each worker.
        space: What makes architectures of decisions there; sent likewise.
        workers: How many trials run at a time.
        threads: Threads that numerical libraries may use in each worker.
        memory: Bytes of memory that a worker and what it starts may use in all; more is the trial's ``out of
            memory``. On Linux the kernel refuses each of its processes what goes too far; everywhere all of
            them together are looked at twice a second.
        preload: Modules that the server from which workers are forked imports once (``("torch",)``).
        method: How processes start: ``forkserver`` where there is one, else ``spawn``.

    Raises:
        StudyError: If the estimator or the space cannot be sent to another process.
    """

    def __init__(
        self,
        estimator: Estimator,
        space: Space,
        workers: int = 1,
        *,
        threads: int = 1,
        memory: int | None = None,
        preload: Sequence[str] = (),
        method: str | None = None,
    ) -> None:
        if workers < 1:
            raise NasturtiumError(f"workers={workers}: at least one worker is needed")
        there = multiprocessing.get_all_start_methods()
        self.context: Any = multiprocessing.get_context(method or ("forkserver" if "forkserver" in there else "spawn"))
        if self.context.get_start_method() == "forkserver" and preload:
            self.context.set_forkserver_preload(["nasturtium.study.worker", *preload])
        self.capacity = workers
        self.threads = threads
        self.memory = memory
        self.looked = 0.0
        self.stillborn = 0
        self.work, self.needs_script = packed(Work(estimator, space, os.getpid(), threads, memory))
        self.workers: list[Worker] = []
        self.queue: deque[Job] = deque()
        self.finalizer = weakref.finalize(self, end_all, self.workers)

    def submit(self, job: Job) -> None:
        """Gives the job to an idle worker, to a new one, or queues it."""
        for worker in [w for w in self.workers if w.job is None and not w.process.is_alive()]:
            self.workers.remove(worker)  # it died between two trials, so no trial is lost
            worker.end()
        idle = next((worker for worker in self.workers if worker.job is None), None)
        if idle is None and len(self.workers) < self.capacity:
            place = min(set(range(self.capacity)) - {worker.place for worker in self.workers})
            idle = Worker(self.context, self.work, starting(self.threads, hidden=not self.needs_script), place)
            self.workers.append(idle)
        if idle is None:
            self.queue.append(job)
        else:
            idle.give(job)

    def full(self) -> bool:
        """Whether a job more would have to queue."""
        return len(self.workers) == self.capacity and all(worker.job is not None for worker in self.workers)

    def wait(self, timeout: float | None, on_report: OnReport) -> list[Ended]:
        """Waits for a job to end, a report, or ``timeout`` seconds; passes reports on."""
        busy = [worker for worker in self.workers if worker.job is not None]
        if not busy:
            return []
        limits = [worker.deadline - time.monotonic() for worker in busy if worker.deadline is not None]
        limits += [] if timeout is None else [timeout]
        limits += [] if self.memory is None else [WATCH_SECONDS]
        watched = [each for worker in busy for each in (worker.connection, worker.process.sentinel)]
        happened = set(multiprocessing.connection.wait(watched, max(min(limits), 0) if limits else None))
        ended: list[Ended] = []
        for worker in busy:
            dead = worker.process.sentinel in happened  # looked at before the last words are read
            if dead or worker.connection in happened:
                ended += self.listen(worker, on_report, dead)
            if worker in self.workers and worker.job is not None and worker.late:  # not one that was buried just now
                ended.append(self.overdue(worker))
        ended += self.greedy()
        while self.queue and not self.full():
            self.submit(self.queue.popleft())
        return ended

    def listen(self, worker: Worker, on_report: OnReport, dead: bool) -> list[Ended]:
        """Takes in what a worker said, and its death."""
        ended: list[Ended] = []
        try:
            while worker.connection.poll():
                ended += self.hear(worker, worker.connection.recv(), on_report)
        except (EOFError, OSError):
            dead = True
        if dead and worker in self.workers:
            ended += self.bury(worker)
        return ended

    def hear(self, worker: Worker, message: tuple[Any, ...], on_report: OnReport) -> list[Ended]:
        """Takes in one message."""
        kind, *content = message
        if kind == "report":
            go_on = on_report(*content)
            if worker.job is not None and worker.job.stoppable:
                worker.connection.send(go_on)
        elif kind == "ready":
            worker.ready = True
            self.stillborn = 0
        elif kind == "begun":
            worker.begun = time.monotonic()
            limit = worker.job.seconds if worker.job is not None else None
            worker.deadline = worker.begun + limit if limit is not None else None
        elif kind == "ended":
            worker.job = worker.deadline = None
            return [content[0]]
        else:
            raise StudyError(f"a worker process could not start: {content[0]}")
        return []

    def bury(self, worker: Worker) -> list[Ended]:
        """Removes a worker that died; its trial is lost, or begins anew if the worker had not got to it."""
        self.workers.remove(worker)
        how = worker.end()
        if not worker.ready:
            self.stillborn += 1
            if how.startswith("killed") and self.stillborn < STILLBORN and worker.job is not None:
                self.queue.appendleft(worker.job)
                return []
            raise StudyError(
                f"a worker process could not start ({how}); its own words are above. "
                "In a script, the call must stand under: if __name__ == '__main__':"
            )
        if worker.job is None:
            return []
        lasted = time.monotonic() - worker.begun
        return [Ended(worker.job.number, State.LOST, {}, lasted, f"its worker died: {how}")]

    def overdue(self, worker: Worker) -> Ended:
        """Ends a worker whose trial, or whose start, took too long."""
        self.workers.remove(worker)
        worker.end()
        if worker.job is None or not worker.ready:
            raise StudyError(f"a worker process did not start within {START_SECONDS:g} s")
        lasted = time.monotonic() - worker.begun
        return Ended(worker.job.number, State.FAILED, {}, lasted, time_limit_reason(worker.job))

    def greedy(self) -> list[Ended]:
        """Ends the workers whose trials took more memory than they may, if it is time to look."""
        if self.memory is None or time.monotonic() - self.looked < WATCH_SECONDS:
            return []
        self.looked = time.monotonic()
        ended = []
        for worker in [each for each in self.workers if each.job is not None and each.ready]:
            held = held_by(worker.process.pid)
            if worker.job is not None and held > self.memory:
                self.workers.remove(worker)
                worker.end()
                reason = memory_reason(held, self.memory)
                ended.append(Ended(worker.job.number, State.FAILED, {}, time.monotonic() - worker.begun, reason))
        return ended

    def cancel(self, number: int) -> None:
        """Ends the worker that runs a job, without a word more about it."""
        self.queue = deque(job for job in self.queue if job.number != number)
        for worker in [w for w in self.workers if w.job is not None and w.job.number == number]:
            self.workers.remove(worker)
            worker.end()

    def shutdown(self) -> None:
        """Ends all workers and what they started."""
        self.queue.clear()
        end_all(self.workers)


def end_all(workers: list[Worker]) -> None:
    """Asks idle workers to end, ends the busy ones, and sees that all are gone."""
    for worker in workers:
        if worker.job is None:
            with contextlib.suppress(OSError):
                worker.connection.send(None)
    for worker in workers:
        if worker.job is None:
            worker.process.join(JOIN_SECONDS)
        worker.end()
    workers.clear()


def signal_name(number: int) -> str:
    """Such as SIGKILL."""
    try:
        name = signal.Signals(number).name
    except ValueError:
        return f"signal {number}"
    return f"{name} (out of memory?)" if name == "SIGKILL" else name
