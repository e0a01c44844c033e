"""Fit: one training in progress, an epoch at a time."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from nasturtium.errors import TrainingError
from nasturtium.estimators.augment import Augment, mixed
from nasturtium.estimators.device import Mode
from nasturtium.estimators.optimise import Average, make_optimiser, set_rates
from nasturtium.estimators.recipe import Recipe
from nasturtium.tasks import Batches

if TYPE_CHECKING:
    from nasturtium.estimators.lesson import Lessons

Loss = Callable[[Tensor, Any], Tensor]
"""Of outputs (B, K) and targets, which are a tensor, or :class:`nasturtium.estimators.lesson.Taught`."""

Outputs = Tensor | tuple[Tensor, ...]
"""What a network gives: (B, K), or a tuple of such where it has auxiliary heads; the first is the answer."""

CHECK_EVERY = 50
"""Steps between looks at the loss where a look makes the device wait."""


def make_loss(name: str | Loss, smoothing: float) -> Loss:
    """The loss of a task: mean ``cross_entropy`` of logits (B, K), ``mse`` of numbers (B, K), or the user's own.

    A function of the user's gets outputs in fp32; targets of the outputs' shape, or class numbers (B,).
    """
    if not isinstance(name, str):
        return _own_loss(name)
    if name == "mse":
        return lambda outputs, targets: F.mse_loss(outputs.float(), targets.view(outputs.shape))
    return lambda outputs, targets: F.cross_entropy(outputs.float(), targets, label_smoothing=smoothing)


def _own_loss(function: Loss) -> Loss:
    def loss(outputs: Tensor, targets: Tensor) -> Tensor:
        shaped = targets.view(outputs.shape) if targets.is_floating_point() else targets
        value = function(outputs.float(), shaped)
        if not isinstance(value, Tensor) or value.numel() != 1:
            given = f"a tensor of shape {tuple(value.shape)}" if isinstance(value, Tensor) else repr(value)
            raise TrainingError(f"the loss gave {given:.80}; it must give one number, as a tensor: loss.mean(), say")
        return value.reshape(())

    return loss


class Fit:
    """A model in training.

    What an epoch does depends on the model, the seed and the epoch's number alone, so that a training that was
    interrupted between two epochs goes on as if it had not been.

    Args:
        model: On its device, in its memory format.
        batches: The training rows, with or without what teachers say of them.
        loss: Of outputs and targets.
        recipe: How to train.
        steps: Of the whole training; the schedule ends with them.
        seed: Of dropout, augmentation and mixup.
        mode: How to compute.
        augment: Changes the first input of each batch.

    Attributes:
        step: Steps done.
    """

    def __init__(
        self,
        model: nn.Module,
        batches: Batches | Lessons,
        loss: Loss,
        recipe: Recipe,
        steps: int,
        seed: int,
        mode: Mode,
        augment: Augment | None = None,
    ) -> None:
        self.model, self.batches, self.loss = model, batches, loss
        self.recipe, self.steps, self.seed, self.mode, self.augment = recipe, steps, seed, mode, augment
        self.parameters = [p for p in model.parameters() if p.requires_grad]
        self.optimiser = make_optimiser(model, recipe)
        self.average = Average(model, recipe.ema) if recipe.ema else None
        self.step = 0

    @property
    def epoch(self) -> int:
        """The number of the next epoch, from 0."""
        return self.batches.epoch

    def run_epoch(self) -> float:
        """Train for one epoch, or for what is left of the steps; gives the mean loss of the rows.

        Raises:
            TrainingError: If a loss is not finite.
        """
        epoch = self.epoch
        torch.manual_seed(_epoch_seed(self.seed, epoch))
        self.model.train()
        losses: list[Tensor] = []
        rows: list[int] = []
        checked = 0
        every = 1 if self.batches.device.type == "cpu" else CHECK_EVERY
        for inputs, targets in self.batches:
            losses.append(self._step(inputs, targets))
            rows.append(len(inputs[0]))
            if len(losses) - checked == every:
                self._check(losses[checked:], epoch)
                checked = len(losses)
            if self.step >= self.steps:
                break
        self._check(losses[checked:], epoch)
        return float(torch.stack(losses).cpu().double() @ torch.tensor(rows, dtype=torch.float64)) / sum(rows)

    def take_average(self) -> None:
        """Exchange weights and moving averages, if there are any; a second call takes that back."""
        if self.average is not None and self.step > 0:
            self.average.swap()

    def _step(self, inputs: tuple[Tensor, ...], targets: Any) -> Tensor:
        recipe = self.recipe
        if self.augment is not None:
            inputs = (self.augment(inputs[0]), *inputs[1:])
        set_rates(self.optimiser, recipe, self.step, self.steps)
        loss = self._mixed(inputs, targets) if recipe.mixup else self._loss(self._forward(inputs), targets)
        self.optimiser.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        if recipe.clip is not None:
            torch.nn.utils.clip_grad_norm_(self.parameters, recipe.clip)
        self.optimiser.step()
        if self.average is not None:
            self.average.update(self.step)
        self.step += 1
        return loss.detach()

    def _forward(self, inputs: tuple[Tensor, ...]) -> Outputs:
        with torch.autocast(self.batches.device.type, torch.bfloat16, enabled=self.mode.bf16):
            outputs: Outputs = self.model(*inputs)
            return outputs

    def _loss(self, outputs: Outputs, targets: Any) -> Tensor:
        """The loss of the network's output, plus the weighted ones of its auxiliary heads if it has any."""
        main, *auxiliary = outputs if isinstance(outputs, tuple) else (outputs,)
        loss = self.loss(main, targets)
        for output in auxiliary:
            loss = loss + self.recipe.auxiliary_weight * self.loss(output, targets)
        return loss

    def _mixed(self, inputs: tuple[Tensor, ...], targets: Any) -> Tensor:
        inputs, other, share = mixed(inputs, self.recipe.mixup)
        outputs = self._forward(inputs)
        return share * self._loss(outputs, targets) + (1 - share) * self._loss(outputs, targets[other])

    def _check(self, losses: list[Tensor], epoch: int) -> None:
        if not losses:
            return
        values = [losses[0].item()] if len(losses) == 1 else torch.stack(losses).tolist()
        for number, value in enumerate(values):
            if not math.isfinite(value):
                step = self.step - len(values) + number + 1
                raise TrainingError(
                    f"the loss is {value} in epoch {epoch + 1}, step {step} of {self.steps}; "
                    f"a learning rate below {self.recipe.learning_rate:g} or clipping may help"
                )


def _epoch_seed(seed: int, epoch: int) -> int:
    return int(np.random.SeedSequence((seed, epoch)).generate_state(1)[0])
