"""``nasturtium search`` on event tables: files in, a compared network out, and one line for what cannot be used."""

from __future__ import annotations

import json
from pathlib import Path

import polars as pl
import pytest

from nasturtium.cli import run
from nasturtium.report.reading import read_folder
from nasturtium.report.rebuilding import space_of
from tests.tasks.event_tables import customers

QUICK = ["--trials", "2", "--epochs", "1", "--final-epochs", "1", "--final-seeds", "1", "--finalists", "1", "--quiet"]


@pytest.fixture
def files(tmp_path: Path) -> list[str]:
    events, labels = customers(60)
    events.with_columns(pl.col("amount").fill_nan(None)).write_csv(tmp_path / "orders.csv")
    labels.write_csv(tmp_path / "stays.csv")
    return [str(tmp_path / "orders.csv"), "--labels", str(tmp_path / "stays.csv")]


COLUMNS = ["--entity", "who", "--timestamp", "when", "--target", "stays"]


def test_a_search_of_events(files: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "run"
    more = ["--categorical", "shop", "--ignore", "amount", "--max-events", "6", "--split", "stratified"]
    assert run(["search", *files, *COLUMNS, *more, *QUICK, "--out", str(out)]) == 0
    said = capsys.readouterr()
    assert "orders: group of 2 tokens and 2 sequence masked -> 2 classes" in said.err
    assert "random forest" in said.out
    assert "plain network" in said.out
    held = json.loads(json.loads((out / "best.json").read_text())["preprocessing"])
    assert held["inputs"]["most"] == 6
    assert [column["name"] for column in held["inputs"]["columns"]][:2] == ["kind", "shop"]


@pytest.mark.parametrize(
    ("more", "member"), [([], "gru"), (["--start", "tcn"], "tcn"), (["--strategy", "sequences"], None)]
)
def test_known_networks_come_first(files: list[str], tmp_path: Path, more: list[str], member: str | None) -> None:
    options = ["--trials", "4", "--max-events", "6", "--epochs", "1", "--final-epochs", "0", "--quiet"]
    assert run(["search", *files, *COLUMNS, *options, *more, "--out", str(tmp_path / "run")]) == 0
    kept = read_folder(tmp_path / "run")
    first, *others = [str(trial.architecture) for trial in kept.study.trials]
    space = space_of(kept)
    known = {str(space.member(name)): name for name in space.members}
    assert known.get(first) == member
    assert not any(each in known for each in others)


@pytest.mark.parametrize(
    ("options", "line"),
    [
        (["--entity", "whom", "--timestamp", "when"], "has no column 'whom'"),
        (["--entity", "who"], "timestamp is not given"),
        ([*COLUMNS, "--split", "random"], "unknown split 'random'"),
    ],
)
def test_what_cannot_be_used(
    files: list[str], options: list[str], line: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["search", *files, *options, *QUICK]) == 2
    error = capsys.readouterr().err
    assert line in error
    assert error.count("\n") == 1


def test_scores_of_events(files: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    few = ["--proxies", "params", "--count", "9", "--max-events", "6", "--space-option", "operations=recurrence,"]
    task = ["--task", *files]
    assert run(["score", "seqnas_plus", *task, *COLUMNS, *few]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 10
    assert any("GRU" in line or "LSTM" in line for line in lines[1:])
    assert not any("StateSpace" in line for line in lines[1:])


def test_a_benchmark_of_events(files: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "table"
    small = ["--count", "2", "--seeds", "1", "--epochs", "1", "--quiet", "--space", "seqnas"]
    more = ["--metric", "accuracy", "--max-events", "6", "--split", "stratified"]
    assert run(["build-benchmark", *files, *COLUMNS, *more, *small, "--out", str(out)]) == 0
    assert "2 architectures, up to 1 trainings each" in capsys.readouterr().out
    assert run(["build-benchmark", *files, *COLUMNS[:2], *small, "--out", str(out)]) == 2
    assert "timestamp is not given" in capsys.readouterr().err
