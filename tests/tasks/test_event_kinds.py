"""What columns of events hold: kinds of times, categories however they are written, numbers that are none."""

from __future__ import annotations

import json
from datetime import datetime, timedelta

import numpy as np
import polars as pl
import pytest

from nasturtium.errors import TaskError
from nasturtium.export.carried.events import encode_events
from nasturtium.export.carried.tables import number_features
from nasturtium.tasks import Preprocessing, load
from tests.tasks.event_tables import OPTIONS, customers

EVENTS, LABELS = customers()
START = datetime(2024, 1, 1)
TIMES = {
    "moments without a zone": EVENTS.with_columns(when=pl.Series([START + timedelta(days=t) for t in EVENTS["when"]])),
    "durations": EVENTS.with_columns(when=pl.Series([timedelta(days=t) for t in EVENTS["when"]])),
    "numbers": EVENTS,
}


def given(events=EVENTS, labels=LABELS, **options):
    return load(events, labels=labels, **{**OPTIONS, **options})


def without_new_fields(preprocessing: Preprocessing) -> Preprocessing:
    """As older versions saved it."""
    held = json.loads(preprocessing.to_json())
    for name in ("named", "times", "backwards", "day_first"):
        del held["inputs"][name]
    return Preprocessing.from_json(json.dumps(held))


@pytest.mark.parametrize("trained", TIMES)
def test_times_of_another_kind_are_refused(trained):
    made = given(TIMES[trained]).preprocessing
    coding = json.loads(made.to_json())["inputs"]
    assert coding["times"] == trained
    for kind, events in TIMES.items():
        columns = events.with_columns(pl.col("amount").fill_nan(None)).to_dict(as_series=False)
        if kind == trained:
            made.apply(events)
            encode_events(columns, coding)
            continue
        with pytest.raises(TaskError, match=f"column 'when' of the events holds {kind}, but times were {trained} in"):
            made.apply(events)
        with pytest.raises(ValueError, match=f"times were {trained} in training; give {trained}"):
            encode_events(columns, coding)
    texts = TIMES["moments without a zone"].with_columns(pl.col("when").dt.to_string("%Y-%m-%d %H:%M:%S"))
    if trained == "moments without a zone":
        assert len(made.apply(texts)[0]) == 60
    else:
        with pytest.raises(TaskError, match=f"holds moments without a zone, but times were {trained}"):
            made.apply(texts)


def test_codings_that_were_saved_without_a_kind_of_times_tell_it_by_their_clock():
    naive = "moments without a zone"
    moments, numbers = (without_new_fields(given(TIMES[kind]).preprocessing) for kind in (naive, "numbers"))
    for made, known, other in ((moments, naive, "numbers"), (numbers, "numbers", naive)):
        assert len(made.apply(TIMES[known])[0]) == 60
        with pytest.raises(TaskError, match=f"holds {other}, but times were {known.split()[0]}"):
            made.apply(TIMES[other])


def test_durations_have_no_time_of_day():
    kinds = {kind: {column.kind for column in given(TIMES[kind]).preprocessing.inputs.columns} for kind in TIMES}
    assert "clock" in kinds["moments without a zone"]
    assert "clock" not in kinds["durations"] | kinds["numbers"]


def test_an_answer_does_not_depend_on_how_other_rows_are_written(tmp_path):
    """A stray word makes text of a column of numbers; each number keeps its id all the same."""
    events = EVENTS.with_columns(pl.col("amount").fill_nan(None), late=pl.col("when") > 3000)
    made = given(events, categorical=["shop"]).preprocessing
    plain = tmp_path / "plain.csv"
    events.write_csv(plain)
    known, entities = made.rows(plain)
    stray = events.head(1).with_columns(who=pl.lit(999, pl.Int64))
    texts = [frame.with_columns(pl.col("shop", "late").cast(pl.String)) for frame in (events, stray)]
    texts[0] = texts[0].with_columns(late=pl.col("late").str.to_titlecase())
    texts[1] = texts[1].with_columns(shop=pl.lit("closed"), late=pl.lit("perhaps"))
    mixed = tmp_path / "mixed.csv"
    pl.concat(texts).write_csv(mixed)
    assert "3.0" in mixed.read_text()
    found, others = made.rows(mixed)
    assert others.to_list() == [*entities, 999]
    steps = known.offsets[-1]
    assert all(np.array_equal(ours[:steps], theirs) for ours, theirs in zip(found.inputs, known.inputs, strict=True))
    coding = json.loads(made.to_json())["inputs"]
    columns = pl.concat(texts).to_dict(as_series=False)
    carried = [each.numpy() for each in encode_events(columns, coding)]
    for ours, theirs in zip(made.apply(pl.concat(texts)), carried, strict=True):
        np.testing.assert_allclose(ours, theirs, atol=1e-5)


