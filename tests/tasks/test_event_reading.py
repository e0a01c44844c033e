"""Events as files and programs write them: the same values are read the same way, and what is unclear is refused."""

from __future__ import annotations

import json
import warnings
from datetime import date, datetime, time, timedelta

import numpy as np
import polars as pl
import pytest

from nasturtium.errors import TaskError
from nasturtium.export.carried.events import encode_events
from nasturtium.export.carried.files import read_csv
from nasturtium.tasks import Preprocessing
from tests.tasks.event_parts import given
from tests.tasks.event_tables import customers

EVENTS, LABELS = customers()
EVENTS = EVENTS.with_columns(pl.col("amount").fill_nan(None))
START = datetime(2024, 1, 1)
MOMENTS = EVENTS.with_columns(when=pl.Series([START + timedelta(hours=t) for t in EVENTS["when"]]))


def coding_of(made: Preprocessing) -> dict:
    return json.loads(made.to_json())["inputs"]


def same(ours, theirs) -> bool:
    pairs = zip(ours, theirs, strict=True)
    return all(np.allclose(np.asarray(a), np.asarray(b), atol=1e-5) for a, b in pairs)


def agreed(made: Preprocessing, events: pl.DataFrame):
    """What the library makes of events, after a look that an exported program makes the same."""
    ours = made.apply(events)
    assert same(ours, encode_events(events.to_dict(as_series=False), coding_of(made)))
    return ours


@pytest.mark.parametrize("kind", [pl.Categorical, pl.Enum(["01", "02", "007"]), pl.String])
def test_codes_are_text_whatever_holds_them(tmp_path, kind):
    codes = EVENTS["kind"].replace({"call": "01", "visit": "02", "order": "007"})
    events = EVENTS.with_columns(kind=codes)
    made = given(events.with_columns(pl.col("kind").cast(kind)), LABELS).preprocessing
    known = agreed(made, events)
    assert set(np.unique(known[0])) == {0, 1, 2, 3}, "0 is padding"
    assert same(agreed(made, events.with_columns(pl.col("kind").cast(pl.Categorical))), known)
    events.write_csv(tmp_path / "new.csv")
    split, _ = made.rows(tmp_path / "new.csv")
    assert split.inputs[0].min() > 0
    assert same(encode_events(read_csv(tmp_path / "new.csv"), coding_of(made)), known)


@pytest.mark.parametrize("kind", [pl.Categorical, pl.Enum(["1.0", "2.0", "3.0", "4.0"])])
def test_numbers_are_known_among_categories(kind):
    made = given(EVENTS.with_columns(pl.col("shop").cast(pl.Int64)), LABELS, categorical=["shop"]).preprocessing
    written = EVENTS.with_columns(pl.col("shop").cast(pl.String).cast(kind))
    assert written["shop"][0].endswith(".0")
    assert same(agreed(made, written), agreed(made, EVENTS))


@pytest.mark.parametrize(("true", "false"), [(1, 0), (1.0, 0.0), ("True", "False"), ("1", "0"), ("1.0", "0.0")])
@pytest.mark.parametrize("trained", [True, "True"])
def test_booleans_are_known_however_they_are_written(trained, true, false):
    late = EVENTS["when"] > 3000
    was = late if trained is True else late.cast(pl.String).str.to_titlecase()
    made = given(EVENTS.with_columns(late=was), LABELS).preprocessing
    written = EVENTS.with_columns(late=pl.Series([true if each else false for each in late]))
    assert same(agreed(made, written), agreed(made, EVENTS.with_columns(late=late)))
    assert set(np.unique(agreed(made, written)[1])) == {0, 1, 2}


def test_a_category_of_which_nothing_is_known_is_warned_of():
    made = given(EVENTS, LABELS, categorical=["shop"]).preprocessing
    strange = EVENTS.with_columns(kind=pl.lit("appel"))
    line = r"not one of the \d+ values of column 'kind' is known from training: the events have appel, training had "
    for encode in (made.apply, made.rows, lambda raw: encode_events(raw.to_dict(as_series=False), coding_of(made))):
        with pytest.warns(UserWarning, match=line):
            encode(strange)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        agreed(made, EVENTS)
        agreed(made, EVENTS.with_columns(kind=pl.Series(["appel", *EVENTS["kind"][1:]])))
        agreed(made, EVENTS.with_columns(kind=pl.lit(None, pl.String)))


def test_gaps_between_the_newest_events_are_kept():
    """One second apart after two years: float32 counts seconds since the first event in steps of four."""
    year = 365 * 86_400
    steps = [*range(50), *range(2 * year, 2 * year + 50)]
    rows = [
        {"who": who, "when": 1.7e9 + 1000 * who + step, "kind": "ab"[step % 2]} for who in range(60) for step in steps
    ]
    events = pl.DataFrame(rows)
    made = given(events, LABELS).preprocessing
    assert made.inputs.unit == 1
    times = agreed(made, events)[-2][:, :, 0]
    assert (np.diff(times[:, 50:]) == 1).all()
    assert (times[:, -1] == 0).all()


def test_what_was_saved_before_counts_times_as_it_did():
    made = given(EVENTS, LABELS).preprocessing
    held = json.loads(made.to_json())
    for name in ("backwards", "day_first"):
        del held["inputs"][name]
    old = Preprocessing.from_json(json.dumps(held))
    times, mask = agreed(old, EVENTS)[-2:]
    assert times.min() == 0
    assert (times[:, 0] == 0).all()
    ours = agreed(made, EVENTS)[-2]
    shifted = ours - ours[:, :1]
    np.testing.assert_allclose(shifted[mask], times[mask], atol=1e-4)


