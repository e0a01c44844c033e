"""Encodings of where a step stands in a sequence, or when an event happened."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn


def _frequencies(channels: int, longest: float) -> Tensor:
    """Angular frequencies from 1 down to 1 / longest, one for each pair of channels."""
    pairs = (channels + 1) // 2
    return torch.exp(torch.arange(pairs) * (-math.log(longest) / max(pairs, 1)))


def _waves(positions: Tensor, frequencies: Tensor, channels: int) -> Tensor:
    """Sine and cosine of positions (..., 1) in turn: (..., channels)."""
    angles = positions * frequencies  # (..., pairs)
    return torch.stack((angles.sin(), angles.cos()), -1).flatten(-2)[..., :channels]


class SinusoidalPositions(nn.Module):
    """Adds sin and cos of the position, with wavelengths from 2 pi to 20,000 pi (Vaswani et al. 2017, section
    3.5).

    Args:
        channels: Channels of the sequence.
    """

    frequencies: Tensor

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.channels = channels
        self.register_buffer("frequencies", _frequencies(channels, 10_000.0), persistent=False)

    def forward(self, x: Tensor) -> Tensor:
        """Add the encoding to x (B, T, C); computed anew, so that any length will do."""
        steps = torch.arange(x.shape[1], device=x.device, dtype=self.frequencies.dtype).unsqueeze(-1)
        return x + _waves(steps, self.frequencies, self.channels).to(x.dtype)


class LearnedPositions(nn.Module):
    """Adds a learned vector for each position.

    Args:
        longest: Number of positions; shorter sequences use the first ones.
        channels: Channels of the sequence.
    """

    def __init__(self, longest: int, channels: int) -> None:
        super().__init__()
        self.table = nn.Parameter(torch.empty(longest, channels))
        nn.init.trunc_normal_(self.table, std=0.02)

    def forward(self, x: Tensor) -> Tensor:
        """Add the encoding to x (B, T, C), T at most ``longest``."""
        return x + self.table[: x.shape[1]]


class TimeWaves(nn.Module):
    """Sine and cosine of given times, with wavelengths from 2 pi to 2 pi * longest time units.

    Args:
        channels: Channels of the encoding.
        longest: Ratio of the longest wavelength to the shortest.
    """

    frequencies: Tensor

    def __init__(self, channels: int, longest: float) -> None:
        super().__init__()
        self.channels = channels
        self.register_buffer("frequencies", _frequencies(channels, longest), persistent=False)

    def forward(self, times: Tensor) -> Tensor:
        """Encode times (B, T, 1) as (B, T, channels)."""
        return _waves(times, self.frequencies, self.channels)


class AddedTimeWaves(TimeWaves):
    """Adds sine and cosine of given times to a sequence."""

    def forward(self, x: Tensor, times: Tensor) -> Tensor:  # type: ignore[override]
        """Add the encoding of times (B, T, 1) to x (B, T, C)."""
        return x + super().forward(times).to(x.dtype)
