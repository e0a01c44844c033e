"""A recurrent cell unrolled over the steps of a sequence, and what cells are made of."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn


class LinearSum(nn.Module):
    """The sum of a linear map of each input, and one constant.

    Args:
        inputs: Channels of each input.
        outputs: Channels that leave.
    """

    def __init__(self, inputs: Sequence[int], outputs: int) -> None:
        super().__init__()
        self.linear = nn.Linear(sum(inputs), outputs)
        for parameter in self.parameters():
            nn.init.uniform_(parameter, -(outputs**-0.5), outputs**-0.5)  # as recurrent layers of torch

    def forward(self, *inputs: Tensor) -> Tensor:
        """Map tensors (..., C); all sizes but the last are equal."""
        joined = inputs[0] if len(inputs) == 1 else torch.cat(inputs, -1)
        mapped: Tensor = self.linear(joined)
        return mapped


class Blend(nn.Module):
    """A gate between two values: z * x + (1 - z) * y."""

    def forward(self, z: Tensor, x: Tensor, y: Tensor) -> Tensor:
        """Blend tensors of one shape."""
        return y + z * (x - y)  # torch.lerp wants all three of one precision, which they are not under autocast


class UnrolledCell(nn.Module):
    """Runs a cell over the steps of a sequence; at padding the states stay as they are.

    Args:
        cell: Called with a step (B, C) and the states (B, hidden); it returns as many new states (one tensor for
            one state).
        hidden: Channels of a state.
        states: How many states there are; they begin as zeros.
        limit: The states are kept within plus and minus this number, if given.
    """

    def __init__(self, cell: nn.Module, hidden: int, states: int, limit: float | None = None) -> None:
        super().__init__()
        self.cell = cell
        self.hidden, self.states, self.limit = hidden, states, limit

    def forward(self, x: Tensor, mask: Tensor | None = None) -> Tensor:
        """The first state after each step, (B, T, hidden), for x (B, T, C) and a mask (B, T), True where real."""
        states: tuple[Tensor, ...] = (x.new_zeros(x.shape[0], self.hidden),) * self.states
        left = []
        for step, here in enumerate(x.unbind(1)):
            made: Any = self.cell(here, *states)  # (B, hidden) each
            new: tuple[Tensor, ...] = made if isinstance(made, tuple) else (made,)
            if self.limit is not None:
                new = tuple([state.clamp(-self.limit, self.limit) for state in new])
            if mask is not None:
                real = mask[:, step : step + 1]
                new = tuple([torch.where(real, after, before) for after, before in zip(new, states, strict=True)])
            states = new
            left.append(states[0])
        return torch.stack(left, 1)  # (B, T, hidden)

    def extra_repr(self) -> str:
        """Sizes."""
        return f"hidden={self.hidden}, states={self.states}, limit={self.limit}"


class UnrolledStack(nn.Module):
    """Unrolled cells one after another; the mask of a padded sequence is handed on.

    Args:
        cells: The unrolled cells.
        between: What stands between two of them, one less than cells (dropout).
    """

    def __init__(self, cells: Sequence[nn.Module], between: Sequence[nn.Module]) -> None:
        super().__init__()
        self.cells = nn.ModuleList(cells)
        self.between = nn.ModuleList(between)

    def forward(self, x: Tensor, mask: Tensor | None = None) -> Tensor | tuple[Tensor, Tensor]:
        """Run over x (B, T, C); gives (B, T, hidden), and the mask (B, T) if one was given."""
        for index, cell in enumerate(self.cells):
            if index:
                x = self.between[index - 1](x)
            x = cell(x, mask)
        return x if mask is None else (x, mask)
