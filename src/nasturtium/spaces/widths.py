"""Which layers of an outline set a width of their own, which have to agree, and which have to stay."""

from __future__ import annotations

import math
from typing import Any

from nasturtium.layers import GRU, LSTM
from nasturtium.space.infer import Signals, infer
from nasturtium.space.part import Layer
from nasturtium.space.signal import CHANNEL_AXIS
from nasturtium.spaces.outline import WIDTHS, Branch, Chain, Copies, Leaf, Node


class Width:
    """How many channels leave a layer, one with all those that it has to agree with.

    Attributes:
        size: As given; 0 where it is not set by a layer.
        unit: What it has to be a multiple of.
        factor: Channels that leave for each one of the field (2 where a sequence is read both ways).
        source: What it follows from, if no layer sets it.
    """

    def __init__(self, size: int = 0, unit: int = 1, factor: int = 1, source: Width | None = None) -> None:
        self.size, self.unit, self.factor, self.source = size, unit, factor, source
        self.fixed = size == 0
        self._parent: Width | None = None

    @property
    def root(self) -> Width:
        """What stands for all that agree."""
        return self if self._parent is None else self._parent.root

    def fix(self) -> None:
        """It stays as given, and so does what it follows from."""
        self.root.fixed = True
        if self.source is not None:
            self.source.fix()

    def agree(self, other: Width) -> None:
        """Both are decided together."""
        first, second = self.root, other.root
        if first is second:
            return
        if first.fixed or second.fixed or first.factor != second.factor:
            self.fix()
            other.fix()
            first.fixed = second.fixed = True
        first.unit = math.lcm(first.unit, second.unit)
        second._parent = first


def widths_of(chain: Chain, inputs: Signals) -> dict[Leaf, Width]:
    """The width of every layer that sets one.

    Args:
        chain: The outline of a network.
        inputs: What it receives.

    Raises:
        Mismatch: If a layer cannot work on what reaches it.
    """
    flow = _Flow()
    last, _ = flow.through(chain, Width(), inputs)
    last.fix()
    return flow.widths


class _Flow:
    def __init__(self) -> None:
        self.widths: dict[Leaf, Width] = {}

    def through(self, node: Node, width: Width, signals: Signals) -> tuple[Width, Signals]:
        """The width and the signals that leave a node."""
        if isinstance(node, Leaf):
            return self._leaf(node, width, signals)
        if isinstance(node, Branch):
            body, left = self.through(node.body, width, signals)
            skip, other = (width, signals) if node.skip is None else self.through(node.skip, width, signals[:1])
            if left[0].shape == other[0].shape:
                body.agree(skip)
            return body, left
        if isinstance(node, Copies):
            after, left = self.through(node.body, width, signals)
            after.agree(width)
            return after, left
        for item in node.items:
            width, signals = self.through(item, width, signals)
        return width, signals

    def _leaf(self, leaf: Leaf, width: Width, signals: Signals) -> tuple[Width, Signals]:
        layer, found = leaf.layer, infer(leaf.layer, *signals)
        left: Signals = found if type(found) is tuple else (found,)
        groups: Any = layer.__dict__.get("groups")
        if type(groups) is int:  # of a normalisation or a convolution: they divide what comes in
            width.root.unit = math.lcm(width.root.unit, groups)
        size = layer.__dict__[WIDTHS[type(layer)]] if type(layer) in WIDTHS else None
        if size is not None:
            if groups == "depthwise":  # what leaves stays, and is a multiple of what comes in
                width.fix()
            if leaf not in self.widths:
                self.widths[leaf] = _of(layer, size)
            return self.widths[leaf], left
        before, after = signals[0], left[0]
        same = before.kind in CHANNEL_AXIS and after.kind in CHANNEL_AXIS and before.channels == after.channels
        return (width if same else Width(source=width)), left


def _of(layer: Layer, size: int) -> Width:
    groups: Any = layer.__dict__.get("groups", 1)
    width = Width(size, groups if type(groups) is int else 1, 2 if _both_ways(layer) else 1)
    if groups == "depthwise":  # what leaves is a multiple of what comes in
        width.fixed = True
    return width


def _both_ways(layer: Layer) -> bool:
    return isinstance(layer, (GRU, LSTM)) and layer.bidirectional
