"""What a proxy without a value raises, and what counts as the failure of a network rather than of a proxy."""

from __future__ import annotations

from collections.abc import Iterable

import torch
from torch import Tensor

from nasturtium.errors import NasturtiumError

FAILURES = (RuntimeError, ValueError, ArithmeticError, LookupError, TypeError, AttributeError, AssertionError)
"""What is raised where a network cannot run on a batch (another number of inputs, a token beyond the vocabulary, an
assertion of its own), or cannot be differentiated (twice). NotImplementedError is a RuntimeError."""


class Undefined(NasturtiumError):
    """A proxy has no value for a network; the text says why.

    Attributes:
        lowest: Whether that is because the value is minus infinity, as the logarithm of nothing, so that the network
            ranks below all others by this proxy; otherwise nothing is known of it.
    """

    def __init__(self, why: str, lowest: bool = False) -> None:
        super().__init__(why)
        self.lowest = lowest


def finite(tensors: Iterable[Tensor | None], what: str) -> None:
    """Check that numbers are finite; comparisons and signs would take NaN for an ordinary value.

    Args:
        tensors: What is checked; None stands for nothing.
        what: What they are, with its verb, as in ``the outputs are``.

    Raises:
        Undefined: If one is infinite or NaN.
    """
    for each in tensors:
        if each is None or bool(torch.isfinite(each.sum())):  # a sum passes on what is not finite, and is cheaper
            continue
        if not bool(torch.isfinite(each).all()):
            raise Undefined(f"{what} not finite")
