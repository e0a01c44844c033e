"""Convolution over the steps of a sequence, aware of padding."""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor, nn


class SequenceConv1d(nn.Conv1d):
    """A one-dimensional convolution on (B, T, C) whose output has ceil(T / stride) steps.

    It runs as a two-dimensional one on (B, C, 1, T), which is channels-last memory as it stands: twice as
    fast on the CPU as a transposed ``nn.Conv1d``. The steps are padded on the left independently of T, so
    that a sequence gives the same result however long it was padded; padding is zeroed before.

    Args:
        inputs, outputs: Channels.
        kernel, stride, dilation, groups, bias: As in ``nn.Conv1d``.
        left: Zeros put before the first step.
    """

    def __init__(
        self,
        inputs: int,
        outputs: int,
        kernel: int,
        stride: int = 1,
        dilation: int = 1,
        groups: int = 1,
        bias: bool = True,
        left: int = 0,
    ) -> None:
        super().__init__(inputs, outputs, kernel, stride, dilation=dilation, groups=groups, bias=bias)
        self.left = left
        self.right = dilation * (kernel - 1) - left

    def forward(self, x: Tensor, mask: Tensor | None = None) -> Tensor | tuple[Tensor, Tensor]:  # type: ignore[override]
        """Convolve.

        Args:
            x: (B, T, C).
            mask: (B, T), True where a step is real.

        Returns:
            (B, ceil(T / stride), outputs), and the mask at those steps if one was given.
        """
        if mask is not None:
            x = x.masked_fill(~mask.unsqueeze(-1), 0.0)
        if self.left != self.right:
            x = F.pad(x, (0, 0, self.left, self.right))
        padding = (0, self.left if self.left == self.right else 0)
        x = x.transpose(1, 2).unsqueeze(2)  # (B, C, 1, T)
        stride, dilation = (1, self.stride[0]), (1, self.dilation[0])
        y = F.conv2d(x, self.weight.unsqueeze(2), self.bias, stride, padding, dilation, self.groups)
        y = y.squeeze(2).transpose(1, 2)  # (B, T', O)
        return y if mask is None else (y, mask[:, :: self.stride[0]])

    def extra_repr(self) -> str:
        """Channels and window."""
        return (
            f"{self.in_channels}, {self.out_channels}, kernel={self.kernel_size[0]}, "
            f"stride={self.stride[0]}, dilation={self.dilation[0]}, groups={self.groups}, left={self.left}"
        )
