"""Sequential and Residual: layers one after another, and around them."""

from __future__ import annotations

from typing import Any, ClassVar

from nasturtium.errors import Mismatch
from nasturtium.layers.container import Container
from nasturtium.layers.convolution import Conv1d, Conv2d
from nasturtium.layers.join import Add
from nasturtium.layers.linear import Linear
from nasturtium.layers.norm import BatchNorm
from nasturtium.space.part import Layer, Slot, Wiring, check_children
from nasturtium.space.signal import Signal
from nasturtium.space.wiring import view


class Sequential(Container):
    """Layers one after another.

    >>> from nasturtium.layers import Linear, ReLU
    >>> Sequential(Linear(16), ReLU())
    Sequential(Linear(16), ReLU())
    """

    variadic: ClassVar[str | None] = "layers"

    layers: tuple[Any, ...]

    def __init__(self, *layers: Any) -> None:
        check_children("Sequential", layers)
        object.__setattr__(self, "layers", layers)

    def wire(self, *wires: Any) -> Wiring:
        for layer in self.layers:
            left = yield layer, *wires
            wires = left if type(left) is tuple else (left,)
        return wires[0] if len(wires) == 1 else wires

    def chain(self) -> list[Slot]:
        """The children in the order they run."""
        return list(view(self).layers)


class Residual(Container):
    """The body's output plus its input (He et al. 2016).

    Where the body changes the shape, the input goes through a projection made on the fly: a 1x1 convolution
    with batch normalisation for images (their option B), ``Linear`` for vectors and sequences, a strided
    1-tap convolution for sequences that get shorter.

    Further inputs (the memory of an attention, say) go to the body alone.

    Args:
        body: The layer around which the input is led.
        skip: A layer for the input to go through instead, whether or not the shapes agree.
    """

    body: Any
    skip: Any = None

    def wire(self, x: Any, *others: Any) -> Wiring:
        y = yield self.body, x, *others
        if self.skip is not None:
            x = yield self.skip, x
        else:
            for layer in projection(x.signal, y.signal):
                x = yield layer, x
        return (yield Add(), y, x)


def projection(before: Signal, after: Signal) -> tuple[Layer, ...]:
    """Layers that bring a signal to the shape of another one; none if the shapes agree.

    Raises:
        Mismatch: If no stride leads from the one to the other.
    """
    if before.shape == after.shape and before.kind == after.kind:
        return ()
    if before.kind != after.kind or before.kind not in ("vector", "sequence", "nodes", "image"):
        raise Mismatch(f"Residual cannot add {after} to {before}")
    if before.kind == "image":
        stride = _stride(before, after, before.shape[1:], after.shape[1:])
        return Conv2d(after.channels, kernel=1, stride=stride, bias=False), BatchNorm()
    if before.kind == "vector" or before.shape[0] == after.shape[0]:
        return (Linear(after.channels),)
    return (Conv1d(after.channels, kernel=1, stride=_stride(before, after, before.shape[:1], after.shape[:1])),)


def _stride(before: Signal, after: Signal, sizes: tuple[Any, ...], wanted: tuple[Any, ...]) -> int:
    """The one stride that shrinks all sizes to the wanted ones."""
    if None not in (*sizes, *wanted):
        for stride in range(1, max(sizes) + 1):
            if all(-(-size // stride) == want for size, want in zip(sizes, wanted, strict=True)):
                return stride
    raise Mismatch(f"Residual finds no stride that leads from {before} to {after}")
