"""``nasturtium predict``: predictors compared on a table."""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nasturtium.errors import NasturtiumError, StudyError

if TYPE_CHECKING:
    from nasturtium.comparison.predicting import Assessed

SHOWN = ("spearman", "kendall", "precision", "coverage50", "coverage90", "fit_seconds", "query_seconds")
HEADER = ("predictor", "train", "runs", "Spearman", "Kendall", "top 10 %", "50 %", "90 %", "fit s", "ask s")


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
    from nasturtium.cli.benching import EVERY, Said, check_places, datasets_of
    from nasturtium.comparison.predicting import assess
    from nasturtium.predictors import PREDICTORS
    from nasturtium.report.prediction import write_prediction

    if not asked.predictors:
        raise NasturtiumError("no predictor is given; name some, such as --predictor random_forest --predictor gp")
    names = list(PREDICTORS) if EVERY in asked.predictors else asked.predictors
    check_places(asked.json, asked.html, asked.out)
    datasets = datasets_of(asked.benchmark, asked.datasets, asked.data)
    rows: list[Assessed] = []
    for dataset in datasets:
        found = assess(
            load(asked.benchmark, dataset, asked.data), names, train=asked.train or [100], runs=asked.runs,
            features=asked.features or ["encoding"], metric=asked.metric, seed=asked.seed, out=asked.out,
            progress=None if asked.quiet else Said(),
        )  # fmt: skip
        say(found)
        rows += found
    if asked.json is not None:
        _write(asked.json, rows)
    page = asked.html or (None if asked.out is None else asked.out / "predictors.html")
    if page is not None:
        write_prediction(rows, page)
        sys.stdout.write(f"wrote {page}\n")


def say(rows: Sequence[Assessed]) -> None:
    """Show the mean over the splits, the best predictor of each train size first."""
    from nasturtium.cli.showing import make_console, table

    console = make_console()
    title = f"{rows[0].benchmark} ({rows[0].dataset})" if rows[0].dataset else rows[0].benchmark

    def group(row: Assessed) -> tuple[int, str, str]:
        return row.train, row.features, row.predictor

    lines = [_line(list(each)) for _, each in groupby(sorted(rows, key=group), key=group)]
    lines.sort(key=lambda line: (int(line[1]), -float(line[3].split()[0])))
    console.print(table(f"{title}: means over the splits", HEADER, lines, left=(0,)))


def _line(rows: Sequence[Assessed]) -> tuple[str, ...]:
    means = {name: sum(getattr(row, name) for row in rows) / len(rows) for name in SHOWN}
    spread = math.sqrt(sum((row.spearman - means["spearman"]) ** 2 for row in rows) / max(len(rows) - 1, 1))
    error = spread / math.sqrt(len(rows))
    first = rows[0]
    name = first.predictor if first.features == "encoding" else f"{first.predictor}, {first.features}"
    shown = [f"{means[each]:.3f}" for each in SHOWN]
    return name, str(first.train), str(len(rows)), f"{shown[0]} ± {error:.3f}", *shown[1:]


def _write(path: Path, rows: Sequence[Assessed]) -> None:
    content: list[dict[str, Any]] = [asdict(row) for row in rows]
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(content, indent=1))
    except OSError as error:
        raise StudyError(f"cannot write {path}: {error.strerror}; give another --json") from None
