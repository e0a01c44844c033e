"""Changes of shape, and layers that do nothing or give nothing."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, ClassVar

from nasturtium.errors import Mismatch, SpaceError
from nasturtium.layers.rules import STEPS, one_of, only, positive
from nasturtium.space.part import Layer
from nasturtium.space.signal import Signal, vector

if TYPE_CHECKING:
    import torch


class Identity(Layer):
    """Leaves everything as it is."""

    total: ClassVar[bool] = True
    passes: ClassVar[bool] = True

    def signal(self, *inputs: Signal) -> Signal:
        x = only(self, inputs)
        if x.kind == "group":
            raise Mismatch("Identity takes one signal, not a group")
        return x

    def module(self, *inputs: Signal) -> torch.nn.Module:
        from torch import nn

        return nn.Identity()


class Zero(Layer):
    """Gives zeros: a path that is switched off.

    Args:
        stride: ceil(size / stride) places leave on each axis.
    """

    stride: int = 1

    def signal(self, *inputs: Signal) -> Signal:
        x = only(self, inputs, "vector", "image", *STEPS)
        positive(self, "stride", self.stride)
        if self.stride == 1:
            return x
        if x.kind != "image":
            raise Mismatch(f"Zero has a stride on images only, not on {x}")
        sizes = [-(-size // self.stride) for size in x.shape[1:] if size is not None]
        return x._replace(shape=(x.channels, *sizes), grid=None)

    def module(self, *inputs: Signal) -> torch.nn.Module:
        from nasturtium.modules import Zero as Module

        axes = len(inputs[0].shape)
        return Module((1,) * axes if self.stride == 1 else (1, self.stride, self.stride))


class Flatten(Layer):
    """All numbers of an example in a row, or an image as the sequence of its places.

    Args:
        to: ``vector``, or ``sequence``: an image (C, H, W) becomes (H * W, C), row by row, and remembers its
            grid.
    """

    to: str = "vector"
    passes: ClassVar[bool] = True

    def signal(self, *inputs: Signal) -> Signal:
        one_of(self, "form", self.to, ("vector", "sequence"))
        if self.to == "sequence":
            channels, height, width = _known(self, only(self, inputs, "image"))
            return Signal("sequence", (height * width, channels), grid=(height, width))
        return vector(math.prod(_known(self, only(self, inputs, "vector", "image", *STEPS))))

    def module(self, *inputs: Signal) -> torch.nn.Module:
        from torch import nn

        from nasturtium.modules import ImageToSequence

        return ImageToSequence() if self.to == "sequence" else nn.Flatten()


class Unflatten(Layer):
    """A sequence that was an image becomes one again: (H * W, C) to (C, H, W)."""

    passes: ClassVar[bool] = True

    def signal(self, *inputs: Signal) -> Signal:
        x = only(self, inputs, "sequence")
        if x.grid is None or x.length != math.prod(x.grid):
            raise Mismatch(f"Unflatten needs a sequence that was an image, not {x}")
        return Signal("image", (x.channels, *x.grid))

    def module(self, *inputs: Signal) -> torch.nn.Module:
        from nasturtium.modules import SequenceToImage

        grid = inputs[0].grid
        if grid is None:
            raise Mismatch(f"Unflatten needs a sequence that was an image, not {inputs[0]}")
        return SequenceToImage(*grid)


class Reshape(Layer):
    """The numbers of an example in another shape, in memory order: (C,), (T, C) or (C, H, W).

    Args:
        shape: The sizes; one may be -1 for what is left.
    """

    shape: tuple[int, ...]
    passes: ClassVar[bool] = True

    def signal(self, *inputs: Signal) -> Signal:
        x = only(self, inputs, "vector", "image", *STEPS)
        count = math.prod(_known(self, x))
        if not 1 <= len(self.shape) <= 3 or any(size < 1 and size != -1 for size in self.shape):
            raise SpaceError(f"Reshape needs one to three sizes, not {self.shape}")
        fixed = math.prod(size for size in self.shape if size != -1)
        if self.shape.count(-1) > 1 or count % fixed or (-1 not in self.shape and count != fixed):
            raise Mismatch(f"Reshape cannot give {x} the shape {self.shape}")
        sizes = tuple([count // fixed if size == -1 else size for size in self.shape])
        return Signal(("vector", "sequence", "image")[len(sizes) - 1], sizes)

    def module(self, *inputs: Signal) -> torch.nn.Module:
        from nasturtium.modules import Reshape as Module

        return Module(_known(self, self.signal(*inputs)))


class Permute(Layer):
    """The axes of a sequence (T, C) or an image (C, H, W) in another order.

    Args:
        axes: For each new axis the old one, from 0.
    """

    axes: tuple[int, ...] = (1, 0)
    passes: ClassVar[bool] = True

    def signal(self, *inputs: Signal) -> Signal:
        x = only(self, inputs, "sequence", "image")
        sizes = _known(self, x)
        if sorted(self.axes) != list(range(len(sizes))):
            raise Mismatch("Permute{} does not order the {} axes of {}", self.axes, len(sizes), x)
        return Signal(x.kind, tuple([sizes[axis] for axis in self.axes]))

    def module(self, *inputs: Signal) -> torch.nn.Module:
        from nasturtium.modules import Permute as Module

        return Module(self.axes)


def _known(layer: Layer, signal: Signal) -> tuple[int, ...]:
    """The sizes of a signal whose every place is real.

    Raises:
        Mismatch: If a size depends on the data, or some places are padding.
    """
    sizes = tuple([size for size in signal.shape if size is not None])
    if len(sizes) != len(signal.shape) or signal.mask:
        raise Mismatch(f"{type(layer).__name__} needs known sizes without padding, not {signal}")
    return sizes
