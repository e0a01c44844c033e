"""Tasks from arrays: (x, y), or (x, y, x_test, y_test), or rows of unequal length as a list."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from nasturtium.errors import TaskError
from nasturtium.tasks.array_coding import ArrayCoding, check_present, fit_arrays
from nasturtium.tasks.assembly import Labels, assemble
from nasturtium.tasks.flat import FlatRows, about_padding, keep_flat
from nasturtium.tasks.layout import Layout, Raw, arrange, check_inputs, choose_layout
from nasturtium.tasks.split import PARTS, read_split
from nasturtium.tasks.targets import Label, check_target
from nasturtium.tasks.task import Split, Task

Array = npt.NDArray[Any]


class ArrayRows:
    """Rows of an array, brought into the layout that networks get."""

    def __init__(self, raw: Raw, layout: Layout, name: str) -> None:
        self.values, self.mask = arrange(raw, layout, name=name)
        self.layout = layout
        check_present(self.values, self.mask, name)

    def __len__(self) -> int:
        return len(self.values)

    def fit(self, train: Array) -> tuple[ArrayCoding, tuple[str, ...]]:
        """The normalisation of the training rows (indices), and notes."""
        return fit_arrays(self.values, self.mask, self.layout, train)

    def split(self, coding: ArrayCoding, rows: Array, targets: Array) -> Split:
        """These rows (indices), normalised, with their encoded targets."""
        return Split(coding.scale(self.values[rows], None if self.mask is None else self.mask[rows]), targets)


def from_arrays(
    x: object,
    y: object,
    *,
    split: object = None,
    groups: object = None,
    names: tuple[str, str] = ("x", "y"),
    name: str = "arrays",
    seed: int = 0,
    metric: str | None = None,
    kind: str | None = None,
    layout: str | None = None,
    classes: Sequence[Label] | None = None,
) -> Task:
    """A task from inputs and targets.

    Args:
        x: Rows first: see ``nasturtium.tasks.layout.choose_layout`` for what is an image, a sequence, a
            vector. Rows of unequal length are padded to the longest; if that would make them more than four times as
            large, and none has more than 1,024 steps, each batch to its own longest.
        y: A target a row; text, integers or floats (see ``nasturtium.tasks.targets.decide_kind``).
        split: A part a row (train, valid, test; or 0, 1, 2); drawn 70/15/15, stratified, if None.
        groups: A value a row; rows of the same value never come into two parts, and a split that puts them there is
            refused.
        names: Of x and y, for messages.
        name: Of the task.
        seed: Of the draw.
        metric: The primary metric.
        kind: ``classification`` or ``regression``, to force it.
        layout: To force how x is read.
        classes: Names of classes 0, 1, ...

    Raises:
        TaskError: If they cannot be used.
    """
    raw = check_inputs(x, names[0])
    target = check_target(y, names[1])
    if len(raw) != len(target):
        raise TaskError(f"{names[1]} has {len(target)} rows, but {names[0]} has {len(raw)}; give one target a row")
    given = None if split is None else read_split(split, len(raw), "split")
    chosen = choose_layout(raw, layout, names[0])
    rows = FlatRows(raw, chosen, names[0]) if keep_flat(raw) else ArrayRows(raw, chosen, names[0])
    labels = Labels(target, names[1], given, classes, groups=_groups(groups, len(raw)))
    notes = about_padding(raw, names[0])
    return assemble(rows, labels, name=name, seed=seed, metric=metric, kind=kind, notes=notes)


def _groups(values: object, rows: int) -> Array | None:
    if values is None:
        return None
    found = np.asarray(values)
    if found.shape != (rows,):
        raise TaskError(f"groups have shape {found.shape}, but there are {rows} rows; give one value a row")
    absent = np.array([value is None or value != value for value in found.tolist()])
    if absent.any():
        raise TaskError(f"groups have {absent.sum()} missing values (first at row {int(np.argmax(absent))})")
    return np.char.decode(found) if found.dtype.kind == "S" else found.astype(str) if found.dtype.kind == "O" else found


def from_parts(parts: Mapping[str, tuple[object, object]], **options: Any) -> Task:
    """A task from arrays that come apart: ``{"train": (x, y), "test": (x, y)}``, perhaps with ``valid``.

    Args:
        parts: Inputs and targets of each part.
        options: As of ``from_arrays``, without ``split``.

    Raises:
        TaskError: If a part is empty, or parts do not fit each other.
    """
    inputs: list[Raw] = []
    targets: list[Array] = []
    codes: list[Array] = []
    for part, (x, y) in parts.items():
        raw, target = check_inputs(x, f"x_{part}"), check_target(y, f"y_{part}")
        if len(raw) != len(target):
            raise TaskError(f"y_{part} has {len(target)} rows, but x_{part} has {len(raw)}; give one target a row")
        if target.shape[1:] != (targets[0] if targets else target).shape[1:]:
            raise TaskError(f"y_{part} has shape {target.shape}, y_train {targets[0].shape}; they must agree")
        inputs.append(raw)
        targets.append(target)
        codes.append(np.full(len(raw), PARTS.index(part)))
    joined = _join(inputs, list(parts))
    return from_arrays(joined, np.concatenate(targets), split=np.concatenate(codes), **options)


def _join(inputs: list[Raw], parts: list[str]) -> Raw:
    """One array of all parts; a list of rows where their lengths differ."""
    first, arrays = inputs[0], [raw for raw in inputs if isinstance(raw, np.ndarray)]
    if len(arrays) < len(inputs):
        return check_inputs([row for raw in inputs for row in raw], "x")
    for part, raw in zip(parts, arrays, strict=True):
        if raw.shape[1:] != arrays[0].shape[1:]:
            raise TaskError(
                f"x_{part} has rows of shape {raw.shape[1:]}, x_{parts[0]} {np.shape(first)[1:]}; "
                "they must agree (sequences of unequal length: give lists of arrays)"
            )
    return np.concatenate(arrays)
