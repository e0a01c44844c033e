"""The program around its commands: help, what is said when it is stopped, what a time limit counts."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

import nasturtium as nt
from nasturtium import searching, tasks
from nasturtium.cli import predicting, run, scoring
from nasturtium.cli import searching as command

KEPT = "nasturtium: stopped; everything that ended is kept, the same command goes on\n"
LOST = "nasturtium: stopped; nothing was kept: give --out\n"


def test_without_a_command_the_help_is_shown_as_it_stands(capsys: pytest.CaptureFixture[str]) -> None:
    assert run([]) == 0
    said = capsys.readouterr()
    assert said.err == ""
    assert run(["--help"]) == 0
    assert said.out == capsys.readouterr().out
    assert len(said.out.splitlines()) > 15


@pytest.mark.parametrize(
    ("given", "says"),
    [
        (["search", "digits"], KEPT),
        (["predict", "nasbench201", "--predictor", "gp", "--out", "kept"], KEPT),
        (["predict", "nasbench201", "--predictor", "gp", "--out=kept"], KEPT),
        (["predict", "nasbench201", "--predictor", "gp"], LOST),
        (["score", "mlp", "--task", "digits"], "nasturtium: stopped\n"),
    ],
)
def test_who_stops_a_command_is_told_whether_anything_is_kept(
    given: list[str], says: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    for room, name in ((command, "run_search"), (predicting, "run_predict"), (scoring, "run_score")):
        monkeypatch.setattr(room, name, interrupted)
    assert run(given) == 130
    assert capsys.readouterr().err == says


def test_a_fit_has_no_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    from nasturtium.cli import stopped

    assert stopped(["bench", "nasbench201", "--fit", "s.npz"]) == "stopped"
    assert stopped(["bench", "nasbench201", "--strategy", "random"]) == "stopped; nothing was kept: give --out"


def test_a_time_limit_counts_the_loading_of_the_data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Asked(Exception):
        pass

    load = tasks.load

    def slow(*given: Any, **options: Any) -> Any:
        time.sleep(0.5)
        return load(*given, **options)

    def search(*_: Any, **options: Any) -> None:
        raise Asked(options["time"])

    monkeypatch.setattr(tasks, "load", slow)
    monkeypatch.setattr(searching, "search", search)
    with pytest.raises(Asked) as asked:
        run(["search", "digits", "--time", "1m", "--out", str(tmp_path)])
    assert 0 < asked.value.args[0] <= 59.5
    with pytest.raises(Asked) as asked:
        run(["search", "digits", "--time", "0.1s", "--out", str(tmp_path)])
    assert asked.value.args[0] == 0.01
    with pytest.raises(Asked) as asked:
        run(["search", "digits", "--out", str(tmp_path)])
    assert asked.value.args[0] is None


def test_all_names_are_shown_before_they_are_used() -> None:
    script = (
        "import nasturtium as nt; print(*sorted(set(nt.__all__) - set(dir(nt))), 'torch' in __import__('sys').modules)"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"
    for room in ("comparison", "export", "final", "report", "testing", "trackers"):
        assert room in dir(nt)
        assert getattr(nt, room).__name__ == f"nasturtium.{room}"
