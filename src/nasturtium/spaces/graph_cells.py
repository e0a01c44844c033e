"""Cells of NAS-Bench-101: operations on the vertices of a graph, widths by its channel rule; NAS-Bench-1Shot1's too."""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence
from hashlib import md5
from typing import Any, ClassVar

from nasturtium.errors import Mismatch, SpaceError
from nasturtium.layers import (
    Add,
    Concat,
    Container,
    ConvBlock,
    GlobalPool,
    Identity,
    MaxPool,
)
from nasturtium.space.part import Layer, Wiring
from nasturtium.space.signal import Signal
from nasturtium.spaces.inputs import at_least, positive, smaller_side

OPERATIONS: dict[str, Layer] = {
    "conv3x3-bn-relu": ConvBlock(kernel=3),
    "conv1x1-bn-relu": ConvBlock(kernel=1),
    "maxpool3x3": MaxPool(3, stride=1),
}
"""The operations of a vertex, in the order of the published labels 0, 1, 2."""

LEAST_SIDE = 6
"""From this side on, halving it twice rounded up can be told from its size."""

LEAST_CHANNELS = 5
"""As many vertices as can share the channels of the output."""

Links = frozenset[tuple[int, int]]
"""The (source, target) pairs of a graph whose first vertex is the input and whose last is the output."""


class FirstChannels(Identity):
    """The first ``channels`` channels of an image."""

    channels: int
    total: ClassVar[bool] = False

    def signal(self, *inputs: Signal) -> Signal:
        x = super().signal(*inputs)
        if x.channels < self.channels:
            raise Mismatch(f"FirstChannels cannot take {self.channels} of the channels of {x}")
        return x.with_channels(self.channels)

    def module(self, *inputs: Signal) -> Any:
        from nasturtium.modules import FirstChannels as Module

        return Module(self.channels)


class GraphCell(Container, abstract=True):
    """A cell whose vertices are operations; a subclass says how its edges are written.

    A vertex sums what it reads: of the input a 1x1 projection, of other vertices as many channels as it has. The
    output concatenates what it reads, and adds a projection of the input if it reads that. Vertices on no path from
    the input to the output are pruned.
    """

    steady: ClassVar[bool] = True  # with as many channels as ``checked_side`` asks for

    def links(self) -> Links:
        """The edges, pruned ones included."""
        raise Mismatch(f"{type(self).__name__} does not say what its edges are")

    def body(self, x: Any, operations: Sequence[Any], width: int) -> Wiring:
        """The wiring, for a number of channels that leave."""
        last = len(operations) + 1
        links = pruned(self.links(), last) or frozenset({(0, last)})  # no path: the spaces leave those out
        widths, states = vertex_widths(links, last, width), {0: x}
        for vertex in sorted({target for _, target in links} - {last}):
            terms = []
            for source in sorted(s for s, t in links if t == vertex):
                taken = FirstChannels(widths[vertex]) if source else ConvBlock(widths[vertex], kernel=1)
                terms.append((yield taken, states[source]))
            joined = terms[0] if len(terms) == 1 else (yield Add(), *terms)
            states[vertex] = yield operations[vertex - 1], joined
        leaving = [states[source] for source in sorted(s for s, t in links if t == last) if source]
        joined = leaving[0] if len(leaving) == 1 else (yield Concat(), *leaving) if leaving else None
        if (0, last) not in links:
            return joined
        skip = yield ConvBlock(width, kernel=1), x
        return skip if joined is None else (yield Add(), joined, skip)


class StackedCells(Container):
    """A stem, then three stacks of three copies of one cell, with 2x2 max-pooling between them.

    The copies share their decisions; each has weights of its own. The cell doubles the channels where the side of
    the image has been halved.

    Args:
        cell: The cell.
        channels: Channels of the stem and of the first stack.
        stacks: Number of stacks.
        cells: Copies of the cell in a stack.
    """

    cell: Any
    channels: int = 128
    stacks: int = 3
    cells: int = 3

    def wire(self, x: Any) -> Wiring:
        x = yield ConvBlock(self.channels), x
        for stack in range(self.stacks):
            if stack:
                x = yield MaxPool(), x
            for _ in range(self.cells):
                x = yield self.cell, x
        return (yield GlobalPool(), x)


