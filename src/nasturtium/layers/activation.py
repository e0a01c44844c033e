"""Activations and dropout: layers that leave the signal as it is and have no parameters."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from nasturtium.errors import Mismatch, SpaceError
from nasturtium.layers.rules import STEPS, one_of, only
from nasturtium.space.part import Layer
from nasturtium.space.signal import Signal

if TYPE_CHECKING:
    import torch

MODULES = {
    "elu": "ELU",
    "gelu": "GELU",
    "hardsigmoid": "Hardsigmoid",
    "hardswish": "Hardswish",
    "identity": "Identity",
    "leaky_relu": "LeakyReLU",
    "mish": "Mish",
    "relu": "ReLU",
    "relu6": "ReLU6",
    "selu": "SELU",
    "sigmoid": "Sigmoid",
    "silu": "SiLU",
    "softplus": "Softplus",
    "tanh": "Tanh",
}
"""Activations by name, and the torch class of each, taken with its defaults."""


class Activation(Layer):
    """A function of each number, by its name: ``relu``, ``gelu``, ``silu``, ... (see ``MODULES``)."""

    name: str

    def signal(self, *inputs: Signal) -> Signal:
        one_of(self, "activation", self.name, MODULES)
        return only(self, inputs, "vector", "image", *STEPS)

    def module(self, *inputs: Signal) -> torch.nn.Module:
        from torch import nn

        made: torch.nn.Module = getattr(nn, MODULES[self.name])()
        return made


class _Named(Layer, abstract=True):
    activation: ClassVar[str]

    def signal(self, *inputs: Signal) -> Signal:
        return only(self, inputs, "vector", "image", *STEPS)

    def module(self, *inputs: Signal) -> torch.nn.Module:
        return Activation(self.activation).module(*inputs)


class ReLU(_Named):
    """max(x, 0)."""

    activation = "relu"


class LeakyReLU(_Named):
    """x where positive, 0.01 x elsewhere."""

    activation = "leaky_relu"


class GELU(_Named):
    """Gaussian error linear unit (Hendrycks and Gimpel 2016)."""

    activation = "gelu"


class SiLU(_Named):
    """x sigmoid(x), also called swish."""

    activation = "silu"


class Mish(_Named):
    """x tanh(softplus(x)) (Misra 2019)."""

    activation = "mish"


class ELU(_Named):
    """x where positive, exp(x) - 1 elsewhere."""

    activation = "elu"


class Tanh(_Named):
    """Hyperbolic tangent."""

    activation = "tanh"


class Sigmoid(_Named):
    """1 / (1 + exp(-x)), for gates."""

    activation = "sigmoid"


class HardSwish(_Named):
    """x relu6(x + 3) / 6 (Howard et al. 2019)."""

    activation = "hardswish"


class HardSigmoid(_Named):
    """relu6(x + 3) / 6."""

    activation = "hardsigmoid"


class Dropout(Layer):
    """Drops values at random in training and scales up the others.

    Args:
        rate: Share that is dropped.
        of: What is dropped as one: single ``elements``, whole ``channels`` (of an image or a sequence), whole
            ``steps`` of a sequence, or the whole value of an example (``path``: stochastic depth, Huang et
            al. 2016).
    """

    rate: float = 0.1
    of: str = "elements"

    def signal(self, *inputs: Signal) -> Signal:
        one_of(self, "kind of dropout", self.of, ("elements", "channels", "steps", "path"))
        if not 0 <= self.rate < 1:
            raise SpaceError(f"Dropout needs a rate from 0 up to 1, not {self.rate!r}")
        x = only(self, inputs, "vector", "image", *STEPS)
        if (self.of == "steps" and x.kind not in STEPS) or (self.of == "channels" and x.kind == "vector"):
            raise Mismatch(f"Dropout finds no {self.of} in {x}")
        return x

    def module(self, *inputs: Signal) -> torch.nn.Module:
        from torch import nn

        from nasturtium.modules import ChannelDropout, DropPath, QuickDropout

        (x,) = inputs
        if self.of == "path":
            return DropPath(self.rate)
        if self.of == "channels":
            return nn.Dropout2d(self.rate) if x.kind == "image" else ChannelDropout(self.rate)
        # On (B, T, C) torch takes the steps for channels, which is what is wanted.
        return nn.Dropout1d(self.rate) if self.of == "steps" else QuickDropout(self.rate)
