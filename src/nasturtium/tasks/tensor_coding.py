"""How the items of a dataset become a network's inputs: their signals, checked; values as they are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from nasturtium.errors import TaskError
from nasturtium.space.signal import Signal, image, sequence, tokens, vector

Array = npt.NDArray[Any]

COLOURS = (1, 3, 4)
WAY_OUT = "floats (C,), (T, C) or (C, H, W), bytes (H, W) or (C, H, W), or integers (T,) for tokens"


@dataclass(frozen=True)
class TensorCoding:
    """The signals of several tensors a row, which are left as they are but for their type; bytes are divided by 255.

    Attributes:
        signals: What a network receives.
        divisors: Of each tensor, masks included.
    """

    signals: tuple[Signal, ...]
    divisors: tuple[float, ...]

    def apply(self, raw: object, name: str = "x") -> tuple[Array, ...]:
        """Turn new raw rows into a network's inputs.

        Args:
            raw: One array for each tensor, rows first; a single one may stand alone.
            name: Of the arrays, for messages.

        Raises:
            TaskError: If the rows have another shape.
        """
        arrays = raw if isinstance(raw, (tuple, list)) and len(self.divisors) > 1 else (raw,)
        columns = [np.asarray(values) for values in arrays]
        if len(columns) != len(self.divisors) or len({len(column) for column in columns}) != 1:
            raise TaskError(f"{name} must be {len(self.divisors)} arrays of equal length, one for each tensor of a row")
        rows = [self.row(item, f"{name}[{number}]") for number, item in enumerate(zip(*columns, strict=True))]
        return tuple(np.stack(column) for column in zip(*rows, strict=True))

    def row(self, given: Sequence[Array], where: str) -> tuple[Array, ...]:
        """The tensors of one row as a network takes them.

        Raises:
            TaskError: If a shape differs, or a value is missing or infinite.
        """
        shapes = self._shapes()
        if len(given) != len(shapes):
            raise TaskError(f"{where} has {len(given)} input tensors; the first item has {len(shapes)}")
        made = []
        for number, (values, (kind, shape), divisor) in enumerate(zip(given, shapes, self.divisors, strict=True)):
            found = (
                values[None]
                if kind == "image" and values.ndim == 2
                else values.reshape(shape)
                if shape == (1,)
                else values
            )
            if not _agrees(found.shape, shape):
                raise TaskError(
                    f"input {number} of {where} has shape {values.shape}, the first item {_told(shape)}: rows must "
                    "have one shape; pad them to one length in the dataset, and give (values, mask) as inputs"
                )
            made.append(_typed(found, kind, divisor, f"input {number} of {where}"))
        return tuple(made)

    def _shapes(self) -> list[tuple[str, tuple[int | None, ...]]]:
        """Kind and shape of each tensor, masks included."""
        found: list[tuple[str, tuple[int | None, ...]]] = []
        for signal in self.signals:
            found.append((signal.kind, signal.shape))
            if signal.mask:
                found.append(("mask", signal.shape[:1]))
        return found


def _agrees(shape: tuple[int, ...], wanted: tuple[int | None, ...]) -> bool:
    same = all(want in (None, size) for size, want in zip(shape, wanted, strict=False))
    return len(shape) == len(wanted) and same


def _told(shape: tuple[int | None, ...]) -> str:
    return f"({', '.join('?' if size is None else str(size) for size in shape)}{',' * (len(shape) == 1)})"


def _typed(values: Array, kind: str, divisor: float, where: str) -> Array:
    if kind == "mask":
        return values.astype(bool)
    if kind == "tokens":
        if values.dtype.kind not in "iu" or (values.size and values.min() < 0):
            raise TaskError(f"{where} holds {values.min()} of type {values.dtype}; tokens are integers from 0")
        return values.astype(np.int64)
    numbers: Array = values.astype(np.float32)
    if not np.isfinite(numbers).all():
        raise TaskError(f"{where} has missing or infinite values; fill them in, or leave the row out")
    return numbers / np.float32(divisor) if divisor != 1 else numbers


def infer_coding(arrays: Sequence[Array]) -> TensorCoding:
    """The signals of the input tensors of a first item.

    Floats (C,), (T, C), (C, H, W) are a vector, a sequence, an image; bytes are images; integers (T,) are tokens,
    whose vocabulary is counted later. Booleans (T,) behind a sequence or tokens of that length are its mask.

    Raises:
        TaskError: If a tensor is none of these.
    """
    signals: list[Signal] = []
    divisors: list[float] = []
    for number, values in enumerate(arrays):
        before = signals[-1] if signals else None
        if values.dtype.kind == "b" and values.ndim == 1 and before is not None and _maskable(before, len(values)):
            signals[-1] = before._replace(mask=True)
        else:
            signals.append(_signal(values, number))
        divisors.append(255.0 if values.dtype == np.uint8 and signals[-1].kind == "image" else 1.0)
    return TensorCoding(tuple(signals), tuple(divisors))


def given_coding(signals: Sequence[Signal], arrays: Sequence[Array]) -> TensorCoding:
    """The coding for signals that the user named, checked on a first item.

    Raises:
        TaskError: If there are more or fewer tensors than the signals ask for.
    """
    kinds = [kind for signal in signals for kind in [signal.kind, *(["mask"] if signal.mask else [])]]
    if len(kinds) != len(arrays):
        raise TaskError(
            f"inputs={', '.join(map(str, signals))} asks for {len(kinds)} tensors, the first item has {len(arrays)}"
        )
    divisors = tuple(
        255.0 if a.dtype == np.uint8 and kind == "image" else 1.0 for a, kind in zip(arrays, kinds, strict=True)
    )
    return TensorCoding(tuple(signals), divisors)


def _maskable(signal: Signal, length: int) -> bool:
    return signal.kind in ("sequence", "tokens") and not signal.mask and signal.length == length


def _signal(values: Array, number: int) -> Signal:
    shape, kind = values.shape, values.dtype.kind
    told = f"input {number} of the first item has shape {shape} of {values.dtype}"
    if kind in "iu" and len(shape) == 1 and values.dtype != np.uint8:
        return tokens(shape[0], 1)
    if len(shape) == 3 and shape[2] in COLOURS and shape[0] not in COLOURS:
        raise TaskError(f"{told}: channels come first, (C, H, W); transpose it in the dataset: x.transpose(2, 0, 1)")
    if kind not in "fbu" or (kind == "u" and values.dtype != np.uint8):
        raise TaskError(f"{told}; give {WAY_OUT} (a vector of numbers as float32)")
    if len(shape) == 2 and kind != "f":
        return image(1, *shape)
    if len(shape) > 3:
        raise TaskError(f"{told}; give {WAY_OUT}")
    return (vector(1), *(make(*shape) for make in (vector, sequence, image) if RANK[make] == len(shape)))[-1]


RANK = {vector: 1, sequence: 2, image: 3}
