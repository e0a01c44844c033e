"""From a finished search to predictions: the folder, the result, the command."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

import nasturtium as nt
from nasturtium.cli import run
from nasturtium.errors import NasturtiumError, StudyError
from nasturtium.export import Trained, export

QUICK = {"trials": 1, "finalists": 1, "final_seeds": 1, "baselines": False, "quiet": True}
RNG = np.random.default_rng(0)
BARE = """
import json, runpy, sys
for name in ("nasturtium", "numpy", "polars", "safetensors"):
    sys.modules[name] = None
file, raw = sys.argv[1:]
print(json.dumps(runpy.run_path(file)["predict"](json.load(open(raw)))))
"""
"""Predicts for rows given as JSON where torch alone can be imported."""


def predicted(file: Path, raw: Any) -> list[Any]:
    (file.parent / "raw.json").write_text(json.dumps(raw))
    command = [sys.executable, "-I", "-c", BARE, str(file), str(file.parent / "raw.json")]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    answers: list[Any] = json.loads(done.stdout)
    return answers


def expected(result: Any, raw: Any) -> Any:
    import torch

    preprocessing = result.task.preprocessing
    with torch.inference_mode():
        outputs = result.best.model(*map(torch.from_numpy, preprocessing.apply(raw)))
    return preprocessing.decode(outputs.numpy())


@pytest.fixture(scope="module")
def digits(tmp_path_factory: pytest.TempPathFactory) -> tuple[Any, Path]:
    from sklearn.datasets import load_digits

    x, y = load_digits(return_X_y=True)
    x, y = x[:300].reshape(-1, 8, 8).astype(np.uint8), np.array([f"digit {n}" for n in y[:300]])
    folder = tmp_path_factory.mktemp("digits")
    options = {**QUICK, "epochs": 2, "final_epochs": 4, "out": folder}
    return nt.search((x, y), space="convnet", strategy="random", **options), folder


def test_the_command_exports_a_folder_and_prints_the_difference(
    digits: tuple[Any, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    result, folder = digits
    file = tmp_path / "net.py"
    assert run(["export", str(folder), str(file)]) == 0
    said = capsys.readouterr().out
    assert "largest difference to the trained network on" in said
    assert "rows of data" in said
    assert f"written: {file}" in said
    assert file.with_suffix(".safetensors").exists()
    raw = RNG.integers(0, 17, (12, 8, 8))
    answers = predicted(file, raw.tolist())
    assert answers == expected(result, raw.astype(np.uint8)).tolist()
    assert all(answer.startswith("digit ") for answer in answers)


def test_the_exported_file_predicts_on_the_command_line(digits: tuple[Any, Path], tmp_path: Path) -> None:
    result, folder = digits
    export(folder, tmp_path / "net.py")
    raw = RNG.integers(0, 17, (9, 8, 8)).astype(np.uint8)
    np.savez(tmp_path / "new.npz", x=raw)
    command = [sys.executable, "-I", str(tmp_path / "net.py"), str(tmp_path / "new.npz")]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout.splitlines() == expected(result, raw).tolist()


def test_a_result_is_exported_as_its_folder_is(digits: tuple[Any, Path], tmp_path: Path) -> None:
    result, folder = digits
    one, other = export(result, tmp_path / "a.pt2"), export(folder, tmp_path / "b.pt2")
    assert one.real
    assert other.real
    assert one.rows == other.rows == min(100, len(result.task.test))


def test_tables_go_all_the_way(tmp_path: Path) -> None:
    rows = 150
    frame = pl.DataFrame(
        {
            "area": [None if n % 10 == 3 else float(v) for n, v in enumerate(RNG.normal(90, 20, rows))],
            "town": [("Bonn", "Köln", None)[n % 3] for n in range(rows)],
            "built": [f"20{n % 20:02d}-03-0{n % 9 + 1}" for n in range(rows)],
            "price": RNG.normal(500, 90, rows),
        }
    )
    frame.write_csv(tmp_path / "houses.csv")
    options = {**QUICK, "epochs": 1, "final_epochs": 2, "out": tmp_path / "run"}
    result = nt.search(
        tmp_path / "houses.csv", space="mlp", strategy="random", task_options={"target": "price"}, **options
    )
    made = export(tmp_path / "run", tmp_path / "net.py")
    assert made.real
    new = frame.head(20).drop("price")
    wanted = expected(result, new.with_columns(pl.col("built").str.to_date()))[:, 0]
    for raw in (new.to_dicts(), new.to_dict(as_series=False)):
        np.testing.assert_allclose(predicted(made.files[0], raw), wanted, rtol=1e-5)
    new.write_csv(tmp_path / "new.csv")
    command = [sys.executable, "-I", str(made.files[0]), str(tmp_path / "new.csv")]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    np.testing.assert_allclose(list(map(float, done.stdout.split())), wanted, rtol=1e-5)
    new.drop("area").write_csv(tmp_path / "short.csv")
    for file, problem in (("short.csv", "there is no column 'area', only town, built"), ("none.csv", "No such file")):
        done = subprocess.run([*command[:-1], str(tmp_path / file)], capture_output=True, text=True)
        assert done.returncode == 1
        assert done.stderr.startswith(f"{tmp_path / file}: {problem}")
        assert len(done.stderr.splitlines()) == 1


def test_decimal_commas_are_read_by_the_exported_network_too(tmp_path: Path) -> None:
    numbers = RNG.normal(0, 1500, 90).round(2)
    comma = [f"{n:,.2f}".translate(str.maketrans(",.", ".,")) for n in numbers]
    rows = [f"{text};{'ab'[k % 2]};{n > 0}" for k, (text, n) in enumerate(zip(comma, numbers, strict=True))]
    (tmp_path / "sums.csv").write_text("\n".join(["sum;way;class", *rows]))
    options = {**QUICK, "epochs": 1, "final_epochs": 2, "out": tmp_path / "run"}
    result = nt.search(tmp_path / "sums.csv", space="mlp", strategy="random", **options)
    made = export(tmp_path / "run", tmp_path / "net.py")
    (tmp_path / "new.csv").write_text("\n".join(["sum;way", *(row.rpartition(";")[0] for row in rows[:12])]))
    command = [sys.executable, "-I", str(made.files[0]), str(tmp_path / "new.csv")]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    answers = expected(result, pl.DataFrame({"sum": numbers[:12], "way": ["a", "b"] * 6}))
    assert done.stdout.split() == answers.tolist()
    assert len(set(answers)) == 2


def test_a_folder_without_a_trained_network_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(StudyError, match="no trained network in"):
        export(tmp_path, tmp_path / "net.py")
    assert run(["export", str(tmp_path), str(tmp_path / "net.py")]) == 2
    assert "nasturtium: there is no trained network" in capsys.readouterr().err


def test_a_folder_from_before_rows_were_kept_is_verified_on_made_up_ones(
    digits: tuple[Any, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    _, folder = digits
    for name in ("best.json", "best.safetensors"):
        (tmp_path / name).write_bytes((folder / name).read_bytes())
    assert run(["export", str(tmp_path), str(tmp_path / "net.pt2")]) == 0
    assert "100 made-up rows" in capsys.readouterr().out


def test_the_weights_of_the_search_and_files_of_others_are_spared(digits: tuple[Any, Path], tmp_path: Path) -> None:
    _, folder = digits
    before = (folder / "best.safetensors").read_bytes()
    for network in digits:
        with pytest.raises(NasturtiumError, match=r"best.safetensors, which holds the trained network of the search"):
            export(network, folder / "best.py")
    assert (folder / "best.safetensors").read_bytes() == before
    assert not (folder / "best.py").exists()
    (tmp_path / "mine.safetensors").write_bytes(before)
    with pytest.raises(NasturtiumError, match=r"mine.safetensors, which no export wrote; give another name"):
        export(folder, tmp_path / "mine.py")
    assert (tmp_path / "mine.safetensors").read_bytes() == before
    for _ in range(2):  # an earlier export is replaced
        assert export(folder, tmp_path / "net.py").files[1].exists()


def test_the_title_tells_the_score_of_the_network_itself(digits: tuple[Any, Path], tmp_path: Path) -> None:
    result, folder = digits
    content = json.loads((folder / "best.json").read_text())
    content |= {"runs": [{"accuracy": 0.5}, {"accuracy": 0.7}], "scores": {"test_accuracy": 0.6}}
    for name in ("best.safetensors", "best_rows.npz"):
        (tmp_path / name).write_bytes((folder / name).read_bytes())
    (tmp_path / "best.json").write_text(json.dumps(content))
    assert Trained.of_folder(tmp_path).title.endswith(", test accuracy 0.5000; mean of 2 trainings 0.6000")
    own = result.finals.best.runs[0].scores["accuracy"]
    assert Trained.of_result(result).title.endswith(f", test accuracy {own:.4f}")
