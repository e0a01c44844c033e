"""Fundamental operations of einspace: what acts on bare axes of images and sequences, and the container that routes."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, ClassVar

from nasturtium.errors import Mismatch, SpaceError
from nasturtium.layers.container import Container
from nasturtium.layers.rules import STEPS, only, positive
from nasturtium.space.part import Cost, Layer, Wiring
from nasturtium.space.signal import Signal, vector

if TYPE_CHECKING:
    import torch


NUMBERS = ("vector", "image", *STEPS)
"""Kinds of signal that are numbers, not categories or pairs of nodes."""


class Unfold(Layer):
    """im2col: the windows of an image (C, H, W) as a sequence (windows, C * kernel * kernel), row by row.

    The sequence remembers the rows and columns of windows. A window has to fit into the padded image.

    Args:
        kernel: Side of a window.
        stride: Places from window to window.
        padding: Zeros on each side.
    """

    kernel: int
    stride: int = 1
    padding: int = 0

    def signal(self, *inputs: Signal) -> Signal:
        x = only(self, inputs, "image")
        if min(self.kernel, self.stride) < 1 or self.padding < 0:
            raise SpaceError(f"kernel and stride start at 1, padding at 0: {self}")
        channels, *sides = sizes(x)
        rows, columns = [(side + 2 * self.padding - self.kernel) // self.stride + 1 for side in sides]
        if min(rows, columns) < 1:
            raise Mismatch("no window of {} fits into {}", self.kernel, x)
        return Signal("sequence", (rows * columns, channels * self.kernel**2), grid=(rows, columns))

    def module(self, *inputs: Signal) -> torch.nn.Module:
        from nasturtium.modules.fundamental import Unfold as Module

        return Module(self.kernel, self.stride, self.padding)


class Fold(Layer):
    """col2im: a sequence whose places were the windows of an image as an image again, by rearranging alone.

    (T, C) becomes (C * T / (rows * columns), rows, columns) for the rows and columns that the sequence remembers.
    """

    passes: ClassVar[bool] = True

    def signal(self, *inputs: Signal) -> Signal:
        x = only(self, inputs, "sequence")
        if x.grid is None:
            raise Mismatch("{} was no image: there are no rows and columns to fold it to", x)
        length, channels = sizes(x)
        layers, rest = divmod(length, math.prod(x.grid))
        if rest:
            raise Mismatch("{} does not fold to {} rows and columns", x, x.grid)
        return Signal("image", (channels * layers, *x.grid))

    def module(self, *inputs: Signal) -> torch.nn.Module:
        from nasturtium.modules import SequenceToImage

        return SequenceToImage(*(inputs[0].grid or (1, 1)))


class LastLinear(Layer):
    """A linear map of the last axis: the features of a sequence, but the columns of an image.

    Args:
        out: Length of the axis that leaves.
    """

    out: int
    total: ClassVar[bool] = True

    def signal(self, *inputs: Signal) -> Signal:
        x = only(self, inputs, *NUMBERS)
        positive(self, "out", self.out)
        return x.with_shape((*sizes(x)[:-1], self.out), x.grid)

    def cost(self, *inputs: Signal) -> Cost:
        *others, last = sizes(inputs[0])
        return Cost((last + 1) * self.out, 2 * math.prod(others) * last * self.out)

    def module(self, *inputs: Signal) -> torch.nn.Module:
        from torch import nn

        return nn.Linear(sizes(inputs[0])[-1], self.out)


class ModeNorm(Layer):
    """Batch normalisation of an image's channels, layer normalisation of the features of anything else."""

    total: ClassVar[bool] = True

    def signal(self, *inputs: Signal) -> Signal:
        return only(self, inputs, *NUMBERS)

    def cost(self, *inputs: Signal) -> Cost:
        return Cost(2 * inputs[0].channels)

    def module(self, *inputs: Signal) -> torch.nn.Module:
        from torch import nn

        (x,) = inputs
        return nn.BatchNorm2d(x.channels) if x.kind == "image" else nn.LayerNorm(x.channels)


