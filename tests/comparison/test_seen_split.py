"""Tables that have strategies see test scores: a warning, the command and the page say so; others say nothing."""

from __future__ import annotations

import json
import warnings
from pathlib import Path

import polars
import pytest

from nasturtium import benchmarks
from nasturtium.benchmarks import Benchmark
from nasturtium.benchmarks.suite_zero import COSTS, PROXIES
from nasturtium.cli.benching import say
from nasturtium.comparison import compare
from nasturtium.report.comparison import render
from tests.comparison.tables import table


def on_test_alone() -> Benchmark:
    """The small table, whose strategies see what is reported."""
    plain = table()
    name, metric = "test_accuracy", plain.metric("test_accuracy")
    columns = {name: plain.held(name)}
    return Benchmark("small", "test", plain.space, plain.rows, [metric], columns, signal=name, verdict=name)


def test_it_is_warned_of_and_said_with_the_results(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.warns(UserWarning, match=r"^small \(test\): strategies see test_accuracy, which is on the test split"):
        found = compare([on_test_alone(), table()], ["random", "evolution"], 12, 2, workers=1)
    assert [each.split(":")[0] for each in found.cautions] == ["small (test)"]
    assert render(found).count("strategies see test_accuracy, which is on the test split") == 1
    say(found)
    assert " ".join(capsys.readouterr().out.split()).count("which is on the test split") == 1


def test_nothing_is_said_of_a_table_with_a_validation_split() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = compare(table(), ["random"], 5, 1, workers=1)
    assert found.cautions == []
    assert "which is on the test split" not in render(found)


def test_it_is_said_again_of_runs_that_were_kept_before_it_was_known(tmp_path: Path) -> None:
    with pytest.warns(UserWarning, match="on the test split"):
        compare(on_test_alone(), ["random"], 5, 1, workers=1, out=tmp_path)
    kept = [json.loads(line) for line in (tmp_path / "runs.jsonl").read_text().splitlines()]
    assert sum(each.get("facts", {}).pop("signal_split", "") == "test" for each in kept) == 1
    (tmp_path / "runs.jsonl").write_text("".join(json.dumps(each) + "\n" for each in kept))
    with pytest.warns(UserWarning, match="on the test split"):
        compare(on_test_alone(), ["random"], 5, 1, workers=1, out=tmp_path)


def test_proxies_of_nasbench201_by_themselves_have_no_validation_score(tmp_path: Path) -> None:
    row = {"space": "nasbench201", "dataset": "cifar10", "val_accuracy": 90.0}
    row |= dict.fromkeys((*PROXIES, *COSTS), 1.0) | dict.fromkeys([f"{each}_time_s" for each in PROXIES], 0.1)
    rows = [{**row, "arch": f"({number}, 0, 0, 0, 0, 0)"} for number in range(3)]
    polars.DataFrame(rows).write_parquet(tmp_path / "zc_union.parquet")
    bench = benchmarks.load("suite_zero", "nasbench201/cifar10", tmp_path)
    with pytest.warns(UserWarning, match="strategies see naslib_accuracy, which is on the test split"):
        compare(bench, ["random"], 3, 1, workers=1)
