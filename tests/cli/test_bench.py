"""``nasturtium bench`` on the command line."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from nasturtium.cli import run

DATA = Path(__file__).resolve().parents[2].parent / "shared" / "data" / "benchmarks"
COLUMNS = ["benchmark", "dataset", "strategy", "run", "n", "validation", "test"]

pytestmark = pytest.mark.skipif(not (DATA / "nas_bench_macro").exists(), reason="the tables are not here")


def bench(*arguments: str) -> int:
    return run(["bench", *arguments, "--data", str(DATA), "--workers", "1", "--quiet"])


def test_rows_page_and_table(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rows, page = tmp_path / "rows.json", tmp_path / "page.html"
    code = bench(
        "nasbench_macro", "--strategy", "random", "--strategy", "evolution", "--queries", "20", "--runs", "3",
        "--json", str(rows), "--html", str(page),
    )  # fmt: skip
    assert code == 0
    read = json.loads(rows.read_text())
    assert len(read) == 2 * 3 * 20
    assert all(list(row) == COLUMNS for row in read)
    assert {row["strategy"] for row in read} == {"random", "evolution"}
    assert {row["dataset"] for row in read} == {"cifar10"}
    said = capsys.readouterr().out
    for word in ("random", "evolution", "median", "regret", "average ranks", "Friedman"):
        assert word in said
    html = page.read_text()
    assert html.count("<svg") >= 4
    assert "<script" not in html
    assert "http://" not in html.replace("http://www.w3.org/2000/svg", "")


def test_a_folder_keeps_and_goes_on(tmp_path: Path) -> None:
    given = ("transnas_micro", "--dataset", "jigsaw", "--dataset", "class_scene", "--strategy", "random",
             "--queries", "5", "--runs", "2", "--out", str(tmp_path))  # fmt: skip
    assert bench(*given) == 0
    assert {row["dataset"] for row in json.loads((tmp_path / "rows.json").read_text())} == {"jigsaw", "class_scene"}
    before = (tmp_path / "runs.jsonl").read_text()
    assert bench(*given, "--strategy", "evolution") == 0
    after = (tmp_path / "runs.jsonl").read_text()
    assert after.startswith(before)
    assert len(after.splitlines()) == len(before.splitlines()) + 4
    for name in ("rows.json", "comparison.html", "ranks.svg"):
        assert (tmp_path / name).stat().st_size > 0


def test_simulated_time_and_options(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rows = tmp_path / "rows.json"
    code = bench(
        "nasbench201", "--strategy", "big=evolution", "--option", "big.population=50", "--time", "1h", "--epoch", "12",
        "--simulated-workers", "4", "--runs", "2", "--json", str(rows), "--noise",
    )  # fmt: skip
    assert code == 0, capsys.readouterr().err
    read = json.loads(rows.read_text())
    assert all(list(row) == [*COLUMNS, "seconds"] for row in read)
    assert max(row["seconds"] for row in read) == 3600
    assert {row["strategy"] for row in read} == {"big"}


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["nasbench_macro"], "no strategy is given"),
        (["nasbench_macros", "--strategy", "random"], "did you mean 'nasbench_macro'"),
        (["nasbench_macro", "--strategy", "radnom"], "did you mean 'random'"),
        (["nasbench_macro", "--dataset", "mnist", "--strategy", "random"], "no data set 'mnist'"),
        (["nasbench_macro", "--strategy", "random", "--time", "1h"], "give queries instead"),
        (["nasbench_macro", "--strategy", "random", "--time", "soon"], "cannot read 'soon' as a time"),
        (["nasbench_macro", "--strategy", "random", "--option", "population=3"], "strategy.name=value"),
        (["nasbench_macro", "--strategy", "random", "--epoch", "3"], "epoch 3"),
    ],
)
def test_what_cannot_be_used(arguments: list[str], said: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert bench(*arguments) == 2
    error = capsys.readouterr().err
    assert said in error
    assert len(error.splitlines()) == 1


def test_a_surrogate_is_fitted_and_searched(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "made.npz"
    assert bench("event_sequences", "--fit", str(file)) == 0
    assert "val_auc" in capsys.readouterr().out
    rows = tmp_path / "rows.json"
    code = bench(
        "event_sequences", "--surrogate", str(file), "--strategy", "random", "--queries", "5", "--runs", "1",
        "--json", str(rows),
    )  # fmt: skip
    assert code == 0
    assert len(json.loads(rows.read_text())) == 5


def test_killed_it_leaves_nothing_running_and_goes_on(tmp_path: Path) -> None:
    given = ["bench", "nasbench_macro", "--strategy", "evolution", "--queries", "600", "--runs", "24", "--quiet",
             "--data", str(DATA), "--out"]  # fmt: skip
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    command = [sys.executable, "-m", "nasturtium", *given, str(killed), "--workers", "2"]
    driver = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    runs = killed / "runs.jsonl"
    deadline = time.monotonic() + 60
    while not (runs.exists() and runs.read_text().count("\n") > 1) and time.monotonic() < deadline:
        time.sleep(0.02)
    children = psutil.Process(driver.pid).children(recursive=True)
    driver.kill()
    driver.wait()
    kept = runs.read_text().count("\n")
    assert 1 < kept < 25
    assert not psutil.wait_procs(children, timeout=20)[1]
    assert run([*given, str(killed), "--workers", "1"]) == 0
    assert run([*given, str(whole), "--workers", "1"]) == 0
    assert (killed / "rows.json").read_text() == (whole / "rows.json").read_text()


def test_all_leaves_out_what_is_not_here_and_says_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    given = ("transnas_micro", "--strategy", "random", "--queries", "3", "--runs", "1", "--out", str(tmp_path))
    assert bench(*given, "--dataset", "all") == 0
    said = capsys.readouterr().err
    found = {row["dataset"] for row in json.loads((tmp_path / "rows.json").read_text())}
    assert found == {"class_scene", "class_object", "segmentsemantic", "jigsaw"}
    assert said.startswith("left out, because their tables are not here: ")
    assert "normal" in said
    assert not any(name in said for name in found)


@pytest.mark.parametrize("command", [["bench", "--strategy", "random"], ["predict", "--predictor", "ridge"]])
def test_a_table_that_is_missing_is_named_before_the_first_run(
    command: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    name, *options = command
    given = [name, "transnas_micro", *options, "--dataset", "jigsaw", "--dataset", "normal", "--runs", "1",
             "--data", str(DATA)]  # fmt: skip
    assert run(given) == 2
    said = capsys.readouterr()
    assert "'normal'" in said.err.splitlines()[-1]
    assert "runs" not in said.err  # none was begun
    assert said.out == ""


def test_of_an_installed_benchmark_the_data_set_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["bench", "transnas_micro", "--dataset", "jigsaw", "--strategy", "random"]) == 2
    assert "the table of transnas_micro for 'jigsaw' is not here" in capsys.readouterr().err


@pytest.mark.parametrize("option", ["--json", "--html", "--out"])
@pytest.mark.parametrize("command", [["bench", "--strategy", "random"], ["predict", "--predictor", "ridge"]])
def test_a_place_that_cannot_be_written_is_noticed_first(
    command: list[str], option: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").write_text("no folder")
    name, *options = command
    place = str(tmp_path / "file" / "result")
    assert run([name, "nasbench_macro", *options, "--runs", "1", "--data", str(DATA), option, place]) == 2
    said = capsys.readouterr()
    assert f"cannot write {place}" in said.err
    assert said.out == ""


def test_a_page_in_a_folder_that_is_not_there_yet(tmp_path: Path) -> None:
    page = tmp_path / "new" / "deep" / "page.html"
    assert bench("nasbench_macro", "--strategy", "random", "--queries", "3", "--runs", "1", "--html", str(page)) == 0
    assert page.stat().st_size > 0


def test_one_surrogate_is_of_one_table(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    given = ("transnas_micro", "--dataset", "jigsaw", "--dataset", "class_scene", "--fit", str(tmp_path / "s.npz"))
    assert bench(*given) == 2
    assert "give one --dataset" in capsys.readouterr().err


def test_all_predictors_beside_one_of_them_are_all(monkeypatch: pytest.MonkeyPatch) -> None:
    from nasturtium.comparison import predicting
    from nasturtium.predictors import PREDICTORS

    class Asked(Exception):
        pass

    def assess(benchmark: object, names: list[str], **options: object) -> None:
        raise Asked(names)

    monkeypatch.setattr(predicting, "assess", assess)
    with pytest.raises(Asked) as asked:
        run(["predict", "nasbench_macro", "--predictor", "all", "--predictor", "gp", "--data", str(DATA)])
    assert "gp_wl" in asked.value.args[0]
    assert asked.value.args[0] == [name for name in PREDICTORS if name in asked.value.args[0]]
    assert all(PREDICTORS[name].extra for name in set(PREDICTORS) - set(asked.value.args[0]))
