"""What is refused before anything runs, in one line, and what is not silently ignored."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

import nasturtium as nt
from nasturtium.cli import run
from nasturtium.errors import NasturtiumError

QUICK = ["--trials", "2", "--epochs", "1", "--final-epochs", "0", "--quiet"]


@pytest.fixture
def blobs(tmp_path: Path) -> Path:
    rng = np.random.default_rng(0)
    y = np.arange(90) % 2
    np.savez(tmp_path / "blobs.npz", x=rng.normal(size=(90, 5)).astype(np.float32) + 3 * y[:, None], y=y)
    return tmp_path / "blobs.npz"


def refusal(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> str:
    capsys.readouterr()
    assert run(arguments) == 2
    error = capsys.readouterr().err.splitlines()[-1]
    assert error.startswith("nasturtium: ")
    return error


@pytest.mark.parametrize(
    ("given", "says"),
    [
        (["--device", "foo"], "unknown device 'foo'"),
        (["--device", "cuda:99"], "cannot use the device 'cuda:99'"),
        (["--device", "meta"], "nothing is computed on the device 'meta'"),
        (["--limit", "parms<=20k"], "did you mean 'params'"),
        (["--limit", "val_accuracy>=0.5"], "did you mean 'accuracy'"),
        (["--limit", "rmse<=3"], "no trial of 'blobs' has"),
        (["--limit", "proxy_snip>=0"], "no trial of 'blobs' has"),
        (["--objective", "min:parms"], "did you mean 'params'"),
        (["--objective", "seconds"], "no trial of 'blobs' has"),
        (["--proxy-keep", "7"], "proxy_keep"),
        (["--proxy-keep", "0.5"], "no proxy is given"),
        (["--proxy-start", "3"], "no proxy is given"),
        (["--tune", "3"], "final_epochs=0"),
    ],
)
def test_a_search_that_cannot_succeed_leaves_no_study(
    given: list[str], says: str, blobs: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    assert says in refusal(["search", str(blobs), *QUICK, "--out", str(out), *given], capsys)
    assert not (out / "study.db").exists()


def test_scores_of_proxies_of_the_user_and_of_every_training_can_be_limited(blobs: Path) -> None:
    def third(outputs: np.ndarray, targets: np.ndarray) -> float:
        return float(len(targets)) / 3

    task = nt.tasks.load(str(blobs), metrics=[nt.tasks.Metric(third, maximise=True)])
    limits = ["third>=0", "proxy_snip>=-1e9", "valid_loss<=1e9", "params<=1e6", "log_loss<=1e9"]
    result = nt.search(
        task, "mlp", trials=2, epochs=1, final_epochs=0, limits=limits, proxy="snip", objectives=["third", "-params"],
        quiet=True,
    )  # fmt: skip
    assert [trial.state for trial in result.trials if trial.state != "infeasible"] == ["complete", "complete"]


def test_a_benchmark_on_a_device_that_is_not_there_leaves_no_study(
    blobs: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    given = ["build-benchmark", str(blobs), "--count", "1", "--out", str(tmp_path / "built"), "--device", "cuda:99"]
    assert "cannot use the device 'cuda:99'" in refusal(given, capsys)
    assert not (tmp_path / "built" / "study.db").exists()


@pytest.mark.parametrize(
    ("given", "says"),
    [
        (["score", "BINARY", "--task", "digits"], "is no text file"),
        (["search", "digits", "--start", "BINARY", "--quiet", "--out", "OUT"], "is no text file"),
        (["score", "mlp", "--task", "digits", "--device", "foo"], "unknown device 'foo'"),
        (["score", "mlp", "--task", "digits", "--device", "cuda:99"], "cannot use the device 'cuda:99'"),
        (["score", "mlp", "--task", "digits", "--json", "FILE/rows.json"], "cannot write"),
        (["doctor", "--store", "postgresql://host/base"], "give the folder"),
    ],
)
def test_one_line_in_place_of_a_traceback(
    given: list[str], says: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    binary, file = tmp_path / "bin.txt", tmp_path / "file"
    binary.write_bytes(b"\xff\xfe\x00\x81")
    file.write_text("a file where a folder is needed")
    places = {"BINARY": str(binary), "OUT": str(tmp_path / "out"), "FILE/rows.json": str(file / "rows.json")}
    assert says in refusal([places.get(each, each) for each in given], capsys)


@pytest.mark.parametrize(("tune", "epochs"), [(1, 0), (3, 0)])
def test_tuning_without_final_trainings_is_refused_in_python_too(tune: int, epochs: int) -> None:
    with pytest.raises(NasturtiumError, match="final_epochs=0 asks for none"):
        nt.search("digits", trials=1, epochs=1, tune=tune, final_epochs=epochs, quiet=True)


@pytest.mark.parametrize(
    ("name", "value"), [("objectives", 5), ("objectives", [1]), ("limits", {"params": 3}), ("trials", "many")]
)
def test_settings_of_the_wrong_type_are_named(
    name: str, value: object, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    settings = {"objectives": ["max:accuracy"], "limits": [], "summary": "blobs", name: value}
    (tmp_path / "settings.json").write_text(json.dumps(settings))
    for given in (["show"], ["track", "--csv", str(tmp_path / "t.csv")]):
        error = refusal([given[0], str(tmp_path), *given[1:]], capsys)
        assert f"settings.json is not what a search writes: {name} is" in error
