"""What a user's torch module gives and costs, seen by running it once on tensors without content."""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from functools import lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple

from nasturtium.errors import Mismatch, SpaceError
from nasturtium.space.part import Cost
from nasturtium.space.signal import Signal

if TYPE_CHECKING:
    from nasturtium.layers.wrapped import Wrapped

BATCH = 2
LENGTHS = (12, 17)
"""Lengths that stand for one that is not known, to see which sizes go with it."""

KINDS = {1: "vector", 2: "sequence", 3: "image"}


class Seen(NamedTuple):
    """What running a module has shown."""

    signals: Signal | tuple[Signal, ...]
    cost: Cost


@lru_cache(maxsize=4096)
def seen(layer: Wrapped, inputs: tuple[Signal, ...]) -> Seen:
    """What leaves a wrapped layer for these signals and what it costs, by running it without content; remembered.

    Raises:
        Mismatch: If the module refuses the shapes, gives what is no signal, or takes padding for content.
        SpaceError: If it fails otherwise.
    """
    unknown = any(None in signal.shape for signal in inputs)
    runs = [_run(layer, inputs, length) for length in (LENGTHS if unknown else LENGTHS[:1])]
    shapes = [_sizes(shape, LENGTHS, other) for shape, other in zip(runs[0][0], runs[-1][0], strict=True)]
    signals = tuple(_signal(layer, shape, inputs) for shape in shapes)
    params, flops = runs[0][1:]
    if not type(layer).uses_mask and any(signal.mask for signal in inputs):
        check_padding(layer, inputs, signals)
    if unknown:
        flops = _flops_of_a_step(layer, inputs, flops)
    return Seen(signals[0] if len(signals) == 1 else signals, Cost(params, flops))


def _flops_of_a_step(layer: Wrapped, inputs: tuple[Signal, ...], flops: int) -> int:
    """FLOPs where a length that depends on the data counts as one step; a share of those of a longer run if need be."""
    try:
        return _run(layer, inputs, 1)[2]
    except (Mismatch, SpaceError):  # it needs more steps than one
        return flops // LENGTHS[0]


def _sizes(shape: tuple[int, ...], lengths: tuple[int, int], other: tuple[int, ...]) -> tuple[int | None, ...]:
    return tuple(
        size if size == second else None if (size, second) == lengths else -1
        for size, second in zip(shape, other, strict=True)
    )


def _signal(layer: Wrapped, shape: tuple[int | None, ...], inputs: tuple[Signal, ...]) -> Signal:
    name, first = type(layer).__name__, inputs[0]
    if len(shape) not in KINDS or -1 in shape:
        told = "one that goes with an unknown length" if -1 in shape else f"{shape} a row"
        raise Mismatch(f"{name} gives a tensor of shape {told}; say by signal= what that is")
    if len(shape) == 2 and first.kind in ("sequence", "nodes", "tokens"):
        kind = "nodes" if first.kind == "nodes" else "sequence"
        if shape[0] == first.shape[0]:
            return Signal(kind, shape, grid=first.grid, mask=any(signal.mask for signal in inputs))
        if any(signal.mask for signal in inputs):
            raise Mismatch(f"{name} changes the length of {first}; say by signal= what leaves, and its mask")
    return Signal(KINDS[len(shape)], shape)


def check_padding(layer: Wrapped, inputs: tuple[Signal, ...], signals: tuple[Signal, ...]) -> None:
    """Makes sure, by trying, that what a module gives does not depend on what stands behind the end of a sequence.

    It is tried in evaluation and in training, where batch normalisation, say, takes its statistics from the batch.

    Raises:
        Mismatch: If it does: then it must be given the mask.
    """
    import torch

    sizes = [signal.shape[0] for signal in inputs if signal.mask]
    length = LENGTHS[0] if None in sizes else min(size for size in sizes if size is not None)
    real = length // 2
    with torch.random.fork_rng(devices=[]), torch.no_grad():
        torch.manual_seed(0)
        module = layer.module(*inputs)
        first = [tensor for signal in inputs for tensor in _examples(signal, length, mask=False)]
        second = [_refilled(tensor, signal, real) for tensor, signal in zip(first, inputs, strict=True)]
        for training in (False, True):
            try:
                one, other = [_given(module, tensors, training) for tensors in (first, second)]
            except Exception as error:  # a user's module may raise anything
                when = "in training" if training else "in evaluation"
                raise Mismatch("{} fails {} on {} ({})", layer, when, inputs[0], error) from error
            # In training some modules give more than in evaluation, or less.
            for signal, a, b in zip(signals, one, other, strict=not training):
                kept = slice(None, real) if signal.mask else slice(None)
                if not torch.allclose(a[:, kept].double(), b[:, kept].double(), atol=1e-5):
                    raise Mismatch(_on_padding(layer, inputs, training))


def _on_padding(layer: Wrapped, inputs: tuple[Signal, ...], training: bool) -> str:
    when = "in training, as statistics over the batch do, " if training else ""
    return (
        f"what {type(layer).__name__} gives for {inputs[0]} depends {when}on the padding behind the end of a "
        "sequence; have its forward take the mask, and wrap it with mask=True"
    )


