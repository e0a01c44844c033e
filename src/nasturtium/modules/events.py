"""Event sequences: the members of a group, encodings of times that are scaled within each sequence, learned queries."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn


class Members(nn.Module):
    """Hands on the tensors of a group, each as a value of its own."""

    def forward(self, *tensors: Tensor) -> Tensor | tuple[Tensor, ...]:
        """The tensors; a single one as it is."""
        return tensors[0] if len(tensors) == 1 else tensors


class FirstInput(nn.Module):
    """The first of the tensors it is given."""

    def forward(self, x: Tensor, *others: Tensor) -> Tensor:
        """The first."""
        return x


class ScaledTimeWaves(nn.Module):
    """Adds sine and cosine of the times of a sequence, scaled so that its first real step is 0 and its last ``span``.

    A sequence whose times are all equal has all at 0. Padding has no say, and gets time 0 too.

    Args:
        channels: Channels of the sequence.
        span: What the last time becomes; the shortest wavelength is 2 pi.
        masked: Whether a mask follows the sequence.
        timed: Whether times (B, T, 1) come in; else the positions stand for them.
    """

    frequencies: Tensor

    def __init__(self, channels: int, span: float = 1.0, masked: bool = False, timed: bool = False) -> None:
        super().__init__()
        self.channels, self.span, self.masked, self.timed = channels, span, masked, timed
        pairs = (channels + 1) // 2
        steps = torch.arange(pairs) * (-math.log(10_000.0) / pairs)
        self.register_buffer("frequencies", steps.exp(), persistent=False)

    def forward(self, x: Tensor, *rest: Tensor) -> Tensor:
        """Add the encoding to x (B, T, C)[, its mask (B, T)][, times (B, T, 1)[, their mask]]."""
        mask = rest[0].unsqueeze(-1) if self.masked else None  # (B, T, 1)
        given = rest[1 if self.masked else 0 :]
        if self.timed:
            times = given[0].to(self.frequencies.dtype)
            real = given[1].unsqueeze(-1) if len(given) > 1 else mask
        else:
            times = torch.arange(x.shape[1], device=x.device, dtype=self.frequencies.dtype).view(1, -1, 1)
            real = mask
        angles = self.span * _scaled(times, real) * self.frequencies  # (B, T, pairs)
        waves = torch.stack((angles.sin(), angles.cos()), -1).flatten(-2)[..., : self.channels]
        return x + waves.to(x.dtype)

    def extra_repr(self) -> str:
        """What it is made for."""
        return f"{self.channels}, span={self.span}, masked={self.masked}, timed={self.timed}"


def _scaled(times: Tensor, real: Tensor | None) -> Tensor:
    """Times (B, T, 1) from 0 to 1 over the real steps of each sequence."""
    if real is None:
        low, high = times.amin(1, keepdim=True), times.amax(1, keepdim=True)
    else:
        low = times.masked_fill(~real, math.inf).amin(1, keepdim=True)
        high = times.masked_fill(~real, -math.inf).amax(1, keepdim=True)
    length = high - low
    scaled = (times - low) / torch.where(length > 0, length, torch.ones_like(length))
    return scaled if real is None else scaled.masked_fill(~real, 0.0)


class LearnedQueries(nn.Module):
    """Learned vectors, the same for every example, beside a sequence.

    Args:
        count: Number of vectors.
        channels: Channels of each.
    """

    def __init__(self, count: int, channels: int) -> None:
        super().__init__()
        self.table = nn.Parameter(torch.randn(count, channels))

    def forward(self, x: Tensor) -> Tensor:
        """The vectors for each example of x (B, T, C): (B, count, C)."""
        return self.table.to(x.dtype).expand(x.shape[0], -1, -1)

    def extra_repr(self) -> str:
        """Number and channels."""
        return f"{self.table.shape[0]}, {self.table.shape[1]}"


class GapEncoding(nn.Module):
    """Adds what the time since the event before says: its logarithm, or waves of learned lengths, mapped to channels.

    Args:
        channels: Channels of the sequence.
        kind: ``log`` for log(1 + gap), or ``learned`` for one linear and else periodic functions of it, as in Time2Vec
            (Kazemi et al. 2019, arXiv:1907.05321).
        waves: Functions of a learned encoding.
        masked: Whether a mask follows the sequence.
    """

    def __init__(self, channels: int, kind: str = "log", waves: int = 8, masked: bool = False) -> None:
        super().__init__()
        self.kind, self.masked = kind, masked
        self.inside = nn.Linear(1, waves) if kind == "learned" else None
        self.outside = nn.Linear(waves if kind == "learned" else 1, channels)

    def forward(self, x: Tensor, *rest: Tensor) -> Tensor:
        """Add the encoding to x (B, T, C)[, its mask (B, T)], times (B, T, 1)[, their mask]."""
        times = rest[1 if self.masked else 0].to(self.outside.weight.dtype)  # bfloat16 would round gaps away
        gaps = torch.cat((torch.zeros_like(times[:, :1]), times[:, 1:] - times[:, :-1]), 1)
        said = torch.log1p(gaps.clamp(min=0))  # (B, T, 1)
        if self.inside is not None:
            waves = self.inside(said)  # of the logarithm, as gaps span decades
            said = torch.cat((waves[..., :1], waves[..., 1:].sin()), -1)
        added: Tensor = self.outside(said)
        return x + added.to(x.dtype)

    def extra_repr(self) -> str:
        """What it is made for."""
        return f"{self.outside.out_features}, {self.kind}, masked={self.masked}"
