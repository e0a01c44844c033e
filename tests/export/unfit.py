"""A module that needs more than torch."""

from __future__ import annotations

import numpy as np
from torch import Tensor, nn


class NumpyModule(nn.Module):
    """Adds a number of numpy's."""

    def forward(self, x: Tensor) -> Tensor:
        """Add."""
        return x + float(np.pi)
