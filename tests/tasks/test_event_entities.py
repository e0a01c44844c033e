"""Entities of two tables: the same one in every file, whatever it looks like."""

from __future__ import annotations

import json

import numpy as np
import polars as pl
import pytest

from nasturtium.errors import TaskError
from nasturtium.tasks import Preprocessing, load
from tests.tasks.event_tables import OPTIONS, customers

EVENTS, LABELS = customers()


def renamed(frame: pl.DataFrame, name) -> pl.DataFrame:
    return frame.with_columns(pl.Series("who", [name(who) for who in frame["who"]]))


def padded(who: int) -> str:
    return f"{who:04d}"


def write(frame: pl.DataFrame, path):
    frame = frame.with_columns(pl.selectors.float().fill_nan(None))
    frame.write_parquet(path) if path.suffix == ".parquet" else frame.write_csv(path)
    return path


@pytest.mark.parametrize("kinds", [(".csv", ".parquet"), (".parquet", ".csv"), (".csv", ".csv")])
def test_leading_zeros_are_kept_in_files(tmp_path, kinds):
    """007 and 7 are two entities, in training and in new files."""
    names = [padded(who) if who else "7" for who in range(60)]  # there are 7 and 0007
    events, labels = (renamed(frame, names.__getitem__) for frame in (EVENTS, LABELS))
    paths = [write(frame, tmp_path / f"{number}{kind}") for number, (frame, kind) in
             enumerate(zip((events, labels), kinds, strict=True))]  # fmt: skip
    task = load(paths[0], labels=str(paths[1]), **OPTIONS)
    assert len(task.train) + len(task.valid) + len(task.test) == 60
    new = events.filter(pl.col("who").is_in(["7", "0007", "0012"]))
    again = Preprocessing.from_json(task.preprocessing.to_json())
    split, entities = again.rows(write(new, tmp_path / "new.csv"))
    assert entities.to_list() == new["who"].unique(maintain_order=True).to_list()
    _, known = again.rows(new)
    assert entities.to_list() == known.to_list()
    assert np.diff(split.offsets).tolist() == [new["who"].to_list().count(who) for who in entities]


def test_entities_that_were_text_stay_text_and_numbers_numbers(tmp_path):
    plain = write(EVENTS.head(20), tmp_path / "plain.csv")
    for name, dtype in ((padded, pl.String), (int, pl.Int64)):
        task = load(renamed(EVENTS, name), labels=renamed(LABELS, name), **OPTIONS)
        _, entities = task.preprocessing.rows(plain)
        assert entities.dtype == dtype
        assert [int(who) for who in entities] == EVENTS.head(20)["who"].unique(maintain_order=True).to_list()
    zeros = write(renamed(EVENTS.head(20), padded), tmp_path / "zeros.csv")
    _, entities = load(EVENTS, labels=LABELS, **OPTIONS).preprocessing.rows(zeros)
    assert set(entities) == {padded(who) for who in EVENTS.head(20)["who"]}


def test_a_coding_that_was_saved_without_it_still_reads_zeros(tmp_path):
    task = load(EVENTS, labels=LABELS, **OPTIONS)
    held = json.loads(task.preprocessing.to_json())
    for name in ("named", "times", "backwards", "day_first"):
        del held["inputs"][name]
    old = Preprocessing.from_json(json.dumps(held))
    _, entities = old.rows(write(renamed(EVENTS, padded), tmp_path / "new.csv"))
    assert set(entities) == {padded(who) for who in EVENTS["who"]}
    assert old.rows(EVENTS)[1].dtype == pl.Int64


def test_numbers_in_one_table_and_text_in_the_other_are_matched(tmp_path):
    ours = load(EVENTS, labels=LABELS, **OPTIONS)
    zeros = renamed(EVENTS, padded)
    for events, labels in ((zeros, LABELS), (EVENTS, renamed(LABELS, padded)), (renamed(EVENTS, str), LABELS)):
        task = load(events, labels=labels, **OPTIONS)
        assert task.fingerprint == ours.fingerprint
        path = write(labels, tmp_path / "labels.csv")
        assert load(events, labels=path, **OPTIONS).fingerprint == ours.fingerprint
    both = pl.concat((zeros, renamed(EVENTS.filter(pl.col("who") == 7), str)))
    with pytest.raises(TaskError, match="60 entities of the events have no label"):
        load(both, labels=LABELS, **OPTIONS)  # 0007 and 7 cannot both be 7


def test_numbers_of_more_than_64_bits(tmp_path):
    def hashed(who: int) -> int:
        return 2**63 + who

    events, labels = (
        frame.with_columns(pl.Series("who", [hashed(who) for who in frame["who"]], dtype=pl.UInt64))
        for frame in (EVENTS, LABELS)
    )
    task = load(events, labels=labels, **OPTIONS)
    assert len(task.train) + len(task.valid) + len(task.test) == 60
    paths = [write(frame, tmp_path / name) for frame, name in ((events, "events.csv"), (labels, "labels.csv"))]
    assert load(paths[0], labels=paths[1], **OPTIONS).fingerprint == task.fingerprint
    _, entities = task.preprocessing.rows(paths[0])
    assert entities.to_list() == [str(who) for who in events["who"].unique(maintain_order=True)]
    wide = events.with_columns(pl.col("who").cast(pl.Int128) * 1000)
    with pytest.raises(TaskError, match="have no label"):
        load(wide, labels=labels, **OPTIONS)


@pytest.mark.parametrize("column", [[[1]], [b"\xff"], [{"a": 1}]])
def test_entities_of_another_type(column):
    events = EVENTS.with_columns(who=pl.Series(column * len(EVENTS)))
    with pytest.raises(TaskError, match=r"column 'who' of the events is of type .*; give text or whole numbers"):
        load(events, labels=LABELS, **OPTIONS)
