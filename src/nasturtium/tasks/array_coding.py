"""How raw arrays become a network's inputs: layout and normalisation, fitted on training rows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from nasturtium.errors import TaskError
from nasturtium.space.signal import Signal, image, sequence, tokens, vector
from nasturtium.tasks.layout import Layout, Raw, arrange, check_inputs, flatten

Array = npt.NDArray[Any]

CHUNK = 512


@dataclass(frozen=True)
class ArrayCoding:
    """Layout and normalisation of one input.

    Attributes:
        kind: ``vector``, ``sequence``, ``image`` or ``tokens``.
        axis: Where an image's raw channels are (see ``Layout``).
        shape: Of a row as arranged, before columns are dropped: (D,), (T, C), (C, H, W) or (T,); T is None where rows
            are padded batch by batch.
        mean: Of each column or channel over the training rows.
        std: Likewise; 1 where it is constant.
        kept: The columns of a vector that are kept (the others are constant).
        masked: Whether rows differ in length.
        vocabulary: Of tokens.
        most: Steps of the longest row of the task, where T is None.
    """

    kind: str
    axis: str
    shape: tuple[int | None, ...]
    mean: tuple[float, ...] = ()
    std: tuple[float, ...] = ()
    kept: tuple[int, ...] = ()
    masked: bool = False
    vocabulary: int = 0
    most: int = 0

    @property
    def signal(self) -> Signal:
        """What a network receives."""
        if self.kind == "vector":
            return vector(len(self.kept))
        if self.kind == "tokens":
            return tokens(self.shape[0], self.vocabulary, mask=self.masked)
        known = [size or 0 for size in self.shape]
        if self.kind == "sequence":
            return sequence(self.shape[0], known[1], mask=self.masked)
        return image(known[0], known[1], known[2])

    @property
    def is_flat(self) -> bool:
        """Whether rows are kept flat and padded batch by batch."""
        return self.shape[0] is None

    def apply(self, raw: object, name: str = "x") -> tuple[Array, ...]:
        """Turn new raw rows into a network's inputs.

        Args:
            raw: An array, or a list of arrays, shaped as the data the task was made from.
            name: Of the array, for messages.

        Returns:
            float32 (N, D), (N, T, C) or (N, C, H, W), or int64 (N, T); with ``masked`` a mask (N, T) as well.

        Raises:
            TaskError: If the rows have another shape, or values that are missing, infinite or unknown.
        """
        layout = Layout(self.kind, self.axis)
        self._check_rank(checked := check_inputs(raw, name), name)
        values, mask = arrange(checked, layout, self.shape[0] if self.masked else None)
        expected = (values.shape[1], *self.shape[1:]) if self.is_flat else self.shape
        if values.shape[1:] != expected:
            raise TaskError(f"{name} has rows of shape {values.shape[1:]}; the task was made with {self.shape}")
        if mask is not None and not self.masked and not mask.all():
            raise TaskError(f"{name} has sequences of unequal length; the task was made with {self.shape[0]} steps")
        check_present(values, mask, name)
        return self.scale(values, mask)

    def _check_rank(self, raw: Raw, name: str) -> None:
        if isinstance(raw, list):
            fits = self.kind in ("sequence", "tokens")
        else:
            images = {"flat": (2,), "none": (3,)}.get(self.axis, (4,))
            ranks = {"sequence": (2, 3), "tokens": (2,), "image": images}
            fits = raw.ndim in ranks.get(self.kind, (raw.ndim,))
        if not fits:
            given = f"shape {raw.shape}" if isinstance(raw, np.ndarray) else "rows of unequal length"
            raise TaskError(
                f"{name} has {given}, which is no {self.kind} {self.shape} a row, as the task was made with"
            )

    def steps(self, raw: object, name: str = "x") -> tuple[Array, Array] | None:
        """New raw rows, normalised and flat, and where each begins; None where they are of equal length.

        Raises:
            TaskError: As of ``apply``.
        """
        checked = check_inputs(raw, name)
        if not isinstance(checked, list):
            return None
        self._check_rank(checked, name)
        values, offsets = flatten(checked, Layout(self.kind))
        if values.shape[1:] != self.shape[1:]:
            raise TaskError(f"{name} has rows of {values.shape[1:]} channels; the task was made with {self.shape[1:]}")
        check_present(values, None, name)
        return self.scale_steps(values), offsets

    def scale(self, values: Array, mask: Array | None) -> tuple[Array, ...]:
        """Normalise arranged rows (see ``arrange``); steps that are not real stay 0."""
        scaled = self.scale_steps(values)
        if not self.masked:
            return (scaled,)
        real = np.ones(scaled.shape[:2], dtype=bool) if mask is None else mask
        scaled[~real] = 0
        return scaled, real

    def scale_steps(self, values: Array) -> Array:
        """Normalise arranged rows, or their steps (E, C) or tokens (E,), which become int64."""
        if self.kind != "tokens":
            return self._normalise(values)
        if values.min() < 0 or values.max() >= self.vocabulary:
            raise TaskError(f"tokens must be 0 to {self.vocabulary - 1}; there are {values.min()} to {values.max()}")
        return values.astype(np.int64)

    def _normalise(self, values: Array) -> Array:
        """In float64, as times and prices need, a chunk of rows after the other."""
        values = values[:, list(self.kept)] if self.kind == "vector" else values
        broadcast = (-1, 1, 1) if self.kind == "image" else (-1,)
        mean, std = np.array(self.mean).reshape(broadcast), np.array(self.std).reshape(broadcast)
        scaled: Array = np.empty(values.shape, dtype=np.float32)
        for start in range(0, len(values), CHUNK):
            scaled[start : start + CHUNK] = (values[start : start + CHUNK] - mean) / std
        return scaled


def check_present(values: Array, mask: Array | None, name: str) -> None:
    """Refuse arranged rows with missing values.

    Raises:
        TaskError: That says how many and where.
    """
    if values.dtype.kind != "f" or not np.isnan(values).any():
        return
    places = np.argwhere(np.isnan(values))
    raise TaskError(
        f"{name} has {len(places)} missing values (NaN; first at index {tuple(places[0].tolist())}); "
        "fill them in, or give a .csv or .parquet table, where gaps are filled"
    )


def fit_arrays(values: Array, mask: Array | None, layout: Layout, train: Array) -> tuple[ArrayCoding, tuple[str, ...]]:
    """Fit the normalisation of arranged rows on the training rows.

    Args:
        values: As of ``arrange``.
        mask: Likewise.
        layout: As of ``choose_layout``.
        train: Indices of the training rows.

    Returns:
        The coding, and notes for the user.

    Raises:
        TaskError: If every column is constant, or tokens are negative.
    """
    shape, masked = values.shape[1:], mask is not None and not mask.all()
    if layout.kind == "tokens":
        return ArrayCoding("tokens", "", shape, masked=masked, vocabulary=_vocabulary(values)), ()
    axis = 1 if layout.kind == "image" else values.ndim - 1
    mean, std = moments(values, mask, train, axis)
    if layout.kind != "vector":
        std, notes = _of_channels(std)
        return ArrayCoding(layout.kind, layout.axis, shape, steady(mean), steady(std), masked=masked), notes
    kept = np.flatnonzero(std > 0)
    if len(kept) == 0:
        raise TaskError("every column of x is constant over the training rows; there is nothing to learn from")
    dropped = np.flatnonzero(std == 0)
    notes = (f"dropped {len(dropped)} constant columns of x: {listed(dropped.tolist())}",) if len(dropped) else ()
    coding = ArrayCoding("vector", "", shape, steady(mean[kept]), steady(std[kept]), tuple(kept.tolist()))
    return coding, notes


def fit_steps(values: Array, layout: Layout, train: Array, most: int) -> tuple[ArrayCoding, tuple[str, ...]]:
    """Fit the normalisation of rows that are kept flat.

    Args:
        values: The steps of all rows, (E, C) or tokens (E,).
        layout: ``sequence`` or ``tokens``.
        train: The steps (indices) of the training rows.
        most: Steps of the longest row.

    Returns:
        The coding, and notes for the user.

    Raises:
        TaskError: If tokens are negative.
    """
    if layout.kind == "tokens":
        return ArrayCoding("tokens", "", (None,), masked=True, vocabulary=_vocabulary(values), most=most), ()
    mean, std = moments(values, None, train, 1)
    std, notes = _of_channels(std)
    shape = (None, values.shape[1])
    return ArrayCoding("sequence", "", shape, steady(mean), steady(std), masked=True, most=most), notes


def _vocabulary(values: Array) -> int:
    if values.min() < 0:
        raise TaskError(f"x holds the token {values.min()}; tokens are integers from 0")
    return int(values.max()) + 1


def _of_channels(std: Array) -> tuple[Array, tuple[str, ...]]:
    """Deviations to divide by, and notes on channels that are constant."""
    notes = tuple(f"channel {k} of x is constant over the training rows" for k in np.flatnonzero(std == 0))
    return np.where(std == 0, 1, std), notes


def listed(items: list[Any], most: int = 5) -> str:
    """The first few items, and how many more there are."""
    more = f" and {len(items) - most} more" if len(items) > most else ""
    return ", ".join(str(item) for item in items[:most]) + more


def steady(values: Array) -> tuple[float, ...]:
    """To 12 digits: sums differ in their last bits between machines, and a task's fingerprint must not."""
    return tuple(float(f"{value:.12g}") for value in values.ravel())


