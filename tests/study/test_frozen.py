"""A study that an older release wrote opens, shows its trials, and goes on; the file is never written anew."""

import hashlib
import json
import shutil
import sqlite3
from pathlib import Path

import pytest

from nasturtium.objective import Goal
from nasturtium.spaces import mlp
from nasturtium.strategies import make
from nasturtium.study import InProcess, open_study, run
from nasturtium.trial import State

FROZEN = sorted((Path(__file__).parents[1] / "assets").glob("study-*"))
SUMS = {"study-0.1": "109f993cf73070ee"}


@pytest.fixture(params=FROZEN, ids=lambda folder: folder.name)
def folder(request, tmp_path):
    return Path(shutil.copytree(request.param, tmp_path / "study"))


def goal_of(folder):
    settings = json.loads((folder / "settings.json").read_text())
    return Goal.of(settings["objectives"], settings["limits"])


def by_hand(folder):
    """The events, read with the standard library alone."""
    base = sqlite3.connect(f"file:{folder / 'study.db'}?immutable=1", uri=True)
    rows = base.execute("SELECT kind, trial, data FROM nasturtium_events ORDER BY id").fetchall()
    base.close()
    return [(kind, trial, json.loads(text)) for kind, trial, text in rows]


def test_there_are_frozen_studies_and_they_are_as_they_were():
    found = {path.name: hashlib.sha256((path / "study.db").read_bytes()).hexdigest()[:16] for path in FROZEN}
    assert found == SUMS


def test_it_shows_every_trial_as_it_was_written(folder):
    events = by_hand(folder)
    kinds = {kind for kind, _, _ in events}
    assert kinds == {"asked", "started", "reported", "told", "lost", "interrupted"}
    study = open_study(folder / "study.db", goal_of(folder), read_only=True)
    asked = {trial: data for kind, trial, data in events if kind == "asked"}
    told = {trial: data for kind, trial, data in events if kind == "told"}
    assert [str(trial.architecture) for trial in study] == [asked[number]["text"] for number in range(len(asked))]
    for number, data in told.items():
        trial = study.trials[number]
        assert (trial.state, trial.scores, trial.reason) == (data["state"], data["scores"], data["reason"])
    assert {trial.number for trial in study if not trial.state.ended} == asked.keys() - told.keys()
    complete = {number: data["scores"] for number, data in told.items() if data["state"] == "complete"}
    assert study.best.scores["accuracy"] == max(scores["accuracy"] for scores in complete.values())
    assert study.trials[0].curve[-1]["step"] == 2
    study.close()


class Smooth:
    """Gives what no training need be run for."""

    def evaluate(self, architecture, budget, report):
        return {"accuracy": 1 / (1 + len(str(architecture)))}


def test_it_goes_on_in_its_space_with_its_strategy(folder):
    space = mlp(input=(1, 8, 8), outputs=10)
    header = {"task": "digits", "seed": 3, "strategy": "evolution", "epochs": 2}
    study = open_study(folder / "study.db", goal_of(folder), space, header)  # the space is still the same
    before = {trial.number: (str(trial.architecture), trial.scores) for trial in study if trial.state.ended}
    waiting = [trial.number for trial in study if not trial.state.ended]
    assert waiting
    strategy = make("evolution", space=space, seed=3, budget=2, objectives="accuracy", limits=["params<=60k"])
    run(study, strategy, InProcess(Smooth()), trials=40, seed=3, cost=lambda architecture: architecture.count())
    after = {trial.number: (str(trial.architecture), trial.scores) for trial in study}
    assert {number: after[number] for number in before} == before
    assert all(study.trials[number].state is State.COMPLETE for number in waiting)
    assert len(study) - study.counts[State.INFEASIBLE] == 40
    study.close()
