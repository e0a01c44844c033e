"""Batches: every row once, orders that repeat, memory layouts, and the path through a DataLoader."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest
import torch
from torch.utils.data import TensorDataset

from nasturtium.errors import TaskError
from nasturtium.tasks import Batches, Split
from nasturtium.tasks.batches import permutation


@pytest.fixture
def split():
    return Split((np.arange(23, dtype=np.float32)[:, None], np.ones((23, 4), dtype=bool)), np.arange(23))


def test_in_order_without_a_seed(split):
    batches = Batches(split, 5)
    assert len(batches) == 5
    seen = list(batches)
    assert [len(targets) for _, targets in seen] == [5, 5, 5, 5, 3]
    assert torch.cat([targets for _, targets in seen]).tolist() == list(range(23))
    assert seen[0][0][1].dtype == torch.bool


def test_every_row_once_and_with_its_own_target(split):
    batches = Batches(split, 4, shuffle_seed=1)
    orders = []
    for _ in range(3):
        rows = [(x[:, 0], y) for (x, _), y in batches]
        assert all((x == y).all() for x, y in rows)
        orders.append(torch.cat([y for _, y in rows]).tolist())
        assert sorted(orders[-1]) == list(range(23))
    assert orders[0] != orders[1] != orders[2]


def test_an_epochs_order_depends_on_seed_and_number_alone(split):
    batches = Batches(split, 4, shuffle_seed=1)
    orders = [torch.cat([y for _, y in batches]).tolist() for _ in range(3)]
    continued = Batches(split, 7, shuffle_seed=1)
    continued.epoch = 2
    assert torch.cat([y for _, y in continued]).tolist() == orders[2]
    assert continued.epoch == 3
    assert permutation(23, 1, 2).tolist() == orders[2]
    assert permutation(23, 2, 2).tolist() != orders[2]
    assert torch.cat([y for _, y in Batches(split, 4, shuffle_seed=2)]).tolist() != orders[0]


def test_an_unfinished_epoch_counts(split):
    batches = Batches(split, 4, shuffle_seed=1)
    next(iter(batches))
    assert batches.epoch == 1


def test_the_last_batch_can_be_dropped(split):
    batches = Batches(split, 5, drop_last=True)
    assert [len(y) for _, y in batches] == [5] * 4
    assert len(batches) == 4
    assert len(Batches(split, 100, drop_last=True)) == 1, "fewer rows than a batch still make one"


def test_channels_last_changes_memory_only():
    x = np.random.default_rng(0).normal(size=(12, 3, 6, 5)).astype(np.float32)
    split = Split((x,), np.arange(12))
    for seed in (None, 3):
        for ((plain,), _), ((last,), _) in zip(
            Batches(split, 4, shuffle_seed=seed),
            Batches(split, 4, shuffle_seed=seed, channels_last=True),
            strict=True,
        ):
            assert (plain == last).all()
            assert last.is_contiguous(memory_format=torch.channels_last)
            assert not plain.is_contiguous(memory_format=torch.channels_last)


@pytest.mark.parametrize("seed", [None, 4])
def test_a_dataset_gives_the_same_batches(split, seed):
    class Rows(torch.utils.data.Dataset):
        def __len__(self):
            return 23

        def __getitem__(self, row):
            return tuple(torch.from_numpy(values)[row] for values in split.inputs), int(split.targets[row])

    for ours, theirs in zip(Batches(Rows(), 4, shuffle_seed=seed), Batches(split, 4, shuffle_seed=seed), strict=True):
        assert all((a == b).all() for a, b in zip(ours[0], theirs[0], strict=True))
        assert (ours[1] == theirs[1]).all()


def test_a_plain_dataset_and_a_split_of_one():
    data = TensorDataset(torch.randn(10, 3, 4, 4), torch.arange(10))
    (x,), y = next(iter(Batches(data, 4, channels_last=True)))
    assert x.is_contiguous(memory_format=torch.channels_last)
    assert y.tolist() == [0, 1, 2, 3]
    split = Split((), np.arange(10), data).take(np.array([7, 2]))
    assert next(iter(Batches(split, 4)))[1].tolist() == [7, 2]
    assert torch.cat([y for _, y in Batches(split.joined(split), 3)]).tolist() == [7, 2, 7, 2]


def test_no_rows_and_no_batch_size_are_refused(split):
    with pytest.raises(TaskError, match="cannot make batches of 4 from 0 rows"):
        Batches(split.take(np.arange(0)), 4)
    with pytest.raises(TaskError, match="cannot make batches of 0 from 23 rows"):
        Batches(split, 0)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
def test_the_order_is_the_same_on_a_gpu(split):
    for (_, ours), (_, theirs) in zip(
        Batches(split, 4, shuffle_seed=1), Batches(split, 4, shuffle_seed=1, device="cuda"), strict=True
    ):
        assert theirs.is_cuda
        assert ours.tolist() == theirs.tolist()


def test_importing_and_loading_arrays_needs_no_torch():
    program = (
        "import sys, numpy as np; from nasturtium import tasks;"
        "heavy = {'torch', 'sklearn', 'polars', 'scipy', 'PIL'} & set(sys.modules);"
        "tasks.load((np.random.rand(50, 3), np.arange(50) % 2)).fingerprint;"
        "sys.exit(str(heavy | ({'torch'} & set(sys.modules)) or 0))"
    )
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert ended.stderr.strip() in ("", "0")
    assert ended.returncode == 0 or ended.stderr.strip() == "0"
