"""Rows of unequal length: gathered, padded and put into batches, compared with plain loops."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from nasturtium.errors import TaskError
from nasturtium.tasks import Batches, Split
from nasturtium.tasks.ragged import by_length, offsets_of, pad_rows, steps_of

LENGTHS = st.lists(st.integers(1, 9), min_size=1, max_size=40)


def ragged(lengths, seed=0):
    """Ids and numbers, each row's filled with what tells it apart."""
    rng = np.random.default_rng(seed)
    total = sum(lengths)
    ids = rng.integers(1, 50, total).astype(np.int32)
    numbers = rng.normal(size=(total, 2)).astype(np.float32)
    return Split((ids, numbers), np.arange(len(lengths)), None, offsets_of(np.array(lengths)))


@settings(max_examples=40, deadline=None)
@given(LENGTHS, st.integers(0, 99))
def test_rows_are_gathered_and_joined_as_lists_are(lengths, seed):
    split = ragged(lengths)
    rows = np.random.default_rng(seed).permutation(len(lengths))[: max(1, len(lengths) // 2)]
    lists = np.split(split.inputs[0], split.offsets[1:-1])
    taken = split.take(rows)
    assert [part.tolist() for part in np.split(taken.inputs[0], taken.offsets[1:-1])] == [
        lists[r].tolist() for r in rows
    ]
    both = taken.joined(split)
    assert np.array_equal(both.inputs[1], np.concatenate((taken.inputs[1], split.inputs[1])))
    assert np.array_equal(np.diff(both.offsets), [*np.array(lengths)[rows], *lengths])
    assert len(split.take(np.arange(0))) == 0
    places, offsets = steps_of(split.offsets, rows)
    assert offsets[-1] == len(places)


def test_padding_is_zero_and_masked():
    split = ragged([3, 1, 5])
    values = [torch.from_numpy(each) for each in split.inputs]
    ids, numbers, mask = pad_rows(values, split.offsets, np.array([2, 1]), torch.device("cpu"))
    expected = torch.nn.utils.rnn.pad_sequence([values[1][4:9], values[1][3:4]], batch_first=True)
    assert torch.equal(numbers, expected)
    assert ids.dtype == torch.int64
    assert mask.tolist() == [[True] * 5, [True] + [False] * 4]
    assert ids[1, 1:].eq(0).all()


@settings(max_examples=40, deadline=None)
@given(LENGTHS, st.integers(1, 7), st.integers(0, 3))
def test_every_row_comes_once_an_epoch(lengths, size, seed):
    split = ragged(lengths)
    for batches in (Batches(split, size, shuffle_seed=seed), Batches(split, size), Batches(split, size, sort=True)):
        seen = []
        for (ids, numbers, mask), targets in batches:
            assert ids.shape == mask.shape == numbers.shape[:2]
            assert mask.sum(1).max() == mask.shape[1], "no longer than the longest of the batch"
            for row, target in enumerate(targets.tolist()):
                start, stop = split.offsets[target], split.offsets[target + 1]
                assert ids[row][mask[row]].tolist() == split.inputs[0][start:stop].tolist()
                assert np.array_equal(numbers[row][mask[row]].numpy(), split.inputs[1][start:stop])
            seen += targets.tolist()
        assert sorted(seen) == list(range(len(lengths)))
        if batches.shuffle_seed is None:
            assert seen == (list(range(len(lengths))) if batches.order is None else batches.order.tolist())


def test_batches_are_of_about_equal_length_and_differ_from_epoch_to_epoch():
    lengths = np.random.default_rng(0).geometric(0.05, 2000)
    split = ragged(lengths.tolist())
    near = Batches(split, 32, shuffle_seed=0)
    epochs = [[targets.tolist() for _, targets in near] for _ in range(2)]
    assert epochs[0] != epochs[1]
    again = Batches(split, 32, shuffle_seed=0)
    again.epoch = 1
    assert [targets.tolist() for _, targets in again] == epochs[1]
    padded = sum(len(batch) * lengths[batch].max() for batch in epochs[0])
    shuffled = np.random.default_rng(1).permutation(2000)
    plain = sum(len(b) * lengths[b].max() for b in (shuffled[k : k + 32] for k in range(0, 2000, 32)))
    assert padded < 1.5 * lengths.sum()
    assert plain > 3 * lengths.sum()
    firsts = [lengths[batch].mean() for batch in epochs[0]]
    assert abs(np.corrcoef(firsts, np.arange(len(firsts)))[0, 1]) < 0.5, "short ones do not all come last"


def test_a_last_batch_that_is_not_full_stays_the_last():
    order = by_length(np.arange(10), np.arange(1, 11), 4, np.random.default_rng(0))
    assert sorted(order.tolist()) == list(range(10))
    assert order[8:].tolist() == [8, 9], "those at the end of the order, whatever their length"
    assert len(Batches(ragged([1] * 10), 4, drop_last=True)) == len(list(Batches(ragged([1] * 10), 4, drop_last=True)))


def test_a_last_batch_that_is_dropped_leaves_out_no_row_for_ever():
    split = ragged(np.arange(1, 100).tolist())
    batches = Batches(split, 64, shuffle_seed=0, drop_last=True)
    trained = np.zeros(99, dtype=int)
    for _ in range(60):
        for _, targets in batches:
            trained[targets.numpy()] += 1
    assert trained.sum() == 60 * 64
    assert abs(trained / 60 - 64 / 99).max() < 5 * np.sqrt(64 * 35 / 99**2 / 60), "each as often as chance has it"


def test_offsets_that_do_not_fit_are_refused():
    with pytest.raises(TaskError, match="3 offsets do not fit 3 targets"):
        Split((np.zeros(4),), np.zeros(3), None, np.array([0, 2, 4]))
    with pytest.raises(TaskError, match="input 0 has 4 rows, but there are 5 steps"):
        Split((np.zeros(4),), np.zeros(2), None, np.array([0, 2, 5]))
