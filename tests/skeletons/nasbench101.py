"""A skeleton of NAS-Bench-101 (Ying et al. 2019): any graph of at most seven vertices and nine edges."""

from typing import Any

from nasturtium.errors import Mismatch
from nasturtium.layers import (
    Add,
    Concat,
    Container,
    ConvBlock,
    GlobalPool,
    Identity,
    Linear,
    MaxPool,
    Sequential,
)
from nasturtium.space import Space, choice

PAIRS = [(source, target) for target in range(7) for source in range(target)]


class Cell101(Container):
    """Vertices that lie on no path from input to output are pruned; the output concatenates."""

    edges: tuple[int, ...]
    operations: tuple[Any, ...]
    channels: int

    def wire(self, x):
        edges = pruned(self.edges)
        if not edges:
            raise Mismatch("no path leads from the input to the output")
        inner = [source for source, target in edges if target == 6 and source != 0]
        width, extra = divmod(self.channels, max(1, len(inner)))
        widths = {6: self.channels} | {v: width + (i < extra) for i, v in enumerate(sorted(inner))}
        for vertex in range(5, 0, -1):  # an inner vertex is as wide as the widest that it feeds
            reached = [widths[target] for source, target in edges if source == vertex and target in widths]
            widths.setdefault(vertex, max(reached, default=0))
        values = {}
        for vertex in sorted({target for _, target in edges} - {6}):
            terms = []
            for source in (s for s, t in sorted(edges) if t == vertex):
                layer = Trim(widths[vertex]) if source else ConvBlock(widths[vertex], kernel=1)
                terms.append((yield layer, values[source] if source else x))
            values[vertex] = yield self.operations[vertex - 1], (yield Add(), *terms)
        skip = (yield ConvBlock(self.channels, kernel=1), x) if (0, 6) in edges else None
        if not inner:
            return skip
        joined = yield Concat(), *[values[vertex] for vertex in sorted(inner)]
        return joined if skip is None else (yield Add(), joined, skip)


class Trim(Identity):
    """The first ``channels`` channels."""

    channels: int

    def signal(self, x):
        return x.with_channels(self.channels)


def pruned(bits):
    """The edges on paths from the input to the output."""
    edges = {pair for pair, bit in zip(PAIRS, bits, strict=True) if bit}
    ahead, behind = {0}, {6}
    for vertex in range(1, 7):
        if any((source, vertex) in edges for source in ahead):
            ahead.add(vertex)
    for vertex in range(5, -1, -1):
        if any((vertex, target) in edges for target in behind):
            behind.add(vertex)
    return {(s, t) for s, t in edges if {s, t} <= ahead & behind}


def at_most_nine_edges(architecture):
    return sum(architecture.value.layers[0].edges) <= 9


def nasbench101(size=(128, 32, 32), outputs=10):
    operation = choice(ConvBlock(kernel=3), ConvBlock(kernel=1), MaxPool(3, stride=1))
    cell = Cell101((choice(0, 1),) * 21, (operation,) * 5, 128)
    net = Sequential(cell, GlobalPool("mean"), Linear(outputs))
    return Space(net, input=size, where=at_most_nine_edges, name="nasbench101", size=423_624)
