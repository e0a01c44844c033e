"""Surrogates of our own: a model fitted to a table answers for the whole space, with noise like that of training."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from nasturtium.benchmarks.fitted import KINDS, FittedSurrogate, Kind, Model, features
from nasturtium.benchmarks.forest import Numbers
from nasturtium.benchmarks.joining import aligned, places_in
from nasturtium.benchmarks.noise import Spread, noise_bounds, smallest
from nasturtium.benchmarks.table import Benchmark, BenchmarkError
from nasturtium.errors import did_you_mean

LEAST = 20
"""Fewest architectures that a surrogate is fitted on, and that bound its noise."""


def fit_surrogate(
    table: Benchmark,
    metrics: Sequence[str] | None = None,
    *,
    kind: str = "forest",
    again: Benchmark | None = None,
    trees: int | None = None,
    rows: int | None = None,
    seed: int = 0,
) -> FittedSurrogate:
    """A surrogate that answers for the whole space of a table.

    Models with noise, as the surrogate benchmarks of Siems et al. (2020, arXiv:2008.09777) have them; theirs are
    ensembles of ten models, ours are one model a metric, kept as arrays.

    Args:
        table: A benchmark of fixed rows.
        metrics: What it shall answer; signal, verdict and cost of the table if None. The last epoch is fitted.
        kind: ``forest`` (random forests), ``boosted`` (boosted trees on ten bootstrap samples) or ``process``
            (Gaussian processes).
        again: Another table with trainings of some of the architectures, which bound the noise of a single one; see
            :func:`nasturtium.benchmarks.noise.noise_bounds`. Without it the noise is that between runs of the table.
        trees: Of each forest, or of each bootstrap sample; 100 and 50 if None.
        rows: Fit on so many rows, drawn at random; all if None. A Gaussian process takes 3,000 at most.
        seed: Of the models, and of that draw.

    Raises:
        BenchmarkError: If the table has too few rows, too many for the kind, or no fixed ones; if there is no such
            kind; or if too few architectures are in both tables.
    """
    if kind not in KINDS:
        raise BenchmarkError(
            f"no surrogate of kind {kind!r}{did_you_mean(kind, KINDS)} (there are: {', '.join(KINDS)})"
        )
    roles = dict.fromkeys(name for name in (table.signal, table.verdict, table.cost) if name)
    names = list(dict.fromkeys([*roles, *(metrics or ())]))
    _check(table, kind, rows)
    sample = _sample(table, rows, seed)
    count = KINDS[kind].trees if trees is None else trees
    fitted = {name: _fitted(sample, name, KINDS[kind], count, seed, again) for name in names}
    bounds = {name: each.bounds for name, each in fitted.items() if each.bounds}
    facts = {
        "name": table.name, "dataset": table.dataset, "source": table.source or table.title, "rows": len(sample.rows),
        "signal": table.signal, "verdict": table.verdict, "cost": table.cost, "kind": kind, "bounds": bounds,
        "metrics": [asdict(table.metric(name)) for name in names],
    }  # fmt: skip
    quality = {name: each.quality for name, each in fitted.items()}
    return FittedSurrogate(table.space, facts, [each.model for each in fitted.values()], quality)


class Sample(NamedTuple):
    """The rows of a table that are learned from, and what models see of them, (n, features)."""

    table: Benchmark
    rows: NDArray[np.int64]
    examples: Numbers


class Fitted(NamedTuple):
    """The model of one metric, how good it is, and bounds on the noise where a second table tells any."""

    model: Model
    quality: dict[str, float]
    bounds: list[Spread]


def _check(table: Benchmark, kind: str, rows: int | None) -> None:
    """Complains of a table that cannot be fitted on.

    Raises:
        BenchmarkError: Then.
    """
    if table.grows:
        raise BenchmarkError(
            f"{table.title} is a surrogate itself, without rows to learn from; fit on the table it was made of"
        )
    if len(table) < LEAST:
        raise BenchmarkError(f"{table.title} has {len(table)} rows; a surrogate needs a table of {LEAST} or more")
    if rows is not None and rows < LEAST:
        raise BenchmarkError(f"rows={rows}: a surrogate needs {LEAST} rows or more; {table.title} has {len(table)}")
    count, most = len(table) if rows is None else min(rows, len(table)), KINDS[kind].most
    if most is not None and count > most:
        raise BenchmarkError(
            f"{KINDS[kind].called} are fitted on {most:,} rows at most, not on {count:,}; give rows={most}, or another "
            f"kind ({', '.join(name for name, each in KINDS.items() if each.most is None)})"
        )


def _sample(table: Benchmark, rows: int | None, seed: int) -> Sample:
    """All rows of a table, or so many drawn at random."""
    rng = np.random.default_rng(seed)
    chosen = np.arange(len(table)) if rows is None else np.sort(rng.permutation(len(table))[:rows])
    listed = table.architectures()
    return Sample(table, chosen, features(table.space, [listed[int(row)] for row in chosen]))


def _fitted(sample: Sample, name: str, kind: Kind, trees: int, seed: int, again: Benchmark | None) -> Fitted:
    """The model of one metric."""
    table, targets = sample.table, sample.table.column(name)[sample.rows]
    known = np.isfinite(targets)
    if known.sum() < LEAST:
        raise BenchmarkError(f"{table.title} holds {name} of {known.sum()} architectures alone; it needs {LEAST}")
    made, unseen = kind.fit(sample.examples[known], targets[known], trees, seed)
    quality, bounds = _quality(targets[known], unseen, table.runs(name)), list[Spread]()
    if again is not None and name in again.metrics:
        bounds = noise_bounds(unseen, targets[known], _repeated(table, again, name, sample.rows[known]))
        quality["noise"] = smallest(bounds, float(np.median(targets[known])))
    return Fitted(made, quality, bounds)


def _repeated(table: Benchmark, again: Benchmark, name: str, rows: NDArray[np.int64]) -> Numbers:
    """The values that another table has for the architectures of some rows, (n,); NaN where it has none."""
    found: Numbers = aligned(places_in(again, table.rows, table.space), again.column(name))[rows]
    shared = int(np.isfinite(found).sum())
    if shared < LEAST:
        raise BenchmarkError(
            f"{again.title} holds {name} of {shared} architectures of {table.title}; its noise needs {LEAST}"
        )
    return found


def _quality(targets: Numbers, unseen: Numbers, runs: Numbers) -> dict[str, float]:
    """Rank correlation and error on what the members had not seen, and the noise between runs."""
    from scipy.stats import spearmanr

    asked = np.isfinite(unseen)
    error = float(np.sqrt(np.mean((targets[asked] - unseen[asked]) ** 2)))
    noise = error
    if runs.ndim == 2:
        several = runs[np.isfinite(runs).sum(axis=1) > 1]
        noise = float(np.sqrt(np.nanmean(np.nanvar(several, axis=1, ddof=1)))) if len(several) else error
    ranks = float(spearmanr(targets[asked], unseen[asked])[0]) if np.ptp(targets) > 0 else 0.0
    return {"spearman": ranks, "rmse": error, "noise": noise}
