"""Scoring: a network's outputs on a split, and what they are worth by the metrics of the task."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor, nn

from nasturtium.errors import TrainingError
from nasturtium.estimators.fit import make_loss
from nasturtium.tasks import Batches, Task, evaluate_metrics


@torch.no_grad()
def outputs_of(model: nn.Module, batches: Batches) -> tuple[Tensor, Tensor]:
    """Outputs (N, K) and targets of all rows, on the CPU, with the model in evaluation mode and fp32.

    Of a network with auxiliary heads the first output alone counts.

    Args:
        model: On the device of the batches.
        batches: In the order of the split, or sorted by length; nothing left out.
    """
    was_training = model.training
    model.eval()
    outputs, targets = [], []
    for inputs, target in batches:
        output = model(*inputs)
        outputs.append((output[0] if isinstance(output, tuple) else output).float())
        targets.append(target)
    model.train(was_training)
    given, truth = torch.cat(outputs).cpu(), torch.cat(targets).cpu()
    if batches.order is None:
        return given, truth
    back = torch.from_numpy(np.argsort(batches.order))
    return given[back], truth[back]


def scores_of(model: nn.Module, batches: Batches, task: Task, prefix: str = "valid") -> dict[str, float]:
    """Every metric of the task on all rows, and the loss as ``<prefix>_loss``.

    Raises:
        TrainingError: If an output is not finite.
    """
    return worth(*outputs_of(model, batches), task, prefix)


def worth(outputs: Tensor, targets: Tensor, task: Task, prefix: str) -> dict[str, float]:
    """Every metric of the task for outputs (N, K), and the loss as ``<prefix>_loss``.

    Raises:
        TrainingError: If an output is not finite.
    """
    if not torch.isfinite(outputs).all():
        bad = int((~torch.isfinite(outputs).flatten(1).all(1)).sum())
        raise TrainingError(f"the network gives outputs that are not finite for {bad} of {len(outputs)} rows")
    loss = float(make_loss(task.loss, 0.0)(outputs, targets))
    return {**evaluate_metrics(task.metrics, outputs, targets, task), f"{prefix}_loss": loss}
