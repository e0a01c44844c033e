"""Operations on bare axes: windows of an image as a sequence, dot products, learned offsets, means."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class Unfold(nn.Module):
    """The windows of an image (B, C, H, W) as a sequence (B, T, C * kernel * kernel), row by row.

    Args:
        kernel: Side of a window.
        stride: Places from window to window.
        padding: Zeros on each side.
    """

    def __init__(self, kernel: int, stride: int, padding: int) -> None:
        super().__init__()
        self.kernel, self.stride, self.padding = kernel, stride, padding

    def forward(self, x: Tensor) -> Tensor:
        """Unfold."""
        if self.kernel == 1 and self.padding == 0:  # no copy is needed
            return x[:, :, :: self.stride, :: self.stride].flatten(2).transpose(1, 2)
        columns = F.unfold(x, self.kernel, padding=self.padding, stride=self.stride)  # (B, C * kernel * kernel, T)
        return columns.transpose(1, 2)

    def extra_repr(self) -> str:
        """The sizes."""
        return f"{self.kernel}, stride={self.stride}, padding={self.padding}"


class DotProduct(nn.Module):
    """The matrix product of two tensors over their last two axes.

    Args:
        inner: Length of the axis that is summed over, if the product is divided by its square root.
    """

    def __init__(self, inner: int | None = None) -> None:
        super().__init__()
        self.inner = inner

    def forward(self, a: Tensor, b: Tensor) -> Tensor:
        """a (..., n, inner) times b (..., inner, m): (..., n, m)."""
        return a @ b if self.inner is None else (a / math.sqrt(self.inner)) @ b

    def extra_repr(self) -> str:
        """What it divides by."""
        return "" if self.inner is None else f"scaled by 1 / sqrt({self.inner})"


class LearnedOffset(nn.Module):
    """Adds a learned value to each number of an example.

    Args:
        shape: Sizes of an example.
    """

    def __init__(self, shape: tuple[int, ...]) -> None:
        super().__init__()
        self.offset = nn.Parameter(torch.randn(1, *shape))

    def forward(self, x: Tensor) -> Tensor:
        """Add."""
        return x + self.offset

    def extra_repr(self) -> str:
        """The shape."""
        return str(tuple(self.offset.shape[1:]))


class MeanOverRest(nn.Module):
    """The mean over all axes but the batch and the first one: (B, N, ...) becomes (B, N)."""

    def forward(self, x: Tensor) -> Tensor:
        """Mean."""
        return x.flatten(2).mean(-1)
