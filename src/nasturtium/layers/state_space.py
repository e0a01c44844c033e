"""State-space layers over sequences."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from nasturtium.layers.activation import GELU
from nasturtium.layers.container import Container
from nasturtium.layers.linear import Linear
from nasturtium.layers.rules import only, places, positive
from nasturtium.space.part import Cost, Layer, Wiring
from nasturtium.space.signal import Signal

if TYPE_CHECKING:
    import torch


class DiagonalStateSpace(Layer):
    """S4D: a linear system with diagonal states for each channel of a sequence (Gu et al. 2022, arXiv:2206.11893).

    Its cost counts a step of the recurrence that it is, eight operations a state, not the Fourier transforms by which
    a whole sequence is computed at once.

    Args:
        states: Of each channel, complex conjugates counted once.
    """

    states: int = 16
    uses_mask: ClassVar[bool] = True

    def signal(self, *inputs: Signal) -> Signal:
        positive(self, "states", self.states)
        return only(self, inputs, "sequence")

    def cost(self, *inputs: Signal) -> Cost:
        (x,) = inputs
        return Cost(x.channels * (2 + 4 * self.states), places(x) * x.channels * (8 * self.states + 2))

    def module(self, *inputs: Signal) -> torch.nn.Module:
        from nasturtium.modules.state_space import DiagonalStateSpace as Module

        (x,) = inputs
        return Module(x.channels, self.states, x.mask)


class StateSpace(Container):
    """A diagonal state-space model, GELU, and a linear map that mixes the channels, as S4D's blocks have them.

    Args:
        states: Of each channel.
    """

    states: int = 16

    def wire(self, x: Any) -> Wiring:
        channels = x.signal.channels
        x = yield DiagonalStateSpace(self.states), x
        x = yield GELU(), x
        return (yield Linear(channels), x)
