"""``nasturtium doctor`` and ``track``: what they say agrees with the machine, the packages and the study itself."""

import json
import os
import re
import shutil
import sqlite3
import tomllib
from importlib.metadata import version
from pathlib import Path

import psutil
import pytest
import torch

from nasturtium.cli import machine, run
from nasturtium.cli.doctor import kills, text_of
from nasturtium.study import Event

FROZEN = Path(__file__).parents[1] / "assets" / "study-0.1"


@pytest.fixture
def folder(tmp_path):
    return Path(shutil.copytree(FROZEN, tmp_path / "study"))


@pytest.fixture
def quick(monkeypatch):
    monkeypatch.setattr(machine, "SPEED_SECONDS", 0.0)


def facts(capsys, *arguments):
    assert run(["doctor", "--json", *map(str, arguments)]) == 0
    return json.loads(capsys.readouterr().out)


def test_it_says_what_is_installed_and_what_the_machine_has(quick, capsys):
    found = facts(capsys)
    assert found["versions"]["torch"] == version("torch")
    assert found["memory"]["total"] == psutil.virtual_memory().total
    assert found["threads"]["processors"] == os.cpu_count()
    assert abs(found["disk"]["free"] - shutil.disk_usage(".").free) < 2**30
    assert found["devices"][0]["device"] == "cpu"
    assert found["devices"][0]["gflops"] > 0
    assert "study" not in found


def test_a_missing_extra_says_how_to_get_it(monkeypatch):
    monkeypatch.setattr(machine, "requires", lambda name: ['no-such[x]>=1; extra == "odd"', "numpy; extra == 'fine'"])
    install = "pip install 'nasturtium[odd]'"
    assert machine.extras() == {
        "odd": {"present": False, "missing": ["no-such"], "install": install},
        "fine": {"present": True, "missing": []},
    }
    assert install in text_of({"extras": machine.extras()})
    assert not machine.for_this_system("sys_platform == 'amiga' and extra == 'x'")


def test_the_operations_of_a_step_are_those_that_torch_counts():
    from torch.utils.flop_counter import FlopCounterMode

    first, second, third = machine.CHANNELS
    model = torch.nn.Sequential(
        torch.nn.Conv2d(first, second, 3, padding=1),
        torch.nn.Conv2d(second, third, 3, padding=1),
        torch.nn.AdaptiveAvgPool2d(1),
        torch.nn.Flatten(),
        torch.nn.Linear(third, 10),
    )
    with FlopCounterMode(display=False) as counter:
        model(torch.randn(machine.BATCH, first, machine.SIDE, machine.SIDE)).sum().backward()
    assert machine.step_flops() == counter.get_total_flops()


def test_a_study_is_described_as_its_file_says(quick, capsys, folder):
    found = facts(capsys, folder)["study"]
    base = sqlite3.connect(folder / "study.db")
    count, last = base.execute("SELECT count(*), max(id) FROM nasturtium_events WHERE kind = 'told'").fetchone()
    events = base.execute("SELECT count(*) FROM nasturtium_events").fetchone()[0]
    base.close()
    assert last <= events == found["events"]
    assert sum(found["ended"][state] for state in ("complete", "infeasible")) == count
    assert found["workers lost"] == 1
    assert found["state"] == "can be read"
    assert "another machine" in found["run"]
    assert run(["doctor", str(folder)]) == 0
    text = capsys.readouterr().out
    assert "  trials            26\n" in text
    assert "\nstudy\n" in text


@pytest.mark.parametrize(
    ("damage", "problem"),
    [
        (lambda folder: (folder / "study.db").write_bytes(b"x" * 5000), "damaged"),
        (lambda folder: (folder / "settings.json").unlink(), "there is no study"),
    ],
)
def test_a_study_that_cannot_be_read_is_said_and_is_no_error(quick, capsys, folder, damage, problem):
    damage(folder)
    found = facts(capsys, folder)["study"]
    assert found["state"] == "cannot be read"
    assert problem in found["problem"]


def test_track_writes_where_it_is_told(capsys, folder, tmp_path):
    assert run(["track", str(folder), "--csv", str(tmp_path / "trials.csv")]) == 0
    assert capsys.readouterr().out.startswith("26 trials in ")
    assert len((tmp_path / "trials.csv").read_text().splitlines()) == 27
    assert run(["track", str(folder)]) == 2
    assert "--tensorboard LOGDIR, --optuna URL or --csv FILE" in capsys.readouterr().err


def test_a_driver_that_died_is_counted_once_whatever_ran_then():
    died, paused = '{"death": true}', '{"death": false}'
    lived = [Event("started", n) for n in range(4)]
    batch = [Event("interrupted", n, died) for n in range(4)]
    assert kills([*lived, *batch, *lived, *batch[:1], Event("started", 0), Event("interrupted", 0, paused)]) == 2


def test_the_best_is_the_one_that_the_search_recommends(quick, capsys, folder):
    settings = json.loads((folder / "settings.json").read_text())
    before = facts(capsys, folder)["study"]["best"]
    base = sqlite3.connect(folder / "study.db")
    told = base.execute("SELECT trial, data FROM nasturtium_events WHERE kind = 'told'").fetchall()
    base.close()
    complete = [number for number, data in told if json.loads(data)["state"] == "complete"]
    other = next(number for number in complete if f"trial {number}" != before)
    (folder / "settings.json").write_text(json.dumps({**settings, "recommended": [other]}))
    assert facts(capsys, folder)["study"]["best"] == f"trial {other}"


def test_every_extra_is_used():
    root = Path(__file__).parents[2]
    offered = tomllib.loads((root / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    source = "\n".join(path.read_text() for path in (root / "src").rglob("*.py")).lower()
    for extra, packages in offered.items():
        for package in packages if extra not in machine.DEVELOPMENT else ():
            name = re.split(r"[\[>=;]", package)[0].removesuffix("-cpu")
            assert name in source or name.replace("-", "_") in source, f"{extra} offers {name}, which nothing imports"
