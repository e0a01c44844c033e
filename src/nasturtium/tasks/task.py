"""Task: data with its split, the loss, the metrics, and the input and output it asks of a network."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from nasturtium.errors import TaskError
from nasturtium.space.signal import Signal
from nasturtium.tasks.metrics import METRICS, Metric, metrics_for
from nasturtium.tasks.origin import Origin
from nasturtium.tasks.preprocessing import Preprocessing
from nasturtium.tasks.ragged import Lengths, steps_of
from nasturtium.tasks.targets import KINDS

if TYPE_CHECKING:
    from torch.utils.data import Dataset

Array = npt.NDArray[Any]


@dataclass(frozen=True, eq=False)
class Split:
    """Rows of a task, ready for a network.

    Attributes:
        inputs: One array for each tensor of the task's signals, rows first: float32 (N, D), (N, T, C) or (N,
            C, H, W), int64 tokens (N, T), bool masks (N, T). Empty where ``dataset`` gives the inputs.
        targets: int64 (N,) classes, or float32 (N, K) standardised numbers.
        dataset: A torch Dataset of ``((input, ...), target)`` or ``(input, target)``, for rows that memory
            cannot hold.
        offsets: Where rows differ in length by much, inputs hold the steps of all rows one after another, (E,) or
            (E, C), and this (N + 1,) says where each row's begin. Batches are then padded, each to its longest row,
            and bring a mask.

    Raises:
        TaskError: If the arrays differ in length.
    """

    inputs: tuple[Array, ...]
    targets: Array
    dataset: Dataset[Any] | None = None
    offsets: Array | None = None

    def __post_init__(self) -> None:
        if self.offsets is not None and len(self.offsets) != len(self.targets) + 1:
            raise TaskError(f"{len(self.offsets)} offsets do not fit {len(self.targets)} targets; give one more")
        rows = len(self.targets) if self.offsets is None else int(self.offsets[-1])
        for number, values in enumerate(self.inputs):
            if len(values) != rows:
                there = f"{rows} targets" if self.offsets is None else f"{rows} steps"
                raise TaskError(f"input {number} has {len(values)} rows, but there are {there}")

    def __len__(self) -> int:
        return len(self.targets)

    def take(self, rows: Array) -> Split:
        """The split of these rows only (indices)."""
        dataset = self.dataset
        if dataset is not None:
            from torch.utils.data import Subset

            dataset = Subset(dataset, rows.tolist())
        if self.offsets is not None:
            places, offsets = steps_of(self.offsets, rows)
            return Split(tuple(values[places] for values in self.inputs), self.targets[rows], dataset, offsets)
        return Split(tuple(values[rows] for values in self.inputs), self.targets[rows], dataset)

    def joined(self, other: Split) -> Split:
        """These rows, then the other split's."""
        dataset = self.dataset
        if dataset is not None and other.dataset is not None:
            from torch.utils.data import ConcatDataset

            dataset = ConcatDataset([dataset, other.dataset])
        pairs = zip(self.inputs, other.inputs, strict=True)
        targets = np.concatenate((self.targets, other.targets))
        offsets = None
        if self.offsets is not None and other.offsets is not None:
            offsets = np.concatenate((self.offsets, self.offsets[-1] + other.offsets[1:]))
        return Split(tuple(np.concatenate(pair) for pair in pairs), targets, dataset, offsets)


