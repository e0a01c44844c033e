"""Run: one evaluation of an architecture by training, with its reports and checkpoints."""

from __future__ import annotations

import math
import time
from functools import partial
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from nasturtium.errors import TrainingError
from nasturtium.estimators import checkpoint
from nasturtium.estimators.checkpoint import Checkpoint, Curve
from nasturtium.estimators.cost import structural
from nasturtium.estimators.data import Placed
from nasturtium.estimators.device import choose_mode, strides_over_the_edge
from nasturtium.estimators.fit import Fit, make_loss
from nasturtium.estimators.lesson import Distilled, Lesson, Lessons
from nasturtium.estimators.recipe import Recipe
from nasturtium.estimators.scoring import scores_of
from nasturtium.space import Architecture
from nasturtium.space.signal import Signal
from nasturtium.tasks import Task
from nasturtium.trial import Budget, Report

CONTINUES = ("architecture", "recipe", "task")
"""What must be the same for one training to continue another."""


def prepare(
    architecture: Architecture, recipe: Recipe, placed: Placed, budget: Budget, seed: int, lesson: Lesson | None = None
) -> Fit:
    """A training that is about to begin, with fresh weights drawn from torch's global generator.

    Args:
        architecture: What is trained.
        recipe: How.
        placed: The rows.
        budget: Epochs.
        seed: Of everything random.
        lesson: What teachers say of the training rows, and how that is learned; None for the targets alone.

    Raises:
        TrainingError: If the budget is not positive, the recipe cannot be used on the task, or the network does
            not give what the task asks for.
        Mismatch: If the network cannot take what the task gives.
    """
    recipe.check()
    if not budget > 0:
        raise TrainingError(f"a budget of {budget} epochs trains nothing; give more than 0")
    task = placed.task
    _mixable(recipe, task)
    fitted = Architecture(architecture.value, input=task.inputs)
    _answers(fitted, task)
    model = fitted.build()
    flops = structural(fitted, ["flops"], None, task.lengths)["flops"]
    mode = choose_mode(model, placed.device, recipe.precision, flops)
    if mode.bf16 and placed.device.type == "cpu" and strides_over_the_edge(fitted):
        mode = mode._replace(bf16=False)
    model = model.to(placed.device)
    if mode.channels_last:
        model = model.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    _drop(model, recipe.dropout)
    batches = placed.training(recipe, seed, mode.channels_last)
    steps = max(1, round(budget * len(batches)))
    loss = make_loss(task.loss, recipe.label_smoothing)
    augment = placed.augment(recipe)
    if lesson is None or not lesson.said:
        return Fit(model, batches, loss, recipe, steps, seed, mode, augment)
    taught = Lessons(batches, lesson.said)
    return Fit(model, taught, Distilled(loss, lesson.plan), recipe, steps, seed, mode, augment)


def _drop(model: nn.Module, share: float) -> None:
    """Let a share of the values that reach the last linear layer be dropped in training."""
    linear = [module for module in model.modules() if isinstance(module, nn.Linear)]
    if share <= 0:
        return
    if not linear:
        raise TrainingError(f"dropout={share} in a recipe acts before the last linear layer, but the network has none")
    linear[-1].register_forward_pre_hook(partial(_dropped, share))


def _dropped(share: float, module: nn.Module, arguments: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
    return (F.dropout(arguments[0], share, module.training), *arguments[1:])


def _mixable(recipe: Recipe, task: Task) -> None:
    if recipe.mixup and any(s.kind in ("tokens", "group") or s.mask for s in task.inputs):
        raise TrainingError(f"mixup={recipe.mixup} cannot mix {task.inputs[0]}; use mixup=0.0")


def _answers(architecture: Architecture, task: Task) -> None:
    output = architecture.output
    heads = (output,) if isinstance(output, Signal) else output
    if any(head.shape[:1] != (task.outputs,) for head in heads):
        raise TrainingError(
            f"the network gives {output}, but task {task.name!r} asks for {task.outputs} outputs; "
            f"end it with Linear({task.outputs})"
        )


class Run:
    """One evaluation: a training with its reports and checkpoints.

    Args:
        fit: The training, about to begin.
        placed: The rows.
        report: Receives the learning curve.
        folder: Where checkpoints are kept, if they are.
        every: Seconds between two of them.
        architecture: What is trained.
        budget: For how long.
    """

    def __init__(
        self,
        fit: Fit,
        placed: Placed,
        report: Report,
        folder: Path | None,
        every: float,
        architecture: Architecture,
        budget: Budget,
    ) -> None:
        self.fit, self.task, self.report = fit, placed.task, report
        self.folder, self.every = folder, every
        self.valid = placed.scoring("valid", fit.mode.channels_last)
        self.curve: Curve = []
        self.identity = {
            "architecture": architecture.hash,
            "recipe": str(fit.recipe),
            "task": self.task.fingerprint,
            "budget": repr(budget),
            "seed": str(report.seed),
        }

    def scores(self) -> dict[str, float]:
        """Train, from where a checkpoint left off if there is one, and give the last scores.

        What the validation rows cannot say (AUROC of rows of one class) is left out; the network is no worse for it.
        """
        going = self._resume()
        last_saved = time.monotonic()
        while going and self.fit.step < self.fit.steps:
            going = self._epoch()
            if time.monotonic() - last_saved >= self.every:
                self._save()
                last_saved = time.monotonic()
        self._save()
        final = self.curve[-1] if self.curve else self._score()
        scores = {name: value for name, value in final.items() if name not in ("step", "train_loss")}
        return {name: value for name, value in scores.items() if math.isfinite(value) or name not in self.task.metrics}

    def _epoch(self) -> bool:
        """Train and report one epoch; says whether to go on."""
        loss = self.fit.run_epoch()
        scores = {"train_loss": loss, **self._score()}
        self.curve.append({"step": float(self.fit.epoch), **scores})
        return self.report(self.fit.epoch, scores)

    def _score(self) -> dict[str, float]:
        self.fit.take_average()
        try:
            return scores_of(self.fit.model, self.valid, self.task)
        finally:
            self.fit.take_average()

    def _save(self) -> None:
        if self.folder is not None:
            checkpoint.save(self.folder, self.fit, self.identity, self.curve)

    def _resume(self) -> bool:
        """Go on with this trial's own checkpoint, or else with that of the trial it continues."""
        own = checkpoint.load(self.folder)
        if own is not None and own.identity == self.identity:
            checkpoint.restore(self.fit, own)
            self.curve = own.curve
            return all(self.report(int(point["step"]), _without_step(point)) for point in own.curve)
        previous = checkpoint.load(self.report.previous)
        if previous is not None:
            self._check(previous)
            checkpoint.restore(self.fit, previous)
        return True

    def _check(self, previous: Checkpoint) -> None:
        for name in CONTINUES:
            if previous.identity.get(name) != self.identity[name]:
                raise TrainingError(
                    f"the checkpoint in {self.report.previous} is of another {name}, so it cannot be continued"
                )


def _without_step(point: dict[str, float]) -> dict[str, float]:
    return {name: value for name, value in point.items() if name != "step"}
