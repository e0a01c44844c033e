"""The space ``darts``: a normal and a reduction cell of four nodes (Liu et al. 2019), also that of NAS-Bench-301."""

from __future__ import annotations

import itertools
from functools import partial
from typing import Any

from nasturtium.errors import ParseError
from nasturtium.layers import Cell, Edge, Node
from nasturtium.space.architecture import Architecture
from nasturtium.space.choice import choice, subset
from nasturtium.space.notations import Notation
from nasturtium.space.space import Space
from nasturtium.spaces.cell_network import CellNetwork, checked_cells, stem_for, visits_normal_first
from nasturtium.spaces.cell_operations import operation
from nasturtium.spaces.cifar_cells import genotypes
from nasturtium.spaces.genotype import COMPACT, INPUTS, Genotype, genotype_of, read_genotype, write_compact
from nasturtium.spaces.inputs import one_input, positive, rates


def darts(
    input: Any = (3, 32, 32),
    outputs: int = 10,
    *,
    channels: int = 16,
    cells: int = 8,
    nodes: int = 4,
    none: bool = False,
    auxiliary: bool = False,
    drop_path: float = 0.0,
) -> Space:
    """The cells of DARTS, P-DARTS, PC-DARTS, SGAS and most others of their kind, which NAS-Bench-301 is about.

    Each of four nodes sums two operations on different earlier states; all nodes leave, concatenated. Operations:
    ``max_pool_3x3``, ``avg_pool_3x3``, ``skip_connect``, ``sep_conv_3x3``, ``sep_conv_5x5``, ``dil_conv_3x3``,
    ``dil_conv_5x5``, and ``none`` if asked for, which the supernet of the paper has and its derived cells never take.
    Nodes choose from 1, 3, 6 and 10 pairs of states, so the size is (1 * 3 * 6 * 10 * 7^8)^2, about 1.08e18.

    The paper trains 20 cells of 36 channels with an auxiliary head and drop path 0.2. Three things differ from its
    code: odd sizes are halved rounding up, examples rather than single values drop a path with a rate that does not
    grow with the epochs, and the auxiliary head adapts to small maps.

    Notation: ``Genotype(normal=[('sep_conv_3x3', 0), ...], normal_concat=range(2, 6), reduce=[...], ...)``; NASLib's
    ``(((0, 3), ...), (...))`` is read too, and written by :func:`compact`.

    Args:
        input: (channels, height, width), or an image signal; from a side of 96 on the stem is that of ImageNet.
        outputs: Numbers that leave: classes, or targets.
        channels: Width of the first cells; the reductions double it.
        cells: How many cells, of both kinds together; the paper searches with 8.
        nodes: Of each cell.
        none: Whether an edge may be left out.
        auxiliary: Whether there is an auxiliary head: the network then has two outputs, the second for training.
        drop_path: Share of examples for which an operation on an edge is dropped in training.

    Raises:
        SpaceError: If the input is no image, or an option cannot be used.

    >>> darts().size == (1 * 3 * 6 * 10 * 7**8) ** 2
    True
    """
    signal = one_input("darts", input, "image")
    positive("darts", outputs=outputs, channels=channels, nodes=nodes)
    rates("darts", drop_path=drop_path)
    checked_cells("darts", cells)
    names = (*(("none",) if none else ()), *COMPACT)
    normal, reduction = (open_cell(names, nodes, stride, drop_path) for stride in (1, 2))
    root = CellNetwork(normal, reduction, outputs, channels, cells, stem=stem_for(signal), auxiliary=auxiliary)

    notation = Notation(write, partial(_read, nodes, cells, names))
    members = genotypes("darts", names) if nodes == 4 else {}
    return Space(root, input=signal, name="darts", notation=notation, members=members)


def write(architecture: Architecture) -> str:
    """The genotype of an architecture."""
    return str(genotype_of(architecture))


def _read(nodes: int, cells: int, names: tuple[str, ...], text: str) -> tuple[int, ...]:
    """The decisions of a genotype."""
    found = read_genotype(text)
    _check(found, nodes, names)
    taken = [_decisions(found, cell, names) for cell in ("normal", "reduce")]
    return sum(taken if visits_normal_first(cells) else taken[::-1], ())


def compact(architecture: Architecture) -> str:
    """An architecture of ``darts`` in NASLib's compact form, edges in the order of their sources.

    Some rows of NAS-Bench-Suite-Zero have another order: ``read_genotype(text).ordered()`` tells them too.
    """
    return write_compact(genotype_of(architecture))


def open_cell(names: tuple[str, ...], nodes: int, stride: int, drop_path: float) -> Cell:
    """A cell whose nodes each read two different earlier states; edges from the inputs have the stride."""

    def edge(source: int) -> Edge:
        step = stride if source < INPUTS else 1
        options = [operation(name, step, drop_path) for name in names]
        return Edge(source, choice(*options) if len(options) > 1 else options[0])

    made = [Node(subset(*map(edge, range(INPUTS + number)), k=2)) for number in range(nodes)]
    return Cell(tuple(made), output="all")


def _decisions(genotype: Genotype, cell: str, names: tuple[str, ...]) -> tuple[int, ...]:
    """Which pair of states each node reads, then which operation each edge has."""
    pairs, taken = [], []
    for number, ((first, one), (second, other)) in enumerate(genotype.ordered().nodes(cell)):
        pairs.append(list(itertools.combinations(range(INPUTS + number), 2)).index((one, other)))
        taken += [names.index(first), names.index(second)]
    return (*pairs, *taken)


def _check(genotype: Genotype, nodes: int, names: tuple[str, ...]) -> None:
    for cell, concat in (("normal", genotype.normal_concat), ("reduce", genotype.reduce_concat)):
        pairs = genotype.nodes(cell)
        if len(pairs) != nodes:
            raise ParseError(f"the {cell} cell has {len(pairs)} nodes, in this space it has {nodes}")
        if concat != tuple(range(INPUTS, INPUTS + nodes)):
            raise ParseError(f"{cell}_concat is {list(concat)}; here all nodes leave: range(2, {INPUTS + nodes})")
        for number, pair in enumerate(pairs):
            for name, _ in pair:
                if name not in names:
                    raise ParseError(f"node {number} of {cell} takes {name!r}, which is not in this space: {names}")
            if pair[0][1] == pair[1][1]:
                raise ParseError(f"node {number} of {cell} reads state {pair[0][1]} twice; here its two inputs differ")
