"""A device without double precision, as Apple's GPUs are, played on the CPU.

Its tensors say that they are on ``meta``. What is computed of them is computed on the CPU, but what would come out in
double precision is refused, with MPS's error, and so is a tensor of the CPU beside one of the device.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_flatten, tree_map

DEVICE = torch.device("meta")


class There(Tensor):
    """A tensor of that device; it holds one of the CPU."""

    held: Tensor

    @staticmethod
    def __new__(cls, held: Tensor) -> There:
        made = Tensor._make_wrapper_subclass(
            cls, held.shape, strides=held.stride(), storage_offset=held.storage_offset(), dtype=held.dtype,
            device=DEVICE,
        )  # fmt: skip
        made.held = held
        return made

    @classmethod
    def __torch_dispatch__(cls, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        return run(func, args, kwargs or {})


class Lacking(TorchDispatchMode):
    """Inside, ``meta`` is that device."""

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        return run(func, args, kwargs or {})


def run(func: Any, args: Any, kwargs: dict[str, Any]) -> Any:
    """Run an operation as the device would."""
    given = [each for each in tree_flatten((args, kwargs))[0] if isinstance(each, Tensor)]
    place = kwargs.get("device")
    there = place == DEVICE if place is not None else any(isinstance(each, There) for each in given)
    beside = [each for each in given if not isinstance(each, There) and each.ndim]
    if there and place is None and len(beside) < len(given) and beside and func._overloadpacket is not COPY:
        raise RuntimeError(f"{func}: expected all tensors to be on the same device, found two, {DEVICE} and cpu")
    kwargs = {**kwargs, "device": torch.device("cpu")} if place is not None else kwargs
    left = func(*tree_map(_held, args), **tree_map(_held, kwargs))
    if not there:
        return left
    if func._schema.name.endswith("_") or "out" in kwargs:
        return args[0]
    return tree_map(_moved, left)


COPY = torch.ops.aten.copy_


def _held(value: Any) -> Any:
    return value.held if isinstance(value, There) else value


def _moved(value: Any) -> Any:
    if not isinstance(value, Tensor):
        return value
    if value.dtype == torch.double:
        raise TypeError("Cannot convert a MPS Tensor to float64 dtype as the MPS framework doesn't support float64.")
    return There(value)
