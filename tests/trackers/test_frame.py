"""Trials as a table, checked against the standard library's reading of the same study."""

import csv
import json
import sqlite3

import polars
import pytest

from nasturtium.errors import StudyError
from nasturtium.study import Recorded
from nasturtium.trackers import frame
from nasturtium.trackers.fields import fields_of, varying_fields
from nasturtium.trackers.frame import write_csv
from nasturtium.trackers.reading import read_tracked


def events(folder, kind):
    base = sqlite3.connect(folder / "study.db")
    query = "SELECT trial, data FROM nasturtium_events WHERE kind = ?"
    found = {trial: json.loads(text) for trial, text in base.execute(query, (kind,))}
    base.close()
    return found


def test_a_row_for_each_trial_says_what_the_study_holds(folder):
    made = frame(read_tracked(folder).study.trials)
    asked, told = events(folder, "asked"), events(folder, "told")
    assert made["number"].to_list() == sorted(asked)
    assert made["architecture"].to_list() == [asked[number]["text"] for number in sorted(asked)]
    assert made["state"].to_list()[18:] == ["waiting", "running"]
    for row in made.head(18).iter_rows(named=True):
        data = told[row["number"]]
        assert (row["state"], row["reason"], row["seconds"]) == (data["state"], data["reason"], data["seconds"])
        assert row["score_accuracy"] == data["scores"].get("accuracy")
        assert row["reports"] == 3
    assert made["score_accuracy"].dtype == polars.Float64
    assert made["score_accuracy"].max() == max(d["scores"]["accuracy"] for d in told.values() if d["scores"])


def test_an_empty_study_has_the_columns_all_the_same():
    assert frame([]).columns[:4] == ["number", "state", "architecture", "budget"]
    assert frame([], decisions=True).height == 0


def test_csv_is_read_back_by_the_standard_library(folder, tmp_path):
    trials = read_tracked(folder).study.trials
    write_csv(trials, tmp_path / "trials.csv")
    with (tmp_path / "trials.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [int(row["number"]) for row in rows] == list(range(20))
    assert [row["architecture"] for row in rows] == [str(trial.architecture) for trial in trials]
    with pytest.raises(StudyError, match="cannot write"):
        write_csv(trials, tmp_path / "missing" / "trials.csv")


def test_fields_tell_all_architectures_apart(folder):
    trials = read_tracked(folder).study.trials
    fields = varying_fields(trials)
    told_apart = {json.dumps(each, sort_keys=True) for each in fields}
    assert len(told_apart) == len({str(trial.architecture) for trial in trials}) > 10
    columns = [name for name in frame(trials, decisions=True).columns if name.startswith("field_")]
    assert columns == [f"field_{place}" for place in dict.fromkeys(p for each in fields for p in each)]


def test_fields_stand_where_the_text_has_them():
    found = fields_of(Recorded("Sequential(Flatten(), Linear(10))", (0,)))
    assert found["network"] == "Sequential"
    assert 10 in found.values()
    assert "Linear" in found.values()


def test_an_architecture_that_cannot_be_read_here_is_known_by_its_decisions():
    assert fields_of(Recorded("MyOwnLayer(3)", (2, 0))) == {"decision 0": 2, "decision 1": 0}
