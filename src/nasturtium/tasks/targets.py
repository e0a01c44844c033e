"""Targets: classification or regression, which classes there are, to numbers and back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from nasturtium.errors import TaskError
from nasturtium.tasks.array_coding import listed, steady

Array = npt.NDArray[Any]
Label = str | int | float | bool

KINDS = ("classification", "regression")
FEW_VALUES = 20
MANY_CLASSES = 1000
"""Whole numbers of no more values than this, each met often, could be classes."""


@dataclass(frozen=True)
class TargetCoding:
    """How raw targets become what a network learns, and how its outputs are read.

    Attributes:
        name: The array or column.
        kind: ``classification`` or ``regression``.
        labels: The raw value of each class, sorted (classification).
        names: What each class is called (classification).
        mean: Of each target over the training rows, in its own unit (regression).
        std: Likewise.
    """

    name: str
    kind: str
    labels: tuple[Label, ...] = ()
    names: tuple[str, ...] = ()
    mean: tuple[float, ...] = ()
    std: tuple[float, ...] = ()

    @property
    def outputs(self) -> int:
        """How many numbers a network must give: one a class, or one a target."""
        return len(self.labels) if self.kind == "classification" else len(self.mean)

    def encode(self, raw: object) -> Array:
        """Class numbers (N,) int64, or standardised targets (N, K) float32.

        Raises:
            TaskError: For a value that is no known class, or is missing.
        """
        values = check_target(raw, self.name)
        if self.kind == "regression":
            numbers = values.astype(np.float64).reshape(len(values), -1)
            scaled: Array = (numbers - np.array(self.mean)) / np.array(self.std)
            return scaled.astype(np.float32)  # (N, K)
        labels = np.array(self.labels)
        values = values.astype(str) if labels.dtype.kind == "U" else values
        codes: Array = np.searchsorted(labels, values).clip(max=len(labels) - 1)
        wrong = labels[codes] != values
        if wrong.any():
            row = int(np.argmax(wrong))
            raise TaskError(f"{self.name} holds {str(values[row])!r} at row {row}, which is none of the known classes")
        return codes.astype(np.int64)

    def restore(self, numbers: Array) -> Array:
        """Standardised targets or predictions (N, K) in their own unit, float64."""
        table = np.asarray(numbers, dtype=np.float64).reshape(len(numbers), -1)
        restored: Array = table * np.array(self.std) + np.array(self.mean)
        return restored

    def decode(self, outputs: Array) -> Array:
        """What a network's outputs (N, K) say: class names (N,), or values (N, K) in the target's unit."""
        if self.kind == "regression":
            return self.restore(outputs)
        logits = np.asarray(outputs)
        single = logits.shape[1] == 1  # the logit of the second of two classes
        chosen: Array = np.array(self.names)[(logits[:, 0] > 0).astype(int) if single else logits.argmax(axis=1)]
        return chosen


def check_target(raw: object, name: str) -> Array:
    """A clean array of targets: (N,) of text, booleans, integers or floats; (N, K) of numbers.

    Raises:
        TaskError: If values are missing or infinite, or the array is ragged, empty or of a kind we cannot
            learn.
    """
    try:
        values = np.asarray(raw)
    except ValueError as error:
        raise TaskError(f"{name} is ragged: its rows differ in length; give one target a row") from error
    if values.ndim == 2 and values.shape[1] == 1:
        values = values[:, 0]
    if values.ndim not in (1, 2) or len(values) == 0:
        raise TaskError(f"{name} has shape {values.shape}; give one target a row, of shape (N,) or (N, K)")
    if values.dtype.kind == "S":
        return np.char.decode(values)
    if values.dtype.kind == "O":
        values = _of_objects(values, name)
    if values.dtype.kind not in "Ubiuf":
        raise TaskError(f"{name} is of type {values.dtype}; targets are text, booleans or numbers")
    if values.dtype.kind == "f":
        _refuse(np.isnan(values), values, name, "missing values (NaN)")
        _refuse(np.isinf(values), values, name, "infinite values")
    return values


def _of_objects(values: Array, name: str) -> Array:
    if any(isinstance(item, (list, tuple, np.ndarray)) for item in values.ravel()):
        raise TaskError(f"{name} is ragged: its rows differ in length; give one target a row")
    missing = np.array([item is None or item != item for item in values.ravel()])
    _refuse(missing.reshape(values.shape), values, name, "missing values")
    if any(isinstance(item, str) for item in values.ravel()):
        return values.astype(str)
    return np.array(values.tolist())


def _refuse(bad: Array, values: Array, name: str, what: str) -> None:
    if bad.any():
        row = int(np.argwhere(bad)[0][0])
        raise TaskError(
            f"{name} has {int(bad.sum())} {what} among {len(values)} rows (first at row {row}); "
            "remove these rows or fill them in"
        )


def decide_kind(values: Array, name: str, kind: str | None, *, column: bool = False) -> tuple[str, str | None]:
    """Whether a target is one of classes or of numbers, and a note where that could be doubted.

    The rule: text and booleans are classes. Integers are classes if there are at most 20 distinct ones (two
    rows each on average), or if they are exactly 0 to K-1 with at least five rows a class on average, unless they are
    the column of a table, where so many are rather ages or amounts. Floats are classes if they are whole numbers with
    at most 20 distinct values. Several columns are a regression, unless each row holds a single 1 among zeros
    (one-hot). Anything else is a regression.

    Args:
        values: As of ``check_target``.
        name: For messages.
        kind: To force it.
        column: Whether they are the column of a table.

    Raises:
        TaskError: If ``kind`` is unknown or cannot be had from these values.
    """
    if kind is not None and kind not in KINDS:
        raise TaskError(f"unknown kind {kind!r}; use classification or regression")
    if values.dtype.kind in "Ub" and values.ndim == 1:
        if kind == "regression" and values.dtype.kind == "U":
            raise TaskError(f"{name} holds text such as {str(values[0])!r}; a regression needs numbers")
        return kind or "classification", None
    if values.ndim == 2:
        return _kind_of_columns(values, name, kind)
    return (kind, None) if kind is not None else _kind_of_numbers(values, name, column)


def _kind_of_numbers(values: Array, name: str, column: bool) -> tuple[str, str | None]:
    distinct = np.unique(values)
    whole = values.dtype.kind in "iu" or bool((distinct == np.floor(distinct)).all())
    counted = values.dtype.kind in "iu" and distinct[0] == 0 and distinct[-1] == len(distinct) - 1
    few = len(distinct) <= FEW_VALUES and len(values) >= 2 * len(distinct)
    often = len(values) >= 5 * len(distinct)
    said = f"{name} holds {len(distinct)} whole numbers"
    if whole and (few or (counted and often and not column)):
        return "classification", f"{said}: read as classes (else: kind='regression')"
    if whole and often and len(distinct) <= MANY_CLASSES:
        reach = f"from {distinct[0]:g} to {distinct[-1]:g}"
        return "regression", f"{said} {reach}: a regression (else: kind='classification')"
    return "regression", None


def _kind_of_columns(values: Array, name: str, kind: str | None) -> tuple[str, str | None]:
    binary = values.dtype.kind in "biuf" and bool(np.isin(values, (0, 1)).all())
    if binary and kind != "regression":
        if (values.sum(axis=1) == 1).all():
            return "classification", f"{name} is one-hot: read as {values.shape[1]} classes"
        raise TaskError(f"{name} marks several or no classes a row; give one class a row, or kind='regression'")
    if kind == "classification" or values.dtype.kind == "U":
        raise TaskError(f"{name} has shape {values.shape}; classes are one value a row")
    return "regression", None


def class_coding(values: Array, name: str, names: Sequence[Label] | None) -> TargetCoding:
    """The classes that occur in ``values``, called as ``names`` says where these are numbered from 0.

    Raises:
        TaskError: If only one class occurs, or the names are not those of what occurs.
    """
    labels = tuple(np.unique(values).tolist())
    if len(labels) < 2:
        raise TaskError(f"{name} holds a single class, {str(labels[0])!r}; there is nothing to tell apart")
    called = tuple(map(_plain, labels)) if names is None else _called(labels, name, tuple(map(_plain, names)))
    return TargetCoding(name, "classification", labels, called)


def _called(labels: tuple[Label, ...], name: str, names: tuple[str, ...]) -> tuple[str, ...]:
    """The names of some labels: of numbers by their place, of text the same text.

    Raises:
        TaskError: If a name is given twice, or a label has none.
    """
    twice = sorted({each for each in names if names.count(each) > 1})
    if twice:
        raise TaskError(f"classes holds {listed([repr(each) for each in twice])} twice; give each class its own name")
    if isinstance(labels[0], str):
        known, way = set(labels) <= set(names), "give the names that stand there, or leave classes out"
    else:
        places = {float(place) for place in range(len(names))}
        known, way = {float(label) for label in labels} <= places, f"number the classes 0 to {len(names) - 1}"
    if not known:
        held = listed([repr(_plain(label)) if isinstance(label, str) else _plain(label) for label in labels])
        raise TaskError(f"{name} holds {held}, which classes={list(names)} does not name; {way}")
    return tuple(label if isinstance(label, str) else names[int(label)] for label in labels)


def _plain(label: Label) -> str:
    """``3`` for 3.0: labels of whole numbers read as such."""
    return str(int(label)) if isinstance(label, float) and label == int(label) else str(label)


def number_coding(values: Array, name: str, train: Array) -> TargetCoding:
    """Mean and standard deviation of numeric targets (N,) or (N, K) over the training rows.

    Raises:
        TaskError: If a target is constant over them.
    """
    numbers = values[train].astype(np.float64).reshape(len(train), -1)
    mean, std = numbers.mean(axis=0), numbers.std(axis=0)
    constant = np.flatnonzero(numbers.min(axis=0) == numbers.max(axis=0))
    if len(constant):
        raise TaskError(f"{name} has the same value, {numbers[0, constant[0]]:g}, in every training row")
    return TargetCoding(name, "regression", mean=steady(mean), std=steady(std))
