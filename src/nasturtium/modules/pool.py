"""Pooling of sequences over their real steps, locally and as a whole, and of whole images."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class SequencePool(nn.Module):
    """A whole sequence (B, T, C) as one vector (B, C), from its real steps; zeros if it has none.

    Args:
        kind: ``mean``, ``max``, ``mixed`` (the mean of both) or ``last`` (the last real step).
    """

    def __init__(self, kind: str) -> None:
        super().__init__()
        self.kind = kind

    def forward(self, x: Tensor, mask: Tensor | None = None) -> Tensor:
        """Pool x (B, T, C); mask (B, T) is True where a step is real."""
        if self.kind == "mean":
            return self._mean(x, mask)
        if self.kind == "max":
            return self._max(x, mask)
        if self.kind == "mixed":
            return 0.5 * (self._mean(x, mask) + self._max(x, mask))
        return self._last(x, mask)

    def _mean(self, x: Tensor, mask: Tensor | None) -> Tensor:
        if mask is None:
            return x.mean(1)
        count = mask.sum(1, keepdim=True).clamp(min=1)
        return x.masked_fill(~mask.unsqueeze(-1), 0.0).sum(1) / count

    def _max(self, x: Tensor, mask: Tensor | None) -> Tensor:
        if mask is None:
            return x.amax(1)
        lowest = torch.finfo(x.dtype).min
        highest = x.masked_fill(~mask.unsqueeze(-1), lowest).amax(1)
        return highest.masked_fill(~mask.any(1, keepdim=True), 0.0)

    def _last(self, x: Tensor, mask: Tensor | None) -> Tensor:
        if mask is None:
            return x[:, -1]
        steps = torch.arange(1, mask.shape[1] + 1, device=mask.device)
        place = (mask * steps).amax(1)  # number of the last real step, from 1; 0 if there is none
        chosen = x.gather(1, (place - 1).clamp(min=0).view(-1, 1, 1).expand(-1, 1, x.shape[-1])).squeeze(1)
        return chosen.masked_fill((place == 0).unsqueeze(-1), 0.0)

    def extra_repr(self) -> str:
        """The kind of pooling."""
        return repr(self.kind)


class ImagePool(nn.Module):
    """A whole image (B, C, H, W) as one vector (B, C).

    Args:
        kind: ``mean``, ``max`` or ``mixed`` (the mean of both).
    """

    def __init__(self, kind: str) -> None:
        super().__init__()
        self.kind = kind

    def forward(self, x: Tensor) -> Tensor:
        """Pool x (B, C, H, W)."""
        if self.kind == "mean":
            return x.mean((2, 3))
        if self.kind == "max":
            return x.amax((2, 3))
        return 0.5 * (x.mean((2, 3)) + x.amax((2, 3)))

    def extra_repr(self) -> str:
        """The kind of pooling."""
        return repr(self.kind)


class WindowPool(nn.Module):
    """Maximum or mean over windows of a sequence (B, T, C); only real steps count.

    Args:
        kind: ``max`` or ``mean``.
        kernel: Steps in a window.
        stride: Steps from window to window; the output has ceil(T / stride).
        left: Padding before the first step.
    """

    def __init__(self, kind: str, kernel: int, stride: int, left: int) -> None:
        super().__init__()
        self.kind, self.kernel, self.stride = kind, kernel, stride
        self.left, self.right = left, kernel - 1 - left

    def forward(self, x: Tensor, mask: Tensor | None = None) -> Tensor | tuple[Tensor, Tensor]:
        """Pool.

        Args:
            x: (B, T, C).
            mask: (B, T), True where a step is real.

        Returns:
            (B, ceil(T / stride), C), zero where no step is real; and the mask there if one was given.
        """
        real = x.new_ones(1, x.shape[1], 1) if mask is None else mask.unsqueeze(-1).to(x.dtype)
        pooled = self._max(x, mask) if self.kind == "max" else self._windows(self._zeroed(x, mask)) / self._share(real)
        if mask is None:
            return pooled
        left = mask[:, :: self.stride]
        return pooled.masked_fill(~left.unsqueeze(-1), 0.0), left

    def _zeroed(self, x: Tensor, mask: Tensor | None) -> Tensor:
        return x if mask is None else x.masked_fill(~mask.unsqueeze(-1), 0.0)

    def _share(self, real: Tensor) -> Tensor:
        return self._windows(real).clamp(min=1.0 / self.kernel)

    def _windows(self, x: Tensor) -> Tensor:
        padded = F.pad(x, (0, 0, self.left, self.right)).transpose(1, 2).unsqueeze(2)  # (B, C, 1, T)
        return F.avg_pool2d(padded, (1, self.kernel), (1, self.stride)).squeeze(2).transpose(1, 2)

    def _max(self, x: Tensor, mask: Tensor | None) -> Tensor:
        lowest = torch.finfo(x.dtype).min
        if mask is not None:
            x = x.masked_fill(~mask.unsqueeze(-1), lowest)
        padded = F.pad(x, (0, 0, self.left, self.right), value=lowest).transpose(1, 2).unsqueeze(2)
        return F.max_pool2d(padded, (1, self.kernel), (1, self.stride)).squeeze(2).transpose(1, 2)

    def extra_repr(self) -> str:
        """Kind and sizes."""
        return f"{self.kind!r}, kernel={self.kernel}, stride={self.stride}"


class AttentionPool(nn.Module):
    """The weighted mean of the real steps of a sequence, weighted by a softmax of learned scores.

    Args:
        channels: Of the sequence.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.score = nn.Linear(channels, 1, bias=False)

    def forward(self, x: Tensor, mask: Tensor | None = None) -> Tensor:
        """Pool x (B, T, C), of which mask (B, T) says what is real, to (B, C); a sequence of padding alone to 0."""
        scores: Tensor = self.score(x)  # (B, T, 1)
        if mask is None:
            return (scores.softmax(1) * x).sum(1)
        real = mask.unsqueeze(-1)
        shares = scores.masked_fill(~real, torch.finfo(scores.dtype).min).softmax(1).masked_fill(~real, 0.0)
        return (shares * x.masked_fill(~real, 0.0)).sum(1)
