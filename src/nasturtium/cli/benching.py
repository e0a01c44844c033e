"""``nasturtium bench``: strategies compared on a benchmark."""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nasturtium.cli.options import read_strategy_options
from nasturtium.errors import NasturtiumError, StudyError
from nasturtium.writing import checked_folder, checked_place

if TYPE_CHECKING:
    from nasturtium.comparison import Comparison

EVERY = "all"
"""Stands for every data set of a benchmark."""

QUERIES, RUNS = 150, 100


@dataclass
class Benched:
    """The options of a comparison as they were given."""

    benchmark: str
    datasets: list[str]
    strategies: list[str]
    queries: int | None
    runs: int
    time: str | None
    workers: int | None
    simulated_workers: int
    epoch: int | None
    noise: bool
    data: Path | None
    options: list[str]
    seed: int
    json: Path | None
    html: Path | None
    out: Path | None
    surrogate: Path | None
    quiet: bool


def run_bench(asked: Benched) -> None:
    """Compare, show what came of it, and write the files that were asked for."""
    from nasturtium.comparison import compare
    from nasturtium.searching.units import duration

    seconds = duration(asked.time)
    queries = QUERIES if asked.queries is None and seconds is None else asked.queries
    if not asked.strategies:
        raise NasturtiumError("no strategy is given; name some, such as --strategy random --strategy evolution")
    check_places(asked.json, asked.html, asked.out)
    comparison = compare(
        subjects(asked), asked.strategies, queries, asked.runs, seconds=seconds, data=asked.data, seed=asked.seed,
        simulated_workers=asked.simulated_workers, epoch=asked.epoch, noise=asked.noise, workers=asked.workers,
        options=read_strategy_options(asked.options), out=asked.out, progress=None if asked.quiet else Said(),
    )  # fmt: skip
    say(comparison)
    write(comparison, asked)


def subjects(asked: Benched) -> list[Any]:
    """The benchmark on each data set that was asked for."""
    from nasturtium.comparison import Subject

    datasets = datasets_of(asked.benchmark, asked.datasets, asked.data)
    if asked.surrogate is not None and len(datasets) > 1:
        raise NasturtiumError(
            f"--surrogate answers for the one table that it was fitted on, not for {len(datasets)}; give one --dataset"
        )
    data, surrogate = (None if path is None else str(path) for path in (asked.data, asked.surrogate))
    return [Subject(asked.benchmark, dataset, data, surrogate=surrogate) for dataset in datasets]


def datasets_of(benchmark: str, asked: list[str], data: Path | None) -> list[str | None]:
    """The data sets that were asked for; of ``all`` those whose tables are here, and says which are not.

    Raises:
        BenchmarkError: If the table of one that was named is not here, or of ``all`` none.
    """
    from nasturtium.benchmarks import BENCHMARKS, BenchmarkError, check

    if EVERY not in asked or benchmark not in BENCHMARKS:
        named: list[str | None] = list(asked) or [None]
        for each in named:
            check(benchmark, each, data)
        return named
    here: list[str | None] = []
    missing: dict[str, str] = {}
    for each in BENCHMARKS[benchmark].datasets:
        try:
            check(benchmark, each, data)
            here.append(each)
        except BenchmarkError as error:
            missing[each] = str(error)
    if not here:
        raise BenchmarkError(next(iter(missing.values())))
    if missing:
        sys.stderr.write(f"left out, because their tables are not here: {', '.join(missing)}\n")
    return here


def fit(benchmark: str, dataset: str | None, data: Path | None, file: Path, seed: int) -> None:
    """Fit a surrogate on a table and save it."""
    from nasturtium.benchmarks import fit_surrogate, load

    checked_place(file)
    made = fit_surrogate(load(benchmark, dataset, data), seed=seed)
    written = made.save(file)
    for name, quality in made.quality.items():
        sys.stdout.write(f"{name}: {', '.join(f'{what} {value:.4g}' for what, value in quality.items())}\n")
    sys.stdout.write(f"wrote {written}\n")


class Said:
    """Says on standard error how far a comparison is; on a terminal in one line that changes."""

    def __init__(self) -> None:
        self.terminal = sys.stderr.isatty()
        self.tenth = 0

    def __call__(self, ended: int, total: int, what: str) -> None:
        """Takes note of what is done."""
        if self.terminal:
            end = "\n" if ended == total else ""
            sys.stderr.write(f"\r\x1b[K{ended:,} of {total:,} runs; {what}{end}")
            sys.stderr.flush()
        elif ended * 10 // total > self.tenth:
            self.tenth = ended * 10 // total
            sys.stderr.write(f"{ended:,} of {total:,} runs\n")


def say(comparison: Comparison) -> None:
    """Show means, standard errors, quantiles and regret, and how strategies rank."""
    from nasturtium.cli.showing import line, make_console, table
    from nasturtium.comparison.results import caution
    from nasturtium.report.comparison_text import FINAL_HEADER, final_rows, ranking_sentences

    console = make_console()
    for place, facts in enumerate(comparison.facts):
        told = f"{facts['title']}: {facts['verdict']} of the incumbent by {facts['signal']}"
        console.print(table(told, FINAL_HEADER, final_rows(comparison, place), left=(0, len(FINAL_HEADER) - 1)))
        if caution(facts):
            line(console, caution(facts))
        if facts["split"] == "validation":
            line(console, "the table has no test split: what is reported as test is the validation value")
        if facts["restricted"]:
            line(console, f"the table holds {facts['rows']:,} architectures of its space, which alone are searched")
    ranks = comparison.ranking()
    if ranks is not None:
        order = ", ".join(f"{name} {rank:.2f}" for name, rank in zip(ranks.names, ranks.ranks, strict=True))
        line(console, f"average ranks: {order}")
        for sentence in ranking_sentences(ranks):
            line(console, sentence)
    line(console, f"{comparison.seconds:.1f} s")


def write(comparison: Comparison, asked: Benched) -> None:
    """Write rows, page and plot where they were asked for; a folder holds all three."""
    from nasturtium.report.comparison import write_comparison, write_difference

    rows, page = asked.json, asked.html
    if asked.out is not None:
        rows, page = rows or asked.out / "rows.json", page or asked.out / "comparison.html"
        write_difference(comparison, asked.out / "ranks.svg")
    if rows is not None:
        write_rows(comparison, rows)
        sys.stdout.write(f"wrote {rows}\n")
    if page is not None:
        write_comparison(comparison, page)
        sys.stdout.write(f"wrote {page}\n")


def write_rows(comparison: Comparison, path: Path) -> None:
    """Write the rows as a JSON list, one row a line, without holding them all.

    Raises:
        StudyError: If the file cannot be written.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("w", encoding="utf-8") as file:
            before = "[\n"
            for row in comparison.rows():
                file.write(f"{before}{json.dumps(row)}")
                before = ",\n"
            file.write("[]\n" if before == "[\n" else "\n]\n")
    except OSError as error:
        raise StudyError(f"cannot write {path}: {error.strerror}; give another place") from None


def check_places(rows: Path | None, page: Path | None, out: Path | None) -> None:
    """Complains before hours of work of a file or folder that cannot be written in the end.

    Raises:
        StudyError: Then.
    """
    for file in (rows, page):
        if file is not None:
            checked_place(file)
    if out is not None:
        checked_folder(out)
