"""The space ``nasbench_asr``: one cell of three nodes in a network for speech (Mehrotra et al. 2021)."""

from __future__ import annotations

import itertools
import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, ClassVar

from nasturtium.errors import ParseError, SpaceError
from nasturtium.layers import (
    LSTM,
    Cell,
    Container,
    Conv1d,
    Dropout,
    Edge,
    GlobalPool,
    Identity,
    LayerNorm,
    Linear,
    Node,
    Sequential,
    Zero,
)
from nasturtium.layers.rules import STEPS, extent, one_of, only
from nasturtium.space.architecture import Architecture
from nasturtium.space.choice import choice
from nasturtium.space.notations import Notation
from nasturtium.space.part import Layer, Wiring
from nasturtium.space.signal import Signal
from nasturtium.space.space import Space
from nasturtium.spaces.inputs import known, one_input, positive, rates

if TYPE_CHECKING:
    import torch

CONVOLUTIONS = {"conv5": (5, 1), "conv5d2": (5, 2), "conv7": (7, 1), "conv7d2": (7, 2)}
"""Kernel and dilation."""

OPERATIONS = ("linear", *CONVOLUTIONS, "zero")
"""The main operations of a node in their published order."""

NODES, CONTEXT, CLIP = 3, 4, 20.0
STRIDES = (1, 1, 2, 2)
KERNEL = 8


class ContextConv1d(Conv1d):
    """A convolution over a sequence whose windows look ahead over at most ``4 / stride`` steps."""

    def module(self, *inputs: Signal) -> torch.nn.Module:
        from nasturtium.modules import SequenceConv1d

        before, after, groups = self._sizes(inputs[0])
        left = extent(self.kernel, self.dilation) - 1 - CONTEXT // self.stride
        return SequenceConv1d(before, after, self.kernel, self.stride, self.dilation, groups, self.bias, max(left, 0))


class ClippedReLU(Layer):
    """min(max(x, 0), limit)."""

    limit: float = CLIP
    total: ClassVar[bool] = False

    def signal(self, *inputs: Signal) -> Signal:
        return only(self, inputs, "vector", "image", *STEPS)

    def module(self, *inputs: Signal) -> torch.nn.Module:
        from torch import nn

        return nn.Hardtanh(0.0, self.limit)


class SpeechOperation(Container):
    """A main operation: a linear map of each step or a grouped convolution, a clipped ReLU and dropout.

    Args:
        name: ``linear``, ``conv5``, ``conv5d2``, ``conv7`` or ``conv7d2`` (kernel, and dilation 2).
        groups: Of the convolution.
        dropout: Share of values dropped.
    """

    name: str
    groups: int = 100
    dropout: float = 0.0

    def wire(self, x: Any) -> Wiring:
        one_of(self, "operation", self.name, OPERATIONS[:-1])
        if self.name == "linear":
            x = yield Linear(x.signal.channels), x
        else:
            kernel, dilation = CONVOLUTIONS[self.name]
            x = yield ContextConv1d(None, kernel, dilation=dilation, groups=self.groups), x
        x = yield ClippedReLU(), x
        return (yield Dropout(self.dropout), x) if self.dropout else x


class SpeechBlocks(Container):
    """Blocks of a convolution and a number of cells, each followed by layer normalisation.

    All cells share their decisions; each has weights of its own.

    Args:
        cell: The cell.
        filters: Channels of each block.
        cells: Number of cells in each block.
        strides: Of the convolution at the head of each block.
    """

    cell: Any
    filters: tuple[int, ...]
    cells: tuple[int, ...]
    strides: tuple[int, ...] = STRIDES

    def wire(self, x: Any) -> Wiring:
        for channels, count, stride in zip(self.filters, self.cells, self.strides, strict=True):
            x = yield ContextConv1d(channels, KERNEL, stride), x
            x = yield ClippedReLU(), x
            x = yield LayerNorm(), x
            for _ in range(count):
                x = yield self.cell, x
                x = yield LayerNorm(), x
        return x


