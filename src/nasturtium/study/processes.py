"""The executor on local processes: a worker's death, hang or greed costs one trial, never the search."""

from __future__ import annotations

import contextlib
import importlib
import multiprocessing
import multiprocessing.connection
import os
import signal
import sys
import time
import types
import weakref
from collections import deque
from collections.abc import Iterator, Sequence
from multiprocessing.reduction import ForkingPickler
from typing import TYPE_CHECKING, Any

from nasturtium.errors import NasturtiumError, StudyError
from nasturtium.study.executor import Ended, Job, OnReport, time_limit_reason, without_architecture
from nasturtium.study.worker import THREADS, Work, end_group, main
from nasturtium.trial import Estimator, State

if TYPE_CHECKING:
    from nasturtium.space import Space

START_SECONDS = 120.0
"""How long a worker may take to start; importing torch on a busy machine takes a while."""
JOIN_SECONDS = 5.0


class Worker:
    """One process and the job it has."""

    def __init__(self, context: Any, work: bytes, guard: contextlib.AbstractContextManager[None]) -> None:
        self.connection, theirs = context.Pipe()
        self.process = context.Process(target=main, args=(theirs,), name="nasturtium worker")
        with guard:
            self.process.start()
        theirs.close()
        self.job: Job | None = None
        self.ready = False
        self.deadline: float | None = time.monotonic() + START_SECONDS
        self.begun = time.monotonic()
        with contextlib.suppress(OSError):  # it died at once; waiting for it will tell
            self.connection.send_bytes(work)

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

    Args:
        estimator: What evaluates architectures; sent once to each worker.
        space: What makes architectures of decisions there; sent likewise.
        workers: How many trials run at a time.
        threads: Threads that numerical libraries may use in each worker.
        memory: Bytes of memory that a worker may use, on Linux; more is the trial's ``out of memory``.
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
            idle = Worker(self.context, self.work, self.starting())
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
        watched = [each for worker in busy for each in (worker.connection, worker.process.sentinel)]
        happened = set(multiprocessing.connection.wait(watched, max(min(limits), 0) if limits else None))
        ended: list[Ended] = []
        for worker in busy:
            dead = worker.process.sentinel in happened  # looked at before the last words are read
            if dead or worker.connection in happened:
                ended += self.listen(worker, on_report, dead)
            if worker.job is not None and worker.deadline is not None and time.monotonic() > worker.deadline:
                ended.append(self.overdue(worker))
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
        """Removes a worker that died; its trial is lost."""
        self.workers.remove(worker)
        how = worker.end()
        if not worker.ready:
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

    @contextlib.contextmanager
    def starting(self) -> Iterator[None]:
        """What holds while a process starts: few threads in its environment, no script run again for nothing.

        A child imports the main script again to find what was defined there, which fails for scripts without
        the ``__name__`` guard. Where nothing of the script is sent, it is hidden, and any script works.
        """
        before = {name: os.environ.get(name) for name in THREADS}
        script = sys.modules["__main__"]
        os.environ.update(dict.fromkeys(THREADS, str(self.threads)))
        if not self.needs_script:
            sys.modules["__main__"] = types.ModuleType("__main__")
        try:
            yield
        finally:
            sys.modules["__main__"] = script
            for name, value in before.items():
                if value is None:
                    del os.environ[name]
                else:
                    os.environ[name] = value


def packed(work: Work) -> tuple[bytes, bool]:
    """The work as bytes for the pipes to our own workers, and whether reading them needs the main script.

    What the standard library cannot send, or only by running the script again (functions and classes of a
    script, lambdas in a space), goes by value if cloudpickle is there, which scikit-learn brings.

    Raises:
        StudyError: If something in it cannot be sent.
    """
    try:
        plain = bytes(ForkingPickler.dumps(work))
        if b"__main__" not in plain:
            return plain, False
    except Exception as error:  # picklers raise whatever the objects in their way raise
        plain, problem = b"", error
    with contextlib.suppress(Exception):  # then the plain bytes, or the first complaint, must do
        return importlib.import_module("cloudpickle").dumps(work), False
    if plain:
        return plain, True
    raise StudyError(
        f"the estimator or the space cannot be sent to worker processes ({problem}); define what it uses "
        "at the top of a module, not inside a function and not as a lambda, or run in the process itself"
    )


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
