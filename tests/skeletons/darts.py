"""A skeleton of DARTS (Liu et al. 2019): a normal and a reduction cell whose nodes read two earlier ones."""

from typing import Any

from nasturtium.layers import (
    Add,
    AvgPool,
    Concat,
    Container,
    ConvBlock,
    GlobalPool,
    Identity,
    Linear,
    MaxPool,
    SeparableConv2d,
    Sequential,
)
from nasturtium.space import Part, Space, choice, subset


class Edge(Part):
    """An operation on the state with number ``source``."""

    source: int
    operation: Any


class CellDarts(Container):
    """Each node sums its edges; the states of the nodes are concatenated."""

    nodes: tuple[Any, ...]

    def wire(self, before, last):
        states = [before, last]
        for node in self.nodes:
            read = []
            for edge in node:
                read.append((yield edge.operation, states[edge.source]))
            states.append((yield Add(), *read))
        return (yield Concat(), *states[2:])


class NetworkDarts(Container):
    """The two cells, whose decisions are shared by all their copies."""

    normal: Any
    reduction: Any
    channels: int = 16
    cells: int = 8

    def wire(self, x):
        before = last = yield ConvBlock(3 * self.channels), x
        width, halved = self.channels, False
        for number in range(self.cells):
            reduces = number in (self.cells // 3, 2 * self.cells // 3)
            width *= 1 + reduces
            one = yield ConvBlock(width, kernel=1, stride=1 + halved), before
            other = yield ConvBlock(width, kernel=1), last
            before, last = last, (yield (self.reduction if reduces else self.normal), one, other)
            halved = reduces
        return last


def operations(stride):
    convolutions = [SeparableConv2d(kernel=k, stride=stride) for k in (3, 5)]
    dilated = [SeparableConv2d(kernel=k, stride=stride, dilation=2) for k in (3, 5)]
    skip = Identity() if stride == 1 else ConvBlock(kernel=1, stride=stride)
    return choice(MaxPool(3, stride=stride), AvgPool(3, stride=stride), skip, *convolutions, *dilated)


def cell(stride):
    def edge(source):
        return Edge(source, operations(stride if source < 2 else 1))

    return CellDarts(tuple(subset(*map(edge, range(node + 2)), k=2) for node in range(4)))


def darts(size=(3, 32, 32), outputs=10, cells=8):
    net = NetworkDarts(cell(1), cell(2), cells=cells)
    return Space(Sequential(net, GlobalPool("mean"), Linear(outputs)), input=size, name="darts")
