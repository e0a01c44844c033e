"""Predictors on published tables, written to docs/predictors_table.md.

``python benchmarks/predictor_table.py [slides] [events] [tables] [--out DIR] [--workers N] [--data DIR] [--runs N]``.
Each part is a section of the page; without a word all three. What is done lies in DIR, and the same command goes on
where it stopped; the page is written from all that lies there.
"""

from __future__ import annotations

import argparse
import os
import sys
import warnings
from collections.abc import Callable, Collection, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import cache
from multiprocessing import get_context
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
from predictor_pages import write_page

from nasturtium import predictors
from nasturtium.benchmarks import load
from nasturtium.comparison.predicting import Assessed, Key, Table, keep, kept, proxies_of
from nasturtium.errors import NasturtiumError
from nasturtium.predictors import Predictor, Regressor
from nasturtium.predictors.drawn import Drawn
from nasturtium.predictors.vectors import Encoder
from nasturtium.predictors.views import Together
from nasturtium.space.decided import Graph

ROOT = Path(__file__).resolve().parents[1]
DATA = ROOT.parent / "shared/data/benchmarks"
PAGE = ROOT / "docs/predictors_table.md"

SLIDES = (
    *[f"nasbench201/{data}" for data in ("cifar10", "cifar100", "ImageNet16-120")], "nasbench301/cifar10",
    *[f"transbench101_{kind}/{task}" for kind in ("macro", "micro")
      for task in ("class_object", "class_scene", "jigsaw", "segmentsemantic")],
)  # fmt: skip
EVENTS = ("random_sampling/ABank", "random_sampling/RBchurn")
TASKS = ("class_object", "class_scene", "jigsaw", "segmentsemantic")
TABLES = (
    *[("nasbench201", data) for data in ("cifar10", "cifar100", "imagenet16-120")],
    *[(f"transnas_{kind}", task) for kind in ("micro", "macro") for task in TASKS],
    ("nasbench_macro", "cifar10"), ("nasbench_mr", "cls-50-1000"), ("nasbench_graph", "cora"),
    *[("event_sequences", data) for data in EVENTS],
)  # fmt: skip
SIZES = (50, 100, 200, 500)
ASKED = 2000
"""So many rows are asked for at most."""

ROUGH = (50, 500)
"""Train sizes that get half of the splits."""

CHEAP = ("random_forest", "gradient_boosting", "linear", "gp", "gp_wl", "omni")
GRAPHLESS = ("nasbench_mr",)
"""Where networks are so large that drawing their graphs takes longer than all the rest: omni has none there."""

DEAR = {"bananas": 5, "mlp": 5, "dngo": 5, "bohamiann": 3, "gcn": 3, "gin": 3, "gates": 2, "nao": 2}
"""Predictors that take seconds a fit, with how many splits they get (at 100 rows alone)."""


@dataclass(frozen=True)
class Job:
    """One fit: a predictor on a split of a table."""

    benchmark: str
    dataset: str
    metric: str | None
    predictor: str
    features: str
    train: int
    run: int

    def within(self, known: Collection[Key], data: Path) -> bool:
        """Whether it is done already."""
        try:
            held = table(self.benchmark, self.dataset, self.metric, data)
        except NasturtiumError:  # what keeps it from being done is said when it is tried
            return False
        return held.key(self.predictor, self.features, self.train, self.run) in known


class Untuned(Regressor):
    """scikit-learn's forest as it comes, to compare with."""

    def __init__(self, seed: int) -> None:
        from sklearn.ensemble import RandomForestRegressor

        self.model = RandomForestRegressor(random_state=seed, n_jobs=1)

    def fit(self, x: Any, y: Any) -> None:
        """Grows its trees."""
        self.model.fit(x, y)

    def predict(self, x: Any) -> tuple[Any, Any]:
        """Its mean; it says nothing of a spread."""
        mean = self.model.predict(x)
        return mean, np.ones(len(mean))


class Published(Encoder):
    """The bits that SeqNAS gives its predictor."""

    def __call__(self, architectures: Sequence[Any]) -> Any:
        """(n, 122)."""
        return np.array([[float(bit) for bit in self.space.to_notation(each)] for each in architectures])


class Compared(Table):
    """A table on which the untuned forest, costs and the published bits are known too."""

    def __init__(self, benchmark: Any, metric: str, seed: int) -> None:
        super().__init__(benchmark, metric, seed)
        self.counted: dict[tuple[int, ...], Any] = {}
        self.drawn: dict[tuple[int, ...], Graph] = {}

    def split(self, size: int, run: int) -> tuple[Any, Any]:
        """Fewer rows are asked for, as there are many predictors."""
        known, asked = super().split(size, run)
        return known, asked[:ASKED]

    def predictor(self, name: str, kind: str, run: int) -> Predictor:
        """The predictor, seeing what it is to see."""
        options: dict[str, Any] = {"features": proxies_of(self)} if kind in ("proxies", "both") else {}
        options |= {"features": self.costs} if kind.endswith(" and costs") else {}
        options |= {"encoding": "none"} if kind == "proxies" else {}
        options |= {"encoding": Published} if kind.startswith("published bits") else {}
        if name == "omni" and self.benchmark.name in GRAPHLESS:
            options |= {"encoding": "ordered"}
        asked: Any = Untuned(run) if name == "untuned forest" else name
        found = predictors.make(asked, space=self.benchmark.space, seed=self.seed + run, **options)
        drawing = found.encoder.graphs if isinstance(found.encoder, Together) else found.encoder
        if isinstance(drawing, Drawn):
            drawing.known = self.drawn  # graphs are drawn once for all predictors
        return found

    def costs(self, architectures: Sequence[Any]) -> Any:
        """Parameters and FLOPs, counted once an architecture."""
        new = [each for each in architectures if each.decisions not in self.counted]
        for each, row in zip(new, predictors.costs(new), strict=True):
            self.counted[each.decisions] = row
        return np.array([self.counted[each.decisions] for each in architectures])


