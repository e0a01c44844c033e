"""Rows of unequal length held flat: the steps of all rows one after another, and where each row's begin."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    import torch
    from torch import Tensor

Array = npt.NDArray[Any]

POOL = 16
"""Batches whose rows are put in order of length together: fewer would pad more, more would mix less."""


class Lengths(NamedTuple):
    """How many steps a row is taken to have for what a network costs, where signals do not say it.

    Attributes:
        counted: For FLOPs.
        timed: For latency.
        held: For memory: those of the longest row, whose batch must fit, too.
    """

    counted: int
    timed: int
    held: int

    @classmethod
    def of(cls, lengths: Array, longest: int) -> Lengths:
        """The median of the lengths (N,) of rows, and the longest there is."""
        typical = max(round(float(np.median(lengths))), 1)
        return cls(typical, typical, max(longest, 1))


def offsets_of(lengths: Array) -> Array:
    """Where each row's steps begin (N + 1,), from the lengths (N,) of the rows."""
    return np.concatenate((np.zeros(1, dtype=np.int64), np.cumsum(lengths, dtype=np.int64)))


def steps_of(offsets: Array, rows: Array) -> tuple[Array, Array]:
    """The places of all steps of some rows (indices), and the offsets of these rows by themselves."""
    starts, lengths = offsets[:-1][rows], np.diff(offsets)[rows]
    taken = offsets_of(lengths)
    places: Array = np.repeat(starts - taken[:-1], lengths) + np.arange(taken[-1])
    return places, taken


def pad_rows(values: Sequence[Tensor], offsets: Array, rows: Array, device: torch.device) -> list[Tensor]:
    """Some rows as tensors of their own, filled up with zeros to the longest of them.

    Args:
        values: The steps of all rows (E,) or (E, C); integers become int64.
        offsets: Where each row's begin (N + 1,).
        rows: Which rows (B,).
        device: Where the values are.

    Returns:
        For each of the values (B, T) or (B, T, C), and last the mask (B, T), True on real steps.
    """
    import torch

    lengths = np.diff(offsets)[rows]
    steps = np.arange(lengths.max())
    real = steps < lengths[:, None]  # (B, T)
    places = torch.from_numpy(np.where(real, offsets[:-1][rows][:, None] + steps, 0)).to(device)
    mask = torch.from_numpy(real).to(device)
    made = []
    for each in values:
        taken = each.index_select(0, places.view(-1)).view(*places.shape, *each.shape[1:])
        taken = taken if taken.is_floating_point() else taken.long()
        made.append(taken.masked_fill_(~mask.view(*mask.shape, *[1] * (taken.dim() - 2)), 0))
    return [*made, mask]


def by_length(order: Array, lengths: Array, batch_size: int, generator: np.random.Generator) -> Array:
    """A shuffled order (N,) of rows changed so that the rows of a batch are of about equal length.

    The rows of every sixteen full batches are sorted by length among themselves, then whole batches are shuffled. A
    last batch that is not full stays the last: the rows at the end of the order, of any length, so that where it is
    dropped no row is left out more often than another.

    Args:
        order: The rows, shuffled.
        lengths: Of all rows (N,).
        batch_size: Rows a batch.
        generator: Shuffles the batches.
    """
    full = len(order) // batch_size
    filling, rest = order[: full * batch_size], order[full * batch_size :]
    if full == 0:
        return rest[np.argsort(-lengths[rest], kind="stable")]
    pool = POOL * batch_size
    parts = [filling[start : start + pool] for start in range(0, len(filling), pool)]
    near = np.concatenate([part[np.argsort(-lengths[part], kind="stable")] for part in parts])
    whole = near.reshape(full, batch_size)[generator.permutation(full)]
    return np.concatenate((whole.reshape(-1), rest))
