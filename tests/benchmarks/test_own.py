"""A benchmark of one's own from a table, and surrogates fitted to tables."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars
import pytest

from nasturtium import Space, benchmarks, choice
from nasturtium.benchmarks import Benchmark, BenchmarkError, DecisionRows, Metric, NotInTable
from nasturtium.benchmarks import forest as forests
from nasturtium.layers import Linear, ReLU, Sequential
from nasturtium.spaces import nasbench_macro
from tests.benchmarks.data import table

OWN = Space(Sequential(Linear(choice(8, 16)), ReLU(), Linear(2)), input=(4,), name="own")


@pytest.mark.parametrize("suffix", ["csv", "parquet"])
def test_from_a_table_with_text(suffix: str, tmp_path: Path) -> None:
    a, b = OWN.enumerate()
    frame = polars.DataFrame({"net": [str(a), str(b), str(a)], "valid": [0.5, 0.7, 0.6], "seconds": [1.0, 2.0, 3.0]})
    file = tmp_path / f"mine.{suffix}"
    frame.write_csv(file) if suffix == "csv" else frame.write_parquet(file)
    metrics = {"valid": Metric("val_accuracy", "Accuracy.", "validation"), "seconds": "cost"}
    bench = benchmarks.from_table(file, OWN, metrics, column="net", cost="seconds")
    assert len(bench) == 2
    assert bench.complete
    assert bench.query(a) == pytest.approx(0.55)
    assert bench.query(a, seed=1) == 0.6
    assert bench.query(b, "seconds") == 2.0
    assert (bench.signal, bench.verdict, bench.cost) == ("val_accuracy", "val_accuracy", "seconds")
    assert not bench.metrics["seconds"].maximise


def test_a_join_pairs_architectures_and_not_decisions() -> None:
    """Linear(16) is the first option of the one space and no option of the other; Linear(32) is in both."""
    score, latency, other = measured((16, 32), "score"), measured((32, 64), "latency"), measured((1, 2), "energy")
    both = benchmarks.join(score, latency)
    assert str(both.architectures()[1]) == str(latency.architectures()[0])
    np.testing.assert_array_equal(both.column("latency"), [np.nan, 32.0])
    np.testing.assert_array_equal(benchmarks.join(latency, score).column("score"), [32.0, np.nan])
    with pytest.raises(BenchmarkError, match="no architecture"):
        benchmarks.join(score, other)


def measured(widths: tuple[int, int], name: str) -> Benchmark:
    """A table of two networks with one number, their width."""
    space = Space(Sequential(Linear(choice(*widths))), input=(4,), name="net")
    columns = {name: np.array(widths, dtype=float)}
    rows, metric = DecisionRows([(0,), (1,)]), Metric(name, "The width.", "cost")
    return Benchmark("net", "", space, rows, [metric], columns, signal=name, verdict=name)


def test_codes_of_digits_keep_their_zeros(tmp_path: Path) -> None:
    (tmp_path / "x.csv").write_text("architecture,v\n22212220,1.0\n00000000,2.0\n")
    space = nasbench_macro()
    bench = benchmarks.from_table(tmp_path / "x.csv", space, {"v": "validation"})
    assert bench.query(space.from_notation("00000000")) == 2.0


def test_from_a_table_in_notation(tmp_path: Path) -> None:
    polars.DataFrame({"architecture": ["22212220", "00000000"], "v": [1, 2], "t": [3, None]}).write_parquet(
        tmp_path / "x.parquet"
    )
    space = nasbench_macro()
    bench = benchmarks.from_table(tmp_path / "x.parquet", space, {"v": "validation", "t": "test"})
    assert (bench.signal, bench.verdict) == ("v", "t")
    assert bench.query(space.from_notation("22212220"), "t") == 3.0
    with pytest.raises(NotInTable):
        bench.query(space.from_notation("00000000"), "t")


def test_what_is_wrong_with_a_table_is_said(tmp_path: Path) -> None:
    file = tmp_path / "x.csv"
    file.write_text("architecture,v\n22212220,1.0\n222122,2.0\n")
    space = nasbench_macro()
    with pytest.raises(BenchmarkError, match=r"row 2 of .*x\.csv holds no architecture of 'nasbench_macro'"):
        benchmarks.from_table(file, space, {"v": "validation"})
    with pytest.raises(BenchmarkError, match="no column 'w'"):
        benchmarks.from_table(file, space, {"w": "validation"})
    with pytest.raises(BenchmarkError, match="has the split 'valid'"):
        benchmarks.from_table(file, space, {"v": "valid"})
    file.write_text("architecture,v\n22212220,1.0\n")
    with pytest.raises(BenchmarkError, match="say which one a search may see"):
        benchmarks.from_table(file, space, {"v": "test"})


def test_forests_predict_what_scikit_learn_predicts() -> None:
    from sklearn.ensemble import RandomForestRegressor

    rng = np.random.default_rng(0)
    rows = rng.integers(0, 3, (200, 8)).astype(np.float32)
    targets = rows[:, 0] * rows[:, 1] + rng.normal(size=200)
    made, unseen = forests.fit(rows, targets, 20, 3)
    theirs = RandomForestRegressor(20, max_features=1 / 3, oob_score=True, random_state=3).fit(rows, targets)
    for row in rows[:30]:
        expected = [tree.predict(row[None])[0] for tree in theirs.estimators_]
        assert np.allclose(made.predict(row), expected)
    known = np.isfinite(unseen)
    assert np.allclose(unseen[known], theirs.oob_prediction_[known])


def additive(count: int) -> benchmarks.Benchmark:
    """A table on NAS-Bench-Macro whose score is additive, with three noisy runs of each network."""
    space, rng = nasbench_macro(), np.random.default_rng(0)
    decisions = [tuple(int(n) for n in rng.integers(0, 3, 8)) for _ in range(count)]
    weights = np.array([4.0, 3.0, 2.0, 1.0, 1.0, 1.0, 1.0, 1.0])
    scores = np.array(decisions) @ weights
    runs = scores[:, None] + rng.normal(scale=0.5, size=(count, 3))
    metric = Metric("val_accuracy", "Score.", "validation", repeats="seeds")
    rows = benchmarks.DecisionRows(decisions)
    return benchmarks.Benchmark(
        "additive", "", space, rows, [metric], {"val_accuracy": runs}, signal="val_accuracy", verdict="val_accuracy",
        seeds=(0, 1, 2),
    )  # fmt: skip


def test_a_surrogate_answers_for_the_whole_space(tmp_path: Path) -> None:
    fitted = benchmarks.fit_surrogate(additive(600), trees=50)
    quality = fitted.quality["val_accuracy"]
    assert quality["spearman"] > 0.9
    assert quality["noise"] == pytest.approx(0.5, rel=0.1)  # what was put in
    low, high = (fitted.space.from_notation(text) for text in ("00000000", "22222222"))
    assert fitted.query(high) - fitted.query(low) > 12
    assert fitted.complete
    assert fitted.grows
    with pytest.raises(NotInTable, match="is not known"):
        fitted.optimum()


def test_noise_of_a_surrogate_is_drawn_by_seed() -> None:
    fitted = benchmarks.fit_surrogate(additive(300), trees=20)
    a = fitted.space.from_notation("01201201")
    draws = np.array([fitted.query(a, seed=seed) for seed in range(400)])
    assert fitted.query(a, seed=7) == draws[7]
    assert draws.std() == pytest.approx(fitted.quality["val_accuracy"]["noise"], rel=0.15)
    assert draws.mean() == pytest.approx(fitted.query(a), abs=0.1)
    assert fitted.spread(a) > 0


def test_a_surrogate_is_kept_without_pickle(tmp_path: Path) -> None:
    fitted = benchmarks.fit_surrogate(additive(200), trees=10)
    file = fitted.save(tmp_path / "mine")
    again = benchmarks.load_surrogate(file, nasbench_macro())
    rng = np.random.default_rng(1)
    for _ in range(20):
        a = again.space.sample(rng)
        assert again.query(a) == fitted.query(a)
    assert again.metrics == fitted.metrics
    with np.load(file, allow_pickle=False) as held:
        assert all(held[name].dtype != object for name in held.files)
    with pytest.raises(BenchmarkError, match="fitted for another space"):
        benchmarks.load_surrogate(file, nasbench_macro(outputs=100))
    (tmp_path / "no.npz").write_bytes(b"nothing")
    with pytest.raises(BenchmarkError, match="no surrogate that nasturtium has written"):
        benchmarks.load_surrogate(tmp_path / "no.npz", nasbench_macro())


def test_a_surrogate_travels_to_other_processes() -> None:
    import pickle

    fitted = benchmarks.fit_surrogate(additive(100), trees=5)
    again = pickle.loads(pickle.dumps(fitted))  # noqa: S301 - made in this line
    assert again.query(again.space.architecture([1] * 8), seed=2) == fitted.query(
        fitted.space.architecture([1] * 8), seed=2
    )


def test_a_surrogate_needs_rows() -> None:
    with pytest.raises(BenchmarkError, match="additive has 10 rows; a surrogate needs a table of 20 or more"):
        benchmarks.fit_surrogate(additive(10))
    with pytest.raises(BenchmarkError, match=r"rows=10: .* needs 20 rows or more; additive has 50"):
        benchmarks.fit_surrogate(additive(50), rows=10)
    with pytest.raises(BenchmarkError, match=r"rows=-5: .* needs 20 rows or more"):
        benchmarks.fit_surrogate(additive(50), rows=-5)
    with pytest.raises(BenchmarkError, match="additive is a surrogate itself, without rows to learn from"):
        benchmarks.fit_surrogate(benchmarks.fit_surrogate(additive(50), trees=2))


def test_a_process_is_not_fitted_on_more_rows_than_it_can_hold() -> None:
    with pytest.raises(BenchmarkError, match=r"on 3,000 rows at most, not on 3,001; give rows=3000, or .*forest, boo"):
        benchmarks.fit_surrogate(additive(3_001), kind="process")
    few = benchmarks.fit_surrogate(additive(3_001), kind="process", rows=25)
    assert few.facts["rows"] == 25


def test_published_predictability_of_event_sequences() -> None:
    """A forest ranks unseen networks of the random runs with a Spearman correlation of .7 to .9."""
    bench = table("event_sequences", "random_sampling/ABank")
    fitted = benchmarks.fit_surrogate(bench)
    assert 0.75 < fitted.quality["val_auc"]["spearman"] < 0.92
