"""``nasturtium report`` and ``nasturtium show``: what they write, to whom, how fast they load, and when they end."""

from __future__ import annotations

import io
import json
import signal
import subprocess
import sys
from pathlib import Path

import polars
import pytest

from nasturtium.cli import run
from nasturtium.report import plain_store
from nasturtium.report.reading import read_folder
from nasturtium.study.store import Event
from tests.report.studies import Made, make_study, write_best, write_finals

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def made(tmp_path: Path) -> Made:
    def ends(number: int) -> tuple[str, str]:
        return ("failed", "out of memory ([bold]red[/])") if number == 4 else ("complete", "")

    command = ["nasturtium", "search", "digits", "--limit", "params<=1M"]
    settings = {"command": command, "versions": {"python": "3.12.1", "torch": "2.13.0"}}
    return make_study(tmp_path / "runs", 14, ends=ends, settings=settings)


def test_report_writes_a_page_into_the_folder_or_elsewhere(made: Made, tmp_path: Path, capsys) -> None:
    assert run(["report", str(made.folder)]) == 0
    assert capsys.readouterr().out == f"wrote {made.folder / 'report.html'}\n"
    assert (made.folder / "report.html").read_text().startswith("<!DOCTYPE html>")
    assert run(["report", str(made.folder), "--out", str(tmp_path / "new" / "page.html")]) == 0
    assert (tmp_path / "new" / "page.html").exists()


def test_report_writes_plots_alone(made: Made, tmp_path: Path, capsys) -> None:
    assert run(["report", str(made.folder), "--plots", str(tmp_path / "plots")]) == 0
    assert "progress_trials.svg" in capsys.readouterr().out
    assert not (made.folder / "report.html").exists()
    assert (tmp_path / "plots" / "winner.svg").read_text().startswith("<svg")


@pytest.mark.parametrize("command", ["report", "show"])
def test_no_study_is_one_line(command: str, tmp_path: Path, capsys) -> None:
    assert run([command, str(tmp_path)]) == 2
    error = capsys.readouterr().err
    assert error.startswith(f"nasturtium: there is no study in {tmp_path}")
    assert error.count("\n") == 1


def test_show_says_what_the_page_says(made: Made, capsys) -> None:
    finals = write_finals(made)
    assert run(["show", str(made.folder), "--importance"]) == 0
    said = capsys.readouterr().out
    assert "14 trials: 13 complete, 1 failed; 28.0 s of training in all" in said
    best = max(made.complete(), key=lambda trial: trial["scores"]["accuracy"])
    assert f"best: trial {best['number']}\n  {best['architecture']}\n" in said
    assert f"│ {best['number']:<5} │   {best['scores']['accuracy']:.4f} │" in said
    assert "out of memory ([bold]red[/])" in said
    assert f"- {finals['verdict'][0]}" in said
    assert "0.9300" in said
    assert "0.cell.nodes_0_edges_0_operation" in said
    assert "A forest of 64 trees explains" in said
    assert "made by: nasturtium search digits --limit 'params<=1M'\n" in said
    assert "with: python 3.12.1, torch 2.13.0\n" in said
    assert f"study: {made.folder / 'study.db'}\n" in said


def test_the_other_metrics_of_one_network_are_means_over_its_trainings_too(made: Made, capsys) -> None:
    finals = write_finals(made)
    alone = finals["networks"][0]
    for run_of, loss in zip(alone["runs"], (0.1, 0.2, 0.6), strict=True):
        run_of["scores"]["log_loss"] = loss
    content = {**finals, "networks": [alone], "comparisons": []}
    (made.folder / "finals.json").write_text(json.dumps(content))
    assert run(["show", str(made.folder)]) == 0
    assert "test accuracy: 0.9300 ± 0.0200 over 3 trainings (log_loss 0.3000)" in capsys.readouterr().out


def test_show_of_an_older_folder_and_of_failures(made: Made, tmp_path: Path, capsys) -> None:
    write_best(made)
    assert run(["show", str(made.folder)]) == 0
    assert "test accuracy: 0.9200 ± 0.0283 over 2 trainings" in capsys.readouterr().out
    failed = make_study(tmp_path / "failed", 3, ends=lambda number: ("failed", "ValueError: no\n  net.py:3 in forward"))
    assert run(["show", str(failed.folder), "--importance"]) == 0
    said = capsys.readouterr().out
    assert "no trial ended with a score (3 failed)" in said
    assert "net.py:3 in forward" in said
    assert "nothing can be said of what mattered" in said


