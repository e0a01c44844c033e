"""Placed data: the splits of a task as tensors on a device, put there once and used by every training."""

from __future__ import annotations

import copy

import numpy as np
import torch
from torch import Tensor

from nasturtium.estimators.augment import Augment, augmenter, background_of
from nasturtium.estimators.recipe import Recipe
from nasturtium.tasks import Batches, Split, Task

SCORING_BATCH = 256
BORDER_ROWS, BORDER_FILES = 2_000, 64
"""Images whose borders tell the background: of those in memory, and of those that are read for it."""


class Placed:
    """The splits of a task on a device.

    Args:
        task: Whose rows.
        device: Where they are put.
    """

    def __init__(self, task: Task, device: torch.device) -> None:
        self.task, self.device = task, device
        self._batches: dict[tuple[str, bool], Batches] = {}
        self._background: Tensor | None = None

    def training(self, recipe: Recipe, seed: int, channels_last: bool) -> Batches:
        """Shuffled batches of the training rows; a last batch of one row, or of less than half the size, is left out.

        Batch normalisation cannot train on a single row.
        """
        split = self.task.train
        batches = self._place("train", split, channels_last)
        batches.batch_size = min(int(recipe.batch_size), len(split))
        rest = len(split) % batches.batch_size
        batches.drop_last = len(split) > batches.batch_size and (rest == 1 or 2 * rest < batches.batch_size)
        batches.shuffle_seed = seed
        return batches

    def scoring(self, name: str, channels_last: bool, batch_size: int = SCORING_BATCH) -> Batches:
        """Batches of the ``valid`` or ``test`` rows in their order; sorted by length where that differs."""
        split: Split = getattr(self.task, name)
        batches = self._place(name, split, channels_last)
        batches.batch_size = min(batch_size, len(split))
        return batches

    def augment(self, recipe: Recipe) -> Augment | None:
        """What changes the images of a batch; None for other data."""
        if self.task.inputs[0].kind != "image":
            return None
        settings = recipe.augmentation
        return augmenter(settings, self._colour() if settings.paints else torch.zeros(1, device=self.device))

    def _colour(self) -> Tensor:
        if self._background is None:
            train = self.task.train
            places = np.arange(min(len(train), BORDER_ROWS))
            if train.dataset is not None:  # spread, as files come class after class
                places = np.linspace(0, len(train) - 1, min(len(train), BORDER_FILES)).astype(int)
            rows = train.take(places)
            (images, *_), _ = next(iter(Batches(rows, len(rows))))
            self._background = background_of(images).to(self.device)
        return self._background

    def _place(self, name: str, split: Split, channels_last: bool) -> Batches:
        """A view of its own on tensors that are shared by all."""
        known = self._batches.get((name, channels_last))
        if known is None:
            known = Batches(split, len(split), device=self.device, channels_last=channels_last, sort=True)
            self._batches[name, channels_last] = known
        view = copy.copy(known)
        view.epoch = 0
        return view
