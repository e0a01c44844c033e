"""The space ``nasbench1shot1``: three parts of NAS-Bench-101 that a supernet can hold (Zela et al. 2020)."""

from __future__ import annotations

from functools import partial
from itertools import combinations
from typing import Any

from nasturtium.errors import SpaceError
from nasturtium.layers import Linear, Sequential
from nasturtium.space.choice import choice, first_closing, subset
from nasturtium.space.notations import Notation
from nasturtium.space.part import Part, Wiring
from nasturtium.space.space import Space
from nasturtium.spaces.graph_cells import OPERATIONS, GraphCell, Links, StackedCells, checked_side, width_at
from nasturtium.spaces.inputs import one_input, positive
from nasturtium.spaces.nasbench101 import key, read_specification, write

PARENTS = {1: (1, 2, 2, 2, 2), 2: (1, 1, 2, 2, 3), 3: (1, 1, 1, 2, 2, 2)}
"""By the number of the sub-space: how many vertices each inner vertex and, last, the output reads."""


class ParentCell(GraphCell):
    """A cell whose edges are written as the vertices that each vertex reads, the input being vertex 0.

    Args:
        parents: For each inner vertex and, last, for the output the vertices it reads.
        operations: Of the inner vertices.
        channels: Channels that leave where the side of the image is ``side``; they double with each halving.
        side: The smaller side of the network's input.
    """

    parents: tuple[Any, ...]
    operations: tuple[Any, ...]
    channels: int = 128
    side: int = 32

    def links(self) -> Links:
        return frozenset((source, target) for target, read in enumerate(self.parents, 1) for source in read)

    def wire(self, x: Any) -> Wiring:
        return (yield from self.body(x, self.operations, width_at(x.signal, self.channels, self.side)))


def nasbench1shot1(
    input: Any = (3, 32, 32), outputs: int = 10, *, subspace: int = 1, channels: int = 128, cells: int = 3
) -> Space:
    """One of the three search spaces of NAS-Bench-1Shot1 (Zela, Siems and Hutter 2020, arXiv:2001.10422).

    Every vertex reads a fixed number of earlier ones: (1, 2, 2, 2) and the output 2; (1, 1, 2, 2) and 3; or
    (1, 1, 1, 2, 2) and 2. That makes 14,580, 29,160 and 1,312,200 derivations. Vertices that nothing reads are
    pruned, so that the networks are those of NAS-Bench-101, with its operations, notation and key: 2,685 and 7,773
    keys in the first two. The paper counts architectures otherwise, so its figures are not these.

    Args:
        input: (channels, height, width), or an image signal; at least 6x6.
        outputs: Classes.
        subspace: 1, 2 or 3.
        channels: Of the first stack, at least 5; 128 as published.
        cells: Copies of the cell in each of three stacks; 3 as published.

    Raises:
        SpaceError: If the input is no image, or an option cannot be used.

    >>> [nasbench1shot1(subspace=number).size for number in (1, 2, 3)]
    [14580, 29160, 1312200]
    """
    signal = one_input("nasbench1shot1", input, "image")
    positive("nasbench1shot1", outputs=outputs, cells=cells)
    if isinstance(subspace, bool) or subspace not in PARENTS:
        raise SpaceError(f"nasbench1shot1: subspace must be 1, 2 or 3, not {subspace!r}")
    side = checked_side("nasbench1shot1", signal, channels)
    counts = PARENTS[subspace]
    parents = tuple([_reads(vertex, count) for vertex, count in enumerate(counts, 1)])
    cell = ParentCell(parents, (choice(*OPERATIONS.values()),) * (len(counts) - 1), channels, side)
    root = Sequential(StackedCells(cell, channels, cells=cells), Linear(outputs))
    notation = Notation(write, partial(_read, root), key)
    return Space(root, input=signal, name="nasbench1shot1", notation=notation)


def _reads(vertex: int, count: int) -> Any:
    """Which ``count`` of the vertices before this one it reads; no choice where there are no more."""
    return tuple(range(vertex)) if count == vertex else subset(*range(vertex), k=count)


def _read(root: Any, text: str) -> Part:
    """The closed network of a written graph; vertices that were pruned read the first ones.

    Raises:
        SpaceError: If the graph is none of this sub-space.
    """
    stacked, classifier = root.layers
    counts = tuple([len(first_closing(read)) for read in stacked.cell.parents])
    links, names = read_specification(text)
    written = sorted({vertex for link in links for vertex in link} - {0, 6})
    for kept in combinations(range(1, len(counts)), len(written)):
        place = {0: 0, 6: len(counts)} | dict(zip(written, kept, strict=True))
        parents = [tuple(range(count)) for count in counts]
        for vertex in (*written, 6):
            parents[place[vertex] - 1] = tuple(sorted(place[s] for s, t in links if t == vertex))
        if all(len(read) == count for read, count in zip(parents, counts, strict=True)):
            taken = {place[vertex]: names[vertex - 1] for vertex in written}
            first = next(iter(OPERATIONS))
            operations = tuple([OPERATIONS[taken.get(v, first)] for v in range(1, len(counts))])
            cell = stacked.cell.with_values({"parents": tuple(parents), "operations": operations})
            return Sequential(stacked.with_values({"cell": cell}), classifier)
    raise SpaceError(f"{text!r} is not in this sub-space: its vertices read {(*counts[:-1],)}, its output {counts[-1]}")
