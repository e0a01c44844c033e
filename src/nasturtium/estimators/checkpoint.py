"""Checkpoints: a training between two epochs as a safetensors file, written at once or not at all."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from nasturtium.errors import TrainingError
from nasturtium.estimators.fit import Fit
from nasturtium.estimators.optimise import state_tensors
from nasturtium.writing import replacing

NAME = "checkpoint.safetensors"
FORMAT = "1"

Curve = list[dict[str, float]]


class Checkpoint(NamedTuple):
    """What a file holds.

    Attributes:
        identity: What the training was of: architecture, recipe, task, budget, seed.
        epoch: Epochs done.
        step: Steps done.
        curve: The reports so far, one an epoch.
        tensors: Weights, moving averages and the optimiser's state by name.
    """

    identity: dict[str, str]
    epoch: int
    step: int
    curve: Curve
    tensors: dict[str, Tensor]


def save(folder: Path, fit: Fit, identity: Mapping[str, str], curve: Curve) -> None:
    """Write the state of a training; a file that is there already is replaced in one move.

    The state of random generators need not be kept: each epoch seeds them by its number (see :class:`Fit`).

    Args:
        folder: Where the file is to be; made if it is missing.
        fit: The training.
        identity: What it is of.
        curve: The reports so far.
    """
    folder.mkdir(parents=True, exist_ok=True)
    metadata = {**identity, "format": FORMAT, "epoch": str(fit.epoch), "step": str(fit.step)}
    metadata["curve"] = json.dumps(curve)
    tensors = {name: tensor.detach().cpu().contiguous() for name, tensor in _named(fit).items()}
    with replacing(folder / NAME) as draft:
        save_file(tensors, draft, metadata)


def load(folder: Path | None) -> Checkpoint | None:
    """The checkpoint in a folder; None if there is none.

    Raises:
        TrainingError: If the file is not a checkpoint of this version.
    """
    if folder is None or not (folder / NAME).exists():
        return None
    path = folder / NAME
    try:
        with safe_open(path, framework="pt") as file:
            metadata = dict(file.metadata() or {})
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 (not a mapping)
        if metadata.pop("format") != FORMAT:
            raise TrainingError(f"{path} is of another version; delete it, and its trial starts afresh")
        epoch, step = int(metadata.pop("epoch")), int(metadata.pop("step"))
        return Checkpoint(metadata, epoch, step, json.loads(metadata.pop("curve")), tensors)
    except (SafetensorError, OSError, KeyError, ValueError) as error:
        raise TrainingError(f"{path} is not a checkpoint ({error}); delete it, and its trial starts afresh") from error


def restore(fit: Fit, saved: Checkpoint) -> None:
    """Put a training where it stood when it was saved.

    Raises:
        TrainingError: If the tensors are not those of this model.
    """
    for group in fit.optimiser.param_groups:
        for parameter in group["params"]:
            fit.optimiser.state[parameter] = {}
    known = _named(fit)
    states = {name for name in saved.tensors if name.startswith("optimiser.")}
    if saved.tensors.keys() - states != known.keys():
        odd = sorted((saved.tensors.keys() - states) ^ known.keys())[0]
        raise TrainingError(f"the checkpoint does not fit the model: {odd} is in one of them only")
    for name, tensor in known.items():
        if tensor.shape != saved.tensors[name].shape:
            was, now = tuple(saved.tensors[name].shape), tuple(tensor.shape)
            raise TrainingError(f"the checkpoint does not fit the model: {name} is {now}, was {was}")
        tensor.copy_(saved.tensors[name])
    for name in states:
        _, number, key = name.split(".")
        parameter = fit.parameters[int(number)]
        fit.optimiser.state[parameter][key] = _laid_out(saved.tensors[name], parameter)
    fit.step, fit.batches.epoch = saved.step, saved.epoch


def _named(fit: Fit) -> dict[str, Tensor]:
    """Every tensor of a training by name, sharing memory with it."""
    found = {f"model.{name}": tensor for name, tensor in state_tensors(fit.model)}
    if fit.average is not None:
        found |= {f"average.{number}": tensor for number, tensor in enumerate(fit.average.tensors)}
    for number, parameter in enumerate(fit.parameters):
        for key, value in fit.optimiser.state.get(parameter, {}).items():
            if isinstance(value, Tensor):
                found[f"optimiser.{number}.{key}"] = value
    return found


def _laid_out(value: Tensor, parameter: Tensor) -> Tensor:
    """A value of the optimiser's state as it must lie in memory: like its parameter (fused steps rely on it)."""
    if value.shape != parameter.shape:
        return value.to(parameter.device)
    return torch.empty_like(parameter, memory_format=torch.preserve_format).copy_(value).detach()
