"""From raw rows and targets to a task: kind, classes, split, normalisation and notes, the same for every
domain."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from nasturtium.errors import TaskError
from nasturtium.tasks.array_coding import ArrayCoding, listed
from nasturtium.tasks.event_coding import EventCoding
from nasturtium.tasks.metrics import metrics_for
from nasturtium.tasks.preprocessing import Preprocessing
from nasturtium.tasks.split import MINIMUM_OF_A_CLASS, PARTS, TEST, TRAIN, VALID, complete_split, deciles
from nasturtium.tasks.table_coding import TableCoding
from nasturtium.tasks.targets import (
    Label,
    TargetCoding,
    check_target,
    class_coding,
    decide_kind,
    number_coding,
)
from nasturtium.tasks.task import Split, Task
from nasturtium.tasks.tensor_coding import TensorCoding

Array = npt.NDArray[Any]

LOSSES = {"classification": "cross_entropy", "regression": "mse"}
FEW_ROWS = 100
IMBALANCE = 3.0
GENERIC_NAMES = ("train", "data", "all", "dataset", "table")


class Source(Protocol):
    """Raw rows of one domain."""

    def __len__(self) -> int: ...

    def fit(self, train: Array) -> tuple[ArrayCoding | TableCoding | TensorCoding | EventCoding, tuple[str, ...]]:
        """The coding fitted on the training rows (indices), and notes."""
        ...

    def split(self, coding: Any, rows: Array, targets: Array) -> Split:
        """These rows (indices), encoded, with their encoded targets."""
        ...


@dataclass(frozen=True)
class Labels:
    """Raw targets and what the user said of them.

    Attributes:
        values: One target a row.
        name: The array or column.
        given: The user's split codes, or None.
        classes: Names of classes 0, 1, ..., or None; a target whose classes are named is one of classes.
        order: When each row began (N,), where later rows are to be predicted from earlier ones.
        by: What says when, for notes.
        groups: The group of each row (N,), a number or text, where groups are to stay together.
        column: Whether they are the column of a table.
    """

    values: object
    name: str = "y"
    given: Array | None = None
    classes: Sequence[Label] | None = None
    order: Array | None = None
    by: str = ""
    groups: Array | None = None
    column: bool = False


def assemble(
    source: Source,
    labels: Labels,
    *,
    name: str,
    seed: int = 0,
    metric: str | None = None,
    kind: str | None = None,
    notes: tuple[str, ...] = (),
) -> Task:
    """Make a task of raw rows and targets.

    Args:
        source: The rows.
        labels: Their targets.
        name: Of the task.
        seed: Of the split.
        metric: The primary metric; by default accuracy or RMSE.
        kind: ``classification`` or ``regression``; by default as ``decide_kind`` finds.
        notes: To start with.

    Raises:
        TaskError: If data cannot be used.
    """
    values = check_target(labels.values, labels.name)
    if len(values) != len(source):
        raise TaskError(f"{labels.name} has {len(values)} rows, but the inputs have {len(source)}; give one a row")
    if labels.classes is not None and kind == "regression":
        raise TaskError(f"names of classes were given for {labels.name}, but kind='regression'; leave one of them out")
    named = "classification" if labels.classes is not None else None
    kind, doubt = decide_kind(values, labels.name, kind or named, column=labels.column)
    classes = class_coding(_flat(values), labels.name, labels.classes) if kind == "classification" else None
    strata = deciles(values) if classes is None else classes.encode(_flat(values))
    codes, drawn = complete_split(strata, labels.given, seed, order=labels.order, groups=labels.groups)
    train = np.flatnonzero(codes == TRAIN)
    target = classes or number_coding(values, labels.name, train)
    encoded = strata if classes is not None else target.encode(values)
    coding, found = source.fit(train)
    parts = [source.split(coding, rows, encoded[rows]) for rows in (np.flatnonzero(codes == part) for part in range(3))]
    signals = coding.signals if isinstance(coding, TensorCoding) else (coding.signal,)
    metrics = metrics_for(kind, metric)
    said = (doubt,) if doubt else ()
    about = _about_classes(target, encoded, codes) if classes is not None else ()
    return Task(
        name=name, inputs=signals, outputs=target.outputs, kind=kind,
        train=parts[TRAIN], valid=parts[VALID], test=parts[TEST],
        metric=metrics[0], metrics=metrics, loss=LOSSES[kind], classes=target.names,
        preprocessing=Preprocessing(coding, target),
        notes=(*notes, *said, *_about_split(codes, drawn, labels), *about, *found),
    )  # fmt: skip


def _flat(values: Array) -> Array:
    """Classes (N,), also where they came one-hot (N, K)."""
    return values.argmax(axis=1) if values.ndim == 2 else values


def _about_split(codes: Array, drawn: tuple[str, ...], labels: Labels) -> tuple[str, ...]:
    notes = []
    counts = {part: int((codes == number).sum()) for number, part in enumerate(PARTS)}
    missing = " and ".join(f"{part} ({counts[part]} rows)" for part in drawn)
    if drawn and labels.given is not None:
        how = "drew" if labels.order is None else "took the latest rows as"
        by = f"; the latest by {labels.by}" if labels.order is not None and labels.by else ""
        notes.append(f"{how} {missing} from the training rows, as none was given{by}")
    elif drawn and labels.order is not None:
        by = f" (by {labels.by})" if labels.by else ""
        notes.append(f"split by time{by}: the latest rows test, those before them validate")
    if drawn and labels.groups is not None:
        notes.append(f"drawn were whole groups: {missing}")
    few = {part: count for part, count in counts.items() if count < FEW_ROWS}
    if few:
        rows = ", ".join(f"{part} {count}" for part, count in few.items())
        notes.append(f"few rows ({rows}): differences between scores may be chance")
    return tuple(notes)


def _about_classes(target: TargetCoding, encoded: Array, codes: Array) -> tuple[str, ...]:
    notes, names = [], target.names
    counts = np.bincount(encoded, minlength=len(names))
    most, least = int(counts.argmax()), int(counts.argmin())
    if counts[most] >= IMBALANCE * counts[least]:
        notes.append(
            f"classes are unbalanced: {names[most]!r} has {counts[most] / counts.sum():.1%} of the rows, "
            f"{names[least]!r} {counts[least] / counts.sum():.1%}; consider metric='balanced_accuracy'"
        )
    trained = np.bincount(encoded[codes == TRAIN], minlength=len(names))
    rare = [names[k] for k in np.flatnonzero((counts < MINIMUM_OF_A_CLASS) & (trained == counts))]
    if rare:
        notes.append(f"too few rows to split, so all of them train: {listed(rare)}")
    unseen = [names[k] for k in np.flatnonzero(trained == 0)]
    if unseen:
        notes.append(f"no training row has these classes, so none can be learned: {listed(unseen)}")
    return tuple(notes)


def name_of(path: Path) -> str:
    """A task's name from its file; a file called ``train`` or ``data`` goes by its folder."""
    stem = path.name.split(".")[0] if path.suffix else path.name
    if stem.lower() in GENERIC_NAMES and path.resolve().parent.name:
        stem = path.resolve().parent.name
    return re.sub(r"[^\w\-]+", "_", stem).strip("_") or "task"