def nasbench_asr(
    input: Any = (100, 80),
    outputs: int = 10,
    *,
    filters: Sequence[int] = (32, 40, 48, 56),
    cells: Sequence[int] = (1, 1, 1, 2),
    groups: int = 8,
    lstm: int = 48,
    dropout: float = 0.0,
    head: str = "pool",
) -> Space:
    """The 13,824 networks of NAS-Bench-ASR (Mehrotra et al. 2021, ICLR, openreview CU0APx9LMaL).

    A cell has three nodes. Each applies one of six operations to the node before it (a linear map, one of four
    grouped convolutions, each with a clipped ReLU, or zero) and adds those of the earlier nodes, the input of the
    cell among them, that a skip connection brings: 6^3 * 2^(1 + 2 + 3). The notation is the published vector
    ``[[op, skip], [op, skip, skip], [op, skip, skip, skip]]`` with numbers of :data:`OPERATIONS` (names are read
    too). The key is the published one, by which 8,242 are different: without zeros and what leads nowhere, up to
    isomorphism. As published it takes a skip connection to start behind the operation of a node rather than behind
    its sum, so that it joins some networks that differ (where the operation is zero and a skip connection is not).

    The published network is ``filters=(600, 800, 1000, 1200), cells=(3, 4, 5, 6), groups=100, lstm=500,
    head="steps"`` with outputs=49 (48 phonemes and the blank of CTC). Layer normalisation adds 1e-5 rather than
    1e-3 to the variance. Where the length of the sequences is not known, no step is skipped.

    Args:
        input: (length or None, channels), or a sequence signal.
        outputs: Numbers that leave: classes, or targets.
        filters: Channels of the four blocks; multiples of groups.
        cells: Number of cells in each block.
        groups: Of the convolutions in a cell.
        lstm: Channels of the LSTM behind the last block; 0 for none.
        dropout: Share of values dropped behind each operation and before the LSTM.
        head: ``pool`` (the mean of the steps), or ``steps`` (outputs at every step).

    Raises:
        SpaceError: If the input is no sequence, or an option cannot be used.

    >>> space = nasbench_asr()
    >>> space.size
    13824
    """
    signal = one_input("nasbench_asr", input, "sequence")
    positive("nasbench_asr", outputs=outputs, groups=groups)
    positive("nasbench_asr", **{f"filters[{index}]": count for index, count in enumerate(filters)})
    positive("nasbench_asr", **{f"cells[{index}]": count for index, count in enumerate(cells)})
    rates("nasbench_asr", dropout=dropout)
    known("nasbench_asr", "head", head, ("pool", "steps"))
    if len(filters) != len(STRIDES) or len(cells) != len(STRIDES) or any(count % groups for count in filters):
        raise SpaceError(f"nasbench_asr has four blocks, of multiples of {groups} filters; not {filters} and {cells}")
    strides = STRIDES if signal.length is not None else (1, 1, 1, 1)
    blocks = SpeechBlocks(_cell(groups, dropout), tuple(filters), tuple(cells), strides)
    drop = [Dropout(dropout)] if dropout else []
    recurrent = [*drop, LSTM(lstm)] if lstm else []
    pool = [GlobalPool()] if head == "pool" else []
    root = Sequential(blocks, *recurrent, *pool, Linear(outputs))
    return Space(root, input=signal, name="nasbench_asr", notation=Notation(write, read, key))


def _cell(groups: int, dropout: float) -> Cell:
    main = choice(*[SpeechOperation(name, groups, dropout) for name in OPERATIONS[:-1]], Zero())
    skip = choice(Zero(), Identity())
    return Cell(
        tuple(Node((Edge(node, main), *[Edge(source, skip) for source in range(node + 1)])) for node in range(NODES))
    )


def vector_of(architecture: Architecture) -> list[list[int]]:
    """Number of the operation and skip connections of each node."""
    taken = iter(architecture.decisions)
    return [[next(taken) for _ in range(2 + node)] for node in range(NODES)]


def write(architecture: Architecture) -> str:
    """The published vector."""
    return json.dumps(vector_of(architecture))


def read(text: str) -> tuple[int, ...]:
    """The decisions of a published vector."""
    example = "[[0, 1], [4, 0, 1], [5, 1, 0, 1]]"
    try:
        nodes = json.loads(text)
    except ValueError as error:
        raise ParseError(f"{text[:60]!r} is no vector of NAS-Bench-ASR, such as {example}: {error}") from None
    shaped = isinstance(nodes, list) and [len(n) if isinstance(n, list) else 0 for n in nodes] == [2, 3, 4]
    if not shaped:
        raise ParseError(f"{text[:60]!r} is no vector of NAS-Bench-ASR: an operation and skips a node, as in {example}")
    decisions = []
    for number, (operation, *skips) in enumerate(nodes):
        if operation not in OPERATIONS and (type(operation) is not int or not 0 <= operation < len(OPERATIONS)):
            raise ParseError(f"node {number} has operation {operation!r}; there are {', '.join(OPERATIONS)}, or 0 to 5")
        if any(type(skip) is not int or skip not in (0, 1) for skip in skips):
            raise ParseError(f"node {number} has skip connections {skips}; each is 0 or 1")
        decisions += [OPERATIONS.index(operation) if isinstance(operation, str) else operation, *skips]
    return tuple(decisions)


def key(architecture: Architecture) -> str:
    """The published key: the graph of operations without zeros and without what leads nowhere, up to isomorphism."""
    nodes = vector_of(architecture)
    last = NODES + 1  # vertices: the input, an operation for each node, the output
    edges = {(vertex, vertex + 1) for vertex in range(last)}
    edges |= {(source, node + 2) for node, (_, *skips) in enumerate(nodes) for source, on in enumerate(skips) if on}
    zero = {node + 1 for node, (operation, *_) in enumerate(nodes) if OPERATIONS[operation] == "zero"}
    edges = {(source, target) for source, target in edges if not {source, target} & zero}
    onwards, backwards = {0}, {last}
    for source, target in sorted(edges):
        onwards |= {target} if source in onwards else set()
    for source, target in sorted(edges, reverse=True):
        backwards |= {source} if target in backwards else set()
    inner = sorted((onwards & backwards) - {0, last})
    if last not in onwards:
        return "none"
    return min(_described(nodes, edges, order, last) for order in itertools.permutations(inner))


def _described(nodes: list[list[int]], edges: set[tuple[int, int]], order: tuple[int, ...], last: int) -> str:
    place = {0: "in", last: "out"} | {vertex: str(number) for number, vertex in enumerate(order)}
    kept = sorted(f"{place[source]}-{place[target]}" for source, target in edges if source in place and target in place)
    return f"{' '.join(OPERATIONS[nodes[vertex - 1][0]] for vertex in order)} | {' '.join(kept)}"
