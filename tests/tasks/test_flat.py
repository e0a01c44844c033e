"""Rows of which few are far longer than the others: kept flat and padded batch by batch, as exact as padded at once."""

from __future__ import annotations

import numpy as np
import pytest

from nasturtium.errors import TaskError
from nasturtium.space.signal import sequence, tokens
from nasturtium.tasks import Batches, Preprocessing, load
from nasturtium.tasks.array_coding import ArrayCoding

Y = np.arange(120) % 3


def waves(generator, longest=300):
    """Short rows of two channels, and a long one."""
    lengths = [longest, *generator.integers(3, 9, 119)]
    return [generator.normal([5, -2], [1, 30], (length, 2)) for length in lengths]


def words(generator):
    return [generator.integers(0, 40, length) for length in (500, *generator.integers(1, 9, 119))]


def rows_of(task, part):
    """Each row of a part as Batches give it, by its place."""
    found = {}
    split = getattr(task, part)
    batches = Batches(split, 7, sort=True)
    for (values, mask), _ in batches:
        assert mask.any(0).all(), "no batch is longer than its longest row"
        for place, row, real in zip(batches.at.tolist(), values, mask, strict=True):
            found[place] = row[real].numpy()
    return [found[place] for place in range(len(split))]


def test_sequences_are_normalised_as_by_hand_and_held_once(generator):
    raw = waves(generator)
    task = load((raw, Y))
    assert task.inputs == (sequence(None, 2, mask=True),)
    held = sum(part.inputs[0].nbytes for part in (task.train, task.valid, task.test))
    assert held == sum(map(len, raw)) * 2 * 4
    rows, labels = raw[90:], Y[90:]
    apart = load((raw[:90], Y[:90], rows, labels))
    assert [len(row) for row in rows_of(apart, "test")] == [len(row) for row in rows]
    coding = apart.preprocessing.inputs
    for ours, theirs in zip(rows_of(apart, "test"), rows, strict=True):
        assert ours == pytest.approx((theirs - coding.mean) / coding.std, abs=1e-5)
    steps = apart.train.inputs[0]
    assert steps.mean(axis=0) == pytest.approx([0, 0], abs=1e-5)
    assert steps.std(axis=0) == pytest.approx([1, 1], abs=1e-5)


def test_tokens_keep_their_numbers(generator):
    raw = words(generator)
    task = load((raw, Y))
    assert task.inputs == (tokens(None, 40, mask=True),)
    seen = sorted(row.tolist() for part in ("train", "valid", "test") for row in rows_of(task, part))
    assert seen == sorted(row.tolist() for row in raw)
    with pytest.raises(TaskError, match="tokens must be 0 to 39"):
        task.preprocessing.rows([np.array([1, 40]), np.array([2])])


@pytest.mark.parametrize("make", [waves, words])
def test_new_rows_are_treated_alike_flat_or_padded(generator, make):
    raw = make(generator)
    task = load((raw, Y))
    preprocessing = Preprocessing.from_json(task.preprocessing.to_json())
    assert preprocessing == task.preprocessing
    flat, _ = preprocessing.rows(raw)
    padded, mask = preprocessing.apply(raw)
    assert np.array_equal(padded[mask], flat.inputs[0])
    assert mask.sum(axis=1).tolist() == np.diff(flat.offsets).tolist()
    same, _ = preprocessing.rows([raw[1], raw[1]])
    assert same.offsets is None
    assert [values.shape[:2] for values in same.inputs] == [(2, len(raw[1]))] * 2
    with pytest.raises(TaskError):
        preprocessing.rows([np.ones((2, 3)), np.ones((4, 3))])


def test_only_where_padding_wastes_much_and_none_is_too_long(generator):
    assert load((waves(generator, 12), Y)).inputs == (sequence(12, 2, mask=True),)
    task = load((waves(generator, 2000), Y))
    assert task.inputs == (sequence(2000, 2, mask=True),)
    (note,) = [note for note in task.notes if "cut those above 1,024" in note]
    assert "all are padded to the 2,000 of the longest" in note
    assert not any("cut those above 1,024" in note for note in load((waves(generator), Y)).notes)


def test_files_and_lists_give_the_same_task(generator, tmp_path):
    raw = waves(generator)
    offsets = np.concatenate(([0], np.cumsum([len(row) for row in raw])))
    np.savez(tmp_path / "waves.npz", x=np.concatenate(raw), y=Y, offsets=offsets)
    assert load(tmp_path / "waves.npz").fingerprint == load((raw, Y)).fingerprint
    raw[3][1, 1] = np.nan
    with pytest.raises(TaskError, match="x has 1 missing values"):
        load((raw, Y))


def test_a_constant_channel_is_noted(generator):
    raw = waves(generator)
    for row in raw:
        row[:, 1] = 3.0
    task = load((raw, Y))
    assert "channel 1 of x is constant over the training rows" in task.notes
    assert isinstance(task.preprocessing.inputs, ArrayCoding)
    assert (task.train.inputs[0][:, 1] == 0).all()
