"""What ``hierarchical_nasbench201`` is made of: topologies, cells, blocks, and how a graph of them is wired."""

from __future__ import annotations

import itertools
from typing import Any, ClassVar

from nasturtium.errors import SpaceError, did_you_mean
from nasturtium.layers import (
    Activation,
    Add,
    AvgPool,
    BatchNorm,
    Container,
    Conv2d,
    GroupNorm,
    ReLU,
    Residual,
    Sequential,
)
from nasturtium.space.part import Wiring, check_children

TOPOLOGIES: dict[str, tuple[tuple[int, int], ...]] = {
    "Linear2": ((0, 1), (1, 2)),
    "Linear3": ((0, 1), (1, 2), (2, 3)),
    "Linear4": ((0, 1), (1, 2), (2, 3), (3, 4)),
    "Residual2": ((0, 1), (0, 2), (1, 2)),
    "Residual3": ((0, 1), (1, 2), (0, 3), (2, 3)),
    "Cell": ((0, 1), (0, 2), (1, 2), (0, 3), (1, 3), (2, 3)),
}
"""The edges of each topology, in the order of its arguments; those that lead to one node stand together."""


class GrammarTopology(Container):
    """A small graph with a layer on each edge; what reaches a node is summed, the last node leaves.

    Args:
        topology: A name in ``TOPOLOGIES``.
        edges: The layers on its edges.
    """

    variadic: ClassVar[str | None] = "edges"

    topology: str
    edges: tuple[Any, ...]

    def __init__(self, topology: str, *edges: Any) -> None:
        if topology not in TOPOLOGIES:
            raise SpaceError(f"unknown topology {topology!r}{did_you_mean(topology, TOPOLOGIES)}")
        if len(edges) != len(TOPOLOGIES[topology]):
            raise SpaceError(f"{topology} has {len(TOPOLOGIES[topology])} edges, not {len(edges)}")
        check_children(topology, edges)
        object.__setattr__(self, "topology", topology)
        object.__setattr__(self, "edges", edges)

    def wire(self, x: Any) -> Wiring:
        return (yield from summed(x, TOPOLOGIES[self.topology], self.edges))


class GrammarCell(Container):
    """The cell of NAS-Bench-201: four nodes, six edges.

    Args:
        edges: The layers on the edges 0-1, 0-2, 1-2, 0-3, 1-3, 2-3.
    """

    edges: tuple[Any, ...]

    def wire(self, x: Any) -> Wiring:
        return (yield from summed(x, TOPOLOGIES["Cell"], self.edges))


class GrammarBlock(Container):
    """Activation, convolution, normalisation, as many channels out as in.

    Args:
        activation: ``relu``, ``hardswish`` or ``mish``.
        convolution: A layer.
        norm: A layer.
    """

    activation: str
    convolution: Any
    norm: Any

    def wire(self, x: Any) -> Wiring:
        x = yield Activation(self.activation), x
        x = yield self.convolution, x
        return (yield self.norm, x)


class GrammarInstanceNorm(Container):
    """Normalisation of each channel of each example over its places, with a learned scale and shift."""

    def wire(self, x: Any) -> Wiring:
        return (yield GroupNorm(x.signal.channels), x)


class GrammarReduction(Container):
    """A residual block that halves the side and doubles the channels, with a pooled 1x1 convolution around it."""

    def wire(self, x: Any) -> Wiring:
        channels = 2 * x.signal.channels
        body = [ReLU(), Conv2d(channels, stride=2, bias=False), BatchNorm()]
        body += [ReLU(), Conv2d(channels, bias=False), BatchNorm()]
        around = Sequential(AvgPool(2), Conv2d(channels, kernel=1, bias=False))
        return (yield Residual(Sequential(*body), skip=around), x)


def summed(x: Any, topology: tuple[tuple[int, int], ...], edges: tuple[Any, ...]) -> Wiring:
    """Lead a wire through a graph with a layer on each edge, summing at the nodes."""
    nodes, layers = [x], iter(edges)
    for _, arriving in itertools.groupby(topology, key=lambda edge: edge[1]):
        terms = []
        for source, _ in arriving:
            terms.append((yield next(layers), nodes[source]))
        nodes.append(terms[0] if len(terms) == 1 else (yield Add(), *terms))
    return nodes[-1]