def slides(runs: int) -> Iterator[Job]:
    """Boosted trees on encoding, proxies and both, as published; omni and an untuned forest on both."""
    for run in range(runs):
        for dataset in SLIDES:
            metric = "naslib_accuracy" if dataset.startswith("nasbench201") else "val_accuracy"
            for name in ("untuned forest", "omni"):
                yield Job("suite_zero", dataset, metric, name, "both", 100, run)
            for kind in ("encoding", "proxies", "both"):
                yield Job("suite_zero", dataset, metric, "gradient_boosting", kind, 100, run)


def events(runs: int) -> Iterator[Job]:
    """Predictors for event sequences beside an untuned forest."""
    asked = [
        ("untuned forest", "encoding"), ("untuned forest", "published bits"), ("gp", "encoding"),
        ("gradient_boosting", "encoding"), ("omni", "encoding"), ("omni", "encoding and costs"),
        ("omni", "published bits and costs"),
    ]  # fmt: skip
    for run in range(runs):
        for dataset in EVENTS:
            for name, kind in asked:
                yield Job("event_sequences", dataset, None, name, kind, 100, run)


def tables(runs: int) -> Iterator[Job]:
    """Predictors on the tables, over train sizes; dear ones at 100 rows, on fewer splits."""
    for run in range(runs):
        for benchmark, dataset in TABLES:
            whole = benchmark != "event_sequences"
            for size in SIZES if whole else SIZES[:3]:
                for name in CHEAP if size not in ROUGH or run < (runs + 1) // 2 else ():
                    if name == "gp_wl" and benchmark in GRAPHLESS:
                        continue
                    yield Job(benchmark, dataset, None, name, "encoding", size, run)
            for name, splits in DEAR.items():
                if run < min(splits, runs) and benchmark not in GRAPHLESS:
                    yield Job(benchmark, dataset, None, name, "encoding", 100, run)


PARTS: dict[str, tuple[Callable[[int], Iterator[Job]], int]] = {
    "slides": (slides, 20),
    "events": (events, 50),
    "tables": (tables, 20),
}
"""What makes the jobs of each part, and on how many splits."""


@cache
def table(benchmark: str, dataset: str, metric: str | None, data: Path) -> Compared:
    """A table, read once a process."""
    found = load(benchmark, dataset, data)
    return Compared(found, metric or found.signal, 0)


def done(job: Job, data: Path) -> Assessed | str:
    """What came of a job, or why nothing did."""
    warnings.simplefilter("ignore")
    try:
        return table(job.benchmark, job.dataset, job.metric, data).assess(
            job.predictor, job.features, job.train, job.run
        )
    except NasturtiumError as error:
        return f"{job.benchmark} {job.dataset}, {job.predictor}: {error}"


def run(jobs: Sequence[Job], options: argparse.Namespace) -> None:
    """Does what is not done yet."""
    known = kept(options.out)
    left = [job for job in jobs if not job.within(known, options.data)]
    print(f"{len(jobs):,} fits, {len(left):,} left", file=sys.stderr, flush=True)
    refused: set[str] = set()
    for number, found in enumerate(results(left, options)):
        if isinstance(found, str):
            refused.add(found)
        else:
            keep(options.out, found)
        if number % 100 == 99:
            print(f"{number + 1:,} of {len(left):,}", file=sys.stderr, flush=True)
    for text in sorted(refused):
        print(f"left out: {text}", file=sys.stderr)


def results(jobs: Sequence[Job], options: argparse.Namespace) -> Iterator[Assessed | str]:
    """What came of each job, by as many processes as were asked for."""
    if options.workers < 2:
        yield from (done(job, options.data) for job in jobs)
        return
    with ProcessPoolExecutor(options.workers, get_context("spawn")) as pool:
        yield from pool.map(done, jobs, [options.data] * len(jobs), chunksize=8)


def main() -> None:
    """Run the parts that are named, and write the page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("parts", nargs="*", choices=[[], *PARTS], help="slides, events, tables; all if none is named")
    parser.add_argument("--out", type=Path, default=ROOT / "runs/predictor_table")
    parser.add_argument("--data", type=Path, default=DATA)
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--runs", type=int, help="splits of each part; as published if not given")
    parser.add_argument("--page", type=Path, default=PAGE)
    options = parser.parse_args()
    for part in options.parts or list(PARTS):
        make, runs = PARTS[part]
        run(list(make(options.runs or runs)), options)
    write_page(options.page, list(kept(options.out).values()), " ".join(["python", *sys.argv]))


if __name__ == "__main__":
    main()
