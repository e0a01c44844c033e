"""Datasets as tasks: the rows are those of a DataLoader, in memory or lazy; what cannot be used is named."""

from __future__ import annotations

import pickle

import numpy as np
import pytest
import torch
from torch.utils.data import DataLoader, Dataset, IterableDataset, Subset, TensorDataset

import nasturtium as nt
from nasturtium.errors import TaskError
from nasturtium.tasks import Batches, Preprocessing, Task, load

X = torch.randn(90, 3, 6, 6, generator=torch.Generator().manual_seed(0))
Y = torch.arange(90) % 3


class Items(Dataset):
    """Items made by a function of the row."""

    def __init__(self, item, rows=90):
        self.item, self.rows = item, rows

    def __len__(self):
        return self.rows

    def __getitem__(self, row):
        return self.item(row)


def test_datasets_of_parts_may_come_as_a_list():
    parts = [Subset(TensorDataset(X, Y), range(*ends)) for ends in ((0, 60), (60, 90))]
    task = load(parts)
    assert (len(task.train) + len(task.valid), len(task.test)) == (60, 30)
    assert task.fingerprint == load(tuple(parts)).fingerprint
    items = Task.from_dataset([(X[row].numpy(), int(Y[row])) for row in range(90)])  # itself a dataset
    assert len(items.train) + len(items.valid) + len(items.test) == 90


@pytest.mark.parametrize("lazy", [True, False])
def test_rows_are_those_of_a_loader(lazy):
    parts = [Subset(TensorDataset(X, Y), range(*ends)) for ends in ((0, 60), (60, 75), (75, 90))]
    task = Task.from_dataset(tuple(parts), lazy=lazy)
    assert (task.train.dataset is None) != lazy
    assert task.inputs == (nt.Signal("image", (3, 6, 6)),)
    for part, split in zip(parts, (task.train, task.valid, task.test), strict=True):
        batches = list(Batches(split, 7))
        for ((inputs,), targets), (wanted, classes) in zip(batches, DataLoader(part, 7), strict=True):
            torch.testing.assert_close(inputs, wanted)
            assert torch.equal(targets, classes)


def test_lazy_and_kept_rows_give_the_same_batches_in_any_order():
    kept, lazy = (Task.from_dataset(TensorDataset(X, Y), lazy=lazy) for lazy in (False, True))
    assert kept.summary() == lazy.summary()
    for first, second in zip(
        Batches(kept.train, 8, shuffle_seed=3), Batches(lazy.train, 8, shuffle_seed=3), strict=True
    ):
        assert torch.equal(first[0][0], second[0][0])
        assert torch.equal(first[1], second[1])
    assert len(lazy.merged().train) == len(kept.merged().train) == 90 - len(kept.test)


def test_a_lazy_task_travels_and_is_known_again():
    task = Task.from_dataset(TensorDataset(X, Y), lazy=True)
    again = pickle.loads(pickle.dumps(task))  # noqa: S301
    assert again.fingerprint == task.fingerprint == Task.from_dataset(TensorDataset(X, Y), lazy=True).fingerprint
    assert Task.from_dataset(TensorDataset(X + 1, Y), lazy=True).fingerprint != task.fingerprint
    assert Task.from_dataset(TensorDataset(X, Y.flip(0)), lazy=True).fingerprint != task.fingerprint


def test_parts_that_are_missing_are_drawn():
    both = Task.from_dataset((TensorDataset(X, Y), TensorDataset(X[:12], Y[:12])))
    assert (len(both.test), len(both.train) + len(both.valid)) == (12, 90)
    given = Task.from_dataset(TensorDataset(X, Y), valid=TensorDataset(X[:15], Y[:15]))
    assert (len(given.valid), len(given.train) + len(given.test)) == (15, 90)
    assert load((TensorDataset(X, Y), TensorDataset(X[:12], Y[:12]))).fingerprint == both.fingerprint


LENGTHS = torch.randint(3, 9, (90, 1), generator=torch.Generator().manual_seed(1))
MASK = torch.arange(8) < LENGTHS