@dataclass(frozen=True, eq=False)
class Task:
    """Data with its split, the loss, the metrics, and what it asks of a network.

    Attributes:
        name: For folders and tables.
        inputs: The signals a network receives.
        outputs: How many numbers it must give a row.
        kind: ``classification`` or ``regression``.
        train: Rows to train on.
        valid: Rows that choose between architectures; empty in a merged task.
        test: Rows that are looked at once, at the end.
        metric: The primary metric.
        metrics: All that are reported.
        loss: ``cross_entropy``, ``mse``, or a function of outputs (B, K) and targets that gives one number to
            minimise: for classification of logits and class numbers (B,), for regression of predictions and
            standardised targets (B, K). It stands for each batch, and label smoothing does not apply to it.
        classes: What they are called.
        preprocessing: Turns new raw rows into inputs, and outputs into answers.
        notes: Lines for the user about the data.
        own: Metrics that the user brought.
        origin: What it was loaded from; None if it was made by hand.

    Raises:
        TaskError: If the parts contradict each other.
    """

    name: str
    inputs: tuple[Signal, ...]
    outputs: int
    kind: str
    train: Split
    valid: Split
    test: Split
    metric: str
    metrics: tuple[str, ...]
    loss: str | Callable[[Any, Any], Any]
    classes: tuple[str, ...] = ()
    preprocessing: Preprocessing | None = None
    notes: tuple[str, ...] = ()
    own: tuple[Metric, ...] = ()
    origin: Origin | None = None

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise TaskError(f"unknown kind {self.kind!r} of task {self.name!r}; use {' or '.join(KINDS)}")
        for name in (self.metric, *self.metrics):
            metrics_for(self.kind, name, self.own)
        if len(self.train) == 0:
            raise TaskError(f"task {self.name!r} has no training rows")
        if self.train.dataset is None:
            self._check_inputs()

    def _check_inputs(self) -> None:
        held = self.train.offsets is None  # whether masks are, too
        expected = sum((len(signal.members) or 1) + (signal.mask and held) for signal in self.inputs)
        if len(self.train.inputs) != expected:
            asked = ", ".join(map(str, self.inputs))
            raise TaskError(f"task {self.name!r} has {len(self.train.inputs)} input arrays; {asked} need {expected}")

    @cached_property
    def fingerprint(self) -> str:
        """A hash of data and split, by which a resumed study knows that the data are the same."""
        digest = hashlib.blake2b(digest_size=16)
        digest.update(repr((self.kind, self.outputs, self.classes, self.inputs)).encode())
        for split in (self.train, self.valid, self.test):
            ragged = () if split.offsets is None else (split.offsets,)
            for values in (*split.inputs, *ragged, split.targets):
                digest.update(repr((values.shape, values.dtype.str)).encode())
                digest.update(np.ascontiguousarray(values).data.cast("B") if values.size else b"")
            if split.dataset is not None:
                digest.update(repr(getattr(split.dataset, "fingerprint", "")).encode())
        if self.custom:
            digest.update(repr(sorted(self.custom.items())).encode())
        return digest.hexdigest()

    @cached_property
    def lengths(self) -> Lengths | None:
        """Steps of a typical row (the median of the training rows) and of the longest; None where signals say it."""
        if self.train.offsets is None:
            return None
        found = [np.diff(split.offsets) for split in (self.train, self.valid, self.test) if split.offsets is not None]
        longest = max(int(each.max(initial=1)) for each in found)
        return Lengths.of(found[0], longest)

    @property
    def custom(self) -> dict[str, str]:
        """What the user brought to judge and train by, for the header of a study: ``metric <name>``, ``loss``."""
        from nasturtium.sameness import identity

        said = {f"metric {each.name}": f"{identity(each.function)} {each.takes}" for each in self.own}
        return said if isinstance(self.loss, str) else {**said, "loss": identity(self.loss)}

    @property
    def directions(self) -> dict[str, bool]:
        """Of the metrics that the user brought: whether more is better."""
        return {each.name: each.maximise for each in self.own}

    @property
    def objective(self) -> str:
        """The primary metric with its direction, as objectives are written: ``max:accuracy``."""
        entry = {**METRICS, **{each.name: each for each in self.own}}[self.metric]
        return f"{'max' if entry.maximise else 'min'}:{self.metric}"

    @classmethod
    def from_dataset(cls, dataset: Any, valid: Any = None, test: Any = None, **options: Any) -> Task:
        """A task from map-style datasets (see :func:`nasturtium.tasks.datasets.from_dataset`).

        Args:
            dataset: A ``torch.utils.data.Dataset`` or anything with ``__len__`` and ``__getitem__``, of items
                ``(input, target)``; or a tuple of them: (train, test) or (train, valid, test).
            valid: The validation part, if it is not drawn.
            test: The test part, if it is not drawn.
            **options: Those of ``from_dataset`` (inputs, classes, lazy) and of :func:`nasturtium.tasks.load`.

        Raises:
            TaskError: If they cannot be used.
        """
        from nasturtium.tasks.dataset_items import Given
        from nasturtium.tasks.load import load

        return load(Given.of(dataset, valid, test), **options)

    def merged(self) -> Task:
        """The same task with the validation rows among the training rows, for the final training."""
        empty = self.valid.take(np.arange(0))
        return replace(self, train=self.train.joined(self.valid), valid=empty)

    def in_units(self, numbers: Array) -> Array:
        """Standardised targets or predictions (N,) or (N, K) of a regression in their own unit, (N, K)."""
        if self.preprocessing is None:
            return np.asarray(numbers, dtype=np.float64).reshape(len(numbers), -1)
        return self.preprocessing.target.restore(numbers)

    def summary(self) -> str:
        """One line: what comes in, what is asked, how many rows, and by which metric it is judged."""
        asked = f"{self.outputs} classes" if self.kind == "classification" else f"regression of {self.outputs}"
        rows = "/".join(f"{len(split):,}" for split in (self.train, self.valid, self.test))
        received = " and ".join(map(_told, self.inputs))
        return f"{self.name}: {received} -> {asked}; {rows} rows train/valid/test; judged by {self.metric}"


def _told(signal: Signal) -> str:
    """A signal in few words: of a group how many there are of each kind."""
    if signal.kind != "group":
        return str(signal)
    kinds = [member.kind for _, member in signal.members]
    counts = " and ".join(f"{kinds.count(kind)} {kind}" for kind in dict.fromkeys(kinds))
    return f"group of {counts}{' masked' if signal.mask else ''}"
