"""Double precision, in which proxies sum; on the CPU where the device of a network has none, as Apple's GPUs."""

from __future__ import annotations

from functools import cache

import torch
from torch import Tensor, nn


def double(tensor: Tensor) -> Tensor:
    """A tensor in double precision: where it is, or on the CPU if its device has none."""
    return able(tensor).double()


def able(tensor: Tensor) -> Tensor:
    """A tensor as it is, or on the CPU if its device has no double precision."""
    return tensor if _has_double(tensor.device) else tensor.cpu()


def double_network(model: nn.Module) -> nn.Module:
    """A network in double precision: where it is, or on the CPU if its device has none; it is changed itself.

    What its modules keep as plain tensors, which ``nn.Module.double`` leaves as it is, goes with it.
    """
    here = {tensor.device for tensor in (*model.parameters(), *model.buffers())}
    model = (model if all(map(_has_double, here)) else model.cpu()).double()
    for module in model.modules():
        for name, value in vars(module).items():
            if isinstance(value, Tensor):
                kept = able(value).detach()
                setattr(module, name, kept.double() if kept.is_floating_point() else kept)
    return model


@cache
def _has_double(device: torch.device) -> bool:
    """Whether a device has double precision."""
    try:
        torch.empty(0, dtype=torch.double, device=device)
    except (TypeError, RuntimeError):  # MPS raises the first
        return False
    return True
