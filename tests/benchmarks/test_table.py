"""A benchmark answers for what is in its table, says what is not, and keeps validation and test apart."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from nasturtium import benchmarks
from nasturtium.benchmarks import Benchmark, BenchmarkError, DecisionRows, KeyedRows, Metric, NotInTable, sources
from nasturtium.spaces import nasbench_macro, nats_size

SPACE = nats_size()
WRITTEN = ("8:8:8:8:8", "8:16:24:32:40", "64:64:64:64:64")


def small(**changes: object) -> Benchmark:
    metrics = [
        Metric("val_accuracy", "Validation.", "validation", epochs=(1, 12), repeats="seeds", unit="%"),
        Metric("test_accuracy", "Test.", "test"),
        Metric("train_seconds", "Seconds.", "cost", maximise=False),
    ]
    columns = {
        "val_accuracy": {
            1: np.array([[1.0, 2.0], [3.0, np.nan], [np.nan, np.nan]]),
            12: np.array([[5.0, 6.0], [7.0, 8.0], [9.0, np.nan]]),
        },
        "test_accuracy": np.array([50.0, 70.0, 60.0]),
        "train_seconds": np.array([3.0, 1.0, 2.0]),
    }
    rows = DecisionRows([SPACE.from_notation(text).decisions for text in WRITTEN])
    options = {"signal": "val_accuracy", "verdict": "test_accuracy", "cost": "train_seconds", "seeds": (777, 888)}
    return Benchmark("small", "toy", SPACE, rows, metrics, columns, **{**options, **changes})


def test_query_gives_means_epochs_and_seeds() -> None:
    bench, a = small(), SPACE.from_notation(WRITTEN[0])
    assert bench.query(a) == 5.5
    assert bench.query(a, "val_accuracy", epoch=1) == 1.5
    assert bench.query(a, "val_accuracy", epoch=1, seed=888) == 2.0
    assert bench.query(SPACE.from_notation(WRITTEN[1]), epoch=1) == 3.0  # the mean of the runs there are
    assert bench.query(a, "test_accuracy") == 50.0
    assert len(bench) == 3
    assert a in bench


def test_columns_hold_a_value_for_every_row() -> None:
    bench = small()
    assert bench.column().tolist() == [5.5, 7.5, 9.0]
    assert np.isnan(bench.column("val_accuracy", 1)[2])
    assert bench.at(1, "test_accuracy") == 70.0
    with pytest.raises(ValueError, match="read-only"):
        bench.column()[0] = 1.0


def test_the_arrays_that_a_table_was_made_of_stay_the_callers() -> None:
    values, metric = np.array([1.0, 2.0, 3.0]), Metric("v", "V.", "validation")
    rows = DecisionRows([SPACE.from_notation(text).decisions for text in WRITTEN])
    column = Benchmark("b", "", SPACE, rows, [metric], {"v": values}, signal="v", verdict="v").column()
    with pytest.raises(ValueError, match="read-only"):
        column[0] = 9.0
    values[0] = 5.0
    assert values.tolist() == [5.0, 2.0, 3.0]


def test_optimum_follows_the_direction_of_the_metric() -> None:
    bench = small()
    assert bench.optimum() == 70.0
    assert bench.optimum("train_seconds") == 1.0
    assert SPACE.to_notation(bench.best("train_seconds")) == WRITTEN[1]
    assert bench.optimum("val_accuracy", 1) == 3.0


def test_architectures_are_made_one_by_one() -> None:
    listed = small().architectures()
    assert [SPACE.to_notation(a) for a in listed] == list(WRITTEN)
    assert SPACE.to_notation(listed[-1]) == WRITTEN[-1]
    assert len(listed[1:]) == 2
    with pytest.raises(IndexError):
        listed[3]


def test_what_is_missing_is_named() -> None:
    bench, outside = small(), SPACE.from_notation("16:8:8:8:8")
    assert outside not in bench
    assert bench.index(outside.decisions) is None
    with pytest.raises(NotInTable, match=r"16:8:8:8:8 is not in small \(toy\), which holds 3 architectures"):
        bench.query(outside)
    with pytest.raises(LookupError, match="did you mean 'val_accuracy'"):
        bench.column("val_acuracy")
    with pytest.raises(NotInTable, match="at epochs 1, 12, not at 3"):
        bench.column("val_accuracy", 3)
    with pytest.raises(NotInTable, match="at the end of training alone"):
        bench.column("test_accuracy", 3)
    with pytest.raises(NotInTable, match="no seed 999 of val_accuracy: its seeds are 777, 888"):
        bench.query(bench.architectures()[0], seed=999)
    with pytest.raises(NotInTable, match="holds no val_accuracy of 64:64"):
        bench.query(bench.architectures()[2], epoch=1)


def test_an_architecture_of_another_space_is_found_by_its_notation() -> None:
    other = nats_size((3, 16, 16), 120)
    assert small().query(other.from_notation(WRITTEN[1]), "test_accuracy") == 70.0
    with pytest.raises(NotInTable, match="none of the space 'nats_size'"):
        small().query(nasbench_macro().from_notation("00000000"))


def test_columns_have_to_fit_the_metrics() -> None:
    with pytest.raises(BenchmarkError, match="no metric 'accuracy'"):
        small(signal="accuracy")
    with pytest.raises(BenchmarkError, match="metric 'x': split 'no_split' is none of validation, test"):
        Metric("x", "X.", "no_split")
    with pytest.raises(BenchmarkError, match="metric 'x': repeats 'runs' is none of mean, seeds"):
        Metric("x", "X.", "validation", repeats="runs")
    rows = DecisionRows([(0,) * 5])
    metric = Metric("x", "X.", "validation")
    with pytest.raises(BenchmarkError, match="1 rows"):
        Benchmark("b", "", SPACE, rows, [metric], {"x": np.zeros(2)}, signal="x", verdict="x")


def test_rows_by_key_join_derivations() -> None:
    rows = KeyedRows([3, 5], sum, lambda row: ((3, 0), (5, 0))[row], total=2)
    assert [rows.index(each) for each in ((3, 0), (0, 3), (2, 3), (1, 1))] == [0, 0, 1, None]
    assert rows.decisions(1) == (5, 0)
    assert rows.complete(SPACE)


def test_every_benchmark_says_where_its_table_is_found(tmp_path: object) -> None:
    for name, published in benchmarks.BENCHMARKS.items():
        for dataset in published.datasets:
            with pytest.raises(BenchmarkError, match="holds no file of") as caught:
                benchmarks.load(name, dataset, str(tmp_path))
            assert published.where in str(caught.value)


def test_unknown_names_are_answered_with_known_ones() -> None:
    with pytest.raises(BenchmarkError, match="did you mean 'nasbench201'"):
        benchmarks.load("nasbench-201")
    with pytest.raises(BenchmarkError, match="did you mean 'cifar10'"):
        benchmarks.load("nasbench201", "cifar")
    with pytest.raises(BenchmarkError, match="does not exist"):
        benchmarks.load("nasbench201", data="/no/such/folder")
    with pytest.raises(BenchmarkError, match="the table of nasbench_asr is not here"):
        benchmarks.load("nasbench_asr")


def test_files_are_found_in_the_folder_above_beside_and_by_themselves(tmp_path: Path) -> None:
    file = tmp_path / "tables" / "nas_bench_macro" / "cifar10.parquet"
    file.parent.mkdir(parents=True)
    file.touch()
    for place in (tmp_path, tmp_path / "tables", file.parent, file):
        assert sources.find(place, ["none*", "nas_bench_macro/cifar10.parquet"]) == [file]
    assert sources.find(tmp_path, ["nas_bench_graph/cifar10.parquet"]) == []
    assert sources.find(tmp_path, ["cifar*.parquet", "nas_bench_macro"]) == [file]
