"""The space ``nasnet``: cells of blocks with free inputs (Zoph et al. 2018; Real et al. 2019; Liu et al. 2018)."""

from __future__ import annotations

import math
from functools import partial
from typing import Any

from nasturtium.errors import ParseError, SpaceError, did_you_mean
from nasturtium.layers import Add, Cell, Concat, Container, Edge, Node
from nasturtium.space.choice import choice
from nasturtium.space.notations import Notation
from nasturtium.space.part import Layer, Wiring
from nasturtium.space.space import Space
from nasturtium.spaces.cell_network import CellNetwork, checked_cells, stem_for, visits_normal_first
from nasturtium.spaces.cell_operations import OPERATIONS, ReluConvNorm, operation
from nasturtium.spaces.cifar_cells import genotypes
from nasturtium.spaces.darts import write
from nasturtium.spaces.genotype import INPUTS, Genotype, leaving, read_genotype
from nasturtium.spaces.inputs import one_input, positive, rates

OPERATION_SETS: dict[str, tuple[str, ...]] = {
    "nasnet": (
        "skip_connect", "conv_3x1_1x3", "conv_7x1_1x7", "dil_conv_3x3", "avg_pool_3x3", "max_pool_3x3", "max_pool_5x5",
        "max_pool_7x7", "conv_1x1", "conv_3x3", "sep_conv_3x3", "sep_conv_5x5", "sep_conv_7x7",
    ),
    "amoebanet": (
        "skip_connect", "sep_conv_3x3", "sep_conv_5x5", "sep_conv_7x7", "avg_pool_3x3", "max_pool_3x3", "dil_conv_3x3",
        "conv_7x1_1x7",
    ),
    "pnas": (
        "sep_conv_3x3", "sep_conv_5x5", "sep_conv_7x7", "conv_7x1_1x7", "skip_connect", "avg_pool_3x3", "max_pool_3x3",
        "dil_conv_3x3",
    ),
    "enas": ("skip_connect", "sep_conv_3x3", "sep_conv_5x5", "avg_pool_3x3", "max_pool_3x3"),
    "every": tuple(name for name in OPERATIONS if name != "none"),
}  # fmt: skip
"""Operations of each paper, in its order; ``every`` holds them all, for networks from richer spaces."""


class ConcatBack(Container):
    """Its inputs concatenated, then ReLU, a 1x1 convolution and norm back to the channels of the first."""

    def wire(self, *inputs: Any) -> Wiring:
        joined = yield Concat(), *inputs
        return (yield ReluConvNorm(inputs[0].signal.channels), joined)


JOINS: dict[str, tuple[Layer, ...]] = {
    "add": (Add(),),
    "concat": (ConcatBack(),),
    "choice": (Add(), ConcatBack()),
}


