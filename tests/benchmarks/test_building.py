"""Building a benchmark: what the table holds is what the trainings gave, and it answers like any other."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars
import pytest

import nasturtium as nt
from nasturtium.benchmarks import BenchmarkError, build, load, read_built
from nasturtium.benchmarks.building import Sampled
from nasturtium.benchmarks.built import facts_of, write_built
from nasturtium.comparison import compare
from nasturtium.errors import NasturtiumError
from nasturtium.estimators import Training
from nasturtium.layers import Linear, ReLU, Sequential
from nasturtium.trial import State, Trial

OPTIONS = {"count": 3, "seeds": 2, "epochs": 2, "quiet": True}


def blobs() -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    y = np.arange(150) % 3
    return rng.normal(size=(150, 4)).astype(np.float32) + 2 * np.eye(3, 4, dtype=np.float32)[y], y


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build(blobs(), "mlp", out=tmp_path_factory.mktemp("built"), **OPTIONS)


def test_one_row_a_training(built: Path) -> None:
    frame = polars.read_parquet(built)
    assert len(frame) == 6
    assert frame["seed"].to_list() == [0, 1] * 3
    assert frame["architecture"].n_unique() == 3
    assert all(len(curve) == 2 for curve in frame["val_accuracy"].to_list())
    assert facts_of(built)["space"] == "mlp"


def test_the_numbers_are_those_of_the_training(built: Path) -> None:
    frame, task = polars.read_parquet(built), nt.tasks.load(blobs(), seed=0)
    row = frame.row(3, named=True)
    architecture = nt.Architecture.parse(row["architecture"], input=task.inputs)
    assert architecture.count()["params"] == row["params"]

    class Report:
        seed, folder, previous, deadline = row["seed"], None, None, None

        def __call__(self, step, scores):
            return True

    scores = Training(task).evaluate(architecture, 2, Report())
    assert scores["accuracy"] == row["val_accuracy"][-1]
    assert scores["valid_loss"] == row["val_loss"][-1]
    model = Training(task, checkpoints=False)
    assert row["test_accuracy"] == pytest.approx(finally_tested(model, architecture, task, row["seed"]))


def finally_tested(training: Training, architecture: nt.Architecture, task: nt.tasks.Task, seed: int) -> float:
    """Test accuracy of the same training by another way: that of final trainings, on the training rows alone."""
    model = training.fit_final(architecture, task, 2, seed)
    return training.test(model).scores["accuracy"]


def test_it_is_read_as_a_benchmark(built: Path) -> None:
    made, frame = load(str(built)), polars.read_parquet(built)
    assert len(made) == 3
    assert made.seeds == (0, 1)
    first = made.architectures()[0]
    rows = frame.filter(polars.col("architecture") == str(first))
    assert made.query(first, "val_accuracy", epoch=1) == pytest.approx(np.mean([c[0] for c in rows["val_accuracy"]]))
    assert made.query(first, "test_accuracy", seed=1) == rows["test_accuracy"][1]
    assert made.query(first, "train_seconds") == pytest.approx(rows["seconds"].mean())
    assert made.metric("val_log_loss").maximise is False
    assert made.signal == "val_accuracy"
    assert made.verdict == "test_accuracy"


def test_strategies_are_compared_on_it(built: Path) -> None:
    found = compare(str(built), ["random", "evolution"], queries=3, runs=2, workers=1)
    best = load(str(built)).optimum()
    assert found.finals.max() <= best + 1e-12


def test_it_goes_on_where_it_stopped(built: Path, tmp_path: Path) -> None:
    build(blobs(), "mlp", out=tmp_path, **{**OPTIONS, "count": 1})
    again = polars.read_parquet(build(blobs(), "mlp", out=tmp_path, **OPTIONS))
    whole = polars.read_parquet(built)
    assert again.drop("seconds").equals(whole.drop("seconds"))


def test_a_space_of_ones_own_is_given_to_the_reader(tmp_path: Path) -> None:
    space = nt.Space(Sequential(Linear(nt.choice(4, 5)), ReLU(), Linear(3)), input=(4,), name="mine")
    path = build(blobs(), space, out=tmp_path, **{**OPTIONS, "count": 2, "seeds": 1})
    assert len(read_built(path, space)) == 2
    with pytest.raises(BenchmarkError, match=r"read_built\(path, space=...\)"):
        load(str(path))


def test_architectures_come_in_a_row_and_all_are_new() -> None:
    space = nt.Space(Sequential(Linear(nt.choice(*range(4, 12))), ReLU(), Linear(3)), input=(4,))
    strategy = Sampled(space, seed=3, budget=1, seeds=3)
    asked = [each.architecture for each in strategy.ask(12)]
    groups = [asked[i : i + 3] for i in range(0, 12, 3)]
    assert all(len(set(group)) == 1 for group in groups)
    assert len({group[0] for group in groups}) == 4
    strategy.tell(Trial(0, State.FAILED, asked[0]))
    resumed = Sampled(space, seed=3, budget=1, seeds=3)
    for proposal in strategy_of(space).ask(7):
        resumed.asked(proposal)
    assert [each.architecture for each in resumed.ask(5)] == asked[7:]


def strategy_of(space: nt.Space) -> Sampled:
    return Sampled(space, seed=3, budget=1, seeds=3)


def test_what_cannot_be_used_is_said(tmp_path: Path, built: Path) -> None:
    with pytest.raises(BenchmarkError, match="no training ended well"):
        build(blobs(), "mlp", out=tmp_path / "none", time=1e-9, **OPTIONS)
    polars.DataFrame({"a": [1]}).write_parquet(tmp_path / "other.parquet")
    with pytest.raises(BenchmarkError, match="no table that build-benchmark wrote"):
        load(str(tmp_path / "other.parquet"))
    facts = facts_of(built)
    rows = [{**row, "architecture": "Linear(3)"} for row in polars.read_parquet(built).rows(named=True)[:1]]
    with pytest.raises(BenchmarkError, match="row 1 of"):
        read_built(write_built(tmp_path / "odd.parquet", rows, facts))


def test_what_is_damaged_is_said(tmp_path: Path, built: Path) -> None:
    facts, rows = facts_of(built), list(polars.read_parquet(built).rows(named=True))

    def read(rows: list[dict], facts: dict) -> nt.benchmarks.Benchmark:
        return read_built(write_built(tmp_path / "odd.parquet", rows, facts))

    with pytest.raises(BenchmarkError, match="twice with the same seed"):
        read([*rows, rows[0]], facts)
    with pytest.raises(BenchmarkError, match="is damaged"):
        read(rows, {name: value for name, value in facts.items() if name != "epochs"})
    with pytest.raises(BenchmarkError, match="has no column 'seconds'"):
        read([{name: value for name, value in row.items() if name != "seconds"} for row in rows], facts)
    with pytest.raises(BenchmarkError, match="is of another space"):
        read(rows, {**facts, "fingerprint": "other"})
    short = read([{**rows[0], "val_accuracy": rows[0]["val_accuracy"][:1]}, *rows[1:]], facts)
    first = short.architectures()[0]
    assert short.query(first, "val_accuracy", epoch=2) == rows[1]["val_accuracy"][1]  # of the seed that has it


def test_a_small_space_is_trained_once_and_options_are_checked_before(tmp_path: Path) -> None:
    space = nt.Space(Sequential(Linear(nt.choice(4, 5)), ReLU(), Linear(3)), input=(4,), name="mine")

    def made(input: object = None, outputs: object = None, width: object = None) -> nt.Space:
        return space

    with pytest.warns(UserWarning, match="all of its architectures were proposed"):
        path = build(blobs(), space, out=tmp_path / "small", **{**OPTIONS, "count": 4})
    assert len(polars.read_parquet(path)) == 4
    with pytest.raises(BenchmarkError, match="cannot be written down"):
        build(blobs(), made, out=tmp_path / "odd", space_options={"width": object()}, **OPTIONS)
    with pytest.raises(BenchmarkError, match="leave it out"):
        build(blobs(), "mlp", out=tmp_path / "odd", limits=["accuracy>=0.9"], **OPTIONS)
    with pytest.raises(NasturtiumError, match="count=0"):
        build(blobs(), "mlp", out=tmp_path / "odd", **{**OPTIONS, "count": 0})
    assert not (tmp_path / "odd" / "benchmark.parquet").exists()
