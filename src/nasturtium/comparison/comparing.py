"""The call that compares strategies on benchmarks."""

from __future__ import annotations

import os
import time
import warnings
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

from nasturtium.benchmarks import Benchmark
from nasturtium.comparison.keeping import Kept
from nasturtium.comparison.plan import Contender, Plan, Subject
from nasturtium.comparison.pool import Bench, execute, facts_of, jobs_of
from nasturtium.comparison.results import SEEN, Comparison
from nasturtium.comparison.simulation import Limits, Track

Given = str | tuple[str, str | None] | Benchmark | Subject
"""A benchmark: its name, its name and a data set, or itself."""

Progress = Callable[[int, int, str], None]
"""Told after each part how many runs are done, how many there are, and what was just done."""


def compare(
    benchmarks: Given | Iterable[Given],
    strategies: Iterable[str | Callable[..., Any] | Contender],
    queries: int | None = 150,
    runs: int = 100,
    *,
    seconds: float | None = None,
    simulated_workers: int = 1,
    epoch: int | None = None,
    noise: bool = False,
    target: float | None = None,
    options: Mapping[str, Mapping[str, Any]] | None = None,
    data: Path | str | None = None,
    seed: int = 0,
    workers: int | None = None,
    out: Path | str | None = None,
    progress: Progress | None = None,
) -> Comparison:
    """Compares strategies on benchmarks: many runs of each, the same seeds for all.

    The incumbent is chosen by the benchmark's signal (validation) and reported on its verdict (test). Asking for the
    same architecture twice costs two queries, as in the published protocols. On a table that does not hold its whole
    space, strategies search its rows (:class:`TableSpace`). A table without a validation split has them see its test
    split, as the published protocol of NAS-Bench-Macro does; a warning, the command and the page say so.

    Args:
        benchmarks: One or several.
        strategies: Names, ``label=name`` for a strategy that takes part more than once, or what makes one.
        queries: Trainings that a run may spend; None for as many as the time allows.
        runs: Runs of each strategy on each benchmark.
        seconds: Simulated time of a run: trainings are charged what the table says they took.
        simulated_workers: Trainings that run at a time in simulated time.
        epoch: The epoch after which strategies see the signal; the last if None.
        noise: Whether strategies see one run of each architecture (the same for all strategies) instead of the mean;
            a surrogate draws it.
        target: End a run when the incumbent, chosen by what was seen, has this value on the validation split as it is
            reported.
        options: Of strategies, by their name or label.
        data: The files of named benchmarks; what is installed if None.
        seed: Of everything.
        workers: Processes; one for each core if None.
        out: Folder where finished runs are kept: the same call goes on where it stopped.
        progress: Told how far it is.

    Raises:
        NasturtiumError: If something that was given cannot be used.
    """
    many = [benchmarks] if isinstance(benchmarks, str | tuple | Benchmark | Subject) else list(benchmarks)
    plan = Plan(
        tuple(Subject.of(each, data) for each in many),
        tuple(Contender.of(each, options or {}) for each in strategies),
        Limits(queries, seconds, simulated_workers, target), runs, seed, epoch, noise,
    )  # fmt: skip
    check_options(plan, options or {})
    for subject in plan.subjects:
        subject.check()
    found = carry_out(plan, workers or os.cpu_count() or 1, None if out is None else Path(out), progress)
    for said in found.cautions:
        warnings.warn(said, stacklevel=2)
    return found


def carry_out(plan: Plan, workers: int = 1, out: Path | None = None, progress: Progress | None = None) -> Comparison:
    """Does what is missing of a plan, keeps it, and puts the results together."""
    begun, kept, bench = time.monotonic(), Kept(out), Bench(plan)
    try:
        places = range(len(plan.subjects))
        known = [str(place) if out is None else bench.key(place) for place in places]  # only what is kept needs numbers
        keys = {(s, c): plan.key(known[s], plan.contenders[c]) for s, c in plan.pairs}

        def missing(subject: int, contender: int) -> list[int]:
            return [n for n in range(plan.runs) if (keys[subject, contender], n) not in kept.runs]

        jobs = jobs_of(plan, missing, workers)
        total = len(plan.pairs) * plan.runs
        ended = total - sum(len(job.numbers) for job in jobs)
        for done in execute(bench, jobs, workers):
            kept.add_facts(known[done.job.subject], done.facts)
            kept.add(keys[done.job.subject, done.job.contender], zip(done.job.numbers, done.tracks, strict=True))
            ended += len(done.job.numbers)
            if progress is not None:
                progress(ended, total, f"{done.facts['title']}: {plan.contenders[done.job.contender].name}")
        tracks: dict[tuple[int, int], list[Track]] = {
            pair: [kept.runs[keys[pair], number] for number in range(plan.runs)] for pair in plan.pairs
        }
        held = [kept.facts.get(each, {}) for each in known]  # those of an older release lack the split that is seen
        facts = [each if SEEN in each else facts_of(bench.answers(place)) for place, each in enumerate(held)]
    finally:
        kept.close()
    return Comparison(plan, facts, tracks, time.monotonic() - begun)


def check_options(plan: Plan, options: Mapping[str, Mapping[str, Any]]) -> None:
    """Complains of options for a strategy that takes no part.

    Raises:
        NasturtiumError: Then.
    """
    from nasturtium.errors import NasturtiumError, did_you_mean

    names = [each.name for each in plan.contenders]
    for name in options:
        if name not in names:
            raise NasturtiumError(
                f"options are given for {name!r}, which takes no part{did_you_mean(name, names)} "
                f"(there are: {', '.join(names)})"
            )
