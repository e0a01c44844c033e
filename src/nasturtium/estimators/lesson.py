"""Lessons: mini-batches that carry what teachers say beside their targets, and the loss that learns from both."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from nasturtium.estimators.distillation import Distillation
from nasturtium.estimators.fit import Loss
from nasturtium.tasks import Batches


@dataclass(frozen=True, eq=False)
class Taught:
    """Targets of a batch and what teachers say of its rows.

    Attributes:
        targets: (B,) classes or (B, K) numbers.
        said: (teachers, B, K).
    """

    targets: Tensor
    said: Tensor

    def __getitem__(self, rows: Tensor) -> Taught:
        """The same for some rows of the batch, as mixup takes them."""
        return Taught(self.targets[rows], self.said[:, rows])


class Lessons:
    """The batches of a training with what teachers say of their rows; stands in for :class:`Batches` in a training.

    Args:
        batches: Of the training rows.
        said: What each teacher says of all rows in their order, (N, K), on the CPU; only rows in use are moved.
    """

    def __init__(self, batches: Batches, said: Sequence[Tensor]) -> None:
        self.batches, self.said = batches, tuple(said)

    @property
    def epoch(self) -> int:
        """The number of the next epoch."""
        return self.batches.epoch

    @epoch.setter
    def epoch(self, number: int) -> None:
        self.batches.epoch = number

    @property
    def device(self) -> torch.device:
        """Where batches are."""
        return self.batches.device

    def __len__(self) -> int:
        return len(self.batches)

    def __iter__(self) -> Iterator[tuple[tuple[Tensor, ...], Taught]]:
        for inputs, targets in self.batches:
            rows = self.batches.at.cpu()
            said = torch.stack([each.index_select(0, rows) for each in self.said])  # (teachers, B, K)
            yield inputs, Taught(targets, said.to(self.device))


class Distilled:
    """The loss of a student (see :class:`Distillation`).

    Args:
        loss: Of outputs and targets.
        plan: Weight and temperature.
    """

    def __init__(self, loss: Loss, plan: Distillation) -> None:
        self.loss, self.plan = loss, plan

    def __call__(self, outputs: Tensor, taught: Taught) -> Tensor:
        weight = self.plan.weight
        return (1 - weight) * self.loss(outputs, taught.targets) + weight * self.distance(outputs.float(), taught.said)

    def distance(self, outputs: Tensor, said: Tensor) -> Tensor:
        """How far outputs (B, K) are from what teachers say (teachers, B, K), the mean over rows and teachers."""
        if self.plan.temperature is None:
            return 0.5 * F.mse_loss(outputs.expand_as(said), said)
        warmth = self.plan.temperature
        student = F.log_softmax(outputs / warmth, 1).expand_as(said).flatten(0, 1)  # (teachers * B, K)
        teachers = F.log_softmax(said / warmth, 2).flatten(0, 1)
        return warmth**2 * F.kl_div(student, teachers, reduction="batchmean", log_target=True)


@dataclass(frozen=True, eq=False)
class Lesson:
    """What a student is to learn beside the targets.

    Attributes:
        plan: How.
        said: What each teacher says of all training rows, (N, K).
    """

    plan: Distillation
    said: tuple[Tensor, ...]
