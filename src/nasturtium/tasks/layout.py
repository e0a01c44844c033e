"""What an array of inputs is (vector, sequence, image, tokens), and bringing it into order."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from nasturtium.errors import TaskError, did_you_mean
from nasturtium.tasks.ragged import offsets_of

Array = npt.NDArray[Any]
Raw = Array | list[Array]

LAYOUTS = ("vector", "sequence", "image", "channels_first", "channels_last", "tokens")
COLOURS = (1, 3, 4)
EMPTY = "{} has an empty sequence at row {}; leave that row out"


class Layout(NamedTuple):
    """How raw rows are to be read.

    Attributes:
        kind: ``vector``, ``sequence``, ``image`` or ``tokens``.
        axis: Where an image's channels are: ``first``, ``last``, ``none`` (grey) or ``flat`` (a row of
            pixels).
    """

    kind: str
    axis: str = ""


def check_inputs(raw: object, name: str) -> Raw:
    """Raw inputs as one numeric array, or as a list of arrays where rows differ in length.

    Raises:
        TaskError: If there are no rows, values are no numbers or infinite, or rows differ in more than their
            length.
    """
    if isinstance(raw, np.ndarray) and raw.dtype.kind == "O":
        raw = list(raw)
    rows = _rows(raw, name) if isinstance(raw, (list, tuple)) else []
    if len({row.shape for row in rows}) > 1:
        ragged = _check_ragged(rows, name)
        for row in ragged:
            _check_numbers(row, name)
        return ragged
    values = np.asarray(raw)
    if values.ndim == 0:
        raise TaskError(f"{name} is a single value, {raw!r}; give an array with one row an example")
    if values.size == 0:
        raise TaskError(f"{name} has no rows" if len(values) == 0 else f"{name} has rows without values")
    _check_numbers(values, name)
    return values


def _rows(raw: Sequence[object], name: str) -> list[Array]:
    try:
        return [np.asarray(row) for row in raw]
    except ValueError as error:
        raise TaskError(f"{name} is ragged within a row; each row must be an array of shape (T,) or (T, C)") from error


def _check_ragged(rows: list[Array], name: str) -> list[Array]:
    for number, row in enumerate(rows):
        if row.ndim != rows[0].ndim or row.ndim not in (1, 2) or row.shape[1:] != rows[0].shape[1:]:
            raise TaskError(
                f"{name} is ragged: row {number} has shape {row.shape}, row 0 {rows[0].shape}; "
                "rows may differ in length only, as (T,) or (T, C)"
            )
        if len(row) == 0:
            raise TaskError(EMPTY.format(name, number))
    return rows


def _check_numbers(values: Array, name: str) -> None:
    if values.dtype.kind not in "biuf":
        raise TaskError(f"{name} is of type {values.dtype}, not of numbers; tables with text are read from .csv files")
    if values.dtype.kind == "f" and np.isinf(values).any():
        bad = np.argwhere(np.isinf(values))
        raise TaskError(f"{name} has {len(bad)} infinite values (first at index {tuple(bad[0].tolist())}); remove them")


def choose_layout(raw: Raw, layout: str | None, name: str) -> Layout:
    """Decide what raw inputs are, by the rule below or as ``layout`` forces it.

    The rule: rows of unequal length are sequences (integers (T,): tokens). (N,) and (N, D) are vectors. (N,
    A, B) is a grey image if the array is of uint8 or bool, else a sequence (T, C). (N, A, B, C) is an image;
    its channels come last if only the last axis has 1, 3 or 4, first if only the first does; where both or
    neither do, last if only the first two axes are equal, else first (PyTorch's order).

    Args:
        raw: As of ``check_inputs``.
        layout: One of LAYOUTS, or None. ``image`` also reads (N, side * side); ``sequence`` reads (N, T) as
            one channel; ``vector`` flattens; ``tokens`` needs integers (N, T); ``channels_first`` and
            ``channels_last`` are images.
        name: Of the array, for messages.

    Raises:
        TaskError: If the layout is unknown or does not suit the array.
    """
    if layout is not None and layout not in LAYOUTS:
        raise TaskError(f"unknown layout {layout!r}; known: {', '.join(LAYOUTS)}{did_you_mean(layout, LAYOUTS)}")
    if isinstance(raw, list):
        return _ragged_layout(raw, layout, name)
    forced = layout or _natural(raw)
    if forced in ("image", "channels_first", "channels_last"):
        return Layout("image", _channel_axis(raw, forced, name))
    fits = {
        "vector": True,
        "sequence": raw.ndim in (2, 3),
        "tokens": raw.ndim == 2 and raw.dtype.kind in "iu",
    }
    if not fits.get(forced, False):
        shape = f"{name} has shape {raw.shape} of {raw.dtype}"
        raise TaskError(f"{shape}, which cannot be read as {forced}; see layout=, or reshape it")
    return Layout(forced)


def _ragged_layout(raw: list[Array], layout: str | None, name: str) -> Layout:
    natural = "tokens" if raw[0].ndim == 1 and raw[0].dtype.kind in "iu" else "sequence"
    kind = layout or natural
    if kind not in ("sequence", "tokens") or (kind == "tokens" and natural != "tokens"):
        raise TaskError(f"{name} has rows of unequal length, which cannot be read as {kind}; they are a {natural}")
    return Layout(kind)


def _natural(raw: Array) -> str:
    if raw.ndim <= 2:
        return "vector"
    if raw.ndim == 3:
        return "image" if raw.dtype.kind == "b" or raw.dtype == np.uint8 else "sequence"
    return "image" if raw.ndim == 4 else f"an array of {raw.ndim} dimensions"


def _channel_axis(raw: Array, layout: str, name: str) -> str:
    if raw.ndim == 2 and layout == "image" and round(raw.shape[1] ** 0.5) ** 2 == raw.shape[1]:
        return "flat"
    if raw.ndim == 3 and layout == "image":
        return "none"
    if raw.ndim != 4:
        raise TaskError(f"{name} has shape {raw.shape}; images are (N, H, W), (N, C, H, W) or (N, H, W, C)")
    if layout != "image":
        return layout.removeprefix("channels_")
    _, first, middle, last = raw.shape
    if (first in COLOURS) != (last in COLOURS):
        return "first" if first in COLOURS else "last"
    return "last" if first == middle != last else "first"


def arrange(raw: Raw, layout: Layout, length: int | None = None, name: str = "x") -> tuple[Array, Array | None]:
    """Bring raw inputs into the layout that networks get, values as they are.

    Args:
        raw: As of ``check_inputs``.
        layout: As of ``choose_layout``.
        length: To pad sequences to; by default that of the longest.
        name: Of the array, for messages.

    Returns:
        Values (N, D), (N, T, C), (N, C, H, W) or (N, T), and the mask (N, T), True on real steps, where rows
        differ in length (as a list, or by NaN in all channels at their ends); else None.

    Raises:
        TaskError: If a sequence is longer than ``length``, or has no steps.
    """
    if layout.kind == "vector":
        return np.asarray(raw).reshape(len(raw), -1), None  # (N, D)
    if layout.kind == "image":
        return _arrange_images(np.asarray(raw), layout.axis), None
    if isinstance(raw, list):
        return _pad(raw, layout, length)
    values = raw[:, :, None] if layout.kind == "sequence" and raw.ndim == 2 else raw
    mask = _trailing(values) if layout.kind == "sequence" else None
    if mask is not None and not mask[:, 0].all():  # what is missing at the beginning is missing to the end
        raise TaskError(EMPTY.format(name, int(np.argmin(mask[:, 0]))))
    if mask is not None:
        values = np.where(mask[:, :, None], values, 0)
    if length is not None and values.shape[1] != length:
        return _pad([row if mask is None else row[m] for row, m in _pairs(values, mask)], layout, length)
    return values, mask


def _pairs(values: Array, mask: Array | None) -> list[tuple[Array, Array]]:
    every = np.ones(values.shape[:2], dtype=bool) if mask is None else mask
    return list(zip(values, every, strict=True))


def _arrange_images(raw: Array, axis: str) -> Array:
    if axis == "flat":
        side = round(raw.shape[1] ** 0.5)
        return raw.reshape(len(raw), 1, side, side)
    if axis == "none":
        return raw[:, None]  # (N, 1, H, W)
    return np.moveaxis(raw, -1, 1) if axis == "last" else raw  # (N, C, H, W)


def _trailing(values: Array) -> Array | None:
    """The mask (N, T) of sequences that NaN in all channels fills up to a common length, or None."""
    if values.dtype.kind != "f":
        return None
    empty = np.isnan(values).all(axis=2)  # (N, T)
    if not empty.any():
        return None
    after = np.flip(np.logical_and.accumulate(np.flip(empty, axis=1), axis=1), axis=1)
    return np.asarray(~after)


def _pad(rows: list[Array], layout: Layout, length: int | None) -> tuple[Array, Array]:
    longest = max(len(row) for row in rows)
    if length is not None and longest > length:
        raise TaskError(f"a sequence has {longest} steps, but the longest the task was made with has {length}; cut it")
    steps = longest if length is None else length
    shape = (len(rows), steps) if layout.kind == "tokens" else (len(rows), steps, *(rows[0].shape[1:] or (1,)))
    values = np.zeros(shape, dtype=np.result_type(*{row.dtype for row in rows}))
    mask = np.zeros((len(rows), steps), dtype=bool)
    for number, row in enumerate(rows):
        values[number, : len(row)] = row if layout.kind == "tokens" else row.reshape(len(row), -1)
        mask[number, : len(row)] = True
    return values, mask  # (N, T, C) or (N, T); (N, T)


def flatten(rows: list[Array], layout: Layout) -> tuple[Array, Array]:
    """The steps of all rows one after another, (E, C) or tokens (E,), and where each row's begin (N + 1,)."""
    values = np.concatenate(rows)
    offsets = offsets_of(np.array([len(row) for row in rows]))
    return (values if layout.kind == "tokens" else values.reshape(len(values), -1)), offsets
