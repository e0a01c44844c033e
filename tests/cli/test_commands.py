"""The command line: what it writes, where, and with which exit code."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from nasturtium.cli import run
from nasturtium.space import Architecture

QUICK = ["--trials", "3", "--epochs", "1", "--final-epochs", "1", "--final-seeds", "1", "--no-baselines", "--quiet"]


@pytest.fixture
def blobs(tmp_path: Path) -> Path:
    """Two well separated classes as an .npz."""
    rng = np.random.default_rng(0)
    y = np.arange(120) % 2
    x = rng.normal(size=(120, 6)).astype(np.float32) + 3 * y[:, None]
    np.savez(tmp_path / "blobs.npz", x=x, y=y)
    return tmp_path / "blobs.npz"


def one_error_line(capsys: pytest.CaptureFixture[str]) -> str:
    error = capsys.readouterr().err
    assert error.startswith("nasturtium: ")
    assert error.count("\n") == 1
    return error


def test_search_then_show_then_the_same_command_again(
    blobs: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "runs"
    assert run(["search", str(blobs), *QUICK, "--out", str(out)]) == 0
    said = capsys.readouterr().out
    assert "3 complete" in said
    assert str(out / "study.db") in said
    assert (out / "best.safetensors").exists()
    assert run(["show", str(out)]) == 0
    shown = capsys.readouterr().out
    assert "3 complete" in shown
    assert "test accuracy" in shown
    before = (out / "best.safetensors").stat().st_mtime_ns
    assert run(["search", str(blobs), *QUICK, "--out", str(out)]) == 0
    assert "3 trials" in capsys.readouterr().out
    assert (out / "best.safetensors").stat().st_mtime_ns == before
    assert run(["search", str(blobs), *QUICK[2:], "--trials", "5", "--out", str(out)]) == 0
    assert "5 trials" in capsys.readouterr().out


def test_limits_hold_before_training(blobs: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "small"
    assert run(["search", str(blobs), *QUICK, "--limit", "params<=3000", "--out", str(out)]) == 0
    from nasturtium.objective import Goal
    from nasturtium.study import open_study

    study = open_study(out / "study.db", Goal.of("accuracy"), read_only=True)
    complete = [t for t in study.trials if t.state == "complete"]
    assert len(complete) == 3
    assert all(t.scores["params"] <= 3000 for t in complete)
    assert all(t.scores["params"] > 3000 and not t.curve for t in study.trials if t.state == "infeasible")


def test_options_of_the_strategy_and_the_space(blobs: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    more = ["--space", "mlp", "--space-option", "depth=1", "--strategy", "evolution"]
    out = ["--out", str(tmp_path / "runs")]
    assert run(["search", str(blobs), *QUICK, *more, "--strategy-option", "population=7", *out]) == 0
    settings = json.loads((tmp_path / "runs" / "settings.json").read_text())
    assert settings["space_options"] == {"depth": 1}
    assert settings["options"] == "[('population', 7)]"
    assert run(["search", str(blobs), *QUICK, *more, "--strategy-option", "population=8", *out]) == 2
    capsys.readouterr()
    assert run(["search", str(blobs), *QUICK, *more, "--strategy-option", "populaton=7"]) == 2
    assert "did you mean 'population'" in capsys.readouterr().err
    assert run(["search", str(blobs), *QUICK, *more, "--strategy-option", "population"]) == 2
    assert "write NAME=VALUE, such as population=50" in one_error_line(capsys)


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["search", "nowhere.npz"], "nowhere.npz"),
        (["search", "digit"], "did you mean 'digits'"),
        (["search", "digits", "--space", "convnt"], "did you mean 'convnet'"),
        (["search", "digits", "--strategy", "evolutoin"], "did you mean 'evolution'"),
        (["search", "digits", "--limit", "params<<3"], "cannot read the limit"),
        (["search", "digits", "--objective", "acuracy"], "did you mean 'accuracy'"),
        (["search", "digits", "--time", "soon"], "cannot read 'soon' as a time"),
        (["search", "digits", "--trials", "0"], "--trials"),
        (["search", "digits", "--space", "sequencenet"], "convnet"),
        (["search", "digits", "--start", "Sequentail(Linear(10))"], "did you mean 'Sequential'"),
        (["search", "digits", "--early-stop", "curv"], "did you mean 'curve'"),
        (["show", "nowhere"], "there is no study in nowhere"),
        (["list", "space"], "did you mean 'spaces'"),
        (["sample", "convnet", "--input", "3x32"], "cannot read '3x32' as sizes"),
        (["fly"], "fly"),
    ],
)
def test_what_cannot_be_used_gives_one_line_and_exit_code_2(
    arguments: list[str], says: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    if arguments[0] == "search":
        arguments = [*arguments, "--out", str(tmp_path / "out"), "--quiet"]
    assert run(arguments) == 2
    error = capsys.readouterr().err.splitlines()[-1]
    assert error.startswith("nasturtium: ")
    assert says in error


def test_samples_are_architectures_and_follow_the_seed(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["sample", "convnet", "--count", "4", "--seed", "3", "--input", "1,8,8"]) == 0
    first = capsys.readouterr().out.splitlines()
    assert len(first) == 4
    assert len({Architecture.parse(line).hash for line in first}) > 1
    assert run(["sample", "convnet", "--count", "4", "--seed", "3", "--input", "1,8,8"]) == 0
    assert capsys.readouterr().out.splitlines() == first


@pytest.mark.parametrize(
    "what", ["spaces", "strategies", "tasks", "metrics", "layers", "benchmarks", "predictors", "curves", "proxies"]
)
def test_lists(what: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["list", what]) == 0
    found = dict(line.split(None, 1) for line in capsys.readouterr().out.splitlines())
    expected = {
        "spaces": "mlp",
        "strategies": "evolution",
        "tasks": "digits",
        "metrics": "accuracy",
        "layers": "Conv2d",
        "benchmarks": "nasbench201",
        "predictors": "gp_wl",
        "curves": "pow3",
        "proxies": "synflow",
    }
    assert expected[what] in found


@pytest.mark.parametrize("statement", ["import nasturtium", "from nasturtium.cli import run; run(['--help'])"])
def test_torch_is_not_imported_for_nothing(statement: str) -> None:
    check = f"{statement}; import sys; sys.exit('torch' in sys.modules or 'sklearn' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", check], capture_output=True, check=False).returncode == 0
