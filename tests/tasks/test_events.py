"""Event tables: how events are encoded, split and ordered, compared with what plain loops make of the same rows."""

from __future__ import annotations

import math
from datetime import datetime, timedelta

import numpy as np
import polars as pl
import pytest

from nasturtium.tasks import Preprocessing, load
from nasturtium.tasks.event_coding import member_names
from tests.tasks.event_parts import given, parts, split_column
from tests.tasks.event_tables import OPTIONS, customers


def by_hand(events: pl.DataFrame, most: int = 10**9) -> dict[object, list[dict]]:
    """The events of each entity in order of time, the newest."""
    found: dict[object, list[dict]] = {}
    for row in events.to_dicts():
        found.setdefault(row["who"], []).append(row)
    return {who: sorted(rows, key=lambda row: row["when"])[-most:] for who, rows in found.items()}


def test_sequences_are_what_a_plain_loop_makes():
    events, labels = customers()
    labels = split_column(labels)
    task = given(events, labels, categorical=["shop"], max_events=7)
    rows = by_hand(events, 7)
    coding = task.preprocessing.inputs
    columns = {column.name: column for column in coding.columns}
    train = labels.filter(pl.col("split") == "train")["who"].to_list()
    amounts = np.array([row["amount"] for who in train for row in rows[who]])
    present = amounts[~np.isnan(amounts)]
    amount = columns["amount"]
    bent = np.arcsinh(present / amount.scale) if amount.scale else present
    assert (amount.mean, amount.std) == (pytest.approx(bent.mean()), pytest.approx(bent.std()))
    gaps = np.array([b["when"] - a["when"] for who in train for a, b in zip(rows[who], rows[who][1:], strict=False)])
    assert coding.unit == pytest.approx(np.median(gaps[gaps > 0]))
    place = {name: number for number, (name, _) in enumerate(task.inputs[0].members)}
    for part, split in parts(task).items():
        for number, who in enumerate(labels.filter(pl.col("split") == part)["who"]):
            own = rows[who]
            where = slice(split.offsets[number], split.offsets[number + 1])
            kinds = [1 + columns["kind"].categories.index(row["kind"]) for row in own]
            assert split.inputs[place["kind"]][where].tolist() == kinds
            shops = [1 + columns["shop"].categories.index(str(int(row["shop"]))) for row in own]
            assert split.inputs[place["shop"]][where].tolist() == shops
            numbers = split.inputs[place["numbers"]][where]
            for step, row in enumerate(own):
                missing = math.isnan(row["amount"])
                value = 0.0 if missing else row["amount"]
                value = math.asinh(value / amount.scale) if amount.scale else value
                assert numbers[step, 0] == pytest.approx(0 if missing else (value - amount.mean) / amount.std, abs=1e-5)
                assert numbers[step, 1] == missing
                gap = row["when"] - own[max(step - 1, 0)]["when"]
                left = own[-1]["when"] - row["when"]
                for channel, passed, column in ((2, gap, columns["gap"]), (3, left, columns["left"])):
                    scaled = (math.log1p(passed / coding.unit) - column.mean) / column.std
                    assert numbers[step, channel] == pytest.approx(scaled, abs=1e-4)
            times = [(row["when"] - own[-1]["when"]) / coding.unit for row in own]
            np.testing.assert_allclose(split.inputs[place["times"]][where][:, 0], times, rtol=1e-5, atol=1e-5)


def test_nothing_is_fitted_on_validation_or_test_rows():
    events, labels = customers()
    labels = split_column(labels)
    train = labels.filter(pl.col("split") == "train")["who"]
    strange = events.with_columns(
        amount=pl.when(pl.col("who").is_in(train.implode())).then("amount").otherwise(pl.lit(1e6)),
        kind=pl.when(pl.col("who").is_in(train.implode())).then("kind").otherwise(pl.lit("never seen")),
        when=pl.when(pl.col("who").is_in(train.implode())).then("when").otherwise(pl.col("when") * 50),
    )
    ours, theirs = (given(each, labels).preprocessing.inputs for each in (events, strange))
    assert ours == theirs
    ids = given(strange, labels).test.inputs[0]
    assert set(ids.tolist()) == {0}, "unknown categories have an id of their own"


