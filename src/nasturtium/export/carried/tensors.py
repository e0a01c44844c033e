"""The tensors of a dataset's items as a network's inputs, as they were in training."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor


def encode_tensors(raw: Any, coding: dict[str, Any]) -> tuple[Tensor, ...]:
    """Rows as the tensors that the network takes: bytes divided as in training, tokens and masks as integers and bools.

    Args:
        raw: One tensor, array or nested list, rows first; a tuple of them if a row has several tensors.
        coding: What a row has: ``signals`` (kind, shape, grid, masked, ...) and ``divisors``, one for each tensor.

    Raises:
        ValueError: If there are more or fewer tensors, or rows are shaped otherwise than in training.
    """
    expected: list[tuple[str, list[int | None]]] = []
    for kind, shape, _, masked, *_ in coding["signals"]:
        expected += [(kind, shape), ("mask", shape[:1])] if masked else [(kind, shape)]
    given = raw if isinstance(raw, tuple) and len(expected) > 1 else (raw,)
    if len(given) != len(expected):
        raise ValueError(f"a row has {len(expected)} tensors; give a tuple of as many")
    tensors = []
    for number, (values, (kind, shape), divisor) in enumerate(zip(given, expected, coding["divisors"], strict=True)):
        tensor = torch.as_tensor(values)
        if kind == "image" and tensor.dim() == 3 and shape[0] == 1:
            tensor = tensor[:, None]  # (N, H, W) to (N, 1, H, W)
        if kind == "vector" and tensor.dim() == 1 and list(shape) == [1]:
            tensor = tensor[:, None]  # (N,) to (N, 1)
        sizes = list(tensor.shape[1:])
        if len(sizes) != len(shape) or any(want not in (None, size) for size, want in zip(sizes, shape, strict=True)):
            raise ValueError(f"input {number} has rows of shape {tuple(sizes)}; the network was trained with {shape}")
        tensors.append(typed(tensor, kind, divisor))
    return tuple(tensors)


def typed(tensor: Tensor, kind: str, divisor: float) -> Tensor:
    """Values in the type that the network takes."""
    if kind in ("mask", "tokens"):
        return tensor.bool() if kind == "mask" else tensor.long()
    numbers = tensor.float()
    if not torch.isfinite(numbers).all():
        raise ValueError("there are missing or infinite values")
    return numbers / divisor if divisor != 1 else numbers
