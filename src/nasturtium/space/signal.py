"""Signals: what flows along a wire, as a shape with its attributes. No tensor is ever made to learn one."""

from __future__ import annotations

from typing import NamedTuple

from nasturtium.errors import Mismatch

RANKS = {"vector": 1, "sequence": 2, "image": 3, "tokens": 1, "nodes": 2, "edges": 1, "group": 0}
CHANNEL_AXIS = {"vector": 0, "sequence": 1, "image": 0, "nodes": 1}


class Signal(NamedTuple):
    """A shape without the batch, and what else a layer may need to know of it.

    Attributes:
        kind: ``vector`` (C,), ``sequence`` (T, C), ``image`` (C, H, W), ``tokens`` (T,) of integers,
            ``nodes`` (N, C), ``edges`` (E,) of a graph over them, or ``group`` (several named signals on one wire).
        shape: Sizes without the batch; ``None`` for a size that is not known before the data (T, N or E).
        grid: The rows and columns that im2col unrolled into a sequence, so that col2im can restore them.
        mask: Whether a mask (B, T) travels beside the values; True marks what is real.
        vocabulary: Number of categories of each integer column (``tokens``: one number).
        members: The named signals of a ``group``.
    """

    kind: str
    shape: tuple[int | None, ...] = ()
    grid: tuple[int, int] | None = None
    mask: bool = False
    vocabulary: tuple[int, ...] = ()
    members: tuple[tuple[str, Signal], ...] = ()

    @property
    def channels(self) -> int:
        """Number of features at each place.

        Raises:
            Mismatch: For tokens and groups, which have none.
        """
        if self.kind not in CHANNEL_AXIS:
            raise Mismatch(f"{self} has no channels; an embedding makes some")
        size = self.shape[CHANNEL_AXIS[self.kind]]
        if size is None:
            raise Mismatch(f"the channels of {self} are not known")
        return size

    @property
    def length(self) -> int | None:
        """Number of places of a sequence, of tokens or of nodes; None when it depends on the data."""
        if self.kind not in ("sequence", "tokens", "nodes"):
            raise Mismatch(f"{self} has no length; expected a sequence")
        return self.shape[0]

    def with_channels(self, channels: int) -> Signal:
        """The same signal with another number of channels."""
        axis = CHANNEL_AXIS[self.kind]
        return self.with_shape((*self.shape[:axis], channels, *self.shape[axis + 1 :]), self.grid)

    def with_shape(self, shape: tuple[int | None, ...], grid: tuple[int, int] | None = None) -> Signal:
        """The same signal in another shape, with these rows and columns remembered (far faster than ``_replace``)."""
        return Signal(self.kind, shape, grid, self.mask, self.vocabulary, self.members)

    def member(self, name: str) -> Signal:
        """The signal called ``name`` in a group."""
        for key, signal in self.members:
            if key == name:
                return signal
        raise Mismatch(f"no signal {name!r} in {self}")

    @property
    def depends_on_data(self) -> bool:
        """Whether a size is not known before the data, in members, too."""
        return None in self.shape or any(member.depends_on_data for _, member in self.members)

    def with_length(self, length: int) -> Signal:
        """The same signal with ``length`` for each size that is not known before the data, in members, too."""
        shape = tuple([length if size is None else size for size in self.shape])
        members = tuple([(name, member.with_length(length)) for name, member in self.members])
        return self._replace(shape=shape, members=members)

    def __str__(self) -> str:
        if self.kind == "group":
            return "group(" + ", ".join(f"{name}={signal}" for name, signal in self.members) + ")"
        sizes = "x".join("?" if size is None else str(size) for size in self.shape)
        return f"{self.kind} {sizes}{' masked' if self.mask else ''}"


def vector(channels: int) -> Signal:
    """A vector of features (C,)."""
    return Signal("vector", (channels,))


def sequence(length: int | None, channels: int, mask: bool = False) -> Signal:
    """A sequence (T, C); ``length`` None when it differs from batch to batch."""
    return Signal("sequence", (length, channels), mask=mask)


def image(channels: int, height: int, width: int) -> Signal:
    """An image or feature map (C, H, W)."""
    return Signal("image", (channels, height, width))


def tokens(length: int | None, vocabulary: int, mask: bool = False) -> Signal:
    """Integers (T,) below ``vocabulary``, as words or categories are."""
    return Signal("tokens", (length,), mask=mask, vocabulary=(vocabulary,))


def nodes(count: int | None, channels: int, mask: bool = False) -> Signal:
    """The nodes of a graph, or a set (N, C); ``count`` None when it differs from batch to batch."""
    return Signal("nodes", (count, channels), mask=mask)


def edges(count: int | None = None) -> Signal:
    """The edges of a graph, as a tensor (B, 2, E): numbers of sources, then of targets; -1 is padding.

    An undirected edge stands there twice, once in each direction.
    """
    return Signal("edges", (count,))


def group(**members: Signal) -> Signal:
    """Several named signals that travel on one wire."""
    return Signal("group", members=tuple(members.items()))


def as_signals(value: object) -> tuple[Signal, ...]:
    """Read the ways a user may write an input: a Signal, a shape, or a list of signals.

    One number is a vector, two are a sequence (T, C), three an image (C, H, W).

    Raises:
        Mismatch: If it is none of these.
    """
    if isinstance(value, Signal):
        return (value,)
    if isinstance(value, int) and not isinstance(value, bool) and value > 0:
        return (vector(value),)
    if isinstance(value, (tuple, list)) and value and all(isinstance(item, Signal) for item in value):
        return tuple(value)
    if isinstance(value, (tuple, list)) and 0 < len(value) <= 3:
        sizes = tuple(value)
        optional = [sizes[0]] if len(sizes) == 2 else []
        if all(isinstance(s, int) and s > 0 for s in sizes if s is not None or s not in optional):
            return (Signal({1: "vector", 2: "sequence", 3: "image"}[len(sizes)], sizes),)
    raise Mismatch(f"cannot read {value!r} as an input: give a shape such as (3, 32, 32), (T, C) or (C,)")