def test_the_order_of_rows_in_the_file_does_not_matter():
    events, labels = customers()
    again = given(events.sample(fraction=1.0, shuffle=True, seed=9), labels)
    assert given(events, labels).fingerprint == again.fingerprint


def test_events_at_the_same_time_keep_their_order():
    events, labels = customers(20)
    still = events.with_columns(when=pl.lit(5.0))
    task = given(still, labels, split="stratified")
    kinds = dict(still.group_by("who", maintain_order=True).agg("kind").rows())
    ordered = task.preprocessing.inputs.order(still)
    assert {who: ordered.frame["kind"][a:b].to_list() for who, a, b in zip(
        ordered.entities, ordered.offsets, ordered.offsets[1:], strict=False)} == kinds  # fmt: skip
    assert all(np.isfinite(values).all() for values in task.train.inputs)


def test_missing_unknown_and_rare_categories_differ():
    events, labels = customers(60)
    kinds = events["kind"].to_list()
    for row in range(0, 40, 2):
        kinds[row] = None
    events = events.with_columns(kind=pl.Series(kinds))
    task = given(events, labels)
    kind = next(column for column in task.preprocessing.inputs.columns if column.name == "kind")
    new = pl.DataFrame({"who": [1, 1, 1], "when": [1, 2, 3], "kind": ["order", None, "fax"], "amount": [1.0, 2, 3],
                        "shop": [1.0, 1, 1]})  # fmt: skip
    ids = task.preprocessing.apply(new)[0][0].tolist()
    assert ids == [1 + kind.categories.index("order"), kind.vocabulary - 1, 0]
    assert task.inputs[0].member("kind").vocabulary == (5,)


def test_the_newest_events_are_kept():
    events, labels = customers()
    task = given(events, labels, max_events=3)
    assert any("the newest are kept" in note for note in task.notes)
    ordered = task.preprocessing.inputs.order(events)
    for number, who in enumerate(ordered.entities):
        wanted = [row["when"] for row in by_hand(events, 3)[who]]
        assert ordered.times[ordered.offsets[number] : ordered.offsets[number + 1]].tolist() == wanted


def test_columns_of_nothing_and_whole_numbers_as_categories():
    events, labels = customers()
    task = given(events.with_columns(nothing=pl.lit(float("nan"))), labels, categorical=["shop"])
    assert any("nothing (has no values)" in note for note in task.notes)
    new = events.with_columns(shop=pl.col("shop").cast(pl.Int64))
    ours, theirs = (task.preprocessing.apply(each)[1] for each in (events, new))
    assert (ours == theirs).all(), "3 and 3.0 are the same category"
    assert ours.max() == 4


def test_files_and_frames_give_the_same_task(tmp_path):
    events, labels = customers()
    events = events.with_columns(amount=pl.col("amount").fill_nan(None))
    prints = set()
    for suffix in ("parquet", "csv"):
        paths = [tmp_path / f"{name}.{suffix}" for name in ("events", "labels")]
        for frame, path in zip((events, labels), paths, strict=True):
            frame.write_parquet(path) if suffix == "parquet" else frame.write_csv(path)
        task = load(paths[0], labels=paths[1], **OPTIONS)
        assert task.name == "events"
        prints.add(task.fingerprint)
    assert prints == {given(events, labels).fingerprint}


def test_moments_have_a_time_of_day_and_week():
    events, labels = customers()
    base = datetime(2024, 1, 1)  # a Monday
    moments = [base + timedelta(hours=row) for row in events["when"]]
    dated = events.with_columns(when=pl.Series(moments))
    task = given(dated, labels)
    values = dict(zip([n for n, _ in task.inputs[0].members], task.preprocessing.apply(dated.head(1)), strict=False))
    share = (moments[0] - datetime(1970, 1, 1)) / timedelta(days=1)
    expected = [wave(2 * math.pi * turn) for turn in (share % 1, share / 7 % 1) for wave in (math.sin, math.cos)]
    np.testing.assert_allclose(values["numbers"][0, 0, -4:], expected, atol=1e-4)
    text = dated.with_columns(when=pl.col("when").dt.strftime("%Y-%m-%d %H:%M:%S%.6f"))
    assert given(text, labels).fingerprint == task.fingerprint


