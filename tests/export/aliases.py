"""A module that knows what it uses by other names, and constants that one statement defines."""

from __future__ import annotations

from torch import Tensor, nn

from tests.export.layers import Base as Parent
from tests.export.layers import leaky as soft

LOW, HIGH = -1.0, 1.0
FIRST = SECOND = 0.5


class Clamped(Parent):
    """Between two bounds."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.layer = nn.Linear(channels, channels)

    def forward(self, x: Tensor) -> Tensor:
        """Clamp x (B, C)."""
        return soft(self.scaled(self.layer(x))).clamp(LOW, HIGH) * SECOND + FIRST
