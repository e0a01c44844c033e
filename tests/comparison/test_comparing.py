"""Whole comparisons: seeds, processes, resuming, rows and curves."""

from __future__ import annotations

import random
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest

from nasturtium.benchmarks import Benchmark, DecisionRows, Metric
from nasturtium.cli.options import read_strategy_options
from nasturtium.comparison import Subject, compare
from nasturtium.errors import NasturtiumError
from nasturtium.strategies import LocalSearch
from tests.comparison.tables import every, space, table

COLUMNS = ["benchmark", "dataset", "strategy", "run", "n", "validation", "test"]


def same(first, second) -> bool:
    return list(first.rows()) == list(second.rows())


def test_rows_as_promised() -> None:
    found = compare(table(), ["random", "evolution"], 12, 3, workers=1)
    rows = list(found.rows())
    assert all(list(row) == COLUMNS for row in rows)
    assert [row["n"] for row in rows[:12]] == list(range(1, 13))
    assert len(rows) == 2 * 3 * 12
    assert {(row["benchmark"], row["dataset"]) for row in rows} == {("small", "data")}
    for row in rows:
        assert row["test"] == row["validation"] - 0.5
    last = [row["test"] for row in rows if row["strategy"] == "evolution" and row["n"] == 12]
    curve = found.curve(0, "evolution")
    assert curve.mean[-1] == pytest.approx(np.mean(last))
    assert curve.error[-1] == pytest.approx(np.std(last, ddof=1) / np.sqrt(3))
    assert curve.regret[-1] == pytest.approx(44.5 - np.mean(last))
    assert np.quantile(last, 0.5) == pytest.approx(curve.quantiles[2, -1])


def test_incumbents_never_get_worse_by_what_was_seen() -> None:
    values = compare(table(), ["evolution"], 60, 5, workers=1).values(0, "evolution", "validation")
    assert (np.diff(values, axis=1) >= 0).all()
    assert (values[:, -1] > values[:, 0]).all()


def test_common_random_numbers() -> None:
    found = compare(table(), ["random", "evolution", "local_search"], 10, 4, workers=1, seed=3)
    first = found.values(0, "random")  # these strategies all begin with ten random architectures
    for name in ("evolution", "local_search"):
        assert np.array_equal(found.values(0, name), first)
    assert len(np.unique(first[:, 0])) > 1
    assert not np.array_equal(compare(table(), ["random"], 10, 4, workers=1, seed=4).values(0, 0), first)


def test_noise_is_common_too() -> None:
    found = compare(table(seeds=3), ["random", "evolution"], 10, 4, workers=1, noise=True)
    assert np.array_equal(found.values(0, "random", "signal"), found.values(0, "evolution", "signal"))
    plain = compare(table(seeds=3), ["random"], 10, 4, workers=1)
    assert not np.array_equal(found.values(0, "random", "signal"), plain.values(0, "random", "signal"))


def test_processes_change_nothing() -> None:
    one = compare(table(), ["random", LocalSearch], 20, 6, workers=1)
    two = compare(table(), ["random", LocalSearch], 20, 6, workers=2)
    assert same(one, two)
    assert one.names == ["random", "LocalSearch"]


def test_simulated_time() -> None:
    found = compare(table(), ["random"], None, 3, seconds=200, workers=1)
    rows = list(found.rows())
    assert all(list(row) == [*COLUMNS, "seconds"] for row in rows)
    assert max(row["seconds"] for row in rows) == 200
    assert found.at[-1] == 200
    last = [row["test"] for row in rows if row["seconds"] == 200]
    assert found.curve(0, 0).mean[-1] == pytest.approx(np.mean(last))
    for track in found.tracks[0, 0]:
        assert 200 / 13 - 1 <= track.asked <= 20


def test_the_regret_of_the_signal_is_behind_the_best_at_its_epoch() -> None:
    tabled = table(epochs=(10, 40))  # after 10 epochs everybody has a quarter of the end
    found = compare(tabled, ["evolution"], 150, 3, workers=1, epoch=10)
    curve = found.curve(0, 0, "signal")
    assert tabled.optimum("val_accuracy", 10) == 45 / 4
    np.testing.assert_allclose(curve.regret, 45 / 4 - curve.mean)
    assert found.curve(0, 0, "validation").regret[-1] == pytest.approx(45 - 4 * curve.mean[-1])
    noisy = compare(table(seeds=3), ["random"], 10, 2, workers=1, noise=True)
    assert np.isnan(noisy.curve(0, 0, "signal").regret).all()
    assert np.isfinite(noisy.curve(0, 0, "validation").regret).all()


