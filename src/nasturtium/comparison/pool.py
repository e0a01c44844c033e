"""Runs a plan: in this process, or in several that each load a table once."""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from contextlib import suppress
from multiprocessing import get_context
from multiprocessing.connection import Connection
from multiprocessing.reduction import ForkingPickler
from typing import Any, NamedTuple

from nasturtium.comparison.answers import Answers
from nasturtium.comparison.plan import Plan
from nasturtium.comparison.results import SEEN
from nasturtium.comparison.simulation import Simulation, Track
from nasturtium.errors import NasturtiumError
from nasturtium.study.sending import starting

LARGEST = 10
"""So many runs at most are done before they are kept."""


class Job(NamedTuple):
    """Some runs of one strategy on one benchmark."""

    subject: int
    contender: int
    numbers: tuple[int, ...]


class Done(NamedTuple):
    """What came of a job: what is known of the benchmark, and its runs in order."""

    job: Job
    facts: dict[str, Any]
    tracks: list[Track]


class Bench:
    """Does jobs one after another; holds the one table that was used last.

    Args:
        plan: What is compared.
    """

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self._subject = -1
        self._answers: Answers | None = None
        self._simulation: Simulation | None = None

    def answers(self, subject: int) -> Answers:
        """A benchmark of the plan, loaded if it is not the last one."""
        if self._answers is None or self._subject != subject:
            self.forget()  # the old table goes before the new one comes
            self._answers = Answers(self.plan.subjects[subject].load(), self.plan.epoch)
            self._subject = subject
        return self._answers

    def forget(self) -> None:
        """Lets go of the table."""
        self._answers = self._simulation = None

    def key(self, subject: int) -> str:
        """What kept results on a benchmark are known by: its numbers, and when strategies see them."""
        benchmark = self.answers(subject).benchmark
        return f"{benchmark.name}/{benchmark.dataset}/{self.plan.epoch}/{benchmark.digest()}"

    def simulation(self, subject: int, number: int) -> Simulation:
        """The table as run ``number`` sees it; without noise that is the same for every run."""
        answers = self.answers(subject)
        noise = self.plan.noise_seed(number)
        if noise is not None:
            return Simulation(answers, self.plan.limits, noise)
        if self._simulation is None:
            self._simulation = Simulation(answers, self.plan.limits)
        return self._simulation

    def do(self, job: Job) -> Done:
        """Does a job."""
        contender, tracks = self.plan.contenders[job.contender], []
        for number in job.numbers:
            simulation = self.simulation(job.subject, number)
            strategy = contender.make(self.answers(job.subject), self.plan.run_seed(number))
            tracks.append(simulation.run(strategy))
        return Done(job, facts_of(self.answers(job.subject)), tracks)


def facts_of(answers: Answers) -> dict[str, Any]:
    """What a report says of a benchmark; its optima where they are known."""
    benchmark = answers.benchmark
    known, verdict = not benchmark.grows, benchmark.metric(benchmark.verdict)
    last = answers.levels[-1] if answers.levels else None
    return {
        "benchmark": benchmark.name, "dataset": benchmark.dataset, "title": benchmark.title,
        "rows": None if benchmark.grows else len(benchmark), "restricted": answers.restricted,
        "signal": answers.metric.name, SEEN: answers.metric.split, "maximise": answers.metric.maximise,
        "verdict": verdict.name,
        "verdict_maximise": verdict.maximise, "unit": verdict.unit, "split": verdict.split, "source": benchmark.source,
        "optimum": benchmark.optimum() if known else None,
        "optimum_validation": benchmark.optimum(benchmark.signal) if known else None,
        "optimum_signal": benchmark.optimum(benchmark.signal, last) if known else None,
    }  # fmt: skip


def jobs_of(plan: Plan, missing: Callable[[int, int], Sequence[int]], workers: int) -> list[Job]:
    """The jobs of a plan, benchmark after benchmark, in parts that are neither tiny nor long.

    Args:
        plan: What is compared.
        missing: The runs that are still to be done, of a benchmark and a strategy by their places.
        workers: How many processes share them.
    """
    jobs = []
    for subject, contender in plan.pairs:
        numbers = list(missing(subject, contender))
        size = min(LARGEST, max(1, -(-len(numbers) // (2 * workers))))
        jobs += [
            Job(subject, contender, tuple(numbers[first : first + size])) for first in range(0, len(numbers), size)
        ]
    return jobs


def execute(bench: Bench, jobs: Sequence[Job], workers: int) -> Iterator[Done]:
    """Does jobs, here or in worker processes, and gives each as it ends."""
    workers = min(workers, len(jobs))
    if workers <= 1:
        yield from map(bench.do, jobs)
        return
    bench.forget()
    yield from _in_processes(bench.plan, jobs, workers)


def _in_processes(plan: Plan, jobs: Sequence[Job], workers: int) -> Iterator[Done]:
    hidden = _checked(plan)
    method = "forkserver" if sys.platform != "win32" else "spawn"
    context = get_context(method)
    if method == "forkserver":
        context.set_forkserver_preload(["nasturtium.comparison.pool"])
    heard, held = context.Pipe(duplex=False)
    pool = ProcessPoolExecutor(workers, mp_context=context, initializer=_born, initargs=(plan, heard))
    try:
        with starting(1, hidden):
            waiting: list[Future[Done]] = [pool.submit(_do, job) for job in jobs]
        for future in as_completed(waiting):
            yield future.result()
            waiting.remove(future)
    except BrokenProcessPool:
        raise NasturtiumError(
            "a worker process died, perhaps for want of memory; what ended before is kept: give fewer --workers"
        ) from None
    finally:
        pool.shutdown(wait=False, cancel_futures=True)
        held.close()  # workers end at once: after an error or Ctrl-C nobody waits for the runs under way


def _checked(plan: Plan) -> bool:
    """Whether processes can do without the main script.

    Raises:
        NasturtiumError: If something in the plan cannot be sent to them.
    """
    try:
        return b"__main__" not in bytes(ForkingPickler.dumps(plan))
    except Exception as error:  # picklers raise whatever the objects in their way raise
        raise NasturtiumError(
            f"a benchmark or strategy cannot be sent to worker processes ({error}); define it at the top of a module, "
            "name a published one, or give workers=1"
        ) from None


BENCH: dict[str, Bench] = {}
"""What a worker process holds."""


def _born(plan: Plan, heard: Connection) -> None:
    """Begins a worker: Ctrl-C is for the driver, whose end is noticed."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_follow, args=(heard,), daemon=True).start()
    BENCH["here"] = Bench(plan)


def _follow(heard: Connection) -> None:
    """Ends this process when its driver lets go of the other end, or is gone, which a killed driver cannot ask for."""
    with suppress(EOFError, OSError):
        heard.recv_bytes()
    os._exit(1)


def _do(job: Job) -> Done:
    return BENCH["here"].do(job)