def checked_side(space: str, signal: Signal, channels: int) -> int:
    """The smaller side of an image for these networks.

    Raises:
        SpaceError: If it is too small to be halved twice, or a vertex could be left without channels.
    """
    positive(space, channels=channels)
    if channels < LEAST_CHANNELS:
        raise SpaceError(f"{space}: channels must be at least {LEAST_CHANNELS}, not {channels}: vertices share them")
    return at_least(space, signal, LEAST_SIDE)


def width_at(signal: Signal, channels: int, side: int) -> int:
    """Channels of a cell, which double with each halving of the side: ``channels`` where it is ``side``."""
    halvings = round(math.log2(side / smaller_side(signal)))
    return channels << max(halvings, 0)


def pruned(links: Collection[tuple[int, int]], last: int) -> Links:
    """The edges on paths from vertex 0 to vertex ``last``; every edge leads from a lower to a higher number."""
    ahead, behind = {0}, {last}
    for source, target in sorted(links):
        if source in ahead:
            ahead.add(target)
    for source, target in sorted(links, reverse=True):
        if target in behind:
            behind.add(source)
    kept = ahead & behind
    return frozenset(link for link in links if kept.issuperset(link)) if last in ahead else frozenset()


def vertex_widths(links: Links, last: int, width: int) -> dict[int, int]:
    """Channels of each vertex (Ying et al. 2019, supplement S2).

    The vertices that the output reads share its channels as equally as can be, the first ones getting what is left
    over; any other vertex is as wide as the widest that reads it.
    """
    readers = sorted(source for source, target in links if target == last and source)
    share, rest = divmod(width, max(1, len(readers)))
    widths = {last: width} | {vertex: share + (index < rest) for index, vertex in enumerate(readers)}
    for vertex in range(last - 1, 0, -1):
        if vertex not in widths:
            widths[vertex] = max((widths[t] for s, t in links if s == vertex and t != last), default=0)
    return widths


def specification(links: Links, names: Sequence[str]) -> tuple[list[list[int]], list[str]]:
    """The pruned graph as adjacency matrix and operations, ``input`` first and ``output`` last."""
    last = len(names) + 1
    kept = pruned(links, last)
    vertices = sorted({0, last} | {vertex for link in kept for vertex in link})
    matrix = [[int((source, target) in kept) for target in vertices] for source in vertices]
    labels = ["input", *names, "output"]
    return matrix, [labels[vertex] for vertex in vertices]


def graph_hash(matrix: Sequence[Sequence[int]], operations: Sequence[str]) -> str:
    """The published hash of a pruned graph: equal for isomorphic ones, and with 423,624 values.

    Every vertex starts from its degrees and its label; as many times as there are vertices, it takes up the sorted
    hashes of the vertices it reads and of those that read it; the sorted hashes of all vertices are the graph's.
    """
    labels = {"input": -1, "output": -2} | {name: number for number, name in enumerate(OPERATIONS)}
    count = range(len(operations))
    before = [[source for source in count if matrix[source][target]] for target in count]
    after = [[target for target in count if matrix[source][target]] for source in count]
    hashes = [_md5(str((len(after[v]), len(before[v]), labels[operations[v]]))) for v in count]
    for _ in count:
        around = [[sorted([hashes[w] for w in near[v]]) for near in (before, after)] for v in count]
        hashes = [_md5(f"{''.join(read)}|{''.join(readers)}|{hashes[v]}") for v, (read, readers) in enumerate(around)]
    return _md5(str(sorted(hashes)))


def _md5(text: str) -> str:
    return md5(text.encode(), usedforsecurity=False).hexdigest()
