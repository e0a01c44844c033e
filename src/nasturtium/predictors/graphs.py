"""Graphs of what was decided (see :mod:`nasturtium.space.decided`) as arrays."""

from __future__ import annotations

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