class Softmax(Layer):
    """Softmax over the last axis."""

    total: ClassVar[bool] = True

    def signal(self, *inputs: Signal) -> Signal:
        return only(self, inputs, *NUMBERS)

    def module(self, *inputs: Signal) -> torch.nn.Module:
        from torch import nn

        return nn.Softmax(-1)


class LearnedOffset(Layer):
    """Adds a learned value to each number of an example: a positional encoding of every axis at once."""

    total: ClassVar[bool] = True

    def signal(self, *inputs: Signal) -> Signal:
        x = only(self, inputs, *NUMBERS)
        sizes(x)
        return x

    def cost(self, *inputs: Signal) -> Cost:
        return Cost(math.prod(sizes(inputs[0])))

    def module(self, *inputs: Signal) -> torch.nn.Module:
        from nasturtium.modules.fundamental import LearnedOffset as Module

        return Module(sizes(inputs[0]))


class DotProduct(Layer):
    """The matrix product of two signals over their last two axes; channels of images pair up.

    Args:
        scaled: Whether it is divided by the square root of the length of the axis that is summed over.
    """

    scaled: bool = False

    def signal(self, *inputs: Signal) -> Signal:
        if len(inputs) != 2:
            raise Mismatch("DotProduct takes two inputs, not {}", len(inputs))
        a, b = inputs
        fits = a.kind == b.kind and len(a.shape) > 1 and a.shape[:-2] == b.shape[:-2] and a.shape[-1] == b.shape[-2]
        if not fits or None in a.shape + b.shape or a.mask or b.mask:
            raise Mismatch("DotProduct cannot multiply {} by {}", a, b)
        return a.with_shape((*a.shape[:-1], b.shape[-1]))

    def cost(self, *inputs: Signal) -> Cost:
        a, b = inputs
        return Cost(0, 2 * math.prod(sizes(a)) * sizes(b)[-1])

    def module(self, *inputs: Signal) -> torch.nn.Module:
        from nasturtium.modules.fundamental import DotProduct as Module

        return Module(sizes(inputs[0])[-1] if self.scaled else None)


class MeanOverRest(Layer):
    """The mean over all axes but the first: (C,) of an image, but (T,) of a sequence."""

    def signal(self, *inputs: Signal) -> Signal:
        return vector(sizes(only(self, inputs, "image", "sequence"))[0])

    def module(self, *inputs: Signal) -> torch.nn.Module:
        from nasturtium.modules.fundamental import MeanOverRest as Module

        return Module()


class Routing(Container):
    """A layer between two that rearrange, as im2col and col2im do.

    The size that ``before`` remembers is for ``after`` alone, whatever happens between: what is inside gets the
    signal without it, and so does what follows. im2col, a linear map and col2im together are built as the one
    convolution that they are.

    Args:
        before: What rearranges first: identity, a permutation, ``Unfold``.
        body: Any layer.
        after: What rearranges at last: identity, a permutation, ``Fold``.
    """

    before: Any
    body: Any
    after: Any

    def wire(self, x: Any) -> Wiring:
        x = yield self.before, x
        grid = x.signal.grid
        x = yield self.body, remembering(x, None)
        x = yield self.after, remembering(x, grid)
        return remembering(x, None)

    def module(self, *inputs: Signal) -> torch.nn.Module:
        """The torch module; a single ``nn.Conv2d`` where the three are one."""
        window, linear = self.before, self.body
        if isinstance(window, Unfold) and isinstance(linear, LastLinear) and isinstance(self.after, Fold):
            from torch import nn

            return nn.Conv2d(inputs[0].channels, linear.out, window.kernel, window.stride, window.padding)
        return super().module(*inputs)


def remembering(wire: Any, grid: tuple[int, int] | None) -> Any:
    """The same wire, with these rows and columns remembered: no tensor changes, so no layer is needed for it."""
    signal = wire.signal
    return wire if signal.grid == grid else wire._replace(signal=signal.with_shape(signal.shape, grid))


def sizes(signal: Signal) -> tuple[int, ...]:
    """The sizes of a signal that knows them all and has no padding.

    Raises:
        Mismatch: If it does not.
    """
    if None in signal.shape or signal.mask or not signal.shape:
        raise Mismatch("{} has no known sizes without padding", signal)
    return signal.shape  # type: ignore[return-value]