def test_moments_with_and_without_a_zone_are_not_mixed():
    there = MOMENTS.with_columns(pl.col("when").dt.replace_time_zone("America/New_York"))
    naive, zoned = given(MOMENTS, LABELS), given(there, LABELS)
    assert not any("zone" in note for note in naive.notes)
    assert "moments in when have a zone: their time of day and week is taken in UTC" in zoned.notes
    for task, other, found, was in ((naive, there, "with", "without"), (zoned, MOMENTS, "without", "with")):
        made = task.preprocessing
        line = f"holds moments {found} a zone, but times were moments {was} a zone in training; give "
        with pytest.raises(TaskError, match=line):
            made.apply(other)
        with pytest.raises(ValueError, match=f"times were moments {was} a zone in training"):
            encode_events(other.to_dict(as_series=False), coding_of(made))


def test_the_same_moment_is_the_same_in_every_zone(tmp_path):
    there = MOMENTS.with_columns(pl.col("when").dt.replace_time_zone("America/New_York"))
    made = given(there, LABELS).preprocessing
    known = agreed(made, there)
    assert same(agreed(made, there.with_columns(pl.col("when").dt.convert_time_zone("Asia/Tokyo"))), known)
    for form in ("%Y-%m-%dT%H:%M:%S%.6f%z", "%Y-%m-%d %H:%M:%S%.6f%:z"):
        written = there.with_columns(pl.col("when").dt.strftime(form))
        assert same(agreed(made, written), known)
        written.write_csv(tmp_path / "new.csv")
        split, _ = made.rows(tmp_path / "new.csv")
        assert len(split.inputs[-1]) == len(EVENTS)


def test_codings_that_were_saved_before_take_moments_of_both_kinds():
    held = json.loads(given(MOMENTS, LABELS).preprocessing.to_json())
    held["inputs"]["times"] = "moments"
    old = Preprocessing.from_json(json.dumps(held))
    here = MOMENTS.with_columns(pl.col("when").dt.replace_time_zone("UTC"))
    assert same(agreed(old, MOMENTS), agreed(old, here))
    with pytest.raises(TaskError, match="holds numbers, but times were moments in training"):
        old.apply(EVENTS)


def slashed(first: date, form: str = "%d/%m/%Y") -> pl.DataFrame:
    days = [first + timedelta(days=int(who) % 5) for who in EVENTS["who"]]
    return EVENTS.with_columns(when=pl.Series(days).dt.strftime(form))


@pytest.mark.parametrize("form", ["%d/%m/%Y", "%d-%m-%Y", "%d/%m/%Y 10:30"])
def test_dates_of_two_readings_are_refused(tmp_path, form):
    unclear, clear = slashed(date(2024, 2, 1), form), slashed(date(2024, 2, 10), form)
    line = "at row [01]: no date there tells whether the day or the month comes first; write dates as 2024-12-31"
    iso = slashed(date(2024, 2, 1), "%Y-%m-%d")
    made = {"iso": given(iso, LABELS).preprocessing, "day first": given(clear, LABELS).preprocessing}
    unclear.write_csv(tmp_path / "unclear.csv")
    for events in (unclear, tmp_path / "unclear.csv"):
        with pytest.raises(TaskError, match=line):
            given(events, LABELS)
        with pytest.raises(TaskError, match=line):
            made["iso"].rows(events)
        assert len(made["day first"].rows(events)[0].inputs[-1]) == len(EVENTS)
    with pytest.raises(ValueError, match="no date there tells whether the day or the month comes first"):
        encode_events(read_csv(tmp_path / "unclear.csv"), coding_of(made["iso"]))
    assert same(agreed(made["day first"], unclear)[:1], agreed(made["iso"], iso)[:1])


def test_dates_with_the_month_first_are_refused_with_a_way_out():
    with pytest.raises(TaskError, match="which is no time, as the day is taken to come first; write dates as 2024-"):
        given(slashed(date(2024, 2, 10), "%m/%d/%Y"), LABELS)


def test_durations_and_times_of_day_are_numbers():
    rng = np.random.default_rng(0)
    seconds = rng.integers(1, 900, len(EVENTS)).tolist()
    events = EVENTS.with_columns(
        wait=pl.Series([timedelta(seconds=each) for each in seconds]),
        clock=pl.Series([time(each % 24, each % 60) for each in seconds]),
    )
    tasks = [given(events, LABELS), given(events, LABELS, numeric=["wait", "clock"])]
    assert tasks[0].fingerprint == tasks[1].fingerprint
    columns = {column.name: column for column in tasks[0].preprocessing.inputs.columns}
    assert {columns["wait"].kind, columns["clock"].kind} == {"number"}
    agreed(tasks[0].preprocessing, events)
    plain = events.with_columns(wait=pl.Series(seconds))
    assert same(agreed(tasks[0].preprocessing, plain), agreed(tasks[0].preprocessing, events))


def test_a_named_column_that_cannot_be_used_is_refused():
    events = EVENTS.with_columns(day=pl.lit(date(2024, 1, 1)) + pl.duration(days=pl.col("who")), some=pl.lit([1]))
    assert any("day (is of type Date)" in note for note in given(events, LABELS).notes)
    with pytest.raises(TaskError, match=r"column 'day' is of type Date, but was named as numeric, which takes numbers"):
        given(events, LABELS, numeric=["day"])
    with pytest.raises(TaskError, match=r"column 'some' is of type List.*, but was named as categorical"):
        given(events, LABELS, categorical=["some"])
    numbered = EVENTS.with_columns(__index_level_0__=pl.int_range(pl.len()))
    made = given(numbered, LABELS, numeric=["__index_level_0__"]).preprocessing
    assert "__index_level_0__" in {column.name for column in made.inputs.columns}
