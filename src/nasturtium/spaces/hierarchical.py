"""The space ``hierarchical``: motifs of primitives, and a cell of motifs (Liu et al. 2018)."""

from __future__ import annotations

import itertools
import math
from typing import Any

from nasturtium.errors import SpaceError
from nasturtium.layers import (
    AvgPool,
    BatchNorm,
    Concat,
    Container,
    Conv2d,
    ConvBlock,
    GlobalPool,
    Identity,
    Linear,
    MaxPool,
    ReLU,
    SeparableConv2d,
    Sequential,
    Zero,
)
from nasturtium.space.architecture import Architecture
from nasturtium.space.choice import choice
from nasturtium.space.part import Layer, Wiring
from nasturtium.space.space import Space
from nasturtium.spaces.inputs import one_input, positive

MOTIFS, MOTIF_NODES, CELL_NODES = 6, 4, 5


class HierarchicalMerge(Container):
    """One input as it is; several concatenated, then brought back to the channels of one by a 1x1 convolution."""

    def wire(self, *inputs: Any) -> Wiring:
        if len(inputs) == 1:
            return inputs[0]
        both = yield Concat(), *inputs
        y = yield Conv2d(inputs[0].signal.channels, kernel=1, bias=False), both
        return (yield BatchNorm(), y)


class HierarchicalSeparable(Container):
    """A separable 3x3 convolution with batch normalisation and ReLU.

    Args:
        channels: Channels that leave; as many as come in if not given.
        stride: Of its first part.
    """

    channels: int | None = None
    stride: int = 1

    def wire(self, x: Any) -> Wiring:
        x = yield SeparableConv2d(self.channels, stride=self.stride, bias=False), x
        x = yield BatchNorm(), x
        return (yield ReLU(), x)


class HierarchicalMotif(Container):
    """A graph of four nodes with a primitive on every edge from an earlier to a later node; the last node leaves.

    Args:
        operations: Of the edges 0-1, 0-2, 1-2, 0-3, 1-3, 2-3.
    """

    operations: tuple[Any, ...]

    def wire(self, x: Any) -> Wiring:
        nodes, operations = [x], iter(self.operations)
        for _ in range(1, MOTIF_NODES):
            terms = []
            for source in nodes:
                terms.append((yield next(operations), source))
            nodes.append((yield HierarchicalMerge(), *terms))
        return nodes[-1]


class HierarchicalNetwork(Container):
    """The cell on three resolutions, between separable convolutions; its decisions are one, its weights many.

    Args:
        edges: For the edges 0-1, 0-2, 1-2, 0-3, ... of the cell's five nodes: the number of the motif that it takes
            (from 1), or 0 for none.
        motifs: The motifs.
        channels: Channels of the first cells; they double at each of the two halvings.
        repeats: Cells at each resolution, with a separable convolution between them.
    """

    edges: tuple[Any, ...]
    motifs: tuple[Any, ...]
    channels: int = 16
    repeats: int = 1

    def wire(self, x: Any) -> Wiring:
        if any(not 0 <= edge <= len(self.motifs) for edge in self.edges):
            raise SpaceError(f"the edges of a cell take a motif from 1 to {len(self.motifs)}, or 0, not {self.edges}")
        x = yield ConvBlock(self.channels), x
        for number in range(3 * self.repeats):
            if number:
                halves = number % self.repeats == 0
                x = yield HierarchicalSeparable(x.signal.channels * (1 + halves), 1 + halves), x
            nodes, edges = [x], iter(self.edges)
            for _ in range(1, CELL_NODES):
                terms = []
                for source in nodes:
                    edge = next(edges)
                    terms.append((yield self.motifs[edge - 1] if edge else Zero(), source))
                nodes.append((yield HierarchicalMerge(), *terms))
            x = nodes[-1]
        return (yield HierarchicalSeparable(), x)


PRIMITIVES: dict[str, Layer] = {
    "none": Zero(),
    "identity": Identity(),
    "conv_1x1": ConvBlock(kernel=1),
    "depthwise_3x3": ConvBlock(groups="depthwise"),
    "separable_3x3": HierarchicalSeparable(),
    "max_pool_3x3": MaxPool(3, stride=1),
    "avg_pool_3x3": AvgPool(3, stride=1),
}
"""What an edge of a motif can hold."""