def test_preprocessing_survives_json_and_pads_new_entities():
    events, labels = customers()
    task = given(events, labels)
    again = Preprocessing.from_json(task.preprocessing.to_json())
    assert again == task.preprocessing
    *values, mask = again.apply(events.to_dict(as_series=False))
    lengths = [len(rows) for rows in by_hand(events).values()]
    assert mask.sum(1).tolist() == lengths
    assert all(not value[~mask].any() for value in values)
    split, entities = again.rows(events)
    assert entities.to_list() == events["who"].unique(maintain_order=True).to_list()
    assert np.diff(split.offsets).tolist() == lengths


def test_metrics_and_kinds():
    events, labels = customers(80)
    assert given(events, labels).metric == "auroc"
    assert given(events, labels, metric="average_precision").objective == "max:average_precision"
    rng = np.random.default_rng(0)
    assert given(events, labels.with_columns(stays=rng.normal(size=80))).kind == "regression"
    three = given(events, labels.with_columns(stays=pl.col("who") % 3))
    assert (three.metric, three.outputs) == ("accuracy", 3)


def test_row_numbers_constants_and_dates_are_left_out():
    events, labels = customers()
    more = events.with_columns(
        same=pl.lit(1),
        day=pl.lit(datetime(2024, 1, 1)),
        __index_level_0__=pl.int_range(len(events)),
        empty=pl.lit(None),
    )
    task = given(more, labels, ignore=["shop"])
    assert {column.name for column in task.preprocessing.inputs.columns} == {"kind", "amount", "gap", "left"}
    note = next(note for note in task.notes if note.startswith("dropped"))
    for reason in ("shop (ignored)", "__index_level_0__ (is a row number)", "same (tells no events apart)"):
        assert reason in note


def test_names_of_signals_are_plain_words():
    names = member_names(["Amount req", "amount_req", "times", "mask", "1st", "class", "é!"])
    assert names == ["amount_req", "amount_req_2", "times_2", "mask_2", "column_1st", "column_class", "é"]


@pytest.mark.parametrize(
    ("name", "train", "valid", "test", "categorical"),
    [("cdnow_repurchase", 6335, 1357, 1924, ()), ("sepsis_release_a_day1", 441, 95, 133, ()),
     ("bpic2012_day7", 2955, 633, 896, ("resource",))],
)  # fmt: skip
def test_real_events(datasets, name, train, valid, test, categorical):
    folder = datasets / "events"
    task = load(folder / f"{name}_events.parquet", labels=folder / f"{name}_labels.parquet", entity="case_id",
                timestamp="t", target="label", categorical=categorical)  # fmt: skip
    assert [len(split) for split in parts(task).values()] == [train, valid, test]
    labels = pl.read_parquet(folder / f"{name}_labels.parquet")
    assert test == (labels["split"] == "test").sum()
    total = sum(int(split.offsets[-1]) for split in parts(task).values())
    events = pl.read_parquet(folder / f"{name}_events.parquet")
    assert total == len(events)
    if name.startswith("sepsis"):
        assert "age" in {column.name for column in task.preprocessing.inputs.columns}


def test_text_of_new_events_is_read_as_text_whatever_it_looks_like(tmp_path):
    events, labels = customers()
    words = {"call": "01234", "visit": "A1B", "order": "TRUE"}
    events = events.with_columns(pl.col("kind").replace(words), late=pl.col("when") > 1000)
    task = given(events, labels, categorical=["shop"])
    new = events.filter(pl.col("kind") != "A1B").with_columns(pl.col("amount").fill_nan(None))
    for part in (new.filter(pl.col("kind") == "01234"), new.filter(pl.col("kind") == "TRUE"), new):
        part.write_csv(tmp_path / "new.csv")
        read, entities = task.preprocessing.rows(tmp_path / "new.csv")
        known, _ = task.preprocessing.rows(part)
        assert len(entities) == part["who"].n_unique()
        assert all(np.array_equal(ours, theirs) for ours, theirs in zip(read.inputs, known.inputs, strict=True))
