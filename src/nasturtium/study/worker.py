"""The worker process: receives jobs, runs one at a time, streams reports, and ends when its driver does."""

from __future__ import annotations

import contextlib
import multiprocessing
import multiprocessing.connection
import os
import signal
import sys
import threading
from dataclasses import dataclass
from multiprocessing.connection import Connection
from typing import TYPE_CHECKING, Any

from nasturtium.study.executor import Ended, Job, reason_of, run_job
from nasturtium.study.leftovers import end_group
from nasturtium.study.memory import limit_memory
from nasturtium.trial import Estimator

if TYPE_CHECKING:
    from nasturtium.space import Space

WATCH_SECONDS = 1.0
PLACE = "NASTURTIUM_WORKER"
"""The variable of a worker's environment that says which one it is: 0, 1, ..., never two alike at a time."""
THREADS = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMEXPR_NUM_THREADS")


@dataclass(frozen=True, slots=True)
class Work:
    """What a worker is given once, when it starts.

    Attributes:
        estimator: What evaluates architectures.
        space: What makes architectures of decisions.
        driver: Process id of the driver.
        threads: Threads that numerical libraries may use.
        memory: Bytes that the worker may use in all; None for no limit. Kept where the system can (Linux,
            macOS).
    """

    estimator: Estimator
    space: Space
    driver: int
    threads: int = 1
    memory: int | None = None


def main(connection: Connection, place: int) -> None:
    """Runs jobs until told to end, as the worker of this place.

    Messages in: the :class:`Work`, then jobs with their decisions, answers to reports, and None to end.
    Messages out: ``ready`` or ``broken`` with a reason, then for each job ``begun``, ``report`` and
    ``ended``.
    """
    os.environ[PLACE] = str(place)
    with contextlib.suppress(EOFError, OSError):  # the driver has gone: there is nobody to tell
        try:
            work = connection.recv()
            prepare(work)
        except Exception as error:
            connection.send(("broken", reason_of(error)))
            return
        connection.send(("ready",))
        while (message := connection.recv()) is not None:
            job, decisions = message
            connection.send(("begun", job.number))
            connection.send(("ended", run(connection, work, job, decisions)))


def run(connection: Connection, work: Work, job: Job, decisions: tuple[int, ...]) -> Ended:
    """Runs one job."""

    def send(step: int, scores: dict[str, float]) -> bool:
        connection.send(("report", job.number, step, scores))
        return bool(connection.recv()) if job.stoppable else True

    class Rebuilding:
        """Makes the architecture within the run, so that an error there fails the trial alone."""

        def evaluate(self, architecture: Any, budget: Any, report: Any) -> Any:
            return work.estimator.evaluate(work.space.architecture(decisions), budget, report)

    return run_job(Rebuilding(), job, send, enforce=False)


def prepare(work: Work) -> None:
    """Makes a good worker: own group, no Ctrl-C, few threads, bounded memory, dead when the driver is."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the driver's, which may let this trial finish
    if hasattr(os, "setpgid"):
        os.setpgid(0, 0)  # so that what a trial starts can be ended together with it
    for name in THREADS:
        os.environ[name] = str(work.threads)
    torch = sys.modules.get("torch")  # imported by the fork server, before this process could set the variables
    if torch is not None:
        torch.set_num_threads(work.threads)
    if work.memory is not None:
        limit_memory(work.memory)
    threading.Thread(target=end_with_driver, args=(work.driver,), daemon=True, name="watch").start()


def end_with_driver(driver: int) -> None:
    """Ends this process and what it started as soon as the driver is gone, whatever the trial is doing."""
    import psutil

    parent = multiprocessing.parent_process()
    sentinels = [parent.sentinel] if parent is not None else []
    # The sentinel tells at once; it stays silent if a child forked by the driver keeps its end open, so look
    # as well.
    while not multiprocessing.connection.wait(sentinels, WATCH_SECONDS) and psutil.pid_exists(driver):
        pass
    end_group(os.getpid())
    os._exit(1)
