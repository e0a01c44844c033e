"""What a user's datasets give: the items of several, one after another, as arrays."""

from __future__ import annotations

import bisect
import itertools
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from nasturtium.errors import TaskError
from nasturtium.tasks.split import PARTS

Array = npt.NDArray[Any]

EXAMPLE = "give a dataset whose items are (input, target), or (input, input, target)"


@dataclass(frozen=True)
class Given:
    """The datasets of a task: one, or those of its parts."""

    train: Any
    valid: Any = None
    test: Any = None

    @classmethod
    def of(cls, dataset: Any, valid: Any = None, test: Any = None) -> Given:
        """One dataset, (train, test) or (train, valid, test); these may come as a list of torch's datasets, too."""
        if isinstance(dataset, Given):
            return dataset
        several = isinstance(dataset, tuple) or (isinstance(dataset, list) and is_dataset(dataset))
        if not several:  # a list of items is a dataset itself
            return cls(dataset, valid, test)
        if len(dataset) not in (2, 3) or valid is not None or test is not None:
            raise TaskError(f"{len(dataset)} datasets are no task; give one, (train, test) or (train, valid, test)")
        return cls(dataset[0], None if len(dataset) == 2 else dataset[1], dataset[-1])

    @property
    def parts(self) -> list[tuple[str, Any]]:
        """Those that are there, with their names."""
        return [(name, getattr(self, name)) for name in PARTS if getattr(self, name) is not None]


def is_dataset(thing: object) -> bool:
    """Whether something is a dataset or a loader of torch's, or a tuple of them; torch is not imported to know it."""
    if isinstance(thing, (tuple, list)):
        return len(thing) in (2, 3) and all(is_dataset(each) for each in thing)
    data = sys.modules.get("torch.utils.data")
    return data is not None and isinstance(thing, (data.Dataset, data.DataLoader))


class Items:
    """The items of several datasets, one after another."""

    def __init__(self, parts: Sequence[Any]) -> None:
        self.parts = list(parts)
        self.ends = list(itertools.accumulate(len(part) for part in self.parts))

    def __len__(self) -> int:
        return self.ends[-1]

    def inputs(self, row: int) -> tuple[list[Array], Any]:
        """The input tensors of a row as arrays, and its target as it is.

        Raises:
            TaskError: If the item is of another form.
        """
        part = bisect.bisect_right(self.ends, row)
        before = self.ends[part - 1] if part else 0
        item = self.parts[part][row - before]
        if isinstance(item, dict):
            keys = ", ".join(map(repr, item))
            raise TaskError(f"item {row} is a dict ({keys}); {EXAMPLE}: item[...], item[...]")
        if not isinstance(item, (tuple, list)) or len(item) < 2:
            raise TaskError(f"item {row} is {_told(item)}; {EXAMPLE}")
        *values, target = item
        if len(values) == 1 and isinstance(values[0], (tuple, list)) and any(np.ndim(v) for v in values[0]):
            values = list(values[0])
        return [_array(value, f"input {number} of item {row}") for number, value in enumerate(values)], target


def _told(item: object) -> str:
    return f"a {type(item).__name__}" + (f" of {len(item)}" if isinstance(item, (tuple, list)) else "")


def _array(value: Any, where: str) -> Array:
    if type(value).__module__.partition(".")[0] == "torch":
        value = value.detach().cpu()
        return np.asarray(value.float() if value.is_floating_point() else value)
    if type(value).__module__.partition(".")[0] == "PIL":
        raise TaskError(f"{where} is a picture; turn it into an array or a tensor (C, H, W) in the dataset")
    found = np.asarray(value)
    if found.dtype.kind not in "biuf":
        raise TaskError(f"{where} is {_told(value)}; give tensors or arrays of numbers")
    return found


def check_dataset(dataset: Any, part: str) -> None:
    """Check that a dataset can be indexed and has rows.

    Raises:
        TaskError: If it cannot, with what would do.
    """
    data = sys.modules.get("torch.utils.data")
    if data is not None and isinstance(dataset, data.DataLoader):
        raise TaskError(f"the {part} data is a DataLoader; give its dataset (loader.dataset): batches are made here")
    iterable = data is not None and isinstance(dataset, data.IterableDataset)
    if iterable or not (hasattr(dataset, "__getitem__") and hasattr(dataset, "__len__")):
        raise TaskError(
            f"the {part} dataset ({type(dataset).__name__}) cannot be indexed: give a map-style one with __len__ and "
            "__getitem__, such as list(dataset) where it fits in memory"
        )
    if len(dataset) == 0:
        raise TaskError(f"the {part} dataset is empty")
