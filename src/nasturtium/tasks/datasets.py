"""Tasks from datasets: map-style ones as ``torch.utils.data.Dataset``, read once, kept in memory or left lazy."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt

from nasturtium.errors import TaskError
from nasturtium.space.signal import Signal, as_signals
from nasturtium.tasks.assembly import Labels, assemble
from nasturtium.tasks.dataset_items import Given, Items, check_dataset
from nasturtium.tasks.split import PARTS
from nasturtium.tasks.targets import Label
from nasturtium.tasks.task import Split, Task
from nasturtium.tasks.tensor_coding import TensorCoding, given_coding, infer_coding

Array = npt.NDArray[Any]

MEMORY = 256_000_000
"""Bytes of inputs up to which the items are kept in memory."""
FAR = 10.0
"""Mean or standard deviation of a channel beyond which the user is told to scale it."""
SAMPLE = 200


class Rows:
    """A torch Dataset of some rows of a task, read when they are asked for: ``((input, ...), target)``."""

    def __init__(self, items: Items, rows: Array, coding: TensorCoding, targets: Array, fingerprint: str) -> None:
        self.items, self.rows, self.coding, self.targets, self.fingerprint = items, rows, coding, targets, fingerprint

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, number: int) -> tuple[tuple[Array, ...], Any]:
        row = int(self.rows[number])
        return self.coding.row(self.items.inputs(row)[0], f"item {row}"), self.targets[number]


class Read:
    """What one pass over all items has found: a source of rows for :func:`nasturtium.tasks.assembly.assemble`.

    Attributes:
        targets: The raw target of each row.
        arrays: The inputs of all rows, or None where they stay with the datasets.
    """

    def __init__(self, items: Items, coding: TensorCoding, lazy: bool | None) -> None:
        self.items, self.coding = items, coding
        first = coding.row(items.inputs(0)[0], "item 0")
        looks = {0, len(items) // 2, len(items) - 1}
        self.random = any(not _same(items.inputs(row)[0], items.inputs(row)[0]) for row in looks)
        large = sum(values.nbytes for values in first) * len(items) > MEMORY
        self.lazy = (self.random or large) if lazy is None else lazy
        self.targets: list[Any] = []
        self._read(first)

    def _read(self, first: tuple[Array, ...]) -> None:
        digest = hashlib.blake2b(digest_size=16)
        kept = None if self.lazy else [np.empty((len(self.items), *v.shape), v.dtype) for v in first]
        most = [0] * len(first)
        for row in range(len(self.items)):
            given, target = self.items.inputs(row)
            values = self.coding.row(given, f"item {row}")
            self.targets.append(_target(target))
            for number, each in enumerate(values):
                most[number] = max(most[number], int(each.max()) if each.dtype == np.int64 and each.size else 0)
                if not self.random:
                    digest.update(np.ascontiguousarray(each).data.cast("B") if each.size else b"")
                if kept is not None:
                    kept[number][row] = each
        self.fingerprint = digest.hexdigest()
        self.arrays = None if kept is None else tuple(kept)
        self.coding = _with_vocabularies(self.coding, most)

    def __len__(self) -> int:
        return len(self.items)

    def fit(self, train: Array) -> tuple[TensorCoding, tuple[str, ...]]:
        """The coding, and notes on values far from what networks train best on."""
        notes = []
        if self.random:
            notes.append(
                "items are random (one read twice differs): scores vary, and the data are known by targets alone"
            )
        if self.lazy:
            notes.append("the inputs are not kept in memory: each item is read when it is needed")
        rows = train[np.linspace(0, len(train) - 1, min(SAMPLE, len(train))).astype(int)]
        sample = [self.coding.row(self.items.inputs(int(row))[0], f"item {row}") for row in rows]
        for number, column in enumerate(zip(*sample, strict=True)):
            values = np.stack(column)
            if values.dtype == np.float32 and max(abs(float(values.mean())), float(values.std())) > FAR:
                notes.append(
                    f"input {number} has mean {values.mean():.3g} and deviation {values.std():.3g} and is taken as it "
                    "is; networks train best near 0 and 1: scale it in the dataset"
                )
        return self.coding, tuple(notes)

    def split(self, coding: TensorCoding, rows: Array, targets: Array) -> Split:
        """These rows (indices) with their encoded targets."""
        if self.arrays is not None:
            return Split(tuple(values[rows] for values in self.arrays), targets)
        dataset: Any = Rows(self.items, rows, coding, targets, self.fingerprint)
        return Split((), targets, dataset)


def _target(value: Any) -> Any:
    return value.detach().cpu().numpy() if type(value).__module__.partition(".")[0] == "torch" else value


def _same(first: Sequence[Array], second: Sequence[Array]) -> bool:
    return all(np.array_equal(a, b) for a, b in zip(first, second, strict=True))


def _with_vocabularies(coding: TensorCoding, most: Sequence[int]) -> TensorCoding:
    """The coding with the vocabulary of tokens that were seen, where the user gave none."""
    signals: list[Signal] = []
    number = 0
    for signal in coding.signals:
        if signal.kind == "tokens":
            seen = most[number] + 1
            if signal.vocabulary[0] > 1 and seen > signal.vocabulary[0]:
                raise TaskError(
                    f"input {number} holds token {most[number]}; inputs= says {signal.vocabulary[0]} of them"
                )
            signal = signal if signal.vocabulary[0] > 1 else signal._replace(vocabulary=(max(seen, 2),))
        signals.append(signal)
        number += 1 + signal.mask
    return replace(coding, signals=tuple(signals))


def from_dataset(
    given: Given,
    *,
    inputs: Any = None,
    name: str = "dataset",
    seed: int = 0,
    metric: str | None = None,
    kind: str | None = None,
    classes: Sequence[Label] | None = None,
    lazy: bool | None = None,
) -> Task:
    """A task from map-style datasets whose items are ``(input, target)`` or ``(input, input, target)``.

    All items are read once, for targets, shapes and the fingerprint. Inputs are taken as they are (bytes are divided
    by 255). Rows are split 70/15/15, stratified, where no parts are given.

    Args:
        given: The datasets.
        inputs: The signals, where they do not follow from the first item (see ``tensor_coding.infer_coding``).
        name: Of the task.
        seed: Of the split.
        metric: The primary metric.
        kind: ``classification`` or ``regression``, to force it.
        classes: Names of classes 0, 1, ...
        lazy: Whether items are read whenever they are needed; by default beyond 256 MB, or if they are random.

    Raises:
        TaskError: If a dataset is not map-style, or items are ragged or of another form.
    """
    for part, dataset in given.parts:
        check_dataset(dataset, part)
    items = Items([dataset for _, dataset in given.parts])
    first, _ = items.inputs(0)
    coding = infer_coding(first) if inputs is None else given_coding(as_signals(inputs), first)
    read = Read(items, coding, lazy)
    codes = np.concatenate([np.full(len(dataset), PARTS.index(part)) for part, dataset in given.parts])
    labels = Labels(_stacked(read.targets), "the targets", codes if len(given.parts) > 1 else None, classes)
    return assemble(read, labels, name=name, seed=seed, metric=metric, kind=kind)


def _stacked(targets: list[Any]) -> Array:
    shapes = {np.shape(target) for target in targets}
    if len(shapes) > 1:
        odd = next(row for row, target in enumerate(targets) if np.shape(target) != np.shape(targets[0]))
        raise TaskError(
            f"the target of item {odd} has shape {np.shape(targets[odd])}, that of item 0 {np.shape(targets[0])}"
        )
    return np.stack([np.asarray(target) for target in targets])
