"""Splits and joins: one wire to several, several to one; and Branch, which puts paths between them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from nasturtium.errors import Mismatch, SpaceError
from nasturtium.layers.container import Container
from nasturtium.layers.rules import channel_axis, only, positive
from nasturtium.space.part import Layer, Wiring, check_children
from nasturtium.space.signal import Signal

if TYPE_CHECKING:
    from collections.abc import Mapping

    import torch


class Clone(Layer):
    """Hands its input on ``count`` times."""

    count: int = 2
    passes: ClassVar[bool] = True

    def signal(self, *inputs: Signal) -> tuple[Signal, ...]:
        x = only(self, inputs)
        positive(self, "count", self.count)
        return (x,) * self.count

    def module(self, *inputs: Signal) -> torch.nn.Module:
        from nasturtium.modules import Clone as Module

        return Module(self.count)


class Chunk(Layer):
    """Cuts its input into ``count`` parts along an axis, as equal as can be (the first ones are the longer).

    Args:
        count: How many parts.
        axis: Axis of the signal's shape (0 or 1 for a sequence (T, C); 0, 1, 2 for an image (C, H, W)); the
            channels if not given.
        equal: Whether only equal parts will do.
    """

    count: int = 2
    axis: int | None = None
    equal: bool = False
    passes: ClassVar[bool] = True

    def signal(self, *inputs: Signal) -> tuple[Signal, ...]:
        x = only(self, inputs)
        axis = _axis(self, x)
        sizes = self._sizes(x, axis)
        made = {size: _resized(x, axis, size) for size in set(sizes)}
        return tuple([made[size] for size in sizes])

    def module(self, *inputs: Signal) -> torch.nn.Module:
        from nasturtium.modules import Chunk as Module

        (x,) = inputs
        axis = _axis(self, x)
        return Module(self._sizes(x, axis), axis + 1)

    def _sizes(self, x: Signal, axis: int) -> tuple[int, ...]:
        positive(self, "count", self.count)
        size = x.shape[axis]
        if size is None or size < self.count or (self.equal and size % self.count):
            raise Mismatch("Chunk cannot cut axis {} of {} into {}{} parts", axis, x, self.count, " equal" * self.equal)
        share, rest = divmod(size, self.count)
        return tuple([share + (index < rest) for index in range(self.count)])


class Add(Layer):
    """The sum of its inputs, which have one shape."""

    commutative: ClassVar[bool] = True

    def signal(self, *inputs: Signal) -> Signal:
        return _same_shape(self, inputs)

    def module(self, *inputs: Signal) -> torch.nn.Module:
        from nasturtium.modules import Add as Module

        return Module()


class Mean(Layer):
    """The mean of its inputs, which have one shape."""

    commutative: ClassVar[bool] = True

    def signal(self, *inputs: Signal) -> Signal:
        return _same_shape(self, inputs)

    def module(self, *inputs: Signal) -> torch.nn.Module:
        from nasturtium.modules import Mean as Module

        return Module()


class Multiply(Layer):
    """The product of its inputs; a vector scales the channels of an image or a sequence at every place."""

    commutative: ClassVar[bool] = True

    def signal(self, *inputs: Signal) -> Signal:
        if not inputs:
            raise Mismatch("Multiply needs inputs")
        largest = max(inputs, key=lambda signal: len(signal.shape))
        for signal in inputs:
            gate = signal.kind == "vector" and largest.kind in ("image", "sequence", "nodes")
            if signal.shape != ((largest.channels,) if gate else largest.shape) or not (
                gate or signal.kind == largest.kind
            ):
                raise Mismatch(f"Multiply cannot multiply {largest} by {signal}")
        masked = any(signal.mask for signal in inputs)
        return largest._replace(mask=masked)

    def module(self, *inputs: Signal) -> torch.nn.Module:
        from nasturtium.modules import Multiply as Module

        largest = max(inputs, key=lambda signal: len(signal.shape))
        broadcast = (largest.channels, 1, 1) if largest.kind == "image" else (1, largest.channels)
        return Module(tuple([None if signal.kind == largest.kind else broadcast for signal in inputs]))


class Concat(Layer):
    """Its inputs joined along an axis (of the signal's shape; the channels if not given)."""

    axis: int | None = None

    def signal(self, *inputs: Signal) -> Signal:
        if not inputs:
            raise Mismatch("Concat needs inputs")
        first = inputs[0]
        axis = _axis(self, first)
        before, after = first.shape[:axis], first.shape[axis + 1 :]
        total = 0
        for signal in inputs:
            shape = signal.shape
            size = shape[axis] if len(shape) > axis else None
            if size is None or signal.kind != first.kind or shape[:axis] != before or shape[axis + 1 :] != after:
                raise Mismatch("Concat along axis {} cannot join {} and {}, for their other sizes", axis, first, signal)
            total += size
        return _masked(_resized(first, axis, total), inputs)

    def module(self, *inputs: Signal) -> torch.nn.Module:
        from nasturtium.modules import Concat as Module

        return Module(_axis(self, inputs[0]) + 1)


class Branch(Container):
    """A split, a path for each part, and a join: ``Branch(Clone(2), Conv2d(), Identity(), join=Add())``.

    One path stands for equal ones on every part: the same decisions, weights of their own.
    """

    variadic: ClassVar[str | None] = "paths"

    split: Any
    paths: tuple[Any, ...]
    join: Any = Add()

    def __init__(self, split: Any, *paths: Any, join: Any = Add()) -> None:  # noqa: B008 - a frozen value
        if not paths:
            raise SpaceError("Branch needs at least one path; Identity() is one that does nothing")
        check_children("Branch", paths)
        object.__setattr__(self, "split", split)
        object.__setattr__(self, "paths", paths)
        object.__setattr__(self, "join", join)

    def wire(self, x: Any) -> Wiring:
        parts = yield self.split, x
        parts = parts if type(parts) is tuple else (parts,)
        if len(self.paths) not in (1, len(parts)):
            raise Mismatch(f"Branch has {len(self.paths)} paths for the {len(parts)} parts of its split")
        ends = []
        for index, part in enumerate(parts):
            ends.append((yield self.paths[index % len(self.paths)], part))
        return (yield self.join, *ends)

    def copies(self, key: str, closed: Mapping[str, Any]) -> int:
        """How many times the child at ``key`` stands in the network, once the split is closed."""
        split = closed.get("split", self.split)
        single = len(self.paths) == 1 and key == "0"
        return int(getattr(split, "count", 1)) if single and isinstance(split, Layer) and not split.is_open else 1


def _same_shape(layer: Layer, inputs: tuple[Signal, ...]) -> Signal:
    if not inputs:
        raise Mismatch(f"{type(layer).__name__} needs inputs")
    first = inputs[0]
    for signal in inputs[1:]:
        if signal.kind != first.kind or signal.shape != first.shape:
            raise Mismatch("{} needs equal shapes, not {} and {}", type(layer).__name__, first, signal)
    if first.kind in ("tokens", "edges", "group"):
        raise Mismatch(f"{type(layer).__name__} does not work on {first}")
    return _masked(first, inputs)


def _masked(signal: Signal, inputs: tuple[Signal, ...]) -> Signal:
    """The signal, with a mask if one of the inputs has one."""
    masked = any(each.mask for each in inputs)
    return signal if signal.mask == masked else signal._replace(mask=masked)


def _axis(layer: Layer, signal: Signal) -> int:
    if signal.kind in ("tokens", "edges", "group"):
        raise Mismatch(f"{type(layer).__name__} does not work on {signal}")
    axis = channel_axis(signal) if layer.__dict__["axis"] is None else layer.__dict__["axis"]
    if not 0 <= axis < len(signal.shape):
        raise Mismatch("{}: {} has no axis {}", type(layer).__name__, signal, axis)
    if axis != channel_axis(signal) and signal.mask:
        raise Mismatch(f"{type(layer).__name__} cannot work along the length of {signal}: padding would stand inside")
    return int(axis)


def _resized(signal: Signal, axis: int, size: int) -> Signal:
    grid = signal.grid if axis == channel_axis(signal) else None
    return signal.with_shape((*signal.shape[:axis], size, *signal.shape[axis + 1 :]), grid)