def test_regret_has_a_sign_where_less_is_better() -> None:
    plain = table()
    metrics = [replace(each, maximise=False) for each in plain.metrics.values()]
    held = Benchmark(
        plain.name, plain.dataset, plain.space, plain.rows, metrics, {name: plain.held(name) for name in plain.metrics},
        signal=plain.signal, verdict=plain.verdict,
    )  # fmt: skip
    found = compare(held, ["random"], 20, 2, workers=1)
    curve = found.curve(0, 0)
    np.testing.assert_allclose(curve.regret, curve.mean - held.optimum())
    found.facts[0]["optimum"] = 20.0  # what is found in the end is better than that
    np.testing.assert_allclose(found.curve(0, 0).regret, curve.mean - 20.0)
    assert found.curve(0, 0).regret[-1] < 0


def test_ranking_blocks() -> None:
    subjects = [Subject("small", f"copy {n}", held=table()) for n in range(4)]
    found = compare(subjects, ["random", "evolution", "local_search"], 60, 4, workers=1)
    ranks = found.ranking()
    assert ranks is not None
    assert (ranks.blocks, ranks.over) == (4, "benchmarks")
    assert ranks.names[-1] == "random"
    alone = compare(table(), ["random", "evolution"], 60, 8, workers=1).ranking()
    assert alone is not None
    assert (alone.blocks, alone.over) == (8, "runs")
    assert compare(table(), ["random"], 5, 2, workers=1).ranking() is None


def test_several_budgets_follow_the_epochs() -> None:
    found = compare(table(epochs=(10, 40)), ["hyperband", "random"], 20, 4, workers=1)
    for track in found.tracks[0, 0]:
        assert track.asked > 20  # most are asked for a quarter of a query
        assert track.spent <= 20
    flat = compare(table(), ["hyperband", "random"], 20, 4, workers=1)  # without epochs it is random search
    assert np.array_equal(flat.values(0, "hyperband"), flat.values(0, "random"))


def test_options_and_labels() -> None:
    options = read_strategy_options(["big.population=40", "big.survival=worst", "random.uniform=true"])
    assert options == {"big": {"population": 40, "survival": "worst"}, "random": {"uniform": True}}
    found = compare(table(), ["evolution", "big=evolution", "random"], 15, 1, workers=1, options=options)
    assert found.names == ["evolution", "big", "random"]
    with pytest.raises(NasturtiumError, match=r"strategy\.name=value"):
        read_strategy_options(["population=3"])
    with pytest.raises(NasturtiumError, match="no option 'populatoin'"):
        compare(table(), ["evolution"], 5, 1, workers=1, options={"evolution": {"populatoin": 3}})
    with pytest.raises(NasturtiumError, match="takes no part"):
        compare(table(), ["evolution"], 5, 1, workers=1, options={"evolutoin": {}})
    with pytest.raises(NasturtiumError, match="given twice"):
        compare(table(), ["evolution", "evolution"], 5, 1, workers=1)
    with pytest.raises(NasturtiumError, match="did you mean 'evolution'"):
        compare(table(), ["evolutoin"], 5, 1, workers=1)


def test_importing_the_comparison_brings_nothing_heavy() -> None:
    """Importing a space of NASLib brings torchvision, skimage, tensorwatch and more."""
    heavy = ("torch", "sklearn", "polars", "plotly", "networkx")
    for room in ("comparison", "benchmarks", "strategies"):
        code = f"import sys, nasturtium.{room}; print([name for name in {heavy} if name in sys.modules])"
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
        assert done.stdout.strip() == "[]", room


@pytest.mark.parametrize("strategy", ["reinforce", "mcts", "genetic_cnn", "ppo"])
def test_no_global_generator_is_read_or_changed(strategy: str) -> None:
    """The optimizers of NASLib draw from numpy's global generator."""
    finals = []
    for seed in (1, 2):
        np.random.seed(seed)
        random.seed(seed)
        before = (np.random.get_state()[1].copy(), random.getstate())
        finals.append(compare(table(), [strategy], 30, 1, workers=1).values(0, 0, "test"))
        np.testing.assert_array_equal(before[0], np.random.get_state()[1])
        assert random.getstate() == before[1]
    np.testing.assert_array_equal(*finals)


def test_validation_decides_and_test_is_reported() -> None:
    """NASLib reads one and the same column for both; here the best by the one is the worst by the other."""
    values = np.arange(len(every()), dtype=float)
    metrics = [Metric("val_accuracy", "Rises.", "validation"), Metric("test_accuracy", "Falls.", "test")]
    columns = {"val_accuracy": values, "test_accuracy": -values}
    held = Benchmark(
        "small",
        "data",
        space(),
        DecisionRows(every()),
        metrics,
        columns,
        signal="val_accuracy",
        verdict="test_accuracy",
    )
    found = compare(held, ["random"], len(values), 1, workers=1)
    assert found.values(0, 0, "validation")[0, -1] == values[-1]
    assert found.values(0, 0, "test")[0, -1] == -values[-1]
    assert np.all(np.diff(found.values(0, 0, "test")[0]) <= 0)
