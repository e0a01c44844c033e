"""A cell: a directed acyclic graph of layers, by edges that read earlier states and nodes that join them."""

from __future__ import annotations

from typing import Any

from nasturtium.errors import SpaceError
from nasturtium.layers.container import Container
from nasturtium.layers.join import Add, Concat
from nasturtium.space.part import Open, Part, Wiring

OUTPUTS = ("last", "all", "loose")


class Edge(Part):
    """What a node reads: the state with a number, through an operation.

    Args:
        source: Number of the state: the inputs of the cell come first, then one state for each node.
        operation: The layer it goes through.
    """

    source: int
    operation: Any


class Node(Part):
    """A state of a cell: what its edges bring, joined.

    Args:
        edges: A tuple of :class:`Edge`, or a choice of such tuples.
        join: What makes one of several; it is not used for a single edge.
        operation: A layer behind the join.
    """

    edges: Any
    join: Any = Add()
    operation: Any = None

    def __post_init__(self) -> None:
        _check_tuple("Node", "edges", self.edges, Edge)


class Cell(Container):
    """Nodes that each read earlier states; the cells of the NAS literature are closings of it.

    Operations on the edges (DARTS, NAS-Bench-201) or on the nodes (NAS-Bench-ASR), any number of inputs.

    Args:
        nodes: A tuple of :class:`Node`.
        output: The ``last`` node, ``all`` of them, or those that no other node reads (``loose`` ends).
        join: What makes one of several outputs; it is not used for a single one.

    >>> from nasturtium.layers import Conv2d, Identity
    >>> Cell((Node((Edge(0, Conv2d()),)), Node((Edge(0, Identity()), Edge(1, Conv2d())))))
    Cell((Node((Edge(0, operation=Conv2d()),)), Node((Edge(0, operation=Identity()), Edge(1, operation=Conv2d())))))
    """

    nodes: tuple[Any, ...]
    output: str = "last"
    join: Any = Concat()

    def __post_init__(self) -> None:
        self.check_fields()
        _check_tuple("Cell", "nodes", self.nodes, Node)

    def wire(self, *inputs: Any) -> Wiring:
        states, read = list(inputs), set()
        for number, node in enumerate(self.nodes):
            if not node.edges:
                raise SpaceError(f"node {number} of a cell has no edge; Edge(0, Zero()) is one that brings nothing")
            terms = []
            for edge in node.edges:
                if not 0 <= edge.source < len(states):
                    raise SpaceError(f"node {number} reads state {edge.source}; there are {len(states)} before it")
                read.add(edge.source)
                terms.append((yield edge.operation, states[edge.source]))
            state = terms[0] if len(terms) == 1 else (yield node.join, *terms)
            states.append(state if node.operation is None else (yield node.operation, state))
        leaving = [states[index] for index in outputs(self, len(inputs), read)]
        return leaving[0] if len(leaving) == 1 else (yield self.join, *leaving)


def _check_tuple(tag: str, field: str, items: Any, kind: type[Part]) -> None:
    """Check that a field holds a tuple of such parts, where it is not left open."""
    if isinstance(items, Open):
        return
    if not isinstance(items, tuple) or not all(isinstance(item, (kind, Open)) for item in items):
        raise SpaceError(
            f"{tag}: {field} must be a tuple of {kind.__name__}, such as ({kind.__name__}(...),), not {items!r:.60}"
        )


def outputs(cell: Cell, inputs: int, read: set[int]) -> list[int]:
    """Numbers of the states that leave a cell.

    Args:
        cell: The cell.
        inputs: How many inputs it has.
        read: Numbers of the states that a node reads.
    """
    if cell.output not in OUTPUTS or not cell.nodes:
        raise SpaceError(f"a cell needs nodes, and an output among {', '.join(OUTPUTS)}, not {cell.output!r}")
    every = range(inputs, inputs + len(cell.nodes))
    if cell.output == "last":
        return [every[-1]]
    return list(every) if cell.output == "all" else [number for number in every if number not in read]
