"""``nasturtium predict``: predictors compared on a table."""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from itertools import groupby, product
from pathlib import Path
from typing import TYPE_CHECKING

from nasturtium.errors import NasturtiumError, StudyError
from nasturtium.writing import replacing

if TYPE_CHECKING:
    from nasturtium.benchmarks import Benchmark
    from nasturtium.comparison.predicting import Assessed, Table

INSTALL = "pip install 'nasturtium[surrogates]'"
SHOWN = ("spearman", "kendall", "precision", "coverage50", "coverage90", "fit_seconds", "query_seconds")
HEADER = ("predictor", "train", "runs", "Spearman ± sd", "Kendall", "top 10 %", "50 %", "90 %", "fit s", "ask s")


@dataclass
class Predicted:
    """The options as they were given."""

    benchmark: str
    datasets: list[str]
    predictors: list[str]
    features: list[str]
    train: list[int]
    runs: int
    metric: str | None
    data: Path | None
    seed: int
    json: Path | None
    html: Path | None
    out: Path | None
    quiet: bool


def run_predict(asked: Predicted) -> None:
    """Assess, show means over the splits, and write the rows that were asked for."""
    from nasturtium.benchmarks import load
    from nasturtium.cli.benching import Said, check_places, datasets_of
    from nasturtium.comparison.predicting import assess
    from nasturtium.report.prediction import write_prediction

    if not asked.predictors:
        raise NasturtiumError("no predictor is given; name some, such as --predictor random_forest --predictor gp")
    check_places(asked.json, asked.html, asked.out)
    datasets = datasets_of(asked.benchmark, asked.datasets, asked.data)
    tables = [load(asked.benchmark, dataset, asked.data) for dataset in datasets]
    parts = takers(tables, asked)  # complains of the last data set before the first is assessed
    rows: list[Assessed] = []
    for table in tables:
        found = []
        for features, names in parts:
            found += assess(
                table, names, train=asked.train or [100], runs=asked.runs, features=features, metric=asked.metric,
                seed=asked.seed, out=asked.out, progress=None if asked.quiet else Said(),
            )  # fmt: skip
        say(found)
        rows += found
        if asked.json is not None:
            _write(asked.json, rows)
    page = asked.html or (None if asked.out is None else asked.out / "predictors.html")
    if page is not None:
        write_prediction(rows, page)
        sys.stdout.write(f"wrote {page}\n")


def takers(benchmarks: Sequence[Benchmark], asked: Predicted) -> list[tuple[list[str], list[str]]]:
    """Features with the predictors that are to see them; of ``all`` those that can, and says which cannot.

    Raises:
        NasturtiumError: If something cannot be assessed on one of the tables.
    """
    from nasturtium.cli.benching import EVERY
    from nasturtium.comparison.entrants import entrants
    from nasturtium.comparison.predicting import Table

    kinds = asked.features or ["encoding"]
    tables = [Table(each, asked.metric or each.verdict, asked.seed) for each in benchmarks]
    for table in tables:
        table.check(asked.train or [100], kinds)
    if EVERY in asked.predictors:
        return everyone(tables, kinds)
    names = list(entrants(asked.predictors))
    for table, kind, name in product(tables, kinds, names):
        table.predictor(name, kind, 0)
    return [(kinds, names)]


def everyone(tables: Sequence[Table], kinds: Sequence[str]) -> list[tuple[list[str], list[str]]]:
    """Each kind of features with all predictors that can read it; says which are left out."""
    from nasturtium.comparison.entrants import able
    from nasturtium.predictors import PREDICTORS

    parts: list[tuple[list[str], list[str]]] = []
    lacking: dict[str, None] = {}
    for kind in kinds:
        names, unable = list(PREDICTORS), dict[str, None]()
        for table in tables:
            names, cannot, missing = able(table, names, kind)
            unable |= dict.fromkeys(cannot)
            lacking |= dict.fromkeys(missing)
        if unable:
            sys.stderr.write(f"left out with --features {kind}, which they cannot read: {', '.join(unable)}\n")
        parts.append(([kind], names))
    if lacking:
        sys.stderr.write(f"left out, because packages are missing ({INSTALL}): {', '.join(lacking)}\n")
    return parts


def say(rows: Sequence[Assessed]) -> None:
    """Show the mean over the splits, the best predictor of each train size first."""
    from nasturtium.cli.showing import make_console, table

    console = make_console()
    title = f"{rows[0].benchmark} ({rows[0].dataset})" if rows[0].dataset else rows[0].benchmark

    def group(row: Assessed) -> tuple[int, str, str]:
        return row.train, row.features, row.predictor

    lines = [_line(list(each)) for _, each in groupby(sorted(rows, key=group), key=group)]
    lines.sort(key=lambda line: (int(line[1]), -float(line[3].split()[0].replace("–", "-inf"))))
    console.print(table(f"{title}: means over the splits", HEADER, lines, left=(0,)))


def _line(rows: Sequence[Assessed]) -> tuple[str, ...]:
    means = {name: sum(getattr(row, name) for row in rows) / len(rows) for name in SHOWN}
    spread = None
    if len(rows) > 1:
        spread = math.sqrt(sum((row.spearman - means["spearman"]) ** 2 for row in rows) / (len(rows) - 1))
    first = rows[0]
    name = first.predictor if first.features == "encoding" else f"{first.predictor}, {first.features}"
    shown = [_number(means[each]) for each in SHOWN]
    return name, str(first.train), str(len(rows)), f"{shown[0]} ± {_number(spread)}", *shown[1:]


def _number(value: float | None) -> str:
    """A number, or a dash where there is none: ranks of equal predictions have no correlation."""
    return "–" if value is None or not math.isfinite(value) else f"{value:.3f}"


def _write(path: Path, rows: Sequence[Assessed]) -> None:
    """Write the rows so far, all or nothing; null stands for a correlation that there is not."""
    content = [
        {name: None if isinstance(value, float) and not math.isfinite(value) else value for name, value in row.items()}
        for row in map(asdict, rows)
    ]
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with replacing(path) as draft:
            draft.write_text(json.dumps(content, indent=1))
    except OSError as error:
        raise StudyError(f"cannot write {path}: {error.strerror}; give another --json") from None
