"""Final trainings that go on: with more seeds, after damage, and within the time."""

from __future__ import annotations

import json
import time

import pytest
import torch

import nasturtium as nt
from nasturtium.final import load_best, read_finals
from nasturtium.final.roster import Replicates, Roster, replicate
from nasturtium.space import Architecture
from nasturtium.trial import State, Trial
from tests.final.rings import QUICK, rings, space


def test_more_seeds_and_trials_train_only_what_is_missing(tmp_path):
    options = {**QUICK, "baselines": False}
    nt.search(rings(), space, out=tmp_path, finalists=2, final_seeds=1, **options)
    before = {path: path.stat().st_mtime_ns for path in tmp_path.glob("finals/*/weights.safetensors")}
    assert len(before) == 2
    result = nt.search(rings(), space, out=tmp_path, finalists=2, final_seeds=2, **options)
    after = {path: path.stat().st_mtime_ns for path in tmp_path.glob("finals/*/weights.safetensors")}
    assert len(after) == 4
    assert before.items() <= after.items()
    assert [len(network.runs) for network in result.finals.networks] == [2, 2]


def test_replicates_go_seed_by_seed_and_count_what_was_done():
    roster = Roster((nt.Signal("vector", (2,)),), [])
    numbers = [roster.add(Architecture.parse(f"Linear({width})")) for width in (2, 3, 4)]
    assert roster.add(Architecture.parse("Linear(3)")) == 1
    strategy = Replicates(roster, numbers, 2, 10)
    asked = [proposal.architecture.decisions[0] for proposal in strategy.ask(4)]
    assert asked == [0, 1, 2, 0]
    assert [p.architecture.decisions[0] for p in strategy.ask(9)] == [1, 2]
    assert strategy.ask() == []
    trials = [
        Trial(n, State.COMPLETE, roster.architecture((d,)), b) for n, (d, b) in enumerate([(0, 9), (0, 10), (0, 10)])
    ]
    assert [replicate(trials, trial) for trial in trials] == [0, 0, 1]
    assert str(Roster(roster.input, roster.texts).architecture((2,))) == "Linear(4)"


def test_a_failing_final_training_costs_its_network_alone(tmp_path, monkeypatch):
    from nasturtium.estimators import Training

    fit = Training.fit_final

    def failing(self, architecture, *rest):
        if "Linear(32)" in str(architecture):
            raise FloatingPointError("burnt")
        return fit(self, architecture, *rest)

    monkeypatch.setattr(Training, "fit_final", failing)
    start = ["Sequential(Linear(32), ReLU(), Linear(2))", "Sequential(Linear(4), ReLU(), Linear(2))"]
    options = {**QUICK, "trials": 2, "epochs": 8, "final_seeds": 1, "baselines": False}
    result = nt.search(rings(), space, out=tmp_path, start=start, **options)
    failed = next(network for network in result.finals.networks if "Linear(32)" in network.architecture)
    assert failed.runs[0].state == "failed"
    assert "Linear(4)" in str(result.best.architecture)
    assert any("trainings failed (FloatingPointError: burnt" in line for line in result.finals.verdict)


@pytest.mark.parametrize("name", ["best.json", "best.safetensors", "best_rows.npz", "finals.json"])
def test_damaged_files_are_written_anew_and_nothing_is_trained_again(tmp_path, name):
    options = {**QUICK, "baselines": False, "finalists": 1, "final_seeds": 1}
    before = nt.search(rings(), space, out=tmp_path, **options)
    trained = {path: path.stat().st_mtime_ns for path in tmp_path.glob("finals/*/weights.safetensors")}
    (tmp_path / name).write_bytes(b"garbage{")
    after = nt.search(rings(), space, out=tmp_path, **options)
    assert after.finals.verdict == before.finals.verdict == read_finals(tmp_path).verdict
    loaded = load_best(tmp_path)
    assert torch.equal(loaded.model(torch.zeros(1, 2)), before.best.model(torch.zeros(1, 2)))
    assert loaded.rows is not None
    assert {path: path.stat().st_mtime_ns for path in tmp_path.glob("finals/*/weights.safetensors")} == trained


def test_a_winner_that_belongs_to_other_finals_is_written_anew(tmp_path):
    """As after a kill between the files of two calls."""
    options = {**QUICK, "baselines": False, "finalists": 2, "final_seeds": 1}
    result = nt.search(rings(), space, out=tmp_path, **options)
    content = json.loads((tmp_path / "best.json").read_text())
    other = nt.search(rings(), space, out=tmp_path / "other", **{**options, "seed": 5, "epochs": 1})
    assert other.best.scores != result.best.scores
    for name in ("best.json", "best.safetensors", "best_rows.npz"):
        (tmp_path / name).write_bytes((tmp_path / "other" / name).read_bytes())
    nt.search(rings(), space, out=tmp_path, **options)
    assert json.loads((tmp_path / "best.json").read_text()) == content


def test_trainings_for_which_time_ran_out_are_done_by_the_next_call(tmp_path, monkeypatch):
    from nasturtium.final import finishing, reserve

    options = {**QUICK, "finalists": 2, "final_seeds": 2, "baselines": False}
    monkeypatch.setattr(reserve, "fitted", lambda whole, *_: whole)  # a plan that was far too hopeful
    monkeypatch.setattr(finishing, "LEAST_SECONDS", 0.05)
    monkeypatch.setattr(finishing.Wanted, "left", 0.0)
    slow = finishing.FinalTraining.evaluate

    def evaluate(self, *given):
        time.sleep(0.1)
        return slow(self, *given)

    monkeypatch.setattr(finishing.FinalTraining, "evaluate", evaluate)
    short = nt.search(rings(), space, out=tmp_path, **options)
    assert [len(network.runs) for network in short.finals.networks] == [1, 0]
    assert short.finals.verdict[-1].startswith("the time was over before all final trainings were done")
    assert not any("failed" in line for line in short.finals.verdict)
    monkeypatch.setattr(finishing.Wanted, "left", None)
    whole = nt.search(rings(), space, out=tmp_path, **options)
    assert [[run.seed for run in network.runs] for network in whole.finals.networks] == [[0, 1], [0, 1]]
    assert len(list(tmp_path.glob("finals/*/weights.safetensors"))) == 4


def test_time_that_is_short_cuts_the_plan_not_the_result(tmp_path):
    result = nt.search(rings(), space, out=tmp_path, time=3, **{**QUICK, "final_epochs": 2000})
    assert result.best.model is not None
    assert "the time left allows" in result.finals.verdict[-1]
    assert json.loads((tmp_path / "best.json").read_text())["epochs"] < 2000


def test_loading_counts_against_the_time_limit(monkeypatch):
    from nasturtium import study, tasks

    load, run, given = tasks.load, study.run, []

    def slowly(*args, **options):
        time.sleep(1.5)
        return load(*args, **options)

    def noted(*args, **options):
        given.append(options["time"])
        return run(*args, **options)

    monkeypatch.setattr(tasks, "load", slowly)
    monkeypatch.setattr(study, "run", noted)
    options = {**QUICK, "trials": 1, "epochs": 1, "baselines": False, "finalists": 1, "final_seeds": 1}
    nt.search(rings(), space, time=10, **options)
    assert 1 < given[0] < 10 * 0.6 - 1.5
    nt.search(rings(), space, time=2, **options)
    assert given[1] == 1.0  # a trial starts in any case
