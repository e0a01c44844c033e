"""Several views of architectures side by side: their decisions, what these hold in all, their graph, and features."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from nasturtium.predictors.contents import choices_of, places, totals
from nasturtium.predictors.drawn import GraphEncoder
from nasturtium.predictors.graphs import Graphs
from nasturtium.predictors.vectors import Encoder, OneHot
from nasturtium.space.architecture import Architecture
from nasturtium.space.part import Layer
from nasturtium.space.space import Space

Array = NDArray[Any]


class Views(NamedTuple):
    """What is known of n architectures.

    Attributes:
        encoded: Their decisions, (n, d).
        totals: What these hold in all, (n, t).
        graphs: Their graphs; None where they are no networks.
        extra: Blocks of further features, such as proxies and curves, (n, k) each.
    """

    encoded: Array
    totals: Array
    graphs: Graphs | None
    extra: tuple[Array, ...] = ()

    def rows(self, index: Any) -> Views:
        """Some of the architectures."""
        graphs = None if self.graphs is None else self.graphs.rows(index)
        return Views(self.encoded[index], self.totals[index], graphs, tuple([each[index] for each in self.extra]))

    def table(self) -> Array:
        """All numbers in one table, (n, d + t + k ...), for models that read vectors."""
        return np.hstack([self.encoded, self.totals, *self.extra])


class Together(Encoder):
    """All views of architectures.

    Args:
        space: The space of the architectures.
        alone: Only this encoding, without totals and graphs.
    """

    def __init__(self, space: Space, alone: Encoder | None = None) -> None:
        super().__init__(space)
        drawn = alone is None and isinstance(space.root, Layer) and space.input is not None
        self.graphs = GraphEncoder(space) if drawn else None
        self.alone = alone
        if alone is None:
            choices = choices_of(space)
            self.plain, self.places, self.totals = OneHot(space), places(choices), totals(choices)

    def fit(self, architectures: Sequence[Architecture]) -> None:
        """Lets the encodings remember what they need."""
        for each in (self.alone, self.graphs):
            if each is not None:
                each.fit(architectures)

    def blocks(self, architectures: Sequence[Architecture], most: int) -> Iterator[slice]:
        """As the graphs among the views are cut."""
        cut = self.graphs or self.alone
        return super().blocks(architectures, most) if cut is None else cut.blocks(architectures, most)

    def __call__(self, architectures: Sequence[Architecture]) -> Views:
        """The views of architectures."""
        graphs = None if self.graphs is None else self.graphs(architectures)
        if self.alone is not None:
            encoded = np.asarray(self.alone(architectures), np.float64)
            return Views(encoded, np.zeros((len(encoded), 0)), graphs)
        taken = np.asarray(self.plain(architectures), np.float64)
        return Views(taken @ self.places, taken @ self.totals, graphs)
