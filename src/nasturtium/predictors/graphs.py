"""Graphs of what was decided (see :mod:`nasturtium.space.decided`) as arrays."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray


class Graphs(NamedTuple):
    """Graphs as arrays, padded to the largest.

    Attributes:
        labels: Number of each node's label in the vocabulary, (n, s); -1 where there is no node.
        kinds: Number of the label's first word (the class of the layer), (n, s); -1 where there is no node.
        adjacency: Whether (source, target) is an edge, (n, s, s).
        extra: Numbers that belong to whole graphs, (n, k).
    """

    labels: NDArray[np.int64]
    kinds: NDArray[np.int64]
    adjacency: NDArray[np.float32]
    extra: NDArray[np.float32]

    def rows(self, index: Any) -> Graphs:
        """Some of the graphs."""
        return Graphs(self.labels[index], self.kinds[index], self.adjacency[index], self.extra[index])


CELLS = 4_000_000
"""So many pairs of nodes, over all graphs, are in work at a time: a large network has a quarter of a million."""


def blocks(sizes: Sequence[int], most: int) -> Iterator[slice]:
    """Where to cut a list of graphs with so many nodes, as each is padded to the largest of its block.

    Args:
        sizes: Nodes of each graph.
        most: How many graphs a block has at most.
    """
    begin, largest = 0, 0
    for place, size in enumerate(sizes):
        larger = max(largest, size)
        count = place + 1 - begin
        if count > 1 and (count > most or count * larger**2 > CELLS):
            yield slice(begin, place)
            begin, larger = place, size
        largest = larger
    if len(sizes):
        yield slice(begin, len(sizes))
