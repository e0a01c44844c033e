"""How event tables are parted: by time, by columns, by groups."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from nasturtium.errors import TaskError
from nasturtium.tasks import load
from tests.tasks.event_parts import given, parts, split_column
from tests.tasks.event_tables import OPTIONS, customers


def test_temporal_parts_follow_each_other():
    events, labels = customers(80)
    first = dict(events.group_by("who").agg(pl.col("when").min()).rows())
    task = given(events, labels)
    begun = labels.with_columns(start=pl.col("who").replace_strict(first))
    sizes = [len(split) for split in parts(task).values()]
    assert sizes == [56, 12, 12]
    ordered = begun.sort("start")["who"].to_list()
    explicit = dict(zip(ordered, ["train"] * 56 + ["valid"] * 12 + ["test"] * 12, strict=True))
    same = labels.with_columns(split=pl.col("who").replace_strict(explicit))
    assert given(events, same).fingerprint == task.fingerprint
    by_start = given(events, begun.with_columns(start=-pl.col("start")))
    assert by_start.fingerprint != task.fingerprint, "the column start of the labels goes before the first event"
    assert given(events, labels, split="stratified").fingerprint != task.fingerprint


def test_a_split_and_groups_in_the_labels_are_honoured():
    events, labels = customers(80)
    halves = labels.with_columns(split=pl.Series(["test" if k % 4 == 0 else "train" for k in range(80)]))
    task = given(events, halves)
    assert len(task.test) == 20
    assert any("took the latest rows as valid" in note for note in task.notes)
    families = labels.with_columns(family=pl.col("who") // 8)
    grouped = given(events, families, groups="family")
    owners = dict(events.group_by("who").len().rows())
    lengths = {part: np.diff(split.offsets).tolist() for part, split in parts(grouped).items()}
    assert sum(map(len, lengths.values())) == 80
    assert all(len(each) % 8 == 0 for each in lengths.values())
    groups = [[owners[who] for who in range(start, start + 8)] for start in range(0, 80, 8)]
    cut = [each[k : k + 8] for each in lengths.values() for k in range(0, len(each), 8)]
    assert sorted(cut) == sorted(groups)
    torn = families.with_columns(split=pl.Series(["train"] * 68 + ["test"] * 12))
    with pytest.raises(
        TaskError, match=r"puts 1 of 10 groups into several parts, such as group \d+ into train and test"
    ):
        given(events, torn, groups="family")


def test_labels_may_stand_among_the_events():
    events, labels = customers()
    joined = events.join(labels, on="who")
    beside = labels.join(events.select("who").unique(maintain_order=True), on="who")
    order = joined["who"].unique(maintain_order=True)
    beside = pl.DataFrame({"who": order}).join(labels, on="who", maintain_order="left")
    assert load(joined, **OPTIONS).fingerprint == given(events, beside).fingerprint


def test_a_split_among_the_events_is_one_only_if_it_reads_so():
    events, labels = customers()
    joined = events.join(split_column(labels), on="who")
    assert [len(split) for split in parts(load(joined, **OPTIONS)).values()] == [36, 12, 12]
    feature = joined.with_columns(split=pl.col("kind").replace_strict({"call": "a", "visit": "b", "order": "a"}))
    assert "split" in {column.name for column in load(feature, **OPTIONS).preprocessing.inputs.columns}
    for words in ({"valid": "holdout"}, {"valid": None}):
        strange = joined.with_columns(pl.col("split").replace(words))
        with pytest.raises(TaskError, match=r"column 'split' of .* holds ('holdout'|a missing value)"):
            load(strange, **OPTIONS)
    codes = joined.with_columns(pl.col("split").replace_strict({"train": 0, "valid": 1, "test": 2}))
    assert load(codes, **OPTIONS).fingerprint == load(joined, **OPTIONS).fingerprint
