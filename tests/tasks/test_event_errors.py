"""What cannot be used as events and labels is refused in one line that names the place and the way out."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from nasturtium.errors import TaskError
from nasturtium.tasks import load
from tests.tasks.event_tables import OPTIONS, customers

EVENTS, LABELS = customers(30)


def refuse(line, events=EVENTS, labels=LABELS, **options):
    with pytest.raises(TaskError, match=line) as caught:
        load(events, labels=labels, **{**OPTIONS, **options})
    assert "\n" not in str(caught.value)


def times(values):
    return EVENTS.with_columns(when=pl.Series([*values, *[1] * (len(EVENTS) - len(values))], strict=False))


def test_entities_without_a_label():
    refuse(r"2 entities of the events have no label \(first: \d+\); remove their events", labels=LABELS.slice(2))


def test_labels_without_events():
    some = EVENTS.filter(pl.col("who") > 2)
    refuse(r"3 labelled entities have no events in the events \(first: who 0\); remove their labels", events=some)


def test_labels_given_twice():
    twice = pl.concat((LABELS, LABELS.slice(4, 1)))
    refuse(r"several labels for 1 entities \(first: who 4 at rows 4, 30\); give one label for each", labels=twice)


@pytest.mark.parametrize(
    ("events", "line"),
    [
        (times([1.0, None, float("nan")]), r"column 'when' .* has 2 missing or infinite times \(first at row 1\)"),
        (times([1.0, float("inf")]), "1 missing or infinite times"),
        (EVENTS.with_columns(when=pl.lit("soon")), "column 'when' .* holds 'soon' at row 0, which is no time"),
        (EVENTS.with_columns(when=pl.lit(True)), "is of type Boolean; times are dates, moments or numbers"),
        (EVENTS.with_columns(when=pl.lit([1])), "is of type List.*; times are dates, moments or numbers"),
    ],
)
def test_times_that_are_no_times(events, line):
    refuse(line, events=events)


def test_a_split_that_holds_something_else():
    refuse("column 'split' of the labels holds 'holdout'; use train, valid and test",
           labels=LABELS.with_columns(split=pl.lit("holdout")))  # fmt: skip


def test_one_class():
    refuse("column 'stays' holds a single class, 'yes'", labels=LABELS.with_columns(stays=pl.lit("yes")))


@pytest.mark.parametrize(
    ("options", "line"),
    [
        ({"entity": "whom"}, "the events has no column 'whom'; its columns are .*; did you mean 'who'"),
        ({"timestamp": "wen"}, "no column 'wen'.*did you mean 'when'"),
        ({"target": "stay"}, "the labels has no column 'stay'.*did you mean 'stays'"),
        ({"categorical": ["kinds"]}, "no column 'kinds'.*did you mean 'kind'"),
        ({"groups": "home"}, "the labels has no column 'home'"),
        ({"categorical": ["kind"], "ignore": ["kind"]}, "column 'kind' of the events is named for two uses"),
        ({"timestamp": "who"}, "column 'who' of the events is named for two uses"),
        ({"max_events": 0}, "max_events is 0; give a whole number from 1"),
        ({"split": "temporal", "groups": "family"}, "split='temporal' and groups='family' contradict each other"),
        ({"split": "random"}, "unknown split 'random'; use temporal or stratified"),
        ({"entity": None}, "needs the columns of entity and timestamp; entity is not given"),
        ({"layout": "tokens"}, "layout='tokens' does not apply to a DataFrame"),
    ],
)
def test_columns_and_options(options, line):
    refuse(line, **options)


def test_no_events_no_labels_no_files(tmp_path):
    refuse("the events holds no events", events=EVENTS.clear())
    refuse("the labels holds no labels", labels=LABELS.clear())
    refuse("there is no file .*nowhere.csv of labels", labels=str(tmp_path / "nowhere.csv"))
    refuse("labels are a list; give a polars frame", labels=[1, 0])
    (tmp_path / "empty.csv").write_text("")
    with pytest.raises(TaskError, match="is empty; it needs a line of column names and rows"):
        load(tmp_path / "empty.csv", labels=LABELS, **OPTIONS)
    with pytest.raises(TaskError, match="entity='who' does not apply to 'digits'"):
        load("digits", entity="who", timestamp="when")


def test_labels_among_the_events_that_vary():
    joined = EVENTS.join(LABELS, on="who")
    changed = joined.with_columns(stays=pl.when(pl.col("when") > 500).then(pl.lit("no")).otherwise("stays"))
    refuse(r"column 'stays' .* several values within \d+ entities", events=joined.with_columns(
        stays=pl.Series(np.where(np.arange(len(joined)) % 2, "yes", "no"))), labels=None)  # fmt: skip
    assert len(changed)
    refuse("which column of the events .* is the target", events=EVENTS, labels=None, target=None)


def test_entities_that_are_missing_and_times_that_do_not_differ():
    gaps = EVENTS.with_columns(who=pl.when(pl.col("who") > 3).then("who"))
    refuse(r"column 'who' of the events has \d+ missing values", events=gaps)
    refuse("fewer than ten different times", events=EVENTS.with_columns(when=pl.lit(3)), split="temporal")


def test_a_target_among_the_features_is_left_out():
    joined = EVENTS.join(LABELS, on="who")
    task = load(joined, labels=LABELS, **OPTIONS)
    assert "column 'stays' of the events is left out, as the target is called the same" in task.notes


def test_new_events_that_do_not_fit():
    coding = load(EVENTS, labels=LABELS, **OPTIONS).preprocessing.inputs
    with pytest.raises(TaskError, match="the events has no column 'kind'"):
        coding.apply(EVENTS.drop("kind"))
    with pytest.raises(TaskError, match="holds no events"):
        coding.apply(EVENTS.clear())
    with pytest.raises(TaskError, match="cannot be read as columns"):
        coding.apply(7)
    assert len(coding.apply(EVENTS.drop("shop").with_columns(shop=pl.lit(None, pl.Float32)))) == 4
