"""The space ``mlp``: fully connected networks, plain and residual."""

from __future__ import annotations

from typing import Any

from nasturtium.errors import SpaceError
from nasturtium.layers import (
    Activation,
    Add,
    BatchNorm,
    Container,
    Dropout,
    Flatten,
    Identity,
    LayerNorm,
    Linear,
    Sequential,
)
from nasturtium.layers.rules import one_of
from nasturtium.space.choice import choice
from nasturtium.space.graph import without
from nasturtium.space.part import Layer, Wiring
from nasturtium.space.signal import Signal
from nasturtium.space.space import Space
from nasturtium.spaces.inputs import counts, one_input, positive, weighted, widths


class LinearStack(Container):
    """Linear maps of one width, each followed by normalisation and activation, around each its input if asked.

    Args:
        out: Channels that leave each of them.
        depth: How many there are.
        norm: ``batch``, ``layer`` or ``none``.
        activation: Name of the activation.
        skip: Whether the input of each is added to what it gives; not where the channels differ.
    """

    out: int
    depth: int = 1
    norm: str = "batch"
    activation: str = "relu"
    skip: bool = False

    def wire(self, x: Any) -> Wiring:
        one_of(self, "norm", self.norm, ("batch", "layer", "none"))
        for _ in range(self.depth):
            y = yield Linear(self.out, bias=self.norm != "batch"), x
            if self.norm != "none":
                y = yield BatchNorm() if self.norm == "batch" else LayerNorm(), y
            y = yield Activation(self.activation), y
            x = (yield Add(), y, x) if self.skip and x.signal == y.signal else y
        return x


def mlp(input: Any = (16,), outputs: int = 1, *, width: float = 1.0, depth: int = 3) -> Space:
    """Fully connected networks for vectors; images and sequences of known length are laid out in a row.

    One or two stacks of layers, each with its width, depth, normalisation and activation, residual or plain, and
    dropout behind it: relatives of the MLP and the ResNet that Gorishniy et al. (2021) found to be strong on tables
    (their dropout stands behind every layer).

    Args:
        input: (features,), or a signal.
        outputs: Numbers that leave: classes, or targets.
        width: Factor on all widths.
        depth: Most layers in a stack.

    Raises:
        SpaceError: If the input has no fixed number of values, or an option cannot be used.

    >>> mlp(input=(16,), outputs=3).size
    1680912
    """
    signal = one_input("mlp", input, "vector", "image", "sequence")
    positive("mlp", outputs=outputs, depth=depth)
    if signal.mask or None in signal.shape:
        raise SpaceError(f"mlp needs a known number of values, not {signal}; sequencenet takes any length")
    first, second = (_group(width, depth) for _ in range(2))
    layers = [first, choice(Identity(), second), Linear(outputs)]
    root = Sequential(*_flat(signal), *layers)
    return Space(root, input=signal, name="mlp", simplify=(without("Identity"),))


def _flat(signal: Signal) -> tuple[Layer, ...]:
    return () if signal.kind == "vector" else (Flatten(),)


def _group(width: float, depth: int) -> Layer:
    stack = LinearStack(
        widths("mlp", width, {32: 1, 64: 2, 128: 3, 256: 3, 384: 1, 512: 1}),
        depth=counts(depth),
        norm=weighted({"none": 2, "batch": 3, "layer": 2}),
        activation=weighted({"relu": 2, "gelu": 1, "silu": 1}),
        skip=choice(False, True),
    )
    return Sequential(stack, Dropout(weighted({0.0: 2, 0.1: 2, 0.2: 1, 0.4: 1})))
