"""The space ``nasbench201``: one cell of six edges in three stages (Dong and Yang 2020), NATS-Bench's topologies."""

from __future__ import annotations

from typing import Any

from nasturtium.errors import ParseError
from nasturtium.layers import (
    AvgPool,
    BatchNorm,
    Cell,
    Container,
    Conv2d,
    Edge,
    GlobalPool,
    Identity,
    Linear,
    Node,
    ReLU,
    Residual,
    Sequential,
    Zero,
)
from nasturtium.space.architecture import Architecture
from nasturtium.space.choice import choice
from nasturtium.space.notations import Notation
from nasturtium.space.part import Layer, Wiring
from nasturtium.space.space import Space
from nasturtium.spaces.cell_operations import ReluConvNorm
from nasturtium.spaces.inputs import one_input, positive


class StagedCells(Container):
    """One cell in three stages, each at half the resolution and twice the channels of the one before.

    The copies share their decisions; each has weights of its own.

    Args:
        cell: The cell.
        channels: Channels of the first stage.
        cells: Copies of the cell in a stage.
    """

    cell: Any
    channels: int = 16
    cells: int = 5

    def wire(self, x: Any) -> Wiring:
        x = yield Conv2d(self.channels, bias=False), x
        x = yield BatchNorm(), x
        for stage in range(3):
            if stage:
                x = yield halving(self.channels << stage), x
            for _ in range(self.cells):
                x = yield self.cell, x
        for layer in (BatchNorm(), ReLU(), GlobalPool()):
            x = yield layer, x
        return x


def halving(channels: int) -> Layer:
    """The residual block between two stages."""
    shortcut = Sequential(AvgPool(2), Conv2d(channels, kernel=1, bias=False))
    return Residual(Sequential(ReluConvNorm(channels, 3, 2), ReluConvNorm(channels, 3)), skip=shortcut)


OPERATIONS: dict[str, Layer] = {
    "none": Zero(),
    "skip_connect": Identity(),
    "nor_conv_1x1": ReluConvNorm(kernel=1),
    "nor_conv_3x3": ReluConvNorm(kernel=3),
    "avg_pool_3x3": AvgPool(3, stride=1),
}
"""The operations of an edge in their published order."""

NAMES = tuple(OPERATIONS)
EDGES = tuple((target, source) for target in (1, 2, 3) for source in range(target))
"""(target, source) of each edge, in the order of the published string."""


def four_nodes(operation: Any) -> Cell:
    """A cell of an input and three nodes, each of which sums an operation on every state before it."""
    return Cell(tuple(Node(tuple(Edge(source, operation) for source in range(node))) for node in (1, 2, 3)))


def nasbench201(input: Any = (3, 32, 32), outputs: int = 10, *, channels: int = 16, cells: int = 5) -> Space:
    """The 15,625 networks of NAS-Bench-201 (Dong and Yang 2020, arXiv:2001.00326), NATS-Bench's topology space.

    A cell has four nodes and an edge from each node to each later one; an edge is ``none``, ``skip_connect``,
    ``nor_conv_1x1``, ``nor_conv_3x3`` or ``avg_pool_3x3``: 5^6 cells. The notation is the published string
    ``|nor_conv_3x3~0|+|none~0|skip_connect~1|+|...|``; the key, which joins cells that compute the same, is the
    published one and has 6,466 values.

    Args:
        input: (channels, height, width), or an image signal.
        outputs: Classes.
        channels: Of the first stage; 16 as published.
        cells: Copies of the cell in each of three stages; 5 as published.

    Raises:
        SpaceError: If the input is no image, or an option cannot be used.

    >>> space = nasbench201()
    >>> space.size
    15625
    >>> space.member("ResNet").count()
    {'params': 559386, 'flops': 157123840}
    """
    signal = one_input("nasbench201", input, "image")
    positive("nasbench201", outputs=outputs, channels=channels, cells=cells)
    cell = four_nodes(choice(*OPERATIONS.values()))
    root = Sequential(StagedCells(cell, channels, cells), Linear(outputs))
    return Space(root, input=signal, name="nasbench201", notation=Notation(write, read, key), members=MEMBERS)


MEMBERS = {
    "ResNet": "|nor_conv_3x3~0|+|none~0|nor_conv_3x3~1|+|skip_connect~0|none~1|skip_connect~2|",
    "NATS-SSS": "|nor_conv_3x3~0|+|nor_conv_3x3~0|nor_conv_3x3~1|+|skip_connect~0|nor_conv_3x3~1|nor_conv_3x3~2|",
}
"""Known cells: the residual one of the paper, and the one whose sizes are the size space of NATS-Bench."""


def published_flops(architecture: Architecture) -> int:
    """What the published tables call FLOPs: multiply-accumulates, and one for each bias of the classifier.

    Pooling, normalisation and sums count as nothing there, as with us; our ``flops`` are two a multiply-accumulate.
    """
    biases: int = architecture.value.layers[-1].out
    return architecture.count(params=False)["flops"] // 2 + biases


def write(architecture: Architecture) -> str:
    """The published string of an architecture."""
    return written([NAMES[index] for index in architecture.decisions])


def written(operations: list[str]) -> str:
    """The published string of six operations in the order of :data:`EDGES`."""
    nodes: list[list[str]] = [[], [], []]
    for (target, source), name in zip(EDGES, operations, strict=True):
        nodes[target - 1].append(f"{name}~{source}")
    return "+".join(f"|{'|'.join(node)}|" for node in nodes)


def read(text: str) -> tuple[int, ...]:
    """The decisions of a published string."""
    names = [edge.rpartition("~")[0] for edge in text.strip().replace("+", "").split("|") if edge]
    unknown = [name for name in names if name not in OPERATIONS]
    if unknown and len(names) == len(EDGES):
        raise ParseError(f"{unknown[0]!r} in {text!r} is no operation; there are {', '.join(NAMES)}")
    if len(names) != len(EDGES) or text.strip() != written(names):
        example = MEMBERS["ResNet"]
        raise ParseError(f"{text!r} is no cell of NAS-Bench-201; it takes six operations, as in {example!r}")
    return tuple([NAMES.index(name) for name in names])


def key(architecture: Architecture) -> str:
    """The published key: the output as an expression in which zeros and identities are gone and sums are sorted.

    Cells with the same key compute the same; there are 6,466 keys (section 2.2 of the paper).
    """
    states = ["0"]
    taken = iter(architecture.decisions)
    for node in (1, 2, 3):
        terms = []
        for state in states[:node]:
            name = NAMES[next(taken)]
            if name == "none" or state == "#":
                terms.append("#")
            else:
                terms.append(state if name == "skip_connect" else f"({state})@{name}")
        states.append("+".join(sorted(terms)))
    return states[-1]
