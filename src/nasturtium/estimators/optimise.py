"""Optimisers, schedules and the moving average of weights, as a recipe asks for them."""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor, nn

from nasturtium.estimators.recipe import Recipe

MOMENTUM, LOWEST_MOMENTUM = 0.95, 0.85
START, END = 25.0, 1e4
GENTLE = 0.001
"""The highest learning rate of what must not jump: the dynamics of state-space layers (Gu et al. 2022)."""


def make_optimiser(model: nn.Module, recipe: Recipe) -> torch.optim.Optimizer:
    """The optimiser of a recipe; only tensors of two and more axes decay.

    What a module names in its attribute ``gentle`` does not decay, and learns at a rate of at most :data:`GENTLE`.

    Raises:
        ValueError: If the model has no parameters.
    """
    gentle = {id(getattr(each, name)) for each in model.modules() for name in getattr(each, "gentle", ())}
    parameters = [p for p in model.parameters() if p.requires_grad]
    usual = [p for p in parameters if id(p) not in gentle]
    groups: list[dict[str, Any]] = [
        {"params": [p for p in usual if p.dim() > 1], "weight_decay": recipe.weight_decay},
        {"params": [p for p in usual if p.dim() <= 1], "weight_decay": 0.0},
        {"params": [p for p in parameters if id(p) in gentle], "weight_decay": 0.0, "most": GENTLE},
    ]
    groups = [group for group in groups if group["params"]]
    # The fused step is three times as fast as the loop over tensors, on the CPU too.
    fused = all(p.device.type in ("cpu", "cuda") and p.is_floating_point() for p in parameters)
    if recipe.optimiser == "sgd":
        return torch.optim.SGD(groups, recipe.learning_rate, 0.9, nesterov=True, fused=fused)
    return torch.optim.AdamW(groups, recipe.learning_rate, fused=fused)


def rate(recipe: Recipe, step: int, steps: int) -> float:
    """The share of the highest learning rate in a step.

    Args:
        step: From 0.
        steps: Of the whole training.
    """
    rising = recipe.warmup * steps
    if recipe.schedule == "one_cycle":
        if step < rising:
            return _cosine(1 / START, 1.0, step / rising)
        return _cosine(1.0, 1 / END, (step - rising) / max(steps - 1 - rising, 1.0))
    if step + 1 < rising:
        return (step + 1) / rising
    if recipe.schedule == "constant":
        return 1.0
    return _cosine(1.0, 0.0, (step - rising) / max(steps - rising, 1.0))


def momentum(recipe: Recipe, step: int, steps: int) -> float:
    """The momentum in a step of a one-cycle schedule: low where the learning rate is high."""
    rising = recipe.warmup * steps
    if step < rising:
        return _cosine(MOMENTUM, LOWEST_MOMENTUM, step / rising)
    return _cosine(LOWEST_MOMENTUM, MOMENTUM, (step - rising) / max(steps - 1 - rising, 1.0))


def _cosine(start: float, end: float, share: float) -> float:
    """Half a cosine from ``start`` (share 0) to ``end`` (share 1)."""
    return end + (start - end) * (1 + math.cos(math.pi * min(max(share, 0.0), 1.0))) / 2


def set_rates(optimiser: torch.optim.Optimizer, recipe: Recipe, step: int, steps: int) -> None:
    """Give the optimiser the learning rate (and momentum) of a step."""
    share = rate(recipe, step, steps)
    cycled = momentum(recipe, step, steps) if recipe.schedule == "one_cycle" else None
    for group in optimiser.param_groups:
        group["lr"] = min(recipe.learning_rate, group.get("most", math.inf)) * share
        if cycled is not None:
            if "betas" in group:
                group["betas"] = (cycled, group["betas"][1])
            else:
                group["momentum"] = cycled


class Average:
    """The exponential moving average of a model's weights and of the statistics its norms keep.

    Args:
        model: Whose weights are averaged.
        decay: A step; early on (1 + t) / (10 + t) if that is less, so that the first weights are soon forgotten.

    Attributes:
        tensors: The averages, in the order of :func:`state_tensors`.
    """

    def __init__(self, model: nn.Module, decay: float) -> None:
        self.decay = decay
        self.live = [tensor for _, tensor in state_tensors(model) if tensor.is_floating_point()]
        self.tensors = [tensor.clone() for tensor in self.live]

    def update(self, step: int) -> None:
        """Take in the weights after a step (from 0)."""
        decay = min(self.decay, (1 + step) / (10 + step))
        torch._foreach_lerp_(self.tensors, self.live, 1 - decay)

    def swap(self) -> None:
        """Exchange the model's weights with their averages; a second call takes that back."""
        for mean, live in zip(self.tensors, self.live, strict=True):
            kept = live.clone()
            live.copy_(mean)
            mean.copy_(kept)


def state_tensors(model: nn.Module) -> list[tuple[str, Tensor]]:
    """Names and tensors (detached, sharing memory) of parameters and persistent buffers, shared ones once."""
    seen: set[int] = set()
    found = []
    for name, tensor in model.state_dict().items():
        if isinstance(tensor, Tensor) and (tensor.numel() == 0 or tensor.data_ptr() not in seen):
            seen.add(tensor.data_ptr())
            found.append((name, tensor))
    return found
