"""Rows of unequal length that are kept flat, where padding all of them to the longest would waste most memory."""

from __future__ import annotations

from typing import Any, TypeGuard

import numpy as np
import numpy.typing as npt

from nasturtium.tasks.array_coding import ArrayCoding, check_present, fit_steps
from nasturtium.tasks.layout import Layout, Raw, flatten
from nasturtium.tasks.ragged import steps_of
from nasturtium.tasks.task import Split

Array = npt.NDArray[Any]

WASTE = 4
"""How many times as large as its steps an array may become by padding."""
MOST_STEPS = 1024
"""Rows of more steps than this are padded all the same: a network for an unknown length keeps every step of them."""


def wasted(raw: Raw) -> float:
    """How many times as many steps rows have when all are padded to the longest; 1 for rows of equal length."""
    if not isinstance(raw, list):
        return 1.0
    lengths = [len(row) for row in raw]
    return max(lengths) * len(lengths) / sum(lengths)


def keep_flat(raw: Raw) -> TypeGuard[list[Array]]:
    """Whether rows are kept flat."""
    return wasted(raw) > WASTE and max(map(len, raw)) <= MOST_STEPS


def about_padding(raw: Raw, name: str) -> tuple[str, ...]:
    """A note on rows of which few are far longer than the others, which are padded all the same."""
    if wasted(raw) <= WASTE or keep_flat(raw):
        return ()
    lengths = np.array([len(row) for row in raw])
    return (
        f"the rows of {name} have {np.median(lengths):,.0f} steps in the median, but all are padded to the "
        f"{lengths.max():,} of the longest, {wasted(raw):.0f} times what they hold; cut those above {MOST_STEPS:,}",
    )


class FlatRows:
    """Rows of unequal length, their steps one after another; a network is not told how many there can be.

    Args:
        raw: Rows as of ``check_inputs``.
        layout: ``sequence`` or ``tokens``.
        name: Of the array, for messages.
    """

    def __init__(self, raw: list[Array], layout: Layout, name: str) -> None:
        self.values, self.offsets = flatten(raw, layout)
        self.layout = layout
        check_present(self.values, None, name)

    def __len__(self) -> int:
        return len(self.offsets) - 1

    def fit(self, train: Array) -> tuple[ArrayCoding, tuple[str, ...]]:
        """The normalisation of the training rows (indices), and notes."""
        places, _ = steps_of(self.offsets, train)
        return fit_steps(self.values, self.layout, places, int(np.diff(self.offsets).max()))

    def split(self, coding: ArrayCoding, rows: Array, targets: Array) -> Split:
        """These rows (indices), normalised and flat, with their encoded targets."""
        places, offsets = steps_of(self.offsets, rows)
        return Split((coding.scale_steps(self.values[places]),), targets, None, offsets)