def test_text_that_looks_like_a_number_is_no_number():
    words = {"call": "3", "visit": "A1B", "order": "X"}
    events = EVENTS.with_columns(pl.col("kind").replace(words))
    made = given(events).preprocessing
    (kind,) = [column for column in made.inputs.columns if column.name == "kind"]
    assert kind.ids(pl.Series(["3", "3.0", "03", "A1B"])).tolist()[1:3] == [0, 0]
    assert kind.ids(pl.Series(["3"]))[0] == 1 + kind.categories.index("3")


def test_two_numbers_that_are_not_whole_are_a_regression():
    labels = LABELS.with_columns(stays=pl.when(pl.col("stays") == "yes").then(0.9).otherwise(0.1))
    task = given(labels=labels)
    assert (task.kind, task.metric) == ("regression", "rmse")
    assert given().metric == "auroc"
    assert given(metric="accuracy").metric == "accuracy"
    assert given(labels=labels.with_columns(stays=pl.col("stays").round())).metric == "auroc"


def test_numbers_without_a_deviation_are_refused():
    amounts = EVENTS["amount"].to_list()
    amounts[17] = 1.7976931348623157e308
    line = r"column 'amount' has 1 values beyond 1e\+100 \(first: 1.79769e\+308 at row 17\); if they mark"
    with pytest.raises(TaskError, match=line):
        given(EVENTS.with_columns(amount=pl.Series(amounts)))
    late = EVENTS["when"].to_list()
    late[23] = -1.7976931348623157e308
    with pytest.raises(TaskError, match=r"column 'when' of the events has 1 times beyond 1e\+30 \(first at row 23\)"):
        given(EVENTS.with_columns(when=pl.Series(late)))
    with pytest.raises(ValueError, match=r"column 'amount' holds 1\.79769e\+308; if that marks what is missing"):
        number_features(amounts[17], "amount")
    rows = EVENTS.select("amount", "shop", y="kind").with_columns(amount=pl.Series(amounts))
    with pytest.raises(TaskError, match=line):
        load(rows, target="y")
    x = np.random.default_rng(0).normal(size=(60, 3))
    x[5, 1] = 1.7976931348623157e308
    with pytest.raises(TaskError, match=r"column or channel 1 of x holds values from .* to 1.79769e\+308, too large"):
        load((x, np.arange(60) % 2))


def test_rows_in_messages_are_those_of_the_file():
    shops = EVENTS["shop"].cast(pl.String).to_list()
    for row in (57, 31):
        shops[row] = "closed"
    events = EVENTS.with_columns(shop=pl.Series(shops))
    train = LABELS.with_columns(split=pl.lit("train"))
    parts = train.with_columns(split=pl.Series((["train"] * 3 + ["valid", "test"]) * 12))
    with pytest.raises(TaskError, match="column 'shop' holds 'closed' at row 31, which is no number"):
        given(events, train.with_columns(parts["split"]), numeric=["shop"])
    made = given(labels=parts).preprocessing
    with pytest.raises(TaskError, match="column 'shop' holds 'closed' at row 31, which is no number"):
        made.apply(events)
    infinite = EVENTS.with_columns(amount=pl.Series([float("inf") if row == 40 else 1.0 for row in range(len(EVENTS))]))
    with pytest.raises(TaskError, match=r"column 'amount' has 1 infinite values \(first at row 40"):
        made.apply(infinite)


