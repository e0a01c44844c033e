"""A diagonal state-space model over sequences, as a long convolution."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class DiagonalStateSpace(nn.Module):
    """S4D-Lin (Gu et al. 2022, arXiv:2206.11893): for each channel a linear system with complex diagonal states.

    With states h' = A h + B x, y = 2 Re(C h) + D x, A = -exp(a) + i w and B = 1, held constant over steps of length
    exp(s), the answer to x is a convolution with K_t = 2 Re sum_n C_n (exp(A_n dt) - 1) / A_n exp(A_n dt t), which is
    taken by Fourier transforms. It runs forwards, so that padding after the real steps changes none of them. Making the
    kernel takes some six tensors of channels x states x length.

    Args:
        channels: Of the sequence.
        states: Of each channel, complex conjugates counted once.
        masked: Whether a mask follows the sequence.

    Attributes:
        gentle: Parameters that are to be trained slowly and without weight decay, as in the paper: A and dt.
    """

    gentle = ("steps", "decay", "frequency")

    def __init__(self, channels: int, states: int = 16, masked: bool = False) -> None:
        super().__init__()
        self.masked = masked
        low, high = math.log(0.001), math.log(0.1)
        self.steps = nn.Parameter(torch.rand(channels) * (high - low) + low)  # logarithms of dt
        self.decay = nn.Parameter(torch.full((channels, states), math.log(0.5)))
        self.frequency = nn.Parameter(math.pi * torch.arange(states).float().expand(channels, -1).clone())
        self.weight = nn.Parameter(torch.randn(channels, states, 2) * math.sqrt(0.5))  # real and imaginary parts of C
        self.skip = nn.Parameter(torch.randn(channels))

    def kernel(self, length: int) -> Tensor:
        """The answer of each channel to a single 1, (C, length)."""
        decay, dt = -self.decay.exp(), self.steps.exp().unsqueeze(1)  # (C, N), (C, 1)
        time = torch.arange(length, device=dt.device, dtype=dt.dtype)
        # complex numbers by hand, as exporters know them badly: (C, N) each
        size, angle = (decay * dt).exp(), self.frequency * dt
        real = torch.expm1(decay * dt) * angle.cos() - 2 * (angle / 2).sin() ** 2  # of exp(A dt) - 1, for small dt too
        imaginary = size * angle.sin()
        norm = decay**2 + self.frequency**2
        held = (real * decay + imaginary * self.frequency) / norm, (imaginary * decay - real * self.frequency) / norm
        c = self.weight.unbind(-1)
        into = c[0] * held[0] - c[1] * held[1], c[0] * held[1] + c[1] * held[0]
        fades = (decay * dt).unsqueeze(-1) * time  # (C, N, T)
        turns = angle.unsqueeze(-1) * time
        waves = into[0].unsqueeze(-1) * turns.cos() - into[1].unsqueeze(-1) * turns.sin()
        return 2 * (fades.exp() * waves).sum(1)

    def forward(self, x: Tensor, mask: Tensor | None = None) -> Tensor:
        """Run over x (B, T, C); mask (B, T) is True where a step is real. Gives (B, T, C)."""
        if mask is not None:
            x = x.masked_fill(~mask.unsqueeze(-1), 0.0)
        steps = x.transpose(1, 2).float()  # (B, C, T)
        y: Tensor = convolved(steps, self.kernel(x.shape[1])) + self.skip.unsqueeze(-1) * steps
        return y.transpose(1, 2).to(x.dtype)

    def extra_repr(self) -> str:
        """Channels and states."""
        return f"{self.weight.shape[0]}, states={self.weight.shape[1]}, masked={self.masked}"


def convolved(x: Tensor, kernel: Tensor) -> Tensor:
    """The sum over s up to t of kernel[c, t - s] x[b, c, s], for x (B, C, T) and kernel (C, T); (B, C, T).

    By Fourier transforms, in T log T; as one convolution, in T^2, where the network is exported: ONNX Runtime cannot
    transform sequences whose length is left open.
    """
    length = x.shape[-1]
    if torch.compiler.is_compiling():
        return F.conv1d(F.pad(x, (length - 1, 0)), kernel.flip(-1).unsqueeze(1), groups=x.shape[1])
    spectrum = torch.fft.rfft(x, n=2 * length) * torch.fft.rfft(kernel, n=2 * length)
    found: Tensor = torch.fft.irfft(spectrum, n=2 * length)[..., :length]
    return found
