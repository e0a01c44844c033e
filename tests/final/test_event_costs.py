"""Costs in a search over event tables: rows have as many steps as the data say, in trials, limits and finals."""

from __future__ import annotations

import nasturtium as nt
from nasturtium.estimators import Training
from nasturtium.final.baselines import broken, plain_network
from nasturtium.objective import Goal
from nasturtium.searching.screening import Screen
from tests.tasks.event_tables import OPTIONS, customers

EVENTS, LABELS = customers()


def test_trials_and_baselines_are_counted_at_the_length_of_the_rows(tmp_path):
    task = nt.tasks.load(EVENTS, labels=LABELS, **OPTIONS)
    small = {"epochs": 1, "strategy": "random", "final_epochs": 1, "final_seeds": 1, "quiet": True}
    result = nt.search(task, trials=1, out=tmp_path, **small)
    typical = task.lengths.counted
    assert typical > 3
    (trial,) = result.trials
    assert (
        trial.scores["flops"] == trial.architecture.count(length=typical)["flops"] > trial.architecture.count()["flops"]
    )
    plain = result.finals.network("plain network")
    assert plain.flops == plain_network(task).count(length=typical)["flops"]


def test_the_limit_of_the_plain_network_is_that_of_its_rows():
    task = nt.tasks.load(EVENTS, labels=LABELS, **OPTIONS)
    plain, training = plain_network(task), Training(task)
    one = plain.count()["flops"]
    assert broken(plain, Goal.of("max:auroc", [f"flops<={one}"]), training) == [f"flops<={one}"]
    assert broken(plain, Goal.of("max:auroc", [f"flops<={2 * task.lengths.counted * one}"]), training) == []


class Snip:
    """Stands for what scores by a proxy."""

    names = ("snip",)

    def __init__(self, task):
        self.task = task

    def __call__(self, architecture):
        return {"snip": 1.0}


def test_candidates_are_screened_by_the_cost_of_their_rows():
    task = nt.tasks.load(EVENTS, labels=LABELS, **OPTIONS)
    plain = plain_network(task)
    one, whole = (plain.count(length=length)["flops"] for length in (1, task.lengths.counted))
    assert Screen(Snip(task), Goal.of("max:auroc", [f"flops<={one}"])).scores(plain) == {}
    assert Screen(Snip(task), Goal.of("max:auroc", [f"flops<={whole}"])).scores(plain) == {"snip": 1.0}


def test_a_study_that_was_begun_at_one_step_goes_on_so(tmp_path, monkeypatch):
    task = nt.tasks.load(EVENTS, labels=LABELS, **OPTIONS)
    small = {"epochs": 1, "strategy": "random", "final_epochs": 0, "quiet": True, "out": tmp_path}
    with monkeypatch.context() as before:
        before.setattr(Training, "costs", lambda self, architecture, names: nt.estimators.structural(architecture))
        nt.search(task, trials=1, **small)
    result = nt.search(task, trials=3, **small)
    assert len(result.trials) == 3
    for trial in result.trials:
        assert trial.scores["flops"] == trial.architecture.count()["flops"]