def test_csv_holds_every_trial(made: Made, tmp_path: Path, capsys) -> None:
    file = tmp_path / "trials.csv"
    assert run(["show", str(made.folder), "--csv", str(file)]) == 0
    assert f"wrote 14 trials to {file}" in capsys.readouterr().out
    table = polars.read_csv(file)
    assert table["number"].to_list() == list(range(14))
    assert table["architecture"].to_list() == [trial["architecture"] for trial in made.trials]
    assert table["state"].to_list() == [trial["state"] for trial in made.trials]
    assert table["score_accuracy"].to_list() == [trial["scores"].get("accuracy") for trial in made.trials]
    assert table["score_params"].to_list() == [trial["scores"]["params"] for trial in made.trials]
    assert run(["show", str(made.folder), "--csv", str(tmp_path)]) == 2
    assert "give another file" in capsys.readouterr().err


def test_show_loads_neither_torch_nor_other_heavy_packages(made: Made) -> None:
    write_finals(made)
    script = (
        "import sys; from nasturtium.cli import run; code = run(['show', sys.argv[1]]); "
        "heavy = {'torch', 'sklearn', 'scipy', 'polars', 'sqlalchemy', 'jinja2', 'networkx', 'plotly'}; "
        "sys.exit(code or ', '.join(heavy & sys.modules.keys()) or 0)"
    )
    done = subprocess.run([sys.executable, "-c", script, str(made.folder)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_what_is_read_plainly_is_what_the_store_holds(made: Made) -> None:
    from nasturtium.study import open_study

    reading = read_folder(made.folder)
    assert isinstance(reading.study.store, plain_store.PlainStore)
    stored = open_study(made.folder / "study.db", reading.goal, read_only=True)
    assert list(reading.study.store.read()) == list(stored.store.read())
    assert reading.study.store.header == stored.store.header
    stored.close()
    reading.close()


def test_a_damaged_event_is_refused(made: Made, capsys) -> None:
    import sqlite3

    connection = sqlite3.connect(made.folder / "study.db")
    connection.execute("UPDATE nasturtium_events SET data = replace(data, '3', '4') WHERE id = 6")
    connection.commit()
    connection.close()
    assert run(["show", str(made.folder)]) == 2
    assert "event 6 is damaged; put back a copy" in capsys.readouterr().err


def test_a_file_that_is_no_study_is_refused(made: Made, capsys) -> None:
    (made.folder / "study.db").write_bytes(b"no database, but long enough to be one" * 10)
    assert run(["show", str(made.folder)]) == 2
    assert "it is damaged" in capsys.readouterr().err


def test_watching_a_study_that_nobody_runs_shows_it(made: Made, capsys) -> None:
    assert run(["show", str(made.folder), "--watch"]) == 0
    said = capsys.readouterr().out
    assert said.startswith("no search is running here\n")
    assert "14 trials" in said


DRIVER = """
import sys
from pathlib import Path
import numpy
from nasturtium.objective import Goal
from nasturtium.study import open_study
from tests.report.studies import Made, events, make_study

folder = Path(sys.argv[1])
made = make_study(folder, 3)
study = open_study(folder / "study.db", Goal.of("accuracy"))
print("runs", flush=True)
sys.stdin.readline()
random = numpy.random.default_rng(1)
study.record(events(made, 3, made.space.sample(random), "complete", "", 3, random))
study.close()
"""


def driver(folder: Path) -> subprocess.Popen[str]:
    """A process that holds a study as a search does; told to end, it first adds a fourth trial."""
    command = [sys.executable, "-c", DRIVER, str(folder)]
    process = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline() == "runs\n"
    return process


def watch(out: Path) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "nasturtium", "show", str(out), "--watch"]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def test_watching_ends_with_the_search(tmp_path: Path) -> None:
    process, watching = driver(tmp_path), watch(tmp_path)
    assert watching.stdout is not None
    assert watching.stdout.readline() == "watching; Ctrl-C ends this, not the search\n"
    process.communicate("end\n", timeout=30)
    assert process.returncode == 0
    said, error = watching.communicate(timeout=60)
    assert watching.returncode == 0, error
    assert "4 trials: 4 complete" in said


def test_watching_ends_at_an_interrupt_and_the_search_goes_on(tmp_path: Path) -> None:
    process, watching = driver(tmp_path), watch(tmp_path)
    assert watching.stdout is not None
    assert watching.stdout.readline().startswith("watching")
    watching.send_signal(signal.SIGINT)
    said, error = watching.communicate(timeout=30)
    assert watching.returncode == 0, error
    assert said.endswith("watching ended; the search goes on\n")
    assert process.poll() is None
    process.kill()
    process.wait()


def test_a_running_search_is_shown_with_what_runs(made: Made) -> None:
    from rich.console import Console

    from nasturtium.cli.watching import picture
    from nasturtium.objective import Goal
    from nasturtium.study import open_study

    study = open_study(made.folder / "study.db", Goal.of("accuracy"))
    asked = {"decisions": [], "text": "Sequential(Linear(10))", "key": "k", "budget": 3, "parent": None}
    begun = [Event("asked", 14, json.dumps(asked)), Event("started", 14)]
    study.record([*begun, Event("reported", 14, '{"accuracy": 0.4321, "step": 2}')])
    reading = read_folder(made.folder)
    console = Console(width=100, file=io.StringIO())
    console.print(picture(reading, 3))
    shown = console.file.getvalue()
    assert "14 of 14 trials" in shown
    assert "│ 14    │     2 │   0.4321 │ Sequential(Linear(10)) │" in shown
    assert "the best so far (validation scores)" in shown
    study.record([Event("told", 14, '{"state": "complete", "scores": {"accuracy": 0.99}, "seconds": 1, "reason": ""}')])
    assert reading.study.refresh() == 1
    console.print(picture(reading, 3))
    assert "0.9900" in console.file.getvalue()
    assert "the final trainings run" in console.file.getvalue()
    reading.close()
    study.close()


def test_a_look_does_not_take_the_lock(tmp_path: Path) -> None:
    from nasturtium.cli.watching import held
    from nasturtium.study.lock import FileLock

    path = tmp_path / "study.db.lock"
    assert not held(path)
    lock = FileLock(path)
    assert lock.acquire()
    assert held(path)
    assert not FileLock(path).acquire()
    lock.release()
    assert not held(path)
    assert lock.acquire()
    lock.release()


def test_watching_keeps_what_else_was_asked_for(made: Made, tmp_path: Path, capsys) -> None:
    table = tmp_path / "new" / "trials.csv"
    assert run(["show", str(made.folder), "--watch", "--csv", str(table), "--importance"]) == 0
    said = capsys.readouterr().out
    assert "what mattered" in said
    assert len(table.read_text().splitlines()) == len(made.trials) + 1


def test_scores_of_an_older_folder_that_are_no_numbers_are_left_out(tmp_path: Path, capsys) -> None:
    made = make_study(tmp_path, 4)
    best = {"metric": "accuracy", "scores": {"test_accuracy": "high"}, "architecture": "x"}
    for content in (best, {**best, "scores": ["high"]}, {**best, "runs": [{"accuracy": "high"}]}):
        (made.folder / "best.json").write_text(json.dumps(content))
        assert run(["show", str(made.folder)]) == 0
        assert "best.json cannot be read" in capsys.readouterr().out


def test_finals_with_text_for_a_number_are_left_out(tmp_path: Path, capsys) -> None:
    made = make_study(tmp_path, 4)
    network = {"name": "trial 1", "kind": "finalist", "runs": [], "mean": "high"}
    finals = {"metric": "accuracy", "maximise": True, "epochs": 1, "seeds": [0], "networks": [network],
              "winner": "trial 1", "comparisons": []}  # fmt: skip
    (made.folder / "finals.json").write_text(json.dumps(finals))
    assert run(["show", str(made.folder)]) == 0
    assert "a number of 'trial 1' is none" in capsys.readouterr().out
