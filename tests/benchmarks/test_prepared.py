"""The prepared tables of the other benchmarks: published sizes, best networks, and agreement between tables."""

from __future__ import annotations

import numpy as np
import pytest

from nasturtium import benchmarks
from nasturtium.benchmarks import Benchmark
from nasturtium.spaces.nasbench_graph import published_parameters
from nasturtium.spaces.nasbench_macro import published_flops
from tests.benchmarks.data import folder, table

SIZES = [
    ("transnas_micro", "jigsaw", 4_096, True),
    ("transnas_macro", "jigsaw", 3_256, True),
    ("nasbench_macro", "cifar10", 6_561, True),
    ("nasbench_mr", "cls-50-1000", 2_507, False),
    ("nasbench_mr", "seg", 2_507, False),
    ("nasbench_graph", "cora", 26_206, True),
    ("nasbench_graph", "proteins", 2_021, False),
    ("event_sequences", "random_sampling/ABank", 400, False),
    ("event_sequences", "seqnas/TaoBao", 397, False),
    ("nasbench_nlp", "wikitext-2", 265, False),
    ("hw_nas_bench_201", "cifar10", 15_625, True),
    ("hw_nas_bench_fbnet", "sampled", 5_000, False),
    ("nasbench101", "4V9E", 91, False),
    ("nasbench101", "5V9E", 700, False),
    ("suite_zero", "transbench101_macro/class_scene", 3_256, True),
    ("suite_zero", "nasbench301/ninapro", 199, False),
]


@pytest.mark.parametrize(("name", "dataset", "rows", "complete"), SIZES)
def test_sizes_and_round_trip(name: str, dataset: str, rows: int, complete: bool) -> None:
    bench = table(name, dataset)
    assert len(bench) == rows
    assert bench.complete == complete
    rng = np.random.default_rng(0)
    values = bench.column(bench.signal)
    for row in rng.choice(rows, 20, replace=False):
        a = bench.architectures()[int(row)]
        again = bench.space.from_notation(bench.space.to_notation(a))
        found = bench.row(again)
        assert found == row or bench.rows.decisions(found) == a.decisions
        if np.isfinite(values[row]):
            assert bench.query(again) == values[found]


@pytest.mark.parametrize(("name", "dataset"), [each[:2] for each in SIZES])
def test_every_metric_says_what_it_is(name: str, dataset: str) -> None:
    bench = table(name, dataset)
    for metric in bench.metrics.values():
        assert metric.meaning.endswith(".")
        if metric.name.startswith("val_"):
            assert metric.split == "validation"
        if metric.name.startswith("test_"):
            assert metric.split == "test"
        column = bench.column(metric.name)
        assert column.shape == (len(bench),)
        assert np.isfinite(column).any()


def test_best_networks_of_transnas() -> None:
    assert round(table("transnas_micro", "class_scene").optimum(), 2) == 54.94
    assert round(table("transnas_micro", "jigsaw").optimum(), 2) == 95.37


def test_transnas_cells_without_a_path_all_score_the_same() -> None:
    """With none on all edges to the last node nothing reaches the head."""
    bench = table("transnas_micro", "class_object")
    space = bench.space
    scores = {bench.query(space.from_notation(f"{front}000")) for front in ("000", "123", "333", "102")}
    assert len(scores) == 1


def test_best_network_of_macro_and_its_costs() -> None:
    bench = table("nasbench_macro", "cifar10")
    best = bench.best()
    assert bench.space.to_notation(best) == "22212220"
    assert round(bench.optimum(), 2) == 93.13
    assert bench.query(best, "params") == best.count()["params"]
    assert bench.query(best, "flops") == published_flops(best)
    assert {bench.query(best, seed=run) for run in (0, 1, 2)} == set(bench.runs()[bench.row(best)])


def test_costs_of_multi_resolution_networks() -> None:
    bench = table("nasbench_mr", "seg")
    smallest = bench.space.member("smallest of the table")
    assert bench.query(smallest, "params") == pytest.approx(0.082658)
    assert (bench.signal, bench.metrics[bench.signal].unit) == ("val_miou", "%")


def test_graph_networks_are_found_however_they_are_written() -> None:
    bench = table("nasbench_graph", "cora")
    first = bench.space.from_notation("Arch([0, 1, 2, 1], ['gcn', 'gin', 'fc', 'cheb'])")
    second = bench.space.from_notation("Arch([0, 1, 1, 3], ['gcn', 'cheb', 'gin', 'fc'])")
    assert bench.query(first) == bench.query(second)
    assert bench.query(first, "params") == pytest.approx(published_parameters(first) / 1e6, rel=1e-3)
    rng = np.random.default_rng(0)
    assert all(bench.space.sample(rng) in bench for _ in range(200))


def test_the_package_holds_the_same_graph_table() -> None:
    package = pytest.importorskip("nas_bench_graph")
    held = package.light_read("citeseer")
    ours = benchmarks.load("nasbench_graph", "citeseer")
    arch = package.Arch([0, 0, 1, 3], ["fc", "gin", "gat", "graph"])
    a = ours.space.from_notation("Arch([0, 0, 1, 3], ['fc', 'gin', 'gat', 'graph'])")
    assert ours.query(a, "test_accuracy") == pytest.approx(float(held[arch.valid_hash()]["perf"]))
    prepared = table("nasbench_graph", "citeseer")
    assert prepared.query(a, "val_accuracy") == pytest.approx(ours.query(a, "val_accuracy"), abs=1e-6)


