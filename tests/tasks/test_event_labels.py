"""Labels, their further columns and the split they tell; entities, files and options of events."""

from __future__ import annotations

from datetime import date

import numpy as np
import polars as pl
import pytest

from nasturtium.errors import TaskError
from nasturtium.tasks import load
from tests.tasks.event_parts import given
from tests.tasks.event_tables import customers

EVENTS, LABELS = customers()
EVENTS = EVENTS.with_columns(pl.col("amount").fill_nan(None))


def test_further_columns_of_labels_are_told():
    more = LABELS.with_columns(age=pl.col("who") + 20, start=-pl.col("who"), split=pl.lit("train"))
    assert any(
        n.startswith("columns of the labels not used: age (to use one, join it") for n in given(EVENTS, more).notes
    )
    assert not any("not used" in note for note in given(EVENTS, LABELS).notes)


def test_the_split_by_time_says_by_what():
    started = LABELS.with_columns(start=-pl.col("who"))
    note = "split by time (by column 'start' of the labels): the latest rows test, those before them validate"
    assert note in given(EVENTS, started).notes
    assert any(note.startswith("split by time (by their first event)") for note in given(EVENTS, LABELS).notes)


@pytest.mark.parametrize(
    ("values", "line"),
    [("Berlin", "holds 'Berlin' at row 0, which is no time"), (date(2024, 1, 1), "holds moments without a zone where"),
     (None, "missing or infinite times")],
)  # fmt: skip
def test_a_start_that_is_none_is_refused_only_where_it_splits(values, line):
    strange = LABELS.with_columns(start=pl.Series([values] * len(LABELS), dtype=pl.Float64 if values is None else None))
    with pytest.raises(TaskError, match=rf"{line}.*rename it if it says something else, or split otherwise \(--split"):
        given(EVENTS, strange)
    given(EVENTS, strange, split="stratified")
    given(EVENTS, strange.with_columns(split=pl.Series((["train"] * 3 + ["valid", "test"]) * 12)))


def test_an_entity_that_is_no_number_is_missing():
    holes = EVENTS.with_columns(who=pl.when(pl.int_range(pl.len()) == 4).then(np.nan).otherwise(pl.col("who")))
    line = r"column 'who' of the events has 1 missing values \(first at row 4\); fill them in, or remove these rows"
    with pytest.raises(TaskError, match=line):
        given(holes, LABELS)
    made = given(EVENTS, LABELS).preprocessing
    with pytest.raises(TaskError, match=line):
        made.rows(holes)
    with pytest.raises(TaskError, match=r"column 'who' of the labels has 1 missing values"):
        given(EVENTS, LABELS.with_columns(who=pl.when(pl.col("who") == 4).then(np.nan).otherwise(pl.col("who"))))


def test_files_in_the_home_folder(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    LABELS.write_csv(tmp_path / "labels.csv")
    EVENTS.write_csv(tmp_path / "events.csv")
    made = given("~/events.csv", "~/labels.csv").preprocessing
    assert len(made.rows("~/events.csv")[1]) == len(LABELS)


@pytest.mark.parametrize("options", [{"max_events": 3}, {"groups": "family"}, {"split": "temporal"}])
def test_options_of_events_without_an_entity(tmp_path, options):
    EVENTS.write_csv(tmp_path / "ev.csv")
    with pytest.raises(
        TaskError, match=r"does not apply to .*ev.csv'; it is for event tables: give entity and timesta"
    ):
        load(tmp_path / "ev.csv", target="kind", **options)