@pytest.mark.parametrize(
    ("data", "signals"),
    [
        (TensorDataset(X[:, 0, 0], Y), "vector 6"),
        (TensorDataset(X[:, 0], Y), "sequence 6x6"),
        (TensorDataset(X[:, 0, 0, 0], Y), "vector 1"),
        (TensorDataset((X[:, 0] > 0).to(torch.uint8), Y), "image 1x6x6"),
        (TensorDataset(Y[:, None].repeat(1, 5), Y), "tokens 5"),
        (TensorDataset(torch.randn(90, 8, 2), MASK, Y), "sequence 8x2 masked"),
        (TensorDataset(Y[:, None].repeat(1, 8), MASK, X[:, 0, 0], Y), "tokens 8 masked and vector 6"),
        (Items(lambda row: ((X[row].numpy(), X[row, 0, 0].numpy()), int(Y[row]))), "image 3x6x6 and vector 6"),
        (Items(lambda row: (X[row, 0, 0].tolist(), "abc"[row % 3])), "vector 6"),
    ],
)
def test_signals_follow_from_the_first_item(data, signals):
    task = load(data)
    assert " and ".join(map(str, task.inputs)) == signals
    assert task.outputs == 3
    tensors = sum(1 + signal.mask for signal in task.inputs)
    assert len(task.train.inputs) == tensors
    kept = task.preprocessing
    assert Preprocessing.from_json(kept.to_json()) == kept
    raw = [
        np.stack([np.asarray(value) for value in column])
        for column in zip(*(_inputs(data[r]) for r in range(90)), strict=True)
    ]
    rows = [kept.apply(tuple(raw) if tensors > 1 else raw[0])[number] for number in range(tensors)]
    together = [np.concatenate([s.inputs[n] for s in (task.train, task.valid, task.test)]) for n in range(tensors)]
    for made, held in zip(rows, together, strict=True):
        assert made.dtype == held.dtype
        np.testing.assert_allclose(np.sort(made, axis=0), np.sort(held, axis=0), rtol=1e-6)


def _inputs(item):
    *inputs, _ = item
    return inputs[0] if isinstance(inputs[0], tuple) else inputs


def test_bytes_are_scaled_and_vocabularies_counted():
    pixels = torch.arange(90 * 16, dtype=torch.int64).view(90, 1, 4, 4).remainder(256).to(torch.uint8)
    task = Task.from_dataset(TensorDataset(pixels, Y))
    assert task.train.inputs[0].max() == 1.0
    assert load(TensorDataset(torch.arange(90)[:, None].repeat(1, 2), Y)).inputs[0].vocabulary == (90,)
    named = Task.from_dataset(TensorDataset(Y[:, None], Y), inputs=nt.Signal("tokens", (1,), vocabulary=(500,)))
    assert named.inputs[0].vocabulary == (500,)


def test_targets_of_numbers_are_standardised_and_put_back():
    numbers = 100 + 5 * X[:, 0, 0, :2]
    task = Task.from_dataset(TensorDataset(X, numbers))
    assert (task.kind, task.outputs) == ("regression", 2)
    back = task.in_units(np.concatenate([s.targets for s in (task.train, task.valid, task.test)]))
    np.testing.assert_allclose(np.sort(back, axis=0), np.sort(numbers.numpy(), axis=0), rtol=1e-5)


def test_random_items_stay_lazy_and_do_not_change_the_fingerprint():
    make = lambda: Task.from_dataset(Items(lambda row: (torch.randn(4), row % 2)))  # noqa: E731
    first, second = make(), make()
    assert first.fingerprint == second.fingerprint
    assert first.train.dataset is not None
    assert any("random" in note for note in first.notes)


def test_values_far_from_one_are_noted():
    assert any("scale it" in note for note in load(TensorDataset(1000 * X, Y)).notes)
    assert not any("scale it" in note for note in load(TensorDataset(X, Y)).notes)


class Stream(IterableDataset):
    def __iter__(self):
        return iter([(X[0], 1)])


BAD = [
    (Stream(), "cannot be indexed.*map-style"),
    (DataLoader(TensorDataset(X, Y)), "loader.dataset"),
    (Items(lambda row: {"image": X[row], "label": 1}), r"dict \('image', 'label'\)"),
    (Items(lambda row: X[row]), "item 0 is a Tensor.*\\(input, target\\)"),
    (Items(lambda row: (torch.ones(3 + row), row % 2)), r"item 1 has shape \(4,\).*mask"),
    (Items(lambda row: (torch.ones(3), [0] * (row + 1))), "target of item 1"),
    (Items(lambda row: (torch.full((3,), float("nan") if row == 7 else 1.0), row % 2)), "item 7 has missing"),
    (Items(lambda row: (torch.ones(28, 28, 3), row % 2)), "channels come first"),
    (Items(lambda row: (torch.ones(2, 2, 2, 2), row % 2)), r"\(C, H, W\)"),
    (Items(lambda row: (torch.ones(4, 4, dtype=torch.int64), row % 2)), "integers"),
    (Items(lambda row: (object(), row % 2)), "is a object; give tensors or arrays"),
    (Items(lambda row: (torch.ones(3), row % 2), rows=0), "train dataset is empty"),
    ((TensorDataset(X, Y), Stream()), "test dataset .Stream. cannot be indexed"),
]


@pytest.mark.parametrize(("data", "said"), BAD)
def test_what_cannot_be_used_is_named(data, said):
    with pytest.raises(TaskError, match=said):
        load(data)


def test_options_that_do_not_apply_are_named():
    with pytest.raises(TaskError, match="layout='image' does not apply"):
        load(TensorDataset(X, Y), layout="image")
    with pytest.raises(TaskError, match="asks for 2 tensors"):
        load(TensorDataset(X, Y), inputs=(nt.Signal("sequence", (6, 6), mask=True),))
    with pytest.raises(TaskError, match="holds token 2; inputs= says 2"):
        load(TensorDataset(Y[:, None], Y), inputs=nt.Signal("tokens", (1,), vocabulary=(2,)))