LIU2018 = (
    (5, 3, 3, 3, 1, 3, 4, 5, 5, 5),
    ("MCDSCM", "MDDCSS", "SDSSIA", "ASSIMA", "ISISIS", "DMMSIA"),
)
"""The cell of the paper's appendix: motifs on its edges, and on the edges of the motifs the primitives' initials.

An edge without a name in the paper's figure is taken to be the identity."""


def hierarchical(input: Any = (3, 32, 32), outputs: int = 10, *, channels: int = 16, repeats: int = 1) -> Space:
    """The hierarchical cells of Liu et al. (2018): six motifs, and one cell made of them.

    Level 1 are the ``PRIMITIVES``: identity, 1x1 convolution, 3x3 depthwise and separable convolution, 3x3 maximum and
    average pooling, and none. Level 2 are six motifs of four nodes with a primitive on each of the six edges. Level 3
    is a cell of five nodes with a motif or none on each of the ten edges. A motif is decided once, and has weights of
    its own wherever it is used. What reaches a node is concatenated and brought back to the channels of one input by a
    1x1 convolution; none brings zeros.

    The network is the paper's small one, on which it searches: a 3x3 convolution, then a cell on three resolutions,
    with a separable convolution of stride two and twice the channels between them. Its evaluation has ``channels=64,
    repeats=2``: the published cell (member ``liu2018``) then has the published 15.7 million parameters.

    The 7^36 * 7^10 = 7^46 genotypes are open here but for those whose input does not reach their output, which
    would be constant (three in a thousand of them).

    Args:
        input: (channels, height, width), or an image signal.
        outputs: Numbers that leave.
        channels: Channels of the first cells.
        repeats: Cells at each resolution.

    Raises:
        SpaceError: If the input is no image, or an option cannot be used.

    >>> round(hierarchical().size / 7**46, 4)
    0.9973
    """
    signal = one_input("hierarchical", input, "image")
    positive("hierarchical", outputs=outputs, channels=channels, repeats=repeats)

    def network(edges: tuple[Any, ...], motifs: tuple[Any, ...]) -> Sequential:
        return Sequential(HierarchicalNetwork(edges, motifs, channels, repeats), GlobalPool(), Linear(outputs))

    motif = HierarchicalMotif((choice(*PRIMITIVES.values()),) * pairs(MOTIF_NODES))
    initials = {name[0].upper(): layer for name, layer in PRIMITIVES.items() if name != "none"}
    published = tuple([HierarchicalMotif(tuple([initials[letter] for letter in letters])) for letters in LIU2018[1]])
    return Space(
        network((choice(*range(MOTIFS + 1)),) * pairs(CELL_NODES), (motif,) * MOTIFS),
        input=signal,
        name="hierarchical",
        where=input_reaches_output,
        size=live_genotypes(),
        members={"liu2018": network(LIU2018[0], published)},
    )


def pairs(nodes: int) -> int:
    """Number of edges of a graph in which each node reads all before it."""
    return math.comb(nodes, 2)


def connected(live: tuple[bool, ...], nodes: int) -> bool:
    """Whether a path of live edges (0-1, 0-2, 1-2, 0-3, ...) leads from the first node to the last."""
    reached, edges = [True], iter(live)
    for target in range(1, nodes):
        carried = [source and edge for source, edge in zip(reached, itertools.islice(edges, target), strict=True)]
        reached.append(any(carried))
    return reached[-1]


def input_reaches_output(architecture: Architecture) -> bool:
    """Whether the output depends on the input at all."""
    root: Any = architecture.value
    network = root.layers[0]
    motifs = [connected(tuple([o != Zero() for o in motif.operations]), MOTIF_NODES) for motif in network.motifs]
    return connected(tuple([edge > 0 and motifs[edge - 1] for edge in network.edges]), CELL_NODES)


def live_genotypes() -> int:
    """How many genotypes lead the input to the output."""
    options = len(PRIMITIVES)
    live = ways(MOTIF_NODES, options - 1, 1)
    dead = options ** pairs(MOTIF_NODES) - live
    return sum(
        math.comb(MOTIFS, count) * live**count * dead ** (MOTIFS - count) * ways(CELL_NODES, count, MOTIFS + 1 - count)
        for count in range(MOTIFS + 1)
    )


def ways(nodes: int, live: int, dead: int) -> int:
    """In how many ways a graph is connected if each edge takes one of so many live or dead options."""
    patterns = itertools.product((False, True), repeat=pairs(nodes))
    taken = [sum(pattern) for pattern in patterns if connected(pattern, nodes)]
    return sum(live**count * dead ** (pairs(nodes) - count) for count in taken)
