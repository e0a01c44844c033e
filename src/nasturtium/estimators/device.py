"""Where a training runs and in which precision: the device, bf16 or not, channels last or not."""

from __future__ import annotations

import contextlib
import functools
import os
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import torch
from torch import nn

from nasturtium.errors import TrainingError
from nasturtium.estimators.recipe import Recipe
from nasturtium.layers import Conv2d
from nasturtium.modules import CrossAttention, SelfAttention
from nasturtium.space import Architecture, Layer
from nasturtium.space.infer import Signals, walk_leaves

GAIN_FLOPS = 500_000
"""FLOPs a row from which bf16 convolutions pay on a CPU: below, casting eats what they save."""

SLOW_IN_BF16 = (nn.RNNBase, nn.GroupNorm, nn.MultiheadAttention, SelfAttention, CrossAttention)
"""Modules that bf16 slows down on a CPU: two of them 1.3-fold, attention and GroupNorm over 2-fold."""


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

    Of several CUDA devices each worker of a search has its own, or shares it where there are more workers; a device
    with a number, such as ``cuda:1``, is everybody's.

    Raises:
        TrainingError: If there is no such device here.
    """
    if name is None:
        backends = (("cuda", torch.cuda.is_available()), ("mps", torch.backends.mps.is_available()))
        name = next((backend for backend, there in backends if there), "cpu")
    if str(name) == "cuda":
        name = own_device(os.environ.get("NASTURTIUM_WORKER"), torch.cuda.device_count())
    try:
        return torch.empty(0, device=name).device
    except (RuntimeError, AssertionError) as error:
        raise TrainingError(f"cannot use the device {str(name)!r}: {str(error).splitlines()[0]}") from error


def check_device(name: str | torch.device | None) -> None:
    """Makes sure that there is a device, before anything runs; holds nothing on a GPU, which is for the workers.

    Raises:
        TrainingError: If there is no such device here, or nothing can be computed on it.
    """
    if name is None:
        return
    try:
        asked = torch.device(name)
    except RuntimeError as error:
        raise TrainingError(f"unknown device {str(name)!r}; give cpu, cuda, cuda:1 or mps") from error
    if asked.type == "meta":
        raise TrainingError("nothing is computed on the device 'meta'; give cpu, cuda or mps")
    if asked.type != "cuda":
        resolve_device(asked)
    elif (asked.index or 0) >= torch.cuda.device_count():
        count = torch.cuda.device_count()
        there = "there is no CUDA device" if not count else f"there are {count} CUDA devices, from cuda:0"
        raise TrainingError(f"cannot use the device {str(name)!r}: {there}; give another, or cpu")


def own_device(place: str | None, count: int) -> str:
    """The CUDA device of the worker of this place, of so many."""
    return "cuda" if place is None or count < 2 else f"cuda:{int(place) % count}"


def choose_mode(model: nn.Module, device: torch.device, precision: str, flops: float) -> Mode:
    """The fastest way to compute that is safe, by a rule and not by a stopwatch, so that runs can be repeated.

    Measured on one thread, batches of 64, forward, backward and AdamW, against fp32: with AMX, bf16 and channels
    last make convolutional networks of 3 to 37 million FLOPs 1.7 to 2.6 times as fast (channels last alone 1.2
    to 1.6), and convolutions over sequences 1.8 times; attention needs 2.5 times as long, a GRU 1.3 times, an
    MLP the same. On an Intel CPU without AMX, bf16 slows nearly all down; on AMD's it pays (Zen 4: 2.3 times).

    Args:
        model: The network.
        device: Where it runs.
        precision: ``fp32``, ``bf16`` or ``auto``.
        flops: Of one row.
    """
    modules = list(model.modules())
    images = any(isinstance(module, nn.Conv2d) for module in modules)
    channels_last = images and device.type in ("cpu", "cuda")
    if precision != "auto":
        return Mode(precision == "bf16", channels_last)
    if device.type == "cuda":
        recurrent = any(isinstance(module, nn.RNNBase) for module in modules)
        return Mode(torch.cuda.is_bf16_supported() and not recurrent, channels_last)
    convolves = images or any(isinstance(module, nn.Conv1d) for module in modules)
    worth = convolves and flops >= GAIN_FLOPS and not any(isinstance(m, SLOW_IN_BF16) for m in modules)
    return Mode(device.type == "cpu" and worth and cpu_is_fast_in_bf16(), channels_last)


def strides_over_the_edge(architecture: Architecture) -> bool:
    """Whether a convolution steps further than its image is long.

    On CPUs the gradient of its weights is wrong in bf16, by up to 10^37 (torch 2.13 with oneDNN; fp32 is right).
    """
    found: list[str] = []

    def meet(address: str, layer: Layer, signals: Signals) -> None:
        if isinstance(layer, Conv2d) and max(layer.window) > 1:
            sides = [size for size in signals[0].shape[1:] if size is not None]
            found.extend(address for size in sides if layer.stride > size)

    walk_leaves(architecture.value, architecture.input, meet)
    return bool(found)


@functools.cache
def cpu_is_fast_in_bf16() -> bool:
    """Whether the CPU multiplies bf16 numbers at more than the speed of fp32: AMX, or AMD's AVX-512 BF16."""
    supports = {name: getattr(torch.cpu, f"_is_{name}_supported", bool) for name in ("amx_tile", "avx512_bf16")}
    return bool(supports["amx_tile"]() or (supports["avx512_bf16"]() and _vendor() == "AuthenticAMD"))


def _vendor() -> str:
    """Who made the CPU, where the system says so (Linux)."""
    facts = Path("/proc/cpuinfo")
    if not facts.exists():
        return ""
    lines = (line.partition(":") for line in facts.read_text().splitlines())
    return next((value.strip() for name, _, value in lines if name.strip() == "vendor_id"), "")


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
