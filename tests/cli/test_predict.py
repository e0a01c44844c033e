"""``nasturtium predict``: who takes part, what is checked first, what is kept of several data sets, how rows look."""

from __future__ import annotations

import json
import math
import sys
from pathlib import Path
from typing import Any

import numpy as np
import polars
import pytest

from nasturtium import benchmarks
from nasturtium.benchmarks import Benchmark, from_table
from nasturtium.cli import benching, predicting, run
from nasturtium.cli.predicting import Predicted, takers
from nasturtium.comparison import predicting as assessing
from nasturtium.comparison.predicting import assess
from nasturtium.errors import NasturtiumError
from nasturtium.layers import Linear, ReLU, Sequential
from nasturtium.predictors import PREDICTORS
from nasturtium.report.prediction import render_prediction
from nasturtium.space import Space, choice

GIVEN: dict[str, Any] = {
    "benchmark": "widths", "datasets": [], "predictors": ["linear"], "features": [], "train": [20], "runs": 1,
    "metric": None, "data": None, "seed": 0, "json": None, "html": None, "out": None, "quiet": True,
}  # fmt: skip


def table(folder: Path, widths: tuple[int, ...] = (2, 4, 8, 16, 32)) -> Benchmark:
    """A table of networks whose score is a sum over their widths, with a zero-cost score."""
    space = Space(Sequential(*[Linear(choice(*widths)) for _ in range(3)], ReLU(), Linear(2)), input=(4,), name="three")
    every = list(space.enumerate())
    score = np.array([float(sum(each.decisions)) for each in every])
    path = folder / f"{len(widths)}.parquet"
    columns = {"architecture": [str(each) for each in every], "accuracy": score, "close": score % 5}
    polars.DataFrame(columns).write_parquet(path)
    return from_table(path, space, {"accuracy": "validation", "close": "proxy"})


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Benchmark:
    return table(tmp_path_factory.mktemp("table"))


def test_of_all_those_take_part_that_can_and_the_others_are_named(
    bench: Benchmark, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for package in ("xgboost", "lightgbm", "ngboost"):
        monkeypatch.setitem(sys.modules, package, None)
    kinds = ["encoding", "proxies", "both"]
    parts = takers([bench], Predicted(**{**GIVEN, "predictors": ["all"], "features": kinds}))
    names = {kind: chosen for (kind,), chosen in parts}
    assert names["encoding"] == [name for name in PREDICTORS if PREDICTORS[name].extra is None]
    for kind in ("proxies", "both"):
        assert {"random_forest", "gp", "linear"} <= set(names[kind]) < set(names["encoding"])
        assert "gp_wl" not in names[kind]
    told = capsys.readouterr().err.splitlines()
    assert len(told) == 3
    assert told[0].startswith("left out with --features proxies, which they cannot read: ")
    assert "gp_wl" in told[0]
    assert told[2].startswith("left out, because packages are missing (pip install 'nasturtium[surrogates]'): ")
    assert {"xgboost", "lightgbm", "ngboost"} == set(told[2].split("): ")[1].split(", "))
    for kind in kinds:
        assert all(len(assess(bench, [name], train=[20], runs=1, features=[kind])) == 1 for name in names[kind][:1])


def given(monkeypatch: pytest.MonkeyPatch, tables: list[Benchmark]) -> None:
    """Has the command read these tables as the data sets of a benchmark."""
    monkeypatch.setattr(benching, "datasets_of", lambda *_: list(map(str, range(len(tables)))))
    monkeypatch.setattr(benchmarks, "load", lambda name, dataset, data: tables[int(dataset)])


def test_every_data_set_is_checked_before_the_first_is_assessed(
    bench: Benchmark, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    given(monkeypatch, [bench, table(tmp_path, (2, 4))])
    command = [
        "predict",
        "widths",
        "--predictor",
        "linear",
        "--train",
        "20",
        "--runs",
        "1",
        "--out",
        str(tmp_path / "o"),
    ]
    assert run(command) == 2
    assert "has 8 with accuracy" in capsys.readouterr().err
    assert not (tmp_path / "o" / "predictions.jsonl").exists()


def test_rows_of_data_sets_that_are_done_are_written_whatever_comes_later(
    bench: Benchmark, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    given(monkeypatch, [bench, bench])
    calls: list[object] = []

    def second_fails(*arguments: Any, **options: Any) -> Any:
        calls.append(arguments)
        if len(calls) == 2:
            raise NasturtiumError("cannot go on")
        return assess(*arguments, **options)

    monkeypatch.setattr(assessing, "assess", second_fails)
    rows = tmp_path / "rows.json"
    command = ["predict", "widths", "--predictor", "linear", "--train", "20", "--runs", "2", "--json", str(rows)]
    assert run(command) == 2
    assert len(json.loads(rows.read_text())) == 2


def test_a_predictor_that_says_the_same_of_all_has_no_correlation(
    bench: Benchmark, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (good,) = assess(bench, ["linear"], train=[20], runs=1)
    flat = assessing.Assessed(**{**good.__dict__, "predictor": "flat", "spearman": math.nan, "kendall": math.nan})
    rows = [flat, good]
    predicting._write(tmp_path / "rows.json", rows)
    text = (tmp_path / "rows.json").read_text()
    assert "NaN" not in text
    assert json.loads(text)[0]["spearman"] is None
    predicting.say(rows)
    said = capsys.readouterr().out
    lines = [line for line in said.splitlines() if "flat" in line or "linear" in line]
    assert [line.split()[1] for line in lines] == ["linear", "flat"]  # the best first
    assert all("± –" in line for line in lines)  # of one split there is no spread
    assert "nan" not in said
    assert "nan" not in render_prediction(rows)


def test_the_spread_is_that_of_the_page(bench: Benchmark) -> None:
    rows = [assessing.Assessed(**{**assess(bench, ["linear"], train=[20], runs=1)[0].__dict__, "spearman": value})
            for value in (0.5, 0.7)]  # fmt: skip
    assert predicting._line(rows)[3] == f"0.600 ± {np.std([0.5, 0.7], ddof=1):.3f}"
    assert f"{np.std([0.5, 0.7], ddof=1):.4f}" in render_prediction(rows)
