"""Final trainings of an earlier run: who reads the folder is told, and the winner of then is not called the best."""

from __future__ import annotations

import json
import subprocess
import sys
import warnings

import pytest
import torch

import nasturtium as nt
from nasturtium.cli import run
from nasturtium.cli.options import import_modules
from nasturtium.errors import NasturtiumError, StudyError
from nasturtium.estimators import Recipe, Trained
from nasturtium.final import load_best, read_finals
from nasturtium.final.earlier import EARLIER
from nasturtium.final.files import keep_best
from nasturtium.final.results import write_finals
from nasturtium.layers import Linear
from nasturtium.report.page import render
from nasturtium.report.reading import FINAL, SCORE, read_folder, winner_text
from nasturtium.report.winner import numbers_of
from nasturtium.space import Architecture
from tests.final.rings import QUICK, rings, space

ONE = {"finalists": 1, "final_seeds": 1, "baselines": False}
LAYER = """
import torch
import nasturtium as nt


class Twice(torch.nn.Module):
    def forward(self, x):
        return 2 * x


TwiceLayer = nt.layers.wrap(Twice, name="TwiceOfAUser")
"""


def kept(folder, architecture):
    """A folder that holds an architecture as the winner of a search."""
    folder.mkdir(exist_ok=True)
    task = nt.tasks.load(rings())
    model = architecture.build().eval()
    scores = {"test_accuracy": 0.9}
    keep_best(folder, model, architecture, task, {"name": "trial 0", "scores": scores, "runs": [{"accuracy": 0.9}]})
    return model


def test_a_study_that_went_on_under_other_limits_does_not_hand_over_the_winner_of_then(tmp_path, capsys):
    first = nt.search(rings(), space, out=tmp_path, **ONE, **QUICK)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        load_best(tmp_path)
    had = first.best.scores["params"]
    other = next(t.scores["params"] for t in first.trials if t.scores["params"] != had)
    limits = f"params<={other:.0f}" if other < had else f"params>={other:.0f}"
    options = {**QUICK, **ONE, "limits": limits}
    now = nt.search(rings(), space, out=tmp_path, **{**options, "final_epochs": 0})
    assert now.best.number != first.best.number

    with pytest.warns(UserWarning, match="of an earlier run; the same command trains the new leaders"):
        assert load_best(tmp_path).architecture == first.best.architecture
    reading = read_folder(tmp_path)
    assert winner_text(reading) == (str(now.best.architecture), now.best.number, SCORE)
    assert not any(number.key.startswith("test_") for number in numbers_of(reading, now.best.number))
    page = render(reading)
    assert page.count("of an earlier run") == 1
    assert "Of an earlier run: the study has gone on since" in page
    reading.close()
    assert run(["show", str(tmp_path)]) == 0
    said = capsys.readouterr().out
    assert f"best: trial {now.best.number} (by its validation score)" in said
    assert f"\n{EARLIER}\n" in said
    assert run(["export", str(tmp_path), str(tmp_path / "net.pt2")]) == 0
    assert f"note: {EARLIER}; what was exported is the winner of then" in capsys.readouterr().err

    nt.search(rings(), space, out=tmp_path, **options)  # the same with final trainings
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert load_best(tmp_path).architecture == now.best.architecture
    reading = read_folder(tmp_path)
    assert winner_text(reading) == (str(now.best.architecture), now.best.number, FINAL)
    reading.close()


def test_another_objective_has_other_leaders(tmp_path):
    first = nt.search(rings(), space, out=tmp_path, objectives="params", **ONE, **QUICK)
    now = nt.search(rings(), space, out=tmp_path, objectives="+params", **{**QUICK, **ONE, "final_epochs": 0})
    assert now.best.scores["params"] > first.best.scores["params"]
    with pytest.warns(UserWarning, match="of an earlier run"):
        load_best(tmp_path)


def test_the_winner_of_then_is_not_taken_for_one_whose_trainings_all_failed(tmp_path):
    result = nt.search(rings(), space, out=tmp_path, **ONE, **QUICK)
    finals = read_finals(tmp_path)
    finals.best.runs[0].state, finals.best.mean = "failed", None
    write_finals(finals, tmp_path)
    best = json.loads((tmp_path / "best.json").read_text())
    (tmp_path / "best.json").write_text(json.dumps({**best, "architecture": "Sequential(Linear(99), Linear(2))"}))
    with pytest.warns(UserWarning, match="of an earlier run"):
        load_best(tmp_path)
    reading = read_folder(tmp_path)
    assert winner_text(reading) == (str(result.best.architecture), result.best.number, SCORE)
    reading.close()


def test_the_text_of_another_winner_in_best_json_is_not_shown(tmp_path):
    result = nt.search(rings(), space, out=tmp_path, **ONE, **QUICK)
    best = json.loads((tmp_path / "best.json").read_text())
    other = {**best, "name": "trial 77", "architecture": "Sequential(Linear(99), Linear(2))"}
    (tmp_path / "best.json").write_text(json.dumps(other))
    reading = read_folder(tmp_path)
    assert winner_text(reading) == (str(result.best.architecture), result.best.number, FINAL)
    reading.close()


def test_a_tuned_winner_is_read_where_nothing_else_was_imported(tmp_path):
    kept(tmp_path, Architecture(Trained(Linear(2), Recipe(learning_rate=0.1)), input=(2,)))
    script = "import sys, nasturtium as nt; print(nt.load_best(sys.argv[1]).architecture)"
    done = subprocess.run([sys.executable, "-c", script, str(tmp_path)], capture_output=True, text=True, check=False)
    assert done.stdout == "Trained(Linear(2), recipe=Recipe(learning_rate=0.1))\n", done.stderr


def test_a_layer_that_is_not_known_is_named_and_its_module_can_be_imported(tmp_path, monkeypatch):
    (tmp_path / "twice_of_a_user.py").write_text(LAYER)
    monkeypatch.setattr(sys, "path", [*sys.path])
    import_modules([str(tmp_path / "twice_of_a_user.py")])
    model = kept(tmp_path / "run", Architecture.parse("Sequential(TwiceOfAUser(), Linear(2))", input=(2,)))

    def export(*more):
        command = [sys.executable, "-m", "nasturtium", "export", *more, "run", "net.py"]
        return subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)

    refused = export()
    assert refused.returncode == 2
    assert "unknown layer 'TwiceOfAUser'" in refused.stderr
    assert "import the module that defines it" in refused.stderr
    assert "run the search again" not in refused.stderr
    assert len(refused.stderr.splitlines()) == 1
    done = export("--import", "twice_of_a_user")
    assert done.returncode == 0, done.stderr
    assert torch.equal(load_best(tmp_path / "run").model(torch.ones(1, 2)), model(torch.ones(1, 2)))


@pytest.mark.parametrize("name", ["no_such_module_of_mine", "layers/none.py"])
def test_a_module_that_cannot_be_imported_is_named(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [*sys.path])
    with pytest.raises(NasturtiumError, match=rf"cannot import '{name}' \(ModuleNotFoundError: .*from {tmp_path}"):
        import_modules([name])


def test_what_else_cannot_be_read_of_an_architecture_is_said_as_it_is(tmp_path):
    kept(tmp_path, Architecture.parse("Sequential(Linear(2))", input=(2,)))
    best = json.loads((tmp_path / "best.json").read_text())
    newer = {**json.loads(best["json"]), "format": 99}
    (tmp_path / "best.json").write_text(json.dumps({**best, "json": json.dumps(newer)}))
    with pytest.raises(StudyError, match=r"best.json: the JSON has format 99.*; a newer nasturtium may read it$"):
        load_best(tmp_path)
