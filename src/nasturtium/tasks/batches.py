"""Batches: mini-batches of a split as tensors, from memory by index, or by a DataLoader."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from nasturtium.errors import TaskError
from nasturtium.tasks.ragged import by_length, pad_rows
from nasturtium.tasks.task import Split

if TYPE_CHECKING:
    import torch
    from torch import Tensor
    from torch.utils.data import Dataset

Array = npt.NDArray[Any]
Batch = tuple[tuple["Tensor", ...], "Tensor"]

DEVICE_SHARE = 0.5


class Batches:
    """Iterates over a split, one epoch at a time.

    Rows live as tensors on the device where they fit, on the CPU otherwise; a torch Dataset goes through a
    DataLoader. The order of an epoch depends on (shuffle_seed, epoch) alone, whatever the device and the
    path. Rows of unequal length are padded to the longest of their batch, with a mask behind the inputs, and rows of
    about equal length come together; these batches depend on the batch size, too.

    Args:
        split: The rows, or a torch Dataset of ``((input, ...), target)`` or ``(input, target)``.
        batch_size: Rows a batch; no more than there are.
        device: Where batches are to be.
        shuffle_seed: Of the shuffling; None keeps the order of the split.
        drop_last: Leave out a last batch that is not full (batch norm cannot train on a single row).
        channels_last: Store images so (N, C, H, W stay the dimensions).
        workers: Processes of the DataLoader.
        sort: Let rows of unequal length that are not shuffled come in order of length, as ``order`` says.

    Attributes:
        epoch: The number of the next epoch; set it to continue a training.
        at: The rows of the batch that was given last, (B,), by their place in the split.

    Raises:
        TaskError: If there are no rows, or the batch size is not positive.
    """

    def __init__(
        self,
        split: Split | Dataset[Any],
        batch_size: int,
        *,
        device: str | torch.device = "cpu",
        shuffle_seed: int | None = None,
        drop_last: bool = False,
        channels_last: bool = False,
        workers: int = 0,
        sort: bool = False,
    ) -> None:
        import torch

        self.dataset = split.dataset if isinstance(split, Split) else split
        self.rows = len(split)  # type: ignore[arg-type]
        if self.rows == 0 or batch_size < 1:
            raise TaskError(f"cannot make batches of {batch_size} from {self.rows} rows; both must be at least 1")
        self.batch_size = min(batch_size, self.rows)
        self.device = torch.empty(0, device=device).device  # "cuda" becomes "cuda:0", as tensors have it
        self.shuffle_seed, self.drop_last = shuffle_seed, drop_last
        self.channels_last, self.workers = channels_last, workers
        self.epoch = 0
        self.at: Tensor = torch.arange(0)
        self.offsets = split.offsets if isinstance(split, Split) else None
        self.sort = sort
        if self.dataset is None and isinstance(split, Split):
            self._place(split)

    def _place(self, split: Split) -> None:
        """Put the rows where they will be indexed; images (N, H, W, C) if channels come last."""
        import torch

        arrays = [*split.inputs, split.targets]
        fits = _fits(sum(values.nbytes for values in arrays), self.device)
        home = self.device if fits else torch.device("cpu")
        self.tensors: list[Tensor] = []
        for values in arrays:
            last = self.channels_last and values.ndim == 4
            ordered = np.ascontiguousarray(np.moveaxis(values, 1, -1)) if last else np.ascontiguousarray(values)
            self.tensors.append(torch.from_numpy(ordered).to(home))
        self.is_image = [self.channels_last and values.ndim == 4 for values in arrays]

    @property
    def order(self) -> Array | None:
        """The rows (N,) as they come where they are sorted; None in the order of the split, or shuffled."""
        if self.offsets is None or not self.sort or self.shuffle_seed is not None:
            return None
        return np.argsort(-np.diff(self.offsets), kind="stable")

    def __len__(self) -> int:
        whole, rest = divmod(self.rows, self.batch_size)
        return whole + (1 if rest and not self.drop_last else 0)

    def __iter__(self) -> Iterator[Batch]:
        """The batches of the next epoch: a tuple of input tensors, and the targets."""
        import torch

        epoch, self.epoch = self.epoch, self.epoch + 1
        order = None if self.shuffle_seed is None else permutation(self.rows, self.shuffle_seed, epoch)
        if self.offsets is not None:
            near = self._near(order, epoch, self.offsets)
            made, rows = self._padded(near, self.offsets), torch.from_numpy(near)
        else:
            made = self._from_memory(order) if self.dataset is None else self._from_dataset(order)
            rows = torch.arange(self.rows) if order is None else order
        places = torch.split(rows, self.batch_size)
        for batch, self.at in zip(made, places, strict=False):  # the rows of a dropped last batch are left
            yield batch

    def _from_memory(self, order: Tensor | None) -> Iterator[Batch]:
        if order is not None:
            order = order.to(self.tensors[0].device)
        for number in range(len(self)):
            start, stop = number * self.batch_size, min((number + 1) * self.batch_size, self.rows)
            if order is None:
                batch = [values[start:stop] for values in self.tensors]
            else:
                rows = order[start:stop]
                batch = [values.index_select(0, rows) for values in self.tensors]
            yield self._finish(batch, self.is_image)

    def _near(self, order: Tensor | None, epoch: int, offsets: Array) -> Array:
        """The rows (N,) as they come, those of a batch of about equal length."""
        if order is None:
            ordered = self.order
            return np.arange(self.rows) if ordered is None else ordered
        generator = np.random.default_rng([self.shuffle_seed or 0, epoch, 1])
        return by_length(order.numpy(), np.diff(offsets), self.batch_size, generator)

    def _padded(self, order: Array, offsets: Array) -> Iterator[Batch]:
        import torch

        *values, targets = self.tensors
        for number in range(len(self)):
            rows = order[number * self.batch_size : (number + 1) * self.batch_size]
            inputs = pad_rows(values, offsets, rows, targets.device)
            chosen = targets.index_select(0, torch.from_numpy(rows).to(targets.device))
            yield self._finish([*inputs, chosen], [False])

    def _from_dataset(self, order: Tensor | None) -> Iterator[Batch]:
        import torch
        from torch.utils.data import DataLoader

        loader: DataLoader[Any] = DataLoader(
            self.dataset,  # type: ignore[arg-type]
            batch_size=self.batch_size,
            sampler=range(self.rows) if order is None else order.tolist(),
            drop_last=self.drop_last,
            num_workers=self.workers,
            pin_memory=self.device.type == "cuda",
        )
        for inputs, targets in loader:
            tensors = list(inputs) if isinstance(inputs, (list, tuple)) else [inputs]
            if self.channels_last:
                tensors = [t.contiguous(memory_format=torch.channels_last) if t.ndim == 4 else t for t in tensors]
            yield self._finish([*tensors, targets], [False] * (len(tensors) + 1))

    def _finish(self, batch: list[Tensor], is_image: list[bool]) -> Batch:
        if batch[0].device != self.device:
            batch = [values.to(self.device, non_blocking=True) for values in batch]
        if any(is_image):
            pairs = zip(batch, is_image, strict=True)
            batch = [values.permute(0, 3, 1, 2) if flag else values for values, flag in pairs]  # (B, C, H, W)
        return tuple(batch[:-1]), batch[-1]


def permutation(rows: int, seed: int, epoch: int) -> Tensor:
    """The order (N,) of the rows in an epoch, the same on every device."""
    import torch

    state = int(np.random.SeedSequence([seed, epoch]).generate_state(1, np.uint64)[0]) >> 1
    return torch.randperm(rows, generator=torch.Generator().manual_seed(state))


def _fits(size: int, device: torch.device) -> bool:
    """Whether ``size`` bytes may be kept on a device: at most half of what a GPU has free."""
    import torch

    if device.type != "cuda":
        return True
    free, _ = torch.cuda.mem_get_info(device)
    return size <= free * DEVICE_SHARE
