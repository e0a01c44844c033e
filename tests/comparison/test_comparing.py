"""Whole comparisons: seeds, processes, resuming, rows and curves."""

from __future__ import annotations

import itertools
import json
import random
import subprocess
import sys
from functools import partial
from pathlib import Path

import numpy as np
import pytest

from nasturtium.benchmarks import Benchmark, DecisionRows, Metric
from nasturtium.comparison import Contender, Subject, compare
from nasturtium.comparison import pool as pool_room
from nasturtium.comparison.keeping import FILE, Kept
from nasturtium.comparison.plan import read_options
from nasturtium.errors import NasturtiumError, StudyError
from nasturtium.strategies import LocalSearch, RandomSearch
from tests.comparison.tables import every, space, surrogate, table

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


def test_goes_on_where_it_stopped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = compare(table(), ["random", "evolution"], 20, 6, workers=1)
    done: list[int] = []
    simulate = pool_room.Simulation.run

    def counted(self, strategy):
        if len(done) == 7:
            raise KeyboardInterrupt
        done.append(1)
        return simulate(self, strategy)

    monkeypatch.setattr(pool_room.Simulation, "run", counted)
    with pytest.raises(KeyboardInterrupt):
        compare(table(), ["random", "evolution"], 20, 6, workers=1, out=tmp_path)
    kept = len((tmp_path / FILE).read_text().splitlines()) - 1  # a line says what is known of the benchmark
    assert 3 <= kept <= 7
    done.clear()
    monkeypatch.setattr(
        pool_room.Simulation, "run", lambda self, strategy: (done.append(1), simulate(self, strategy))[1]
    )
    assert same(compare(table(), ["random", "evolution"], 20, 6, workers=1, out=tmp_path), whole)
    assert len(done) == 12 - kept
    done.clear()
    assert same(compare(table(), ["random", "evolution"], 20, 6, workers=1, out=tmp_path), whole)
    assert not done
    compare(table(), ["random", "evolution"], 20, 8, workers=1, out=tmp_path)  # two more runs of each
    assert len(done) == 4
    compare(table(), ["random"], 21, 2, workers=1, out=tmp_path)  # another budget: nothing fits
    assert len(done) == 6


def test_a_line_cut_short_is_written_over(tmp_path: Path) -> None:
    whole = compare(table(), ["random"], 20, 4, workers=1, out=tmp_path)
    text = (tmp_path / FILE).read_text()
    (tmp_path / FILE).write_text(text[:-40])
    assert same(compare(table(), ["random"], 20, 4, workers=1, out=tmp_path), whole)
    lines = [json.loads(line) for line in (tmp_path / FILE).read_text().splitlines()]
    assert sorted(line["run"] for line in lines if "run" in line) == [0, 1, 2, 3]


def test_a_damaged_line_costs_its_own_run_alone(tmp_path: Path) -> None:
    whole = compare(table(), ["random"], 20, 4, workers=1, out=tmp_path)
    lines = (tmp_path / FILE).read_text().splitlines(keepends=True)
    lines[2] = "\0" * 20 + lines[2][20:]  # the second run; the first line says what is known of the table
    lines.insert(4, '{"key": "x", "run": 3}\n')
    (tmp_path / FILE).write_text("".join([*lines, lines[-1][:30]]))
    with pytest.warns(UserWarning, match=r"2 damaged lines \(3, 5\)"):
        kept = Kept(tmp_path)
    kept.close()
    assert sorted(run for _, run in kept.runs) == [0, 2, 3]
    assert (tmp_path / FILE).read_text() == "".join(lines)  # what was cut short is gone, all else is there
    (tmp_path / FILE).write_text("".join(["{\n", *lines[1:]]))  # nor is what was known of the table
    with pytest.warns(UserWarning, match="damaged"):
        assert same(compare(table(), ["random"], 20, 4, workers=1, out=tmp_path), whole)


def test_one_at_a_time_in_a_folder(tmp_path: Path) -> None:
    holder = Kept(tmp_path)
    try:
        with pytest.raises(StudyError, match="already"):
            compare(table(), ["random"], 5, 1, workers=1, out=tmp_path)
    finally:
        holder.close()


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
    options = read_options(["big.population=40", "big.survival=worst", "random.uniform=true"])
    assert options == {"big": {"population": 40, "survival": "worst"}, "random": {"uniform": True}}
    found = compare(table(), ["evolution", "big=evolution", "random"], 15, 1, workers=1, options=options)
    assert found.names == ["evolution", "big", "random"]
    with pytest.raises(NasturtiumError, match=r"strategy\.name=value"):
        read_options(["population=3"])
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


def drawing(seed: int):
    """A strategy that draws at random, from a seed of its own."""

    def made(space, **given):
        return RandomSearch(space, **{**given, "seed": seed})

    return made


def test_two_functions_of_one_factory_are_two_strategies(tmp_path: Path) -> None:
    both = [Contender("first", drawing(1)), Contender("second", drawing(2))]
    for out in (None, tmp_path):
        found = compare(table(), both, 10, 3, workers=1, out=out)
        assert not np.array_equal(found.values(0, "first"), found.values(0, "second"))
    again = compare(table(), [Contender("first", drawing(2))], 10, 3, workers=1, out=tmp_path)
    assert np.array_equal(again.values(0, "first"), found.values(0, "second"))  # not those that are kept of drawing(1)
    bound = [Contender("one", partial(RandomSearch, repeats=repeats)).text for repeats in (True, False)]
    assert bound[0] != bound[1]


def shifted(by: float) -> Benchmark:
    """The small table with every test value moved."""
    plain = table()
    columns = {name: plain.held(name) for name in plain.metrics} | {"test_accuracy": plain.held("test_accuracy") + by}
    return Benchmark(
        plain.name, plain.dataset, plain.space, plain.rows, list(plain.metrics.values()), columns,
        signal=plain.signal, verdict=plain.verdict, cost=plain.cost,
    )  # fmt: skip


def test_what_is_kept_of_one_table_is_not_told_of_another(tmp_path: Path) -> None:
    first = compare(table(), ["random"], 10, 2, workers=1, out=tmp_path)
    second = compare(shifted(100), ["random"], 10, 2, workers=1, out=tmp_path)
    assert np.array_equal(second.values(0, 0), first.values(0, 0) + 100)
    assert second.facts[0]["optimum"] == first.facts[0]["optimum"] + 100
    assert same(compare(table(), ["random"], 10, 2, workers=1, out=tmp_path), first)


def test_another_folder_of_files_is_another_table(tmp_path: Path) -> None:
    kept = []
    for number, by in enumerate((0.0, 100.0)):
        folder = tmp_path / str(number)
        folder.mkdir()
        names = ["".join(map(str, each)) for each in itertools.product(range(3), repeat=8)]
        held = {name: {"test_acc": 3 * [by + place], "params": 1, "flops": 1} for place, name in enumerate(names)}
        (folder / "nas-bench-macro_cifar10.json").write_text(json.dumps(held))
        kept.append(compare("nasbench_macro", ["random"], 5, 1, workers=1, data=folder, out=tmp_path / "runs"))
    assert np.allclose(kept[1].values(0, 0), kept[0].values(0, 0) + 100)


def test_surrogates_are_told_apart_by_their_answers() -> None:
    made = [surrogate(by) for by in (0.0, 1.0, 0.0)]
    digests = [each.digest() for each in made]
    assert digests[0] != digests[1]
    assert digests[0] == digests[2]
    assert not len(made[0])  # it was not asked on behalf of anybody