def moments(values: Array, mask: Array | None, train: Array, axis: int) -> tuple[Array, Array]:
    """Mean and standard deviation over the training rows of each entry of ``axis``, in two passes of float64.

    Only real steps count. Rows are taken in chunks, so that memory stays that of the data. The deviation is
    exactly 0 where, and only where, all values are equal.

    Raises:
        TaskError: If values are so large that there is none.
    """
    others = tuple(k for k in range(values.ndim) if k != axis)
    width = values.shape[axis]
    count, total, square = 0, np.zeros(width), np.zeros(width)
    low, high = np.full(width, np.inf), np.full(width, -np.inf)
    for rows in _chunks(train):
        chunk = _real(values, mask, rows).astype(np.float64)
        where = others if mask is None else (0,)
        total += chunk.sum(axis=where)
        low, high = np.minimum(low, chunk.min(axis=where)), np.maximum(high, chunk.max(axis=where))
        count += chunk.size // width
    mean = total / count
    shape = [-1 if k == axis else 1 for k in range(values.ndim)]
    for rows in _chunks(train):
        chunk = _real(values, mask, rows).astype(np.float64)
        chunk -= mean if mask is not None else mean.reshape(shape)
        with np.errstate(over="ignore"):  # said below
            square += np.square(chunk, out=chunk).sum(axis=others if mask is None else (0,))
    std = np.where(low == high, 0.0, np.sqrt(square / count))
    _check_finite(mean, std, low, high)
    return mean, std


def _check_finite(mean: Array, std: Array, low: Array, high: Array) -> None:
    lost = np.flatnonzero(~np.isfinite(mean) | ~np.isfinite(std))
    if len(lost):
        first = lost[0]
        raise TaskError(
            f"column or channel {first} of x holds values from {low[first]:g} to {high[first]:g}, too large for "
            "a mean and a deviation; if they mark what is missing, fill them in"
        )


def _real(values: Array, mask: Array | None, rows: Array) -> Array:
    return values[rows] if mask is None else values[rows][mask[rows]]  # (n, ...) or (steps, C)


def _chunks(rows: Array) -> list[Array]:
    return [rows[start : start + CHUNK] for start in range(0, len(rows), CHUNK)]
