"""Run: one evaluation of an architecture by training, with its reports and checkpoints."""

from __future__ import annotations

import time
from pathlib import Path

import torch

from nasturtium.errors import TrainingError
from nasturtium.estimators import checkpoint
from nasturtium.estimators.checkpoint import Checkpoint, Curve
from nasturtium.estimators.data import Placed
from nasturtium.estimators.device import choose_mode
from nasturtium.estimators.fit import Fit, make_loss
from nasturtium.estimators.recipe import Recipe, recipe_of
from nasturtium.estimators.scoring import scores_of
from nasturtium.space import Architecture
from nasturtium.trial import Budget, Report

CONTINUES = ("architecture", "recipe", "task")
"""What must be the same for one training to continue another."""


def prepare(architecture: Architecture, recipe: Recipe, placed: Placed, budget: Budget, seed: int) -> Fit:
    """A training that is about to begin, with fresh weights drawn from torch's global generator.

    Raises:
        TrainingError: If the budget is not positive, or the recipe cannot be used on the task.
    """
    recipe.check()
    if not budget > 0:
        raise TrainingError(f"a budget of {budget} epochs trains nothing; give more than 0")
    task = placed.task
    _mixable(recipe, placed)
    model = architecture.build(None if _knows_input(architecture) else task.inputs)
    flops = architecture.count(params=False)["flops"] if _knows_input(architecture) else 0
    mode = choose_mode(model, placed.device, recipe.precision, flops)
    model = model.to(placed.device)
    if mode.channels_last:
        model = model.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    batches = placed.training(recipe, seed, mode.channels_last)
    steps = max(1, round(budget * len(batches)))
    loss = make_loss(task.loss, recipe.label_smoothing)
    return Fit(model, batches, loss, recipe, steps, seed, mode, placed.augment(recipe))


def _mixable(recipe: Recipe, placed: Placed) -> None:
    signals = placed.task.inputs
    if recipe.mixup and any(s.kind in ("tokens", "group") or s.mask for s in signals):
        raise TrainingError(f"mixup={recipe.mixup} cannot mix {signals[0]}; use mixup=0.0")


def _knows_input(architecture: Architecture) -> bool:
    return architecture._input is not None
