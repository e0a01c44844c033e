"""Intervals against closed formulas: the mean of normal rows, the variance of a mean of few trainings."""

from __future__ import annotations

import time

import numpy as np
import pytest

from nasturtium.final import bootstrap
from nasturtium.tasks.metrics import auroc, average_precision


def means(values):
    return lambda rows: [float(each[rows].mean()) for each in values]


def test_the_interval_of_one_training_is_that_of_the_mean_of_its_rows():
    values = np.random.default_rng(0).normal(size=(1, 4000))
    drawn = bootstrap.resampled({"a": means(values)}, 4000, 1)["a"]
    low, high = bootstrap.interval(bootstrap.mean_draws(drawn))
    half = 1.96 * values.std(ddof=1) / np.sqrt(4000)
    assert low == pytest.approx(values.mean() - half, abs=0.2 * half)
    assert high == pytest.approx(values.mean() + half, abs=0.2 * half)


def test_the_spread_over_seeds_is_that_of_a_mean_of_three():
    # No spread over rows: three trainings that score 0.8, 0.85 and 0.9 on every row.
    drawn = np.tile([0.8, 0.85, 0.9], (20_000, 1))
    draws = bootstrap.mean_draws(drawn)
    assert draws.mean() == pytest.approx(0.85, abs=1e-3)
    assert draws.std() == pytest.approx(0.05 / np.sqrt(3), rel=0.03)  # the sample deviation is 0.05


def test_paired_differences_cancel_what_networks_share():
    rng = np.random.default_rng(1)
    shared = rng.normal(size=2000)
    first = means([shared + 0.01, shared + 0.02])
    second = means([shared, shared + 0.01])
    drawn = bootstrap.resampled({"a": first, "b": second}, 2000, 4)
    low, high = bootstrap.difference(drawn["a"], drawn["b"])
    assert low == pytest.approx(0.01)
    assert high == pytest.approx(0.01)
    alone = bootstrap.interval(bootstrap.mean_draws(drawn["a"]))
    assert alone.high - alone.low > 0.05  # each alone is far less certain


def test_more_rows_take_fewer_draws():
    assert bootstrap.draws_for(500, 18) == bootstrap.DRAWS
    assert bootstrap.draws_for(10_000_000, 18) == bootstrap.FEWEST_DRAWS


def test_fewer_rows_a_draw_give_the_interval_of_all_rows(monkeypatch):
    """Of AUROC and average precision of a tenth of positives, against the whole bootstrap of the same outputs."""
    rows = 8000
    rng = np.random.default_rng(0)
    targets = (rng.random(rows) < 0.1).astype(int)
    logits = np.column_stack((np.zeros(rows), 1.2 * targets + rng.normal(size=rows) - 2))
    for metric in (auroc, average_precision):

        def score(chosen, metric=metric):
            return [metric(logits[chosen], targets[chosen])]

        whole = bootstrap.resampled({"a": score}, rows, 1)["a"]
        assert bootstrap.rows_for(rows, 1) == rows
        with monkeypatch.context() as patch:
            patch.setattr(bootstrap, "WORK", 200 * 1000)
            assert bootstrap.rows_for(rows, 1, 0.1) == 1000
            fewer = bootstrap.resampled({"a": score}, rows, 1)["a"]
        assert len(fewer) == bootstrap.FEWEST_DRAWS
        assert fewer.std() == pytest.approx(whole.std(), rel=0.2)
        (low, high), (first, last) = bootstrap.interval(fewer[:, 0]), bootstrap.interval(whole[:, 0])
        assert abs(low - first) < 0.25 * (last - first)
        assert abs(high - last) < 0.25 * (last - first)


def test_draws_take_seconds_however_many_rows_there_are():
    for rows in (500, 10_000, 100_000, 1_000_000):
        work = bootstrap.rows_for(rows, 18) * bootstrap.draws_for(rows, 18) * 18
        assert work <= bootstrap.WORK
    assert bootstrap.rows_for(500, 18) == 500
    assert bootstrap.rows_for(100_000, 18, 0.001) == 30_000  # for the sake of rare classes up to four times as many
    assert bootstrap.rows_for(1_000_000, 18, 1e-6) == 4 * bootstrap.rows_for(1_000_000, 18)


def test_a_deadline_leaves_fewer_draws():
    values = np.random.default_rng(0).normal(size=(2, 300))
    hurried = bootstrap.resampled({"a": means(values)}, 300, 2, deadline=time.monotonic())["a"]
    assert hurried.shape == (bootstrap.HURRIED_DRAWS, 2)
    calm = bootstrap.resampled({"a": means(values)}, 300, 2, deadline=time.monotonic() + 600)["a"]
    assert np.array_equal(calm[: len(hurried)], hurried)
