"""Splits, joins and changes of shape as modules, so that a network reads as a list of what it does."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn


class Clone(nn.Module):
    """Hands the same value (all tensors of it) on ``count`` times."""

    def __init__(self, count: int) -> None:
        super().__init__()
        self.count = count

    def forward(self, *tensors: Tensor) -> Any:
        """The value, ``count`` times; one tensor by itself."""
        copies = tensors * self.count
        return copies[0] if len(copies) == 1 else copies

    def extra_repr(self) -> str:
        """How many."""
        return str(self.count)


class Chunk(nn.Module):
    """Cuts a tensor into parts along an axis (the batch counts as axis 0).

    Args:
        sizes: Length of each part.
        axis: Axis of the tensor.
    """

    def __init__(self, sizes: tuple[int, ...], axis: int) -> None:
        super().__init__()
        self.sizes, self.axis = list(sizes), axis

    def forward(self, x: Tensor) -> Any:
        """The parts in order; a single one by itself."""
        return x if len(self.sizes) == 1 else torch.split(x, self.sizes, self.axis)

    def extra_repr(self) -> str:
        """Sizes and axis."""
        return f"sizes={self.sizes}, axis={self.axis}"


class Add(nn.Module):
    """Adds tensors of one shape."""

    def forward(self, x: Tensor, *others: Tensor) -> Tensor:
        """The sum."""
        for other in others:
            x = x + other
        return x


class Mean(nn.Module):
    """The mean of tensors of one shape."""

    def forward(self, x: Tensor, *others: Tensor) -> Tensor:
        """The mean."""
        for other in others:
            x = x + other
        return x / (1 + len(others))


class Concat(nn.Module):
    """Concatenates tensors along an axis (the batch counts as axis 0)."""

    def __init__(self, axis: int) -> None:
        super().__init__()
        self.axis = axis

    def forward(self, *tensors: Tensor) -> Tensor:
        """The concatenation."""
        return torch.cat(tensors, self.axis)

    def extra_repr(self) -> str:
        """The axis."""
        return f"axis={self.axis}"


class FirstChannels(nn.Module):
    """The first channels of an image."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.channels = channels

    def forward(self, x: Tensor) -> Tensor:
        """The first channels."""
        return x[:, : self.channels]  # (B, channels, H, W)


class Multiply(nn.Module):
    """Multiplies tensors; one vector a channel scales every place of an image or a sequence.

    Args:
        shapes: For each tensor the shape (without the batch) it takes before the product, or None to stay as
            it is.
    """

    def __init__(self, shapes: tuple[tuple[int, ...] | None, ...]) -> None:
        super().__init__()
        self.shapes = shapes

    def forward(self, *tensors: Tensor) -> Tensor:
        """The product."""
        product: Tensor | None = None
        for tensor, shape in zip(tensors, self.shapes, strict=True):
            factor = tensor if shape is None else tensor.reshape(-1, *shape)
            product = factor if product is None else product * factor
        if product is None:
            raise ValueError("nothing to multiply")
        return product


class Reshape(nn.Module):
    """Gives each example another shape with as many numbers."""

    def __init__(self, shape: tuple[int, ...]) -> None:
        super().__init__()
        self.shape = shape

    def forward(self, x: Tensor) -> Tensor:
        """(B, ...) as (B, *shape)."""
        return x.reshape(-1, *self.shape)

    def extra_repr(self) -> str:
        """The shape."""
        return str(self.shape)


class Permute(nn.Module):
    """Puts the axes of each example in another order.

    Args:
        axes: For each new axis the old one, from 0, the batch not counted.
    """

    def __init__(self, axes: tuple[int, ...]) -> None:
        super().__init__()
        self.axes = (0, *[axis + 1 for axis in axes])

    def forward(self, x: Tensor) -> Tensor:
        """Permute."""
        return x.permute(self.axes)

    def extra_repr(self) -> str:
        """The axes, the batch counted."""
        return str(self.axes)


class ImageToSequence(nn.Module):
    """An image (B, C, H, W) as a sequence of its places (B, H * W, C), row by row."""

    def forward(self, x: Tensor) -> Tensor:
        """Unroll."""
        return x.flatten(2).transpose(1, 2)


class SequenceToImage(nn.Module):
    """A sequence (B, H * W, C) as the image (B, C, H, W) it was unrolled from."""

    def __init__(self, height: int, width: int) -> None:
        super().__init__()
        self.height, self.width = height, width

    def forward(self, x: Tensor) -> Tensor:
        """Roll up."""
        image: Tensor = x.transpose(1, 2).reshape(x.shape[0], -1, self.height, self.width)
        return image

    def extra_repr(self) -> str:
        """The sizes."""
        return f"{self.height}, {self.width}"


class Zero(nn.Module):
    """Zeros, of the shape that a stride would leave; nothing flows back.

    Args:
        strides: Step along each axis after the batch.
    """

    def __init__(self, strides: tuple[int, ...]) -> None:
        super().__init__()
        self.strides = strides

    def forward(self, x: Tensor) -> Tensor:
        """Zeros."""
        return torch.zeros_like(x[(slice(None), *[slice(None, None, stride) for stride in self.strides])])

    def extra_repr(self) -> str:
        """The strides."""
        return str(self.strides)