def nasnet(
    input: Any = (3, 32, 32),
    outputs: int = 10,
    *,
    operations: str = "nasnet",
    nodes: int | tuple[int, int] = 5,
    output: str | None = None,
    join: str = "add",
    channels: int = 16,
    cells: int = 8,
    auxiliary: bool = False,
    drop_path: float = 0.0,
) -> Space:
    """The cells of NASNet, AmoebaNet, PNAS, ENAS and NAO: blocks of two operations on any earlier states.

    A block takes two states, which may be the same, puts each through an operation and joins the two. States that no
    block reads leave together, concatenated. Operations: the 13 of NASNet (``skip_connect``, ``conv_3x1_1x3``,
    ``conv_7x1_1x7``, ``dil_conv_3x3``, ``avg_pool_3x3``, ``max_pool_3x3``, ``max_pool_5x5``, ``max_pool_7x7``,
    ``conv_1x1``, ``conv_3x3``, ``sep_conv_3x3``, ``sep_conv_5x5``, ``sep_conv_7x7``), or those of another paper. The
    two halves of a block have an order, as in the papers, so a cell of B blocks with k operations has
    ((B + 1)! * k^B)^2 derivations (5.6e14 with PNAS's eight, as Liu et al. 2018 count), and the space the product for
    both cells.

    The papers' skeletons differ in details; this one is that of DARTS, in which later papers compare all of them: both
    inputs of a cell are brought to its width, and neither leaves it again.

    Notation: that of ``darts``; operations and what leaves a cell must be those of the options.

    Args:
        input: (channels, height, width), or an image signal; from a side of 96 on the stem is that of ImageNet.
        outputs: Numbers that leave: classes, or targets.
        operations: ``nasnet`` (13), ``amoebanet`` (8; Real et al. 2019), ``pnas`` (8; Liu et al. 2018), ``enas`` (5;
            Pham et al. 2018), or ``every`` one known (17), which AmoebaNet-B and NAONet need.
        nodes: Blocks of each cell, or (of the normal cell, of the reduction cell).
        output: Which states leave a cell: the ``loose`` ones or ``all``; with ``pnas`` all, otherwise the loose ones.
        join: ``add``, ``concat`` (with a 1x1 convolution back to the width), or ``choice`` between the two.
        channels: Width of the first cells; the reductions double it.
        cells: How many cells, of both kinds together.
        auxiliary: Whether there is an auxiliary head: the network then has two outputs, the second for training.
        drop_path: Share of examples for which an operation on an edge is dropped in training.

    Raises:
        SpaceError: If the input is no image, or an option cannot be used.

    >>> nasnet(operations="pnas").size == (720 * 8**5) ** 4
    True
    """
    signal = one_input("nasnet", input, "image")
    counts = nodes if isinstance(nodes, tuple) else (nodes, nodes)
    if len(counts) != 2:
        raise SpaceError(f"nasnet: nodes is one number, or those of the normal and the reduction cell, not {nodes!r}")
    normal_nodes, reduction_nodes = counts
    positive("nasnet", outputs=outputs, channels=channels, nodes=normal_nodes)
    checked_cells("nasnet", cells)
    positive("nasnet", nodes=reduction_nodes)
    rates("nasnet", drop_path=drop_path)
    names, joins = _known("operations", operations, OPERATION_SETS), _known("join", join, JOINS)
    output = ("all" if operations == "pnas" else "loose") if output is None else output
    _known("output", output, {"loose": (), "all": ()})
    normal = _open(names, joins, output, normal_nodes, 1, drop_path)
    reduction = _open(names, joins, output, reduction_nodes, 2, drop_path)
    root = CellNetwork(normal, reduction, outputs, channels, cells, stem=stem_for(signal), auxiliary=auxiliary)

    notation = Notation(write, partial(_read, names, counts, output, cells)) if len(joins) == 1 else None
    members = genotypes("nasnet", names, counts, output) if join == "add" else {}
    size = math.prod(_ways(count, len(names)) * len(joins) ** count for count in counts)
    return Space(root, input=signal, name="nasnet", notation=notation, members=members, size=size)


def _read(names: tuple[str, ...], counts: tuple[int, int], output: str, cells: int, text: str) -> tuple[int, ...]:
    """The decisions of a genotype."""
    found = read_genotype(text)
    _check(found, names, counts, output)
    taken = [(*[at for _, at in steps], *[names.index(name) for name, _ in steps]) for steps in found[::2]]
    return sum(taken if visits_normal_first(cells) else taken[::-1], ())


def _ways(nodes: int, operations: int) -> int:
    """Derivations of a cell: each of two edges of a block reads any state before it, through any operation."""
    return math.prod(((INPUTS + number) * operations) ** 2 for number in range(nodes))


def _open(names: tuple[str, ...], joins: tuple[Layer, ...], output: str, nodes: int, stride: int, drop: float) -> Cell:
    made = []
    for number in range(nodes):
        sources = []
        for source in range(INPUTS + number):
            step = stride if source < INPUTS else 1
            sources.append(Edge(source, choice(*[operation(name, step, drop) for name in names])))
        made.append(Node((choice(*sources), choice(*sources)), choice(*joins) if len(joins) > 1 else joins[0]))
    return Cell(tuple(made), output=output)


def _known(field: str, value: str, known: dict[str, Any]) -> Any:
    if value not in known:
        raise SpaceError(f"nasnet: {field} must be {', '.join(known)}, not {value!r}{did_you_mean(str(value), known)}")
    return known[value]


def _check(genotype: Genotype, names: tuple[str, ...], counts: tuple[int, int], output: str) -> None:
    concats = (genotype.normal_concat, genotype.reduce_concat)
    for cell, concat, count in zip(("normal", "reduce"), concats, counts, strict=True):
        steps = getattr(genotype, cell)
        if len(steps) != 2 * count:
            raise ParseError(f"the {cell} cell has {len(steps) // 2} nodes, in this space it has {count}")
        for number, (name, _) in enumerate(steps):
            if name not in names:
                raise ParseError(
                    f"{cell}[{number}] is {name!r}, which is not among the operations of this space: {names}"
                )
        wanted = leaving(steps, output)
        if concat != wanted:
            raise ParseError(
                f"{cell}_concat is {list(concat)}; in this space ({output}) {list(wanted)} leave this cell"
            )
