"""Hand-made features of sequences: counts, last values, mean, deviation, extremes; of series also parts and spectra."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt

from nasturtium.space.signal import Signal
from nasturtium.tasks import Split

Array = npt.NDArray[Any]

MOST_COUNTED = 100
"""Ids of a category that are counted; they are in order of frequency."""

LATEST = 3
"""Newest events whose ids are columns."""
MOST_CATEGORIES = 254
"""Of a column that trees take as a category; scikit-learn has bins for as many beside what is missing."""
MISSING = -1.0

PARTS = 8
"""Parts of a series whose means and deviations are taken, and bands of its spectrum."""


def series_aggregates(values: Array, mask: Array) -> Array:
    """One row of numbers for each series, (N, 30 C + 1).

    Of each channel mean, deviation, least, largest and last value, the mean absolute change from step to step, mean and
    deviation of each eighth, the logarithm of the power in eight bands of frequencies, each twice as wide as the one
    before; and the length.

    Args:
        values: (N, T, C).
        mask: True on real steps, (N, T).
    """
    there = mask[..., None]  # (N, T, 1)
    lengths = np.maximum(mask.sum(axis=1), 1)[:, None]  # (N, 1)
    steps = np.arange(mask.shape[1])
    mean, deviation = _moments(values, mask)
    least = np.where(there, values, np.inf).min(axis=1)
    largest = np.where(there, values, -np.inf).max(axis=1)
    last = values[np.arange(len(values)), np.where(mask, steps, 0).max(axis=1)]
    moved = np.abs(np.diff(values, axis=1)) * (mask[:, 1:] & mask[:, :-1])[..., None]
    change = moved.sum(axis=1) / lengths
    eighth = np.minimum(steps * PARTS // lengths, PARTS - 1)  # (N, T)
    parts = [moment for part in range(PARTS) for moment in _moments(values, mask & (eighth == part))]
    bands = _bands(np.where(there, values - mean[:, None], 0))
    table = np.concatenate((mean, deviation, least, largest, last, change, *parts, *bands, lengths), axis=1)
    finite: Array = np.nan_to_num(table, posinf=0.0, neginf=0.0)  # a sequence of no steps has no extremes
    return finite


def _moments(values: Array, mask: Array) -> tuple[Array, Array]:
    """Mean and deviation of the steps that a mask (N, T) leaves of values (N, T, C), (N, C) each."""
    there, count = mask[..., None], np.maximum(mask.sum(axis=1), 1)[:, None]
    mean = np.where(there, values, 0).sum(axis=1) / count
    return mean, np.sqrt(np.where(there, (values - mean[:, None]) ** 2, 0).sum(axis=1) / count)


def _bands(centred: Array) -> list[Array]:
    """The logarithm of the power of series (N, T, C) in bands, each twice as wide as the one before; (N, C) each."""
    power = np.abs(np.fft.rfft(centred, axis=1)[:, 1:]) ** 2  # (N, T // 2, C)
    edges = [0, *[power.shape[1] >> (PARTS - 1 - band) for band in range(PARTS)]]
    return [np.log(power[:, low:high].sum(axis=1) + 1e-6) for low, high in pairwise(edges)]


def aggregates(split: Split, signal: Signal) -> Array:
    """One row of numbers for each sequence (N, D).

    Of each category how often each id comes, its last three and its first id (-1 where there is no such event), and how
    many there are; of each channel of numbers (gaps of time are among them) mean, deviation, least, largest, last and
    first; and the number of events.

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


def id_columns(signal: Signal) -> list[int]:
    """Which columns of :func:`aggregates` hold ids of few enough categories that trees can take them as such."""
    found: list[int] = []
    at = 1
    for _, member in signal.members:
        if member.kind == "tokens":
            at += min(member.vocabulary[0], MOST_COUNTED)
            found += range(at, at + LATEST + 1) if member.vocabulary[0] <= MOST_CATEGORIES else ()
            at += LATEST + 2
        else:
            at += 6 * member.channels
    return found


def _of_ids(ids: Array, offsets: Array, vocabulary: int) -> Array:
    rows = np.repeat(np.arange(len(offsets) - 1), np.diff(offsets))
    kinds = min(vocabulary, MOST_COUNTED)
    counted = ids < kinds
    flat = np.bincount(rows[counted] * kinds + ids[counted], minlength=(len(offsets) - 1) * kinds)
    counts = flat.reshape(-1, kinds).astype(np.float64)  # (N, kinds)
    distinct = (counts > 0).sum(axis=1)
    places = offsets[1:, None] - np.arange(1, LATEST + 1)  # (N, 3), the newest first
    latest = np.where(places >= offsets[:-1, None], ids[np.maximum(places, 0)], MISSING)
    return np.column_stack((counts, latest, ids[offsets[:-1]], distinct))


def _of_numbers(values: Array, offsets: Array) -> Array:
    starts, lengths = offsets[:-1], np.diff(offsets)[:, None]
    mean = np.add.reduceat(values.astype(np.float64), starts, axis=0) / lengths  # (N, C)
    square = np.add.reduceat(np.square(values - np.repeat(mean, lengths[:, 0], axis=0)), starts, axis=0)
    least, largest = (take.reduceat(values, starts, axis=0) for take in (np.minimum, np.maximum))
    last, first = values[offsets[1:] - 1], values[starts]
    return np.concatenate((mean, np.sqrt(square / lengths), least, largest, last, first), axis=1)
