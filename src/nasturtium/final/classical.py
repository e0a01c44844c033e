"""A scikit-learn model on the same rows, as a mark for what a network must beat."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from nasturtium.errors import NasturtiumError
from nasturtium.final.aggregates import aggregates, id_columns, series_aggregates
from nasturtium.final.results import Run
from nasturtium.space.signal import Signal
from nasturtium.tasks import Split, Task, evaluate_metrics
from nasturtium.tasks.flat import MOST_STEPS
from nasturtium.threads import one_thread

Array = npt.NDArray[Any]

MOST_COLUMNS = 4096
MOST_ROWS = 100_000
BOOSTED_COLUMNS = 200
BOOSTED_ROWS = 2_000
"""Boosted trees for tables of few columns and many rows; a random forest, which needs no care, for the others."""
FEWEST_TRIED, MOST_TRIED = 64, 128
"""Columns that a forest tries at each split of a regression; all of 784 would take ten times as long."""
MOST_SECONDS = 600.0
"""For all fits where there is no time limit."""
LONG_SECONDS = 20.0
"""Of one fit, of which the user is told beforehand."""
LEAST_PROBABILITY = 1e-9
AT_A_TIME = 256
KINDS = ("vector", "image", "sequence", "tokens", "group")


class Classical(NamedTuple):
    """A scikit-learn model and its name."""

    name: str
    make: Callable[[int], Any]


def fitting(task: Task) -> Classical | None:
    """The model that fits what a task gives; None where none does.

    Boosted trees (HistGradientBoosting, as in LightGBM, Ke et al. 2017) for at least 2,000 rows of up to 200 columns,
    of events of any number, otherwise a random forest of 500 trees (Breiman 2001); tokens are counted, long sequences
    and event sequences summed up (see :mod:`nasturtium.final.aggregates`). A forest tries the square root of the
    columns at each split for classes, and a third of them for numbers, as Breiman does, but no fewer than 64 and no
    more than 128. Of more than 100,000 rows so many are drawn, which the name says.
    """
    known = len(task.inputs) == 1 and task.inputs[0].kind in KINDS
    if task.inputs[0].kind == "group" and task.train.offsets is None:
        return None
    if not known or task.train.dataset is not None:
        return None
    if task.kind == "regression" and task.outputs != 1:
        return None
    columns = features(task.train.take(np.arange(1)), task.inputs[0]).shape[1]
    if columns > MOST_COLUMNS:
        return None
    from sklearn import ensemble

    count = len(task.train) + len(task.valid)
    part = f" on {MOST_ROWS:,} of {count:,} rows" if count > MOST_ROWS else ""
    classes = task.kind == "classification"
    few = columns <= BOOSTED_COLUMNS or task.inputs[0].kind == "group"
    if few and count >= BOOSTED_ROWS:
        boosted = ensemble.HistGradientBoostingClassifier if classes else ensemble.HistGradientBoostingRegressor
        ids = categories(task)
        return Classical(
            f"boosted trees{part}",
            lambda seed: boosted(random_state=seed, early_stopping=False, categorical_features=ids),
        )
    forest = ensemble.RandomForestClassifier if classes else ensemble.RandomForestRegressor
    tried = "sqrt" if classes else min(columns, max(FEWEST_TRIED, min(columns // 3, MOST_TRIED)))
    return Classical(f"random forest{part}", lambda seed: forest(500, max_features=tried, random_state=seed, n_jobs=1))


def categories(task: Task) -> list[int] | None:
    """Which columns of :func:`features` are categories, that boosted trees take as such; None if there are none."""
    return id_columns(task.inputs[0]) or None if task.inputs[0].kind == "group" else None


def features(split: Split, signal: Signal) -> Array:
    """Columns for a scikit-learn model, (N, D)."""
    if signal.kind == "group":
        return aggregates(split, signal)
    values = np.asarray(split.inputs[0])
    if split.offsets is not None:
        tokens = signal.kind == "tokens"
        return _flat_counts(values, split.offsets, signal) if tokens else _flat_series(values, split.offsets)
    if signal.kind == "tokens":
        return _counts(values, split.inputs[1] if signal.mask else None, signal)
    if signal.kind == "sequence" and (signal.mask or values[0].size > BOOSTED_COLUMNS):
        return series_aggregates(values, split.inputs[1] if signal.mask else np.ones(values.shape[:2], dtype=bool))
    flat: Array = values.reshape(len(values), -1)
    return flat


def _counts(tokens: Array, mask: Array | None, signal: Signal) -> Array:
    """How often each token occurs, of those that are most often met in texts of this kind, (N, V)."""
    size = min(int(signal.vocabulary[0]), MOST_COLUMNS)
    counts = np.zeros((len(tokens), size), dtype=np.float32)
    there = np.ones(tokens.shape, dtype=bool) if mask is None else mask
    rows, places = np.nonzero(there & (tokens < size))
    np.add.at(counts, (rows, tokens[rows, places]), 1.0)
    return counts


def _flat_counts(tokens: Array, offsets: Array, signal: Signal) -> Array:
    """As ``_counts``, of rows that are held flat, (E,)."""
    size = min(int(signal.vocabulary[0]), MOST_COLUMNS)
    rows = np.repeat(np.arange(len(offsets) - 1), np.diff(offsets))
    there = tokens < size
    counts = np.bincount(rows[there] * size + tokens[there], minlength=(len(offsets) - 1) * size)
    return counts.reshape(-1, size).astype(np.float32)


def _flat_series(values: Array, offsets: Array) -> Array:
    """As ``series_aggregates``, of rows that are held flat, (E, C); some are padded at a time, all to one length."""
    steps = max(MOST_STEPS, int(np.diff(offsets).max(initial=0)))
    parts = []
    for first in range(0, len(offsets) - 1, AT_A_TIME):
        some = offsets[first : first + AT_A_TIME + 1]
        mask = np.arange(steps) < np.diff(some)[:, None]
        padded = np.zeros((*mask.shape, values.shape[1]), dtype=values.dtype)
        padded[mask] = values[some[0] : some[-1]]
        parts.append(series_aggregates(padded, mask))
    return np.concatenate(parts)


class Rows(NamedTuple):
    """What a scikit-learn model is fitted to and tested on.

    Attributes:
        inputs: Features of train + valid (N, D).
        targets: Theirs, (N,).
        tested: Features of the test rows (M, D).
    """

    inputs: Array
    targets: Array
    tested: Array


def rows_of(task: Task) -> Rows:
    """The rows of a task; where several models are tried on it, they are made once."""
    train, signal = task.merged().train, task.inputs[0]
    if len(train) > MOST_ROWS:
        train = train.take(np.sort(np.random.default_rng(0).choice(len(train), MOST_ROWS, replace=False)))
    inputs = features(train, signal)
    return Rows(inputs, train.targets.reshape(len(inputs), -1)[:, 0], features(task.test, signal))


def train_classical(
    model: Classical, task: Task, seeds: list[int], deadline: float | None = None,
    note: Callable[[str], None] | None = None, rows: Rows | None = None,
) -> tuple[list[Run], list[Array]]:  # fmt: skip
    """Fit on train + valid once for each seed and score on test; the runs and their outputs.

    What a model raises is the reason of its run. What would not be done by ``deadline`` (of ``time.monotonic``), or
    within ten minutes where there is none, is stopped, and further seeds with it. ``note`` is told beforehand of fits
    that take long.
    """
    with one_thread():
        return _trained(model, task, rows_of(task) if rows is None else rows, seeds, deadline, note)


def _trained(
    model: Classical, task: Task, rows: Rows, seeds: list[int], deadline: float | None,
    note: Callable[[str], None] | None,
) -> tuple[list[Run], list[Array]]:  # fmt: skip
    runs, outputs = [], []
    limit = time.monotonic() + MOST_SECONDS if deadline is None else deadline
    for seed in seeds:
        begun = time.monotonic()
        try:
            told, note = note, None  # once is enough
            say = told and _telling(told, model.name, len(seeds))
            given = _outputs(grown(model.make(seed), rows.inputs, rows.targets, limit, say), rows.tested, task)
        except OutOfTime as error:
            runs.append(Run(seed, "stopped", time.monotonic() - begun, str(error)))
            break
        except (ValueError, MemoryError, NasturtiumError) as error:
            runs.append(Run(seed, "failed", time.monotonic() - begun, str(error)))
            continue
        scores = evaluate_metrics(task.metrics, given, task.test.targets, task)
        finite = {name: value for name, value in scores.items() if math.isfinite(value)}
        runs.append(Run(seed, "complete", time.monotonic() - begun, "", finite))
        outputs.append(given)
    return runs, outputs


class OutOfTime(Exception):
    """There is not enough time to fit all trees."""


def _telling(note: Callable[[str], None], name: str, fits: int) -> Callable[[float], None]:
    """What tells the user of so many fits that one of them takes so many more seconds."""
    return lambda seconds: note(f"{name}: {fits} fits of about {seconds:.0f} s each; without baselines it is left out")


def grown(
    model: Any, inputs: Array, targets: Array, deadline: float, told: Callable[[float], None] | None = None
) -> Any:
    """A model fitted to rows: a few trees first, which tell how long all of them take.

    Args:
        model: Of scikit-learn, not fitted.
        inputs: (N, D).
        targets: (N,).
        deadline: ``time.monotonic()`` by which it must be done.
        told: Takes the seconds that are left, if they are many.

    Raises:
        OutOfTime: If they take too long. Fewer trees would be another model than the one that is named.
    """
    name = "max_iter" if hasattr(model, "max_iter") else "n_estimators"
    total = getattr(model, name)
    begun = time.monotonic()
    model.set_params(warm_start=True)  # the trees that are there stay; the result is that of one fit
    for count in (max(total // 50, 1), max(total // 10, 1), max(total // 3, 1), total):
        model.set_params(**{name: count}).fit(inputs, targets)
        rest = (time.monotonic() - begun) * (total / count - 1)
        left = max(deadline - time.monotonic(), 0.0)
        if rest > left:
            raise OutOfTime(f"it needs about {rest:.0f} s more, and {left:.0f} s are left for it")
        if told is not None and rest > LONG_SECONDS:
            told(rest)
            told = None
    return model


def _outputs(fitted: Any, rows: Array, task: Task) -> Array:
    """Log-probabilities (N, K), or standardised predictions (N, 1)."""
    if task.kind == "regression":
        return np.asarray(fitted.predict(rows), dtype=np.float64)[:, None]
    probabilities = np.zeros((len(rows), max(task.outputs, 2)))
    probabilities[:, fitted.classes_.astype(int)] = fitted.predict_proba(rows)
    logarithms: Array = np.log(np.maximum(probabilities, LEAST_PROBABILITY))
    return logarithms
