"""A skeleton of NAS-Bench-201 (Dong & Yang 2020): one cell of six edges, repeated in three stages."""

from typing import Any

from nasturtium.layers import (
    Add,
    AvgPool,
    BatchNorm,
    Container,
    Conv2d,
    GlobalPool,
    Identity,
    Linear,
    ReLU,
    Residual,
    Sequential,
    Zero,
)
from nasturtium.space import Space, choice


class Cell201(Container):
    """Every node sums one operation for each node before it."""

    edges: tuple[Any, ...]

    def wire(self, x):
        nodes, edges = [x], iter(self.edges)
        for _ in range(3):
            sums = []
            for source in nodes:
                sums.append((yield next(edges), source))
            nodes.append((yield Add(), *sums))
        return nodes[-1]


class Stages201(Container):
    """The cell in three stages, whose decisions are one and whose weights are many."""

    cell: Any
    channels: int = 16
    repeats: int = 5

    def wire(self, x):
        x = yield Sequential(Conv2d(self.channels, bias=False), BatchNorm()), x
        for stage in range(3):
            if stage:
                width = self.channels << stage
                x = yield Residual(Sequential(conv(width, 3, 2), conv(width, 3)), skip=shortcut(width)), x
            for _ in range(self.repeats):
                x = yield self.cell, x
        return (yield Sequential(BatchNorm(), ReLU(), GlobalPool("mean")), x)


def conv(channels, kernel, stride=1):
    return Sequential(ReLU(), Conv2d(channels, kernel=kernel, stride=stride, bias=False), BatchNorm())


def shortcut(channels):
    return Sequential(AvgPool(2, stride=2), Conv2d(channels, kernel=1, bias=False))


def nasbench201(size=(3, 32, 32), outputs=10, channels=16, repeats=5):
    operation = choice(Zero(), Identity(), conv(None, 1), conv(None, 3), AvgPool(3, stride=1))
    cell = Cell201((operation,) * 6)
    return Space(Sequential(Stages201(cell, channels, repeats), Linear(outputs)), input=size, name="nasbench201")