def _given(module: Any, tensors: list[Any], training: bool) -> list[Any]:
    """What a module gives in training or evaluation, always with the same random numbers; it stays as it was."""
    import torch

    modes = [(each, each.training) for each in module.modules()]
    buffers = [(buffer, buffer.clone()) for buffer in module.buffers()]
    try:
        torch.manual_seed(1)
        given = module.train(training)(*tensors)
    finally:
        for each, mode in modes:
            each.training = mode
        for buffer, before in buffers:
            buffer.copy_(before)
    return list(given) if isinstance(given, (tuple, list)) else [given]


def _refilled(tensor: Any, signal: Signal, real: int) -> Any:
    """The same with other values behind the first ``real`` steps of a masked signal."""
    import torch

    if not signal.mask:
        return tensor
    behind = (torch.arange(tensor.shape[1]) >= real).reshape(1, -1, *[1] * (tensor.ndim - 2))
    other = torch.rand_like(tensor) + 1.0 if tensor.is_floating_point() else torch.full_like(tensor, _last(signal))
    return torch.where(behind, other, tensor)


def _last(signal: Signal) -> int:
    """The last category that all columns of tokens have."""
    return min(signal.vocabulary, default=1) - 1


def _run(layer: Wrapped, inputs: tuple[Signal, ...], length: int) -> tuple[list[tuple[int, ...]], int, int]:
    """Shapes that leave without the batch, parameters, and FLOPs for one row."""
    import torch

    trouble: Exception | None = None
    for device in ("meta", "cpu"):  # some modules look at values, which meta tensors have none of
        try:
            with torch.random.fork_rng(devices=[]), torch.no_grad(), torch.device(device):
                return _counted(layer, inputs, length, device)
        except (SpaceError, Mismatch):
            raise
        except Exception as error:  # a user's module may raise anything
            trouble = error
    name, taken = type(layer).__name__, " and ".join(map(str, inputs))
    said = f"{type(trouble).__name__}: {str(trouble).splitlines()[0] if str(trouble) else ''}"
    if isinstance(trouble, (RuntimeError, ValueError, IndexError, AssertionError)):
        raise Mismatch("{} cannot work on {} ({})", layer, taken, said) from trouble
    raise SpaceError(
        f"the module of {name} fails on {taken} ({said}); does its forward take {_told(inputs)}?"
    ) from trouble


def _told(inputs: tuple[Signal, ...]) -> str:
    shapes = [("B", *("T" if size is None else str(size) for size in signal.shape)) for signal in inputs]
    return " and ".join(f"({', '.join(shape)})" for shape in shapes)


def _counted(
    layer: Wrapped, inputs: tuple[Signal, ...], length: int, device: str
) -> tuple[list[tuple[int, ...]], int, int]:
    import torch
    from torch.utils.flop_counter import FlopCounterMode

    module = layer.module(*inputs).eval()
    tensors = [tensor for signal in inputs for tensor in _examples(signal, length, type(layer).uses_mask)]
    with _countable() if device == "cpu" else nullcontext(), FlopCounterMode(display=False) as counter:
        given = module(*tensors)
    left = list(given) if isinstance(given, (tuple, list)) else [given]
    for each in left:
        if not isinstance(each, torch.Tensor) or each.ndim == 0 or each.shape[0] != BATCH:
            what = (
                f"a tensor of shape {tuple(each.shape)}"
                if isinstance(each, torch.Tensor)
                else f"a {type(each).__name__}"
            )
            raise SpaceError(
                f"{type(layer).__name__} gives {what} for a batch of {BATCH}; it must give tensors, batch first"
            )
    params = sum(parameter.numel() for parameter in module.parameters())
    return [tuple(each.shape[1:]) for each in left], params, math.ceil(counter.get_total_flops() / BATCH)


@contextmanager
def _countable() -> Iterator[None]:
    """Attention and LSTM as the products that torch's counter counts; it misses the fused forms that a CPU has."""
    import torch
    from torch.nn.attention import SDPBackend, sdpa_kernel

    fast, dense = torch.backends.mha.get_fastpath_enabled(), torch.backends.mkldnn
    torch.backends.mha.set_fastpath_enabled(False)
    try:
        with sdpa_kernel(SDPBackend.MATH), dense.flags(enabled=False, allow_tf32=dense.allow_tf32):
            yield
    finally:
        torch.backends.mha.set_fastpath_enabled(fast)


def _examples(signal: Signal, length: int, mask: bool) -> list[Any]:
    import torch

    if signal.kind in ("group", "edges"):
        raise Mismatch(f"a wrapped module takes no {signal.kind}; write a Layer with a signal rule of its own")
    sizes = [length if size is None else size for size in signal.shape]
    tokens = signal.kind == "tokens"
    values = torch.zeros(BATCH, *sizes, dtype=torch.int64) if tokens else torch.rand(BATCH, *sizes)
    return [values, torch.ones(BATCH, sizes[0], dtype=torch.bool)] if signal.mask and mask else [values]
