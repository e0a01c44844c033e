"""The space ``nasbench101``: any graph of at most seven vertices and nine edges as a cell (Ying et al. 2019)."""

from __future__ import annotations

from typing import Any

from nasturtium.errors import ParseError
from nasturtium.layers import Linear, Sequential
from nasturtium.space.architecture import Architecture
from nasturtium.space.choice import choice
from nasturtium.space.notations import Notation
from nasturtium.space.part import Wiring
from nasturtium.space.space import Space
from nasturtium.spaces.graph_cells import (
    OPERATIONS,
    GraphCell,
    Links,
    StackedCells,
    checked_side,
    graph_hash,
    pruned,
    specification,
    width_at,
)
from nasturtium.spaces.inputs import one_input, positive

VERTICES = 7
EDGES = 9
PAIRS = tuple((source, target) for source in range(VERTICES) for target in range(source + 1, VERTICES))
"""(source, target) of each bit of the upper triangle of the adjacency matrix, row by row."""

UNIQUE = 423_624
"""Graphs of at most seven vertices and nine edges up to isomorphism (counted in ``benchmarks/nasbench101.py``)."""


class Cell101(GraphCell):
    """A cell whose edges are the upper triangle of an adjacency matrix.

    Args:
        edges: 21 bits, row by row.
        operations: Of the five inner vertices.
        channels: Channels that leave where the side of the image is ``side``; they double with each halving.
        side: The smaller side of the network's input.
    """

    edges: tuple[int, ...]
    operations: tuple[Any, ...]
    channels: int = 128
    side: int = 32

    def links(self) -> Links:
        return frozenset(pair for pair, bit in zip(PAIRS, self.edges, strict=True) if bit)

    def wire(self, x: Any) -> Wiring:
        return (yield from self.body(x, self.operations, width_at(x.signal, self.channels, self.side)))


def nasbench101(input: Any = (3, 32, 32), outputs: int = 10, *, channels: int = 128, cells: int = 3) -> Space:
    """The cells of NAS-Bench-101 (Ying et al. 2019, arXiv:1902.09635): 423,624 graphs up to isomorphism.

    A cell is a graph of an input, at most five vertices of ``conv3x3-bn-relu``, ``conv1x1-bn-relu`` or
    ``maxpool3x3``, and an output, with at most nine edges. Vertices on no path from input to output are pruned, so
    smaller graphs are among the 2^21 3^5 derivations. Channels follow the rule of the paper. The notation is that of
    the published records: the adjacency matrix row by row, a space, the operations with commas; the key is the
    published hash of the graph. ``size`` is the declared number of keys.

    Args:
        input: (channels, height, width), or an image signal; at least 6x6.
        outputs: Classes.
        channels: Of the first stack, at least 5; 128 as published.
        cells: Copies of the cell in each of three stacks; 3 as published.

    Raises:
        SpaceError: If the input is no image, or an option cannot be used.
    """
    signal = one_input("nasbench101", input, "image")
    positive("nasbench101", outputs=outputs, cells=cells)
    side = checked_side("nasbench101", signal, channels)
    operation = choice(*OPERATIONS.values())
    cell = Cell101((choice(0, 1),) * len(PAIRS), (operation,) * (VERTICES - 2), channels, side)
    root = Sequential(StackedCells(cell, channels, cells=cells), Linear(outputs))
    return Space(
        root, input=signal, name="nasbench101", where=is_published, size=UNIQUE,
        notation=Notation(write, read, key), members=MEMBERS,
    )  # fmt: skip


MEMBERS = {
    "Inception-like": "0111010000000100000010000100000000100000010000000 "
    "input,conv1x1-bn-relu,conv3x3-bn-relu,conv3x3-bn-relu,conv3x3-bn-relu,maxpool3x3,output",
}
"""The cell that is like Inception's (Szegedy et al. 2015), two 3x3 convolutions in the place of a 5x5 one."""


def is_published(architecture: Architecture) -> bool:
    """Whether a path leads from the input to the output, and at most nine edges lie on such paths."""
    bits = architecture.decisions[: len(PAIRS)]
    return 1 <= len(pruned([pair for pair, bit in zip(PAIRS, bits, strict=True) if bit], VERTICES - 1)) <= EDGES


def spelled(architecture: Architecture) -> tuple[list[list[int]], list[str]]:
    """The pruned adjacency matrix and the operations of a network of a graph cell."""
    cell = architecture.value.layers[0].cell
    names = {layer: name for name, layer in OPERATIONS.items()}
    return specification(cell.links(), [names[layer] for layer in cell.operations])


def read(text: str) -> tuple[int, ...]:
    """The decisions of a written graph: its bits, then its operations."""
    links, names = read_specification(text)
    return (*[int(pair in links) for pair in PAIRS], *[list(OPERATIONS).index(name) for name in names])


def write(architecture: Architecture) -> str:
    """The adjacency matrix row by row, and the operations."""
    matrix, operations = spelled(architecture)
    return "".join(str(bit) for row in matrix for bit in row) + " " + ",".join(operations)


def key(architecture: Architecture) -> str:
    """The published hash of the graph."""
    return graph_hash(*spelled(architecture))


def read_specification(text: str) -> tuple[Links, list[str]]:
    """The edges of a written graph on vertices 0 to 6, and the five operations; those left over are the first one.

    Raises:
        ParseError: If it is not a graph of this space.
    """
    bits, _, listed = text.strip().partition(" ")
    names = [name.strip() for name in listed.split(",")]
    count = len(names)
    wrong = [name for name in names[1:-1] if name not in OPERATIONS]
    if wrong or names[0] != "input" or names[-1] != "output":
        raise ParseError(f"the operations {names} must be input, some of {', '.join(OPERATIONS)}, and output")
    if not 2 <= count <= VERTICES or len(bits) != count**2 or set(bits) - {"0", "1"}:
        raise ParseError(f"{bits!r} is no adjacency matrix of {count} vertices (at most {VERTICES}), row by row")
    places = [*range(count - 1), VERTICES - 1]
    links = {divmod(index, count) for index, bit in enumerate(bits) if bit == "1"}
    if any(source >= target for source, target in links):
        raise ParseError(f"{bits!r} is not upper triangular: edges lead from earlier to later vertices")
    spare = [next(iter(OPERATIONS))] * (VERTICES - count)
    return frozenset((places[source], places[target]) for source, target in links), names[1:-1] + spare
