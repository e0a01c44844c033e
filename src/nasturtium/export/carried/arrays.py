"""Raw arrays as a network's inputs, as they were in training."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor


def encode_arrays(raw: Any, coding: dict[str, Any]) -> tuple[Tensor, ...]:
    """Raw rows (a tensor, an array, nested lists, or a list of sequences) as the tensors that the network takes.

    Raises:
        ValueError: If they are shaped otherwise than in training, or hold what a network cannot take.
    """
    kind, shape = coding["kind"], tuple(coding["shape"])
    values, real = arrange(raw, kind, coding["axis"], shape[0] if coding["masked"] else None)
    expected = (values.shape[1], *shape[1:]) if shape[0] is None else shape  # None: any number of steps
    if tuple(values.shape[1:]) != expected:
        raise ValueError(f"rows have the shape {tuple(values.shape[1:])}; the network was trained with {shape}")
    if real is not None and not coding["masked"] and not real.all():
        raise ValueError(f"sequences differ in length; the network was trained with {shape[0]} steps")
    if not torch.isfinite(values).all():
        raise ValueError("there are missing or infinite values")
    if kind == "tokens":
        if values.min() < 0 or values.max() >= coding["vocabulary"]:
            raise ValueError(f"tokens must be 0 to {coding['vocabulary'] - 1}")
        scaled = values.long()  # (N, T)
    else:
        values = values[:, list(coding["kept"])] if kind == "vector" else values
        over = (-1, 1, 1) if kind == "image" else (-1,)
        mean, std = (torch.tensor(coding[name], dtype=torch.float64).reshape(over) for name in ("mean", "std"))
        scaled = ((values - mean) / std).float()
    if not coding["masked"]:
        return (scaled,)
    real = torch.ones(scaled.shape[:2], dtype=torch.bool) if real is None else real
    scaled[~real] = 0
    return scaled, real  # (N, T, C) or (N, T); (N, T), True where a step is real


def arrange(raw: Any, kind: str, axis: str, length: int | None) -> tuple[Tensor, Tensor | None]:
    """Rows in the layout of a network, as float64, and which steps are real where sequences differ in length."""
    rows = [torch.as_tensor(row, dtype=torch.float64) for row in raw] if isinstance(raw, (list, tuple)) else []
    if len({tuple(row.shape) for row in rows}) > 1:
        if kind not in ("sequence", "tokens"):
            raise ValueError(f"rows differ in shape; each must be one {kind}")
        return padded(rows, kind, length)
    values = torch.stack(rows) if rows else torch.as_tensor(raw, dtype=torch.float64)
    ranks = {"vector": values.dim(), "tokens": 2, "sequence": 3 if values.dim() == 3 else 2}
    expected = ranks.get(kind, {"flat": 2, "none": 3}.get(axis, 4))
    if values.dim() != expected or values.dim() == 0 or values.numel() == 0:
        raise ValueError(f"an array of shape {tuple(values.shape)} does not hold one {kind} a row")
    if kind == "vector":
        return values.reshape(len(values), -1), None  # (N, D)
    if kind == "image":
        return arrange_images(values, axis), None  # (N, C, H, W)
    values = values.unsqueeze(-1) if kind == "sequence" and values.dim() == 2 else values
    real = trailing(values) if kind == "sequence" else None
    if real is not None:
        values = values.masked_fill(~real.unsqueeze(-1), 0.0)
    if length is not None and values.shape[1] != length:
        steps = torch.ones(values.shape[:2], dtype=torch.bool) if real is None else real
        return padded([row[here] for row, here in zip(values, steps, strict=True)], kind, length)
    return values, real


def arrange_images(values: Tensor, axis: str) -> Tensor:
    """Images as (N, C, H, W), whose channels come first, last, not at all, or that are flat rows of pixels."""
    if axis == "flat":
        side = round(values.shape[1] ** 0.5)
        return values.reshape(len(values), 1, side, side)
    if axis == "none":
        return values.unsqueeze(1)
    return values.movedim(-1, 1) if axis == "last" else values


def trailing(values: Tensor) -> Tensor | None:
    """Which steps (N, T) are real where NaN in all channels fills sequences (N, T, C) up, or None."""
    empty = values.isnan().all(2)
    if not empty.any():
        return None
    return empty.flip(1).long().cumprod(1).flip(1) == 0


def padded(rows: list[Tensor], kind: str, length: int | None) -> tuple[Tensor, Tensor]:
    """Sequences filled up with zeros to a common length, and which steps are real."""
    longest = max(len(row) for row in rows)
    if length is not None and longest > length:
        raise ValueError(f"a sequence has {longest} steps; the longest in training had {length}")
    steps = longest if length is None else length
    rows = [row.reshape(len(row), -1) if kind == "sequence" else row for row in rows]
    values = rows[0].new_zeros(len(rows), steps, *rows[0].shape[1:])
    real = torch.zeros(len(rows), steps, dtype=torch.bool)
    for number, row in enumerate(rows):
        values[number, : len(row)] = row
        real[number, : len(row)] = True
    return values, real