def test_dates_and_numbers_in_tables_are_not_mixed_up():
    rng = np.random.default_rng(0)
    days = pl.Series([START + timedelta(days=int(day)) for day in rng.integers(0, 900, 80)])
    table = pl.DataFrame({"day": days, "size": rng.normal(size=80), "y": np.arange(80) % 2})
    made = load(table, target="y").preprocessing
    seconds = table.with_columns(pl.col("day").dt.epoch("s"))
    with pytest.raises(TaskError, match="column 'day' is of type Int64, but dates are due; give dates, moments"):
        made.apply(seconds)
    with pytest.raises(TaskError, match="column 'size' holds dates, but numbers are due"):
        made.apply(table.with_columns(size=pl.col("day")))
    assert np.isfinite(made.apply(table.with_columns(day=pl.lit(None)))[0]).all()


def test_targets_of_128_bits():
    events, labels = EVENTS, LABELS.with_columns(stays=(pl.col("stays") == "yes").cast(pl.Int128))
    assert given(events, labels).classes == ("0", "1")
    wide = LABELS.with_columns(stays=pl.int_range(pl.len()).cast(pl.Int128) * 10**20)
    task = given(events, wide)
    assert task.kind == "regression"


@pytest.mark.parametrize(
    ("options", "line"),
    [
        ({"target": "who"}, "entity, timestamp, target and groups are to be different columns of the events"),
        ({"target": "when"}, "entity, timestamp, target and groups are to be different columns of the events"),
        ({"groups": "stays"}, "entity, timestamp, target and groups are to be different columns of the events"),
    ],
)
def test_columns_of_two_uses_among_the_events(options, line):
    with pytest.raises(TaskError, match=line):
        given(EVENTS.join(LABELS, on="who"), None, **options)


def test_the_split_may_be_the_groups():
    joined = EVENTS.join(LABELS.with_columns(split=pl.Series((["train"] * 3 + ["valid", "test"]) * 12)), on="who")
    assert len(given(joined, None, groups="split").train) == 36


def test_a_label_called_as_the_timestamp():
    labels = LABELS.rename({"stays": "when"})
    assert given(labels=labels, target="when").classes == ("no", "yes")


def test_polars_that_is_no_frame():
    with pytest.raises(TaskError, match=r"a polars LazyFrame is no task; call its \.collect\(\)"):
        load(EVENTS.lazy(), labels=LABELS, **OPTIONS)
    with pytest.raises(TaskError, match="a polars Series is no task; give a frame"):
        load(EVENTS["amount"])


def test_columns_that_are_not_what_they_are_said_to_be():
    line = "column 'kind' holds '(call|visit|order)' at row [0-9]+, which is no number"
    for kind in (pl.String, pl.Categorical):
        with pytest.raises(TaskError, match=line):
            given(EVENTS.with_columns(pl.col("kind").cast(kind)), numeric=["kind"])
    digits = EVENTS.with_columns(kind=pl.col("shop").cast(pl.String).cast(pl.Categorical))
    named = {column.name: column for column in given(digits, numeric=["kind"]).preprocessing.inputs.columns}
    assert named["kind"].mean == pytest.approx(named["shop"].mean)
    task = given(EVENTS.with_columns(kind=pl.lit("NaN")), numeric=["kind"])
    assert any("kind (has no values)" in note for note in task.notes)
    for values, kind in (([b"\xff"], "Binary"), ([object()], "Object")):
        column = pl.Series(values * len(EVENTS), dtype=getattr(pl, kind))
        task = given(EVENTS.with_columns(kind=column))
        assert any(f"kind (is of type {kind}" in note for note in task.notes)
        with pytest.raises(TaskError, match=f"column 'kind' is of type {kind}.*, but was named as categorical"):
            given(EVENTS.with_columns(kind=column), categorical=["kind"])


def test_one_column_may_be_named_without_a_list():
    assert given(categorical="shop").fingerprint == given(categorical=["shop"]).fingerprint
    with pytest.raises(TaskError, match=r"the events has no column 'ship'.*did you mean 'shop'"):
        given(numeric="ship")
