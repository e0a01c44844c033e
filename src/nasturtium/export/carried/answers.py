"""What a network's outputs say."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor


def answers(outputs: Tensor, coding: dict[str, Any]) -> list[Any]:
    """Class names, or numbers in the unit of the target (a list of them a row where there are several targets)."""
    if coding["kind"] == "classification":
        # A single output is the logit of the second of two classes.
        chosen = outputs[:, 0] > 0 if outputs.shape[1] == 1 else outputs.argmax(1)
        return [coding["names"][int(number)] for number in chosen]
    mean, std = (torch.tensor(coding[name], dtype=torch.float64) for name in ("mean", "std"))
    values = outputs.double().reshape(len(outputs), -1) * std + mean
    return list(values[:, 0].tolist() if values.shape[1] == 1 else values.tolist())
