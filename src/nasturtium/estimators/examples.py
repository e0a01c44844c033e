"""Example inputs: random tensors for signals, as a network receives them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import torch
from torch import Tensor

from nasturtium.space.signal import Signal


def example_inputs(
    signals: Iterable[Signal], batch: int, device: torch.device | str = "cpu", length: int = 64
) -> tuple[Tensor, ...]:
    """Random tensors for the signals in order, each mask behind its values; nothing is padded.

    Args:
        signals: What the network receives.
        batch: Rows.
        device: Where the tensors are made.
        length: Stands for sizes that depend on the data.
    """
    signals = tuple(signals)
    nodes = next((signal.shape[0] for signal in signals if signal.kind == "nodes"), None) or length
    return tuple(tensor for signal in signals for tensor in _tensors(signal, batch, device, length, nodes))


def _tensors(signal: Signal, batch: int, device: torch.device | str, length: int, nodes: int) -> Iterator[Tensor]:
    for _, member in signal.members:
        yield from _tensors(member, batch, device, length, nodes)
    sizes = [length if size is None else size for size in signal.shape]
    if signal.kind == "tokens":
        yield torch.randint(0, signal.vocabulary[0], (batch, *sizes), device=device)
    elif signal.kind == "edges":
        yield torch.randint(0, nodes, (batch, 2, *sizes), device=device)
    elif signal.kind != "group":
        yield torch.randn(batch, *sizes, device=device)
    if signal.mask:
        yield torch.ones(batch, sizes[0] if sizes else length, dtype=torch.bool, device=device)