def test_event_sequences_have_the_members_of_the_space() -> None:
    bench = table("event_sequences", "random_sampling/RBchurn")
    best = bench.space.member("RBchurn")
    assert bench.query(best) == bench.optimum() == pytest.approx(0.8614, abs=5e-5)
    taobao = table("event_sequences", "seqnas/TaoBao")
    assert taobao.query(taobao.space.member("TaoBao")) == pytest.approx(0.7148, abs=5e-5)


def test_curves_of_recurrent_cells() -> None:
    bench = table("nasbench_nlp", "wikitext-2")
    assert bench.metrics["val_loss"].epochs == tuple(range(1, 51))
    lstm = bench.space.member("lstm_published")
    curve = [bench.query(lstm, "val_loss", epoch) for epoch in (1, 10, 50)]
    assert curve[0] > curve[1] > curve[2]
    assert 80 < np.exp(curve[-1]) < 200  # perplexity
    seconds = [bench.query(lstm, "train_seconds", epoch) for epoch in (1, 2, 50)]
    assert seconds[0] < seconds[1] < seconds[2]


def test_latencies_join_accuracies() -> None:
    accuracy, latency = table("nasbench201", "cifar10"), table("hw_nas_bench_201", "cifar10")
    both = benchmarks.join(accuracy, latency, ["latency_raspi4", "latency_edgegpu"])
    first = both.architectures()[0]
    assert both.query(first, "latency_raspi4") == pytest.approx(10.481976, abs=1e-5)  # HW-NAS-Bench's own example
    assert both.query(first, "test_accuracy") == accuracy.query(first, "test_accuracy")
    assert np.isfinite(both.column("latency_edgegpu")).sum() == 1_999
    assert both.column("latency_raspi4").argmax() == latency.column("latency_raspi4").argmax()


def test_oneproxy_rows_stand_at_their_networks() -> None:
    """The one-hot codes of OneProxy name the networks whose Raspberry Pi latency is the same in both tables."""
    import json

    import polars

    bench = table("hw_nas_bench_201", "cifar10")
    frame = polars.read_parquet(folder("hw_nas_bench_201") / "latency_oneproxy_1999.parquet").head(300)
    for code, value in zip(frame["encode"].to_list(), frame["rice_raspi4"].to_list(), strict=True):
        bits = json.loads(code)
        decisions = tuple(bits[5 * edge : 5 * edge + 5].index(1) for edge in range(6))
        assert bench.at(bench.index(decisions), "latency_raspi4") == pytest.approx(value, rel=1e-5)


def test_energy_of_small_graphs() -> None:
    bench = table("nasbench101", "4V9E")
    assert bench.metrics["val_accuracy"].epochs == (4, 12, 36, 108)
    assert round(bench.optimum("test_accuracy"), 4) == 0.9335
    assert bench.seeds == (1, 2, 3)
    assert np.isfinite(bench.runs("val_accuracy", 4)).all()
    a = bench.best()
    assert bench.query(a, "params") == a.count()["params"]
    energies = [bench.query(a, "energy", epoch) for epoch in (4, 12, 36, 108)]
    assert energies == sorted(energies)


@pytest.mark.parametrize(("kind", "task"), [("micro", "class_scene"), ("macro", "jigsaw")])
def test_suite_zero_knows_the_networks_of_transnas(kind: str, task: str) -> None:
    zero, whole = table("suite_zero", f"transbench101_{kind}/{task}"), table(f"transnas_{kind}", task)
    places = [whole.index(zero.rows.decisions(row)) for row in range(len(zero))]
    assert (zero.column("val_accuracy") == whole.column("val_accuracy")[places]).all()


def _correlation(bench: Benchmark, proxy: str, metric: str) -> float:
    from scipy.stats import spearmanr

    held = bench.column(proxy)
    known = np.isfinite(held)
    return float(spearmanr(held[known], bench.column(metric)[known])[0])


def test_suite_zero_knows_the_networks_of_nasbench201() -> None:
    zero, whole = table("suite_zero", "nasbench201/cifar10"), table("nasbench201", "cifar10")
    places = [whole.index(zero.rows.decisions(row)) for row in range(len(zero))]
    assert (zero.column("naslib_accuracy") == whole.column("naslib_accuracy")[places]).all()
    known = np.isfinite(zero.column("params"))
    assert known.sum() > 700
    assert (zero.column("params") == whole.column("params")[places])[known].all()
    assert zero.signal == "val_accuracy"
    assert (zero.column("val_accuracy") == whole.column("val_accuracy")[places]).all()
    assert _correlation(zero, "synflow", "test_accuracy") > 0.7  # published 0.73 to 0.78
    assert _correlation(zero, "nwot", "test_accuracy") > 0.7
    assert zero.column("epe_nas")[np.isfinite(zero.column("epe_nas"))].min() > -1e7  # NASLib's -1e8 is left out


def test_suite_zero_without_accuracy_has_a_proxy_as_signal() -> None:
    bench = table("suite_zero", "nasbench101/cifar10")
    assert (bench.signal, bench.metrics["zen"].split) == ("zen", "proxy")
    assert len(bench) == 10_250


@pytest.mark.parametrize(
    ("name", "dataset"),
    [
        ("nasbench201", "cifar10"),
        ("nasbench_graph", "cora"),
        ("nasbench101", "4V9E"),
        ("event_sequences", "seqnas/AGE"),
    ],
)
def test_a_benchmark_travels_to_other_processes(name: str, dataset: str) -> None:
    import pickle

    bench = table(name, dataset)
    again = pickle.loads(pickle.dumps(bench))  # noqa: S301 - made in this line
    a = again.architectures()[3]
    assert again.query(a) == bench.query(bench.space.architecture(a.decisions))
