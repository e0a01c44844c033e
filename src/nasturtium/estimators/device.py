"""Where a training runs and in which precision: the device, bf16 or not, channels last or not."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import NamedTuple

import torch
from torch import nn

from nasturtium.errors import TrainingError
from nasturtium.estimators.recipe import Recipe

GAIN_FLOPS = 500_000
"""FLOPs a row from which bf16 convolutions pay on a CPU (measured, see :func:`choose_mode`)."""

SLOW_IN_BF16 = (nn.RNNBase,)


class Mode(NamedTuple):
    """How a training computes.

    Attributes:
        bf16: Whether the forward pass runs under bf16 autocast; weights, gradients and scores stay fp32.
        channels_last: Whether images and kernels are stored with channels last.
    """

    bf16: bool = False
    channels_last: bool = False


def resolve_device(name: str | torch.device | None) -> torch.device:
    """The device called ``name``; without one CUDA, MPS or the CPU, whichever there is first.

    Raises:
        TrainingError: If there is no such device here.
    """
    if name is None:
        backends = (("cuda", torch.cuda.is_available()), ("mps", torch.backends.mps.is_available()))
        name = next((backend for backend, there in backends if there), "cpu")
    try:
        return torch.empty(0, device=name).device
    except (RuntimeError, AssertionError) as error:
        raise TrainingError(f"cannot use the device {str(name)!r}: {str(error).splitlines()[0]}") from error


def choose_mode(model: nn.Module, device: torch.device, precision: str, flops: int) -> Mode:
    """The fastest way to compute that is safe, by a rule and not by a stopwatch, so that runs can be repeated.

    Args:
        model: The network.
        device: Where it runs.
        precision: ``fp32``, ``bf16`` or ``auto``.
        flops: Of one row.
    """
    images = [m for m in model.modules() if isinstance(m, nn.Conv2d)]
    channels_last = bool(images) and device.type in ("cpu", "cuda")
    if precision != "auto":
        return Mode(precision == "bf16", channels_last)
    modules = list(model.modules())
    slow = any(isinstance(m, SLOW_IN_BF16) for m in modules)
    if device.type == "cuda":
        return Mode(torch.cuda.is_bf16_supported() and not slow, channels_last)
    worth = bool(images) and not slow and flops >= GAIN_FLOPS
    return Mode(device.type == "cpu" and worth and cpu_has_bf16(), channels_last)


def cpu_has_bf16() -> bool:
    """Whether the CPU multiplies bf16 numbers in hardware (elsewhere bf16 is slower than fp32)."""
    check = getattr(torch.cpu, "_is_avx512_bf16_supported", None)
    return bool(check()) if check is not None else False


@contextlib.contextmanager
def memory_errors(recipe: Recipe) -> Iterator[None]:
    """Turn what torch raises when memory runs out into one clear line.

    Raises:
        TrainingError: If memory runs out.
    """
    try:
        yield
    except (torch.OutOfMemoryError, MemoryError, RuntimeError) as error:
        if not isinstance(error, MemoryError | torch.OutOfMemoryError) and not _lacks_memory(str(error)):
            raise
        raise TrainingError(
            f"out of memory with batches of {recipe.batch_size} rows; "
            "use a smaller batch_size, or a limit such as memory_mb<=2000"
        ) from error


def _lacks_memory(text: str) -> bool:
    """Whether the text of a RuntimeError is that of an allocator (the CPU's has no class of its own)."""
    return any(words in text for words in ("can't allocate memory", "not enough memory", "out of memory", "bad_alloc"))


@contextlib.contextmanager
def seeded(seed: int, device: torch.device) -> Iterator[None]:
    """Run with torch's global generators seeded, deterministic convolutions, and all as it was afterwards."""
    devices = [device] if device.type == "cuda" else []
    with torch.random.fork_rng(devices), torch.backends.cudnn.flags(deterministic=True, allow_tf32=True):
        torch.manual_seed(seed)
        yield
