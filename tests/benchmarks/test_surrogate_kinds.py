"""Surrogates of boosted trees and Gaussian processes, and noise bounded by trainings that were made twice."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from nasturtium import benchmarks
from nasturtium.benchmarks import Benchmark, BenchmarkError, DecisionRows, Metric, forest, process
from nasturtium.benchmarks.noise import fit_spread, noise_bounds, smallest
from nasturtium.spaces import nasbench_macro
from tests.benchmarks.data import table

NOISE = 0.5


def example(count: int = 200) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    rows = rng.integers(0, 3, (count, 8)).astype(np.float32)
    return rows, rows[:, 0] * rows[:, 1] + rows[:, 2] + 0.1 * rng.normal(size=count)


def trained(seed: int, count: int = 300) -> Benchmark:
    """One noisy training of each of the same networks."""
    space, drawn, rng = nasbench_macro(), np.random.default_rng(0), np.random.default_rng((seed, 1))
    decisions = list(dict.fromkeys(tuple(int(n) for n in drawn.integers(0, 3, 8)) for _ in range(count)))
    scores = np.array(decisions) @ np.array([4.0, 3.0, 2.0, 1.0, 1.0, 1.0, 1.0, 1.0])
    metric = Metric("val_accuracy", "Score.", "validation")
    held = {"val_accuracy": scores + rng.normal(scale=NOISE, size=len(decisions))}
    return Benchmark(
        "additive", "", space, DecisionRows(decisions), [metric], held, signal="val_accuracy", verdict="val_accuracy"
    )


def test_boosted_trees_predict_what_scikit_learn_predicts() -> None:
    from nasturtium.predictors.boosting import Bagged

    rows, targets = example()
    made, unseen = forest.fit_boosted(rows, targets, 20, 3)
    theirs = Bagged(trees=20, seed=3)
    theirs.fit(rows, targets)
    for row in rows[:30]:
        assert np.allclose(made.predict(row), [model.predict(row[None])[0] for model in theirs.models])
    assert np.corrcoef(unseen[np.isfinite(unseen)], targets[np.isfinite(unseen)])[0, 1] > 0.9


def test_a_process_predicts_what_scikit_learn_predicts() -> None:
    from sklearn.gaussian_process import GaussianProcessRegressor
    from sklearn.gaussian_process.kernels import ConstantKernel, Matern, WhiteKernel

    rows, targets = example(80)
    made, unseen = process.fit(rows, targets, 0, 0)
    within = 1 / (made.half[0, 0] ** 2) - made.variance[0]  # the first entry of the Cholesky factor is a root
    kernel = ConstantKernel(made.variance[0]) * Matern(made.scale[0], nu=2.5) + WhiteKernel(within)
    theirs = GaussianProcessRegressor(kernel, optimizer=None)
    mean, unit = targets.mean(), targets.std()
    theirs.fit(rows, (targets - mean) / unit)
    asked = example(200)[0][80:100]
    expected, spread = theirs.predict(asked, return_std=True)
    found = np.array([made.predict(row) for row in asked])
    assert np.allclose(found.mean(1), mean + unit * expected, atol=1e-6)
    assert np.allclose([made.mean(row) for row in asked], found.mean(1), rtol=1e-13)
    assert np.allclose(found.std(1), unit * np.sqrt(spread**2 - within), atol=1e-5)
    others = np.arange(80) != 7
    theirs.fit(rows[others], (targets[others] - mean) / unit)
    assert unseen[7] == pytest.approx(mean + unit * theirs.predict(rows[7:8])[0], abs=1e-6)


def test_a_spread_that_depends_on_the_value_is_found() -> None:
    rng = np.random.default_rng(0)
    values = rng.uniform(0, 2, 4000)
    found = fit_spread(values, 0.3 + 0.1 * values + np.exp(-1 - values) * rng.normal(size=4000))
    assert [found.of(v) for v in (0.2, 1.8)] == pytest.approx([np.exp(-1.2), np.exp(-2.8)], rel=0.1)
    assert found.of(9.0) == found.of(float(values.max()))


def test_noise_is_at_most_what_each_of_two_sources_says() -> None:
    rng = np.random.default_rng(0)
    truth = rng.uniform(size=2000)
    first, second = (truth + 0.1 * rng.normal(size=2000) for _ in range(2))
    second[500:] = np.nan
    poor, good = truth + 0.3 * rng.normal(size=2000), truth
    assert smallest(noise_bounds(poor, first, second), 0.5) == pytest.approx(0.1, rel=0.1)
    other = second + 0.5 * rng.normal(size=2000)  # trained under other conditions
    assert smallest(noise_bounds(good, first, other), 0.5) == pytest.approx(0.1, rel=0.1)


@pytest.mark.parametrize("kind", ["boosted", "process"])
def test_kinds_are_fitted_asked_and_kept(kind: str, tmp_path: Path) -> None:
    fitted = benchmarks.fit_surrogate(trained(0), kind=kind, again=trained(1))
    quality = fitted.quality["val_accuracy"]
    assert quality["spearman"] > 0.9
    assert quality["noise"] == pytest.approx(NOISE, rel=0.2)  # what was put in
    again = benchmarks.load_surrogate(fitted.save(tmp_path / "mine"), nasbench_macro())
    rng = np.random.default_rng(1)
    for _ in range(5):
        a = again.space.sample(rng)
        assert again.query(a) == fitted.query(a)
        assert again.query(a, seed=3) == fitted.query(a, seed=3) != fitted.query(a)
        assert fitted.spread(a) > 0
    assert kind in str(fitted.facts["kind"])


def test_what_is_wrong_is_said() -> None:
    with pytest.raises(BenchmarkError, match="no surrogate of kind 'boost'; did you mean 'boosted'"):
        benchmarks.fit_surrogate(trained(0), kind="boost")
    with pytest.raises(BenchmarkError, match="its noise needs 20"):
        benchmarks.fit_surrogate(trained(0), again=trained(1, count=10))


@pytest.mark.parametrize(("data", "rank", "noise"), [("ABank", 0.8, 0.0037), ("RBchurn", 0.67, 0.0062)])
def test_surrogates_of_event_sequences(data: str, rank: float, noise: float) -> None:
    rows, again = (table("event_sequences", f"{search}/{data}") for search in ("random_sampling", "seqnas"))
    for kind in ("boosted", "process"):
        fitted = benchmarks.fit_surrogate(rows, kind=kind, again=again)
        assert fitted.quality["val_auc"]["spearman"] > rank
        assert fitted.quality["val_auc"]["noise"] == pytest.approx(noise, rel=0.1)
        assert np.isfinite(fitted.query(fitted.space.sample(np.random.default_rng(0)), seed=0))
