"""What signal rules share: checks with clear messages, sizes under a window, and numbers of places."""

from __future__ import annotations

import math
from collections.abc import Collection

from nasturtium.errors import Mismatch, SpaceError, did_you_mean
from nasturtium.space.part import Layer
from nasturtium.space.signal import Signal

STEPS = ("sequence", "nodes")
"""Kinds whose places stand in a row, channels last."""

HINTS = {
    "image": "; GlobalPool or Flatten makes a vector of it",
    "tokens": "; Embedding makes a sequence of it",
}


def only(layer: Layer, inputs: tuple[Signal, ...], *kinds: str) -> Signal:
    """The one input of a layer, which must be of one of these kinds (of any, if none is given).

    Raises:
        Mismatch: If there are several inputs, or the kind is another.
    """
    if len(inputs) != 1:
        raise Mismatch(f"{type(layer).__name__} takes one input, not {len(inputs)}")
    signal = inputs[0]
    if kinds and signal.kind not in kinds:
        name, wanted = type(layer).__name__, " or ".join(kinds)
        raise Mismatch("{} works on {}, not on {}{}", name, wanted, signal, HINTS.get(signal.kind, ""))
    return signal


def channel_axis(signal: Signal) -> int:
    """Axis of the channels in the signal's shape."""
    return 0 if signal.kind in ("vector", "image", "tokens") else 1


def places(signal: Signal) -> int:
    """Number of places of a signal for its cost; a length that depends on the data counts as 1."""
    if signal.kind == "vector":
        return 1
    sizes = signal.shape[1:] if signal.kind == "image" else signal.shape[:1]
    return math.prod(1 if size is None else size for size in sizes)


def extent(kernel: int, dilation: int = 1) -> int:
    """Places that a window spans."""
    return dilation * (kernel - 1) + 1


def left_padding(kernel: int, stride: int, dilation: int = 1) -> int:
    """Padding before the first place, whatever the size: windows are centred, patches start at 0."""
    return max(extent(kernel, dilation) - stride + 1, 0) // 2


def slid(layer: Layer, size: int | None, kernel: int, stride: int, dilation: int, padding: int | None) -> int | None:
    """Number of windows over ``size`` places.

    Args:
        layer: For the message.
        size: Number of places; None if it depends on the data.
        kernel, stride, dilation: Of the window.
        padding: Places added on both sides as torch does, or None for ceil(size / stride) windows.

    Raises:
        Mismatch: If there is none, or a stride meets a length that is not known.
        SpaceError: If a number is not positive.
    """
    if min(kernel, stride, dilation) < 1:
        raise SpaceError(f"kernel, stride and dilation start at 1: {layer}")
    if padding is not None and padding < 0:
        raise SpaceError(f"padding starts at 0: {layer}")
    if size is None:
        # Two lengths that depend on the data could no longer be told apart where wires join.
        if stride > 1:
            raise Mismatch(f"{type(layer).__name__} with stride {stride} needs a known length (its longest, say)")
        return None
    if padding is None:
        return -(-size // stride)
    windows = (size + 2 * padding - extent(kernel, dilation)) // stride + 1
    if windows < 1:
        raise Mismatch(
            f"{type(layer).__name__}: a window of {extent(kernel, dilation)} does not fit into {size} places"
        )
    return windows


def one_of(layer: Layer, field: str, value: str, known: Collection[str]) -> None:
    """Check that a field holds one of the known names.

    Raises:
        SpaceError: If it does not, with the nearest known name.
    """
    if value not in known:
        raise SpaceError(f"{type(layer).__name__} knows no {field} {value!r}{did_you_mean(value, known)}")


def positive(layer: Layer, field: str, value: int) -> None:
    """Check that a field holds a positive whole number.

    Raises:
        SpaceError: If it does not.
    """
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        raise SpaceError(f"{type(layer).__name__}: {field} must be a whole number from 1, not {value!r}")
