"""Predictors compared on a table: fitted on some of its rows, asked for the others, over train sizes and splits."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from nasturtium.benchmarks.features import proxy_names, scored, table_features
from nasturtium.comparison.entrants import Entrant, Maker, entrants, made
from nasturtium.errors import NasturtiumError, StudyError

if TYPE_CHECKING:
    from nasturtium.benchmarks import Benchmark
    from nasturtium.predictors import Predictor
    from nasturtium.space.architecture import Architecture

Array = NDArray[Any]
FEATURES = ("encoding", "proxies", "both")
FILE = "predictions.jsonl"
TOP = 0.1
"""The share of rows that counts as top."""
Key = tuple[str, str, str, int, str, str, str, int, int]
MOST = 5000
"""So many rows are asked for at most in each split."""


@dataclass(frozen=True)
class Assessed:
    """One predictor, fitted once.

    Attributes:
        benchmark: Its name.
        dataset: Its data set.
        predictor: A name in ``nasturtium.predictors.PREDICTORS``, or one of the user's own.
        features: What it saw: ``encoding``, ``proxies`` (zero-cost scores that the table holds, FLOPs and parameters
            among them) or ``both``.
        train: How many rows it was fitted on.
        run: The split, which is the same for every predictor.
        spearman: Rank correlation on the other rows.
        kendall: Kendall's tau-b on them.
        precision: Share of the predicted top tenth that is in the true top tenth.
        coverage50: Share of true scores within the 50 % interval.
        coverage90: Likewise 90 %.
        fit_seconds: CPU time of the fit.
        query_seconds: CPU time for all that was asked.
        metric: What was predicted.
        seed: Of splits and predictors.
        table: A digest of the numbers that it was fitted on and asked for.
    """

    benchmark: str
    dataset: str
    predictor: str
    features: str
    train: int
    run: int
    spearman: float
    kendall: float
    precision: float
    coverage50: float
    coverage90: float
    fit_seconds: float
    query_seconds: float
    metric: str
    seed: int
    table: str

    @property
    def key(self) -> Key:
        """What tells it from others."""
        table = self.benchmark, self.dataset, self.metric, self.seed, self.table
        return *table, self.predictor, self.features, self.train, self.run


def assess(
    benchmark: Benchmark,
    predictors: Sequence[Entrant],
    *,
    train: Sequence[int] = (100,),
    runs: int = 20,
    features: Sequence[str] = ("encoding",),
    metric: str | None = None,
    seed: int = 0,
    out: Path | None = None,
    progress: Callable[[int, int, str], None] | None = None,
) -> list[Assessed]:
    """Fit every predictor on every split and score what it says of the other rows.

    Args:
        benchmark: The table.
        predictors: Names in ``nasturtium.predictors.PREDICTORS``; of predictors of your own pairs of a name and what
            makes them for ``space`` and ``seed``. By that name ``out`` knows again what is done.
        train: How many rows to fit on.
        runs: How many splits; split r holds the same rows for every predictor.
        features: Any of ``FEATURES``; the last two need a table with zero-cost scores.
        metric: What is predicted; the verdict of the benchmark if None.
        seed: Of splits and predictors.
        out: Folder that keeps what is done; the same call goes on where it stopped.
        progress: Is told how many are done, of how many, and which one.

    Raises:
        NasturtiumError: If a name is unknown, a train size leaves nothing to ask, or there are no zero-cost scores.
    """
    makers = entrants(predictors)
    table = Table(benchmark, metric or benchmark.verdict, seed, makers)
    table.check(train, features)
    known = kept(out)
    wanted = [(name, kind, size, run) for run in range(runs) for size in train for kind in features for name in makers]
    left = [(name, kind) for name, kind, size, run in wanted if table.key(name, kind, size, run) not in known]
    for name, kind in dict.fromkeys(left):
        table.predictor(name, kind, 0)  # complains of what cannot be used before anything is fitted
    found = []
    for done, (name, kind, size, run) in enumerate(wanted):
        row = known.get(table.key(name, kind, size, run))
        if row is None:
            row = table.assess(name, kind, size, run)
            keep(out, row)
        found.append(row)
        if progress is not None:
            progress(done + 1, len(wanted), name)
    return found


class Table:
    """The rows of a benchmark that have a score, and their splits.

    Args:
        benchmark: The table.
        metric: What is predicted.
        seed: Of splits and predictors.
        makers: What makes predictors that this package does not know, by their names.
    """

    def __init__(
        self, benchmark: Benchmark, metric: str, seed: int, makers: Mapping[str, Maker | None] | None = None
    ) -> None:
        self.benchmark, self.metric, self.seed, self.makers = benchmark, metric, seed, makers or {}
        self.proxies = proxy_names(benchmark, metric)
        known = np.isfinite(benchmark.column(metric))
        self.rows = np.flatnonzero(known & scored(benchmark, self.proxies))  # the same rows for all kinds of features
        self.architectures = benchmark.architectures()
        self.closed: dict[int, Architecture] = {}
        self.digest = benchmark.digest(metric, *self.proxies)

    def key(self, name: str, kind: str, size: int, run: int) -> Key:
        """What tells a fit on this table from others."""
        return self.benchmark.name, self.benchmark.dataset, self.metric, self.seed, self.digest, name, kind, size, run

    def check(self, train: Sequence[int], features: Sequence[str]) -> None:
        """Whether that can be assessed here.

        Raises:
            NasturtiumError: Otherwise.
        """
        for size in train:
            if not 2 <= size <= len(self.rows) - 10:
                raise NasturtiumError(
                    f"{size} rows to fit on: {self.benchmark.title} has {len(self.rows)} with {self.metric}; "
                    f"give from 2 to {len(self.rows) - 10}"
                )
        for kind in features:
            if kind not in FEATURES:
                raise NasturtiumError(f"unknown features {kind!r}; use {', '.join(FEATURES)}")
            if kind != "encoding" and not self.proxies:
                raise NasturtiumError(f"{self.benchmark.title} holds no zero-cost scores; use --features encoding")

    def split(self, size: int, run: int) -> tuple[Array, Array]:
        """Rows to fit on and rows to ask for; a larger size holds the rows of a smaller one."""
        order = np.random.default_rng((self.seed, run)).permutation(self.rows)
        return order[:size], order[size:][:MOST]

    def some(self, rows: Array) -> list[Architecture]:
        """The architectures of rows, the same objects each time, so that what was worked out of them is kept."""
        for row in rows.tolist():
            if row not in self.closed:
                self.closed[row] = self.architectures[row]
        return [self.closed[row] for row in rows.tolist()]

    def predictor(self, name: str, kind: str, run: int) -> Predictor:
        """The predictor, seeing what it is to see."""
        options: dict[str, Any] = {} if kind == "encoding" else {"features": proxies_of(self)}
        options |= {"encoding": "none"} if kind == "proxies" else {}
        return made(name, self.makers.get(name), {"space": self.benchmark.space, "seed": self.seed + run, **options})

    def assess(self, name: str, kind: str, size: int, run: int) -> Assessed:
        """Fit once, and score what is said of the other rows."""
        known, asked = self.split(size, run)
        scores = self.benchmark.column(self.metric)
        predictor = self.predictor(name, kind, run)
        begun = time.process_time()
        predictor.fit(self.some(known), scores[known])
        fitted = time.process_time()
        mean, std = predictor.predict(self.some(asked))
        seconds = (fitted - begun, time.process_time() - fitted)
        better = 1.0 if self.benchmark.metrics[self.metric].maximise else -1.0
        worth = judged(better * mean, std, better * scores[asked])
        return Assessed(
            self.benchmark.name,
            self.benchmark.dataset,
            name,
            kind,
            size,
            run,
            *worth,
            *seconds,
            self.metric,
            self.seed,
            self.digest,
        )


def proxies_of(table: Table) -> Callable[[Sequence[Any]], Array]:
    """Gives the zero-cost scores of architectures, (n, k), those that span decades as signed logarithms."""
    scores = table_features(table.benchmark, table.proxies)

    def logarithms(architectures: Sequence[Any]) -> Array:
        values = scores(architectures)
        return np.asarray(np.sign(values) * np.log1p(np.abs(values)))

    return logarithms


def judged(mean: Array, std: Array, truth: Array) -> tuple[float, float, float, float, float]:
    """Spearman, Kendall, precision at the top tenth (more is better), coverage of the 50 % and 90 % intervals."""
    from scipy import stats

    from nasturtium.predictors import calibration

    count = max(1, round(TOP * len(truth)))
    best = set(np.argsort(-truth, kind="stable")[:count].tolist())
    hits = len(best & set(np.argsort(-mean, kind="stable")[:count].tolist()))
    covered = calibration(mean, std, truth)
    rank, tau = stats.spearmanr(mean, truth).statistic, stats.kendalltau(mean, truth).statistic
    return float(rank), float(tau), hits / count, float(covered[0.5]), float(covered[0.9])


def kept(out: Path | None) -> dict[Key, Assessed]:
    """What an earlier call did; lines that cannot be read, such as a last one that was cut off, are left out."""
    if out is None or not (out / FILE).exists():
        return {}
    rows = list(_lines(out / FILE))
    return {row.key: row for row in rows}


def _lines(path: Path) -> Iterator[Assessed]:
    for line in path.read_text().splitlines():
        try:
            yield Assessed(**json.loads(line))
        except (ValueError, TypeError):
            continue


def keep(out: Path | None, row: Assessed) -> None:
    """Add a row to what a folder keeps.

    Raises:
        StudyError: If it cannot be written.
    """
    if out is None:
        return
    try:
        out.mkdir(parents=True, exist_ok=True)
        with (out / FILE).open("a") as file:
            file.write(json.dumps(asdict(row)) + "\n")
    except OSError as error:
        raise StudyError(f"cannot write to {out}: {error.strerror}; give another --out") from None
