"""Hand-made features of event sequences: counts, last values, mean, deviation and extremes of numbers and gaps."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from nasturtium.space.signal import Signal
from nasturtium.tasks import Split

Array = npt.NDArray[Any]

MOST_COUNTED = 100
"""Ids of a category that are counted; they are in order of frequency."""


def aggregates(split: Split, signal: Signal) -> Array:
    """One row of numbers for each sequence (N, D).

    Of each category how often each id comes, its last and first id and how many there are; of each channel of numbers
    (gaps of time are among them) mean, deviation, least, largest, last and first; and the number of events.

    Args:
        split: Sequences held flat, with their offsets.
        signal: The group of what they hold.
    """
    offsets = np.asarray(split.offsets)
    lengths = np.diff(offsets)
    columns: list[Array] = [lengths[:, None].astype(np.float64)]
    for (_, member), values in zip(signal.members, split.inputs, strict=True):
        made = (
            _of_ids(values, offsets, member.vocabulary[0]) if member.kind == "tokens" else _of_numbers(values, offsets)
        )
        columns.append(made)
    return np.concatenate(columns, axis=1)


def _of_ids(ids: Array, offsets: Array, vocabulary: int) -> Array:
    rows = np.repeat(np.arange(len(offsets) - 1), np.diff(offsets))
    kinds = min(vocabulary, MOST_COUNTED)
    counted = ids < kinds
    flat = np.bincount(rows[counted] * kinds + ids[counted], minlength=(len(offsets) - 1) * kinds)
    counts = flat.reshape(-1, kinds).astype(np.float64)  # (N, kinds)
    distinct = (counts > 0).sum(axis=1)
    return np.column_stack((counts, ids[offsets[1:] - 1], ids[offsets[:-1]], distinct))


def _of_numbers(values: Array, offsets: Array) -> Array:
    starts, lengths = offsets[:-1], np.diff(offsets)[:, None]
    mean = np.add.reduceat(values.astype(np.float64), starts, axis=0) / lengths  # (N, C)
    square = np.add.reduceat(np.square(values - np.repeat(mean, lengths[:, 0], axis=0)), starts, axis=0)
    least, largest = (take.reduceat(values, starts, axis=0) for take in (np.minimum, np.maximum))
    last, first = values[offsets[1:] - 1], values[starts]
    return np.concatenate((mean, np.sqrt(square / lengths), least, largest, last, first), axis=1)
