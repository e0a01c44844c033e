"""What predictors see of architectures as graphs of what was decided, and as the paths through them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any
from weakref import WeakKeyDictionary

import numpy as np
from numpy.typing import NDArray

from nasturtium.predictors.graphs import Graphs, blocks
from nasturtium.predictors.vectors import Encoder, OneHot
from nasturtium.space.architecture import Architecture
from nasturtium.space.decided import Graph, graph_of, routes, template_of
from nasturtium.space.space import Space

Array = NDArray[Any]

REMEMBERED = 30_000
"""How many graphs of a space are remembered."""

_GRAPHS: WeakKeyDictionary[Space, dict[tuple[int, ...], Graph]] = WeakKeyDictionary()
"""The graphs of the spaces there are: drawing one takes a millisecond, and a search makes an encoder for every fit."""

KEPT = 200_000
"""How many paths of the architectures of a space are remembered: those of what was tried are asked for at every fit."""

_PATHS: WeakKeyDictionary[Space, dict[tuple[Any, ...], set[tuple[str, ...]]]] = WeakKeyDictionary()
"""The paths of architectures by their decisions and the longest that counts."""

COMMON = 0.2
"""Where a smaller part of the paths in a training set leads through two of it, paths are not all that is encoded."""


class Drawn(Encoder):
    """Base of encoders that read the graph of what was decided; graphs and labels are remembered."""

    def __init__(self, space: Space) -> None:
        super().__init__(space)
        self.template = template_of(space)
        self.known = _GRAPHS.setdefault(space, {})

    def graphs(self, architectures: Sequence[Architecture]) -> list[Graph]:
        """The graph of each architecture."""
        if self.template is not None:
            return [self.template.graph(architecture.decisions) for architecture in architectures]
        found = []
        for architecture in architectures:
            graph = self.known.get(architecture.decisions)
            if graph is None:
                graph = graph_of(architecture)
                if len(self.known) < REMEMBERED:
                    self.known[architecture.decisions] = graph
            found.append(graph)
        return found


class GraphEncoder(Drawn):
    """The graph of what was decided (see :mod:`nasturtium.space.decided`); labels get numbers as they come."""

    def __init__(self, space: Space) -> None:
        super().__init__(space)
        self.vocabulary: dict[str, int] = {}
        self.kinds: dict[str, int] = {}
        self.kind_of: list[int] = []

    def number(self, label: str) -> int:
        """The number of a label, a new one if it is new."""
        found = self.vocabulary.get(label)
        if found is None:
            found = self.vocabulary[label] = len(self.vocabulary)
            self.kind_of.append(self.kinds.setdefault(label.partition("(")[0], len(self.kinds)))
        return found

    def __call__(self, architectures: Sequence[Architecture]) -> Graphs:
        """Labels (n, s), adjacency (n, s, s)."""
        graphs = self.graphs(architectures)
        size = max((len(graph.labels) for graph in graphs), default=1)
        labels = np.full((len(graphs), size), -1, np.int64)
        joined = np.zeros((len(graphs), size, size), np.float32)
        for n, graph in enumerate(graphs):
            numbers = [self.number(label) for label in graph.labels]
            labels[n, : len(numbers)] = numbers
        kinds = np.append(np.array(self.kind_of, np.int64), -1)[labels]  # the last for no node
        if self.template is not None:
            joined[:, [a for a, _ in self.template.base.edges], [b for _, b in self.template.base.edges]] = 1.0
        else:
            for n, graph in enumerate(graphs):
                joined[n, [a for a, _ in graph.edges], [b for _, b in graph.edges]] = 1.0
        return Graphs(labels, kinds, joined, np.zeros((len(graphs), 0), np.float32))

    def blocks(self, architectures: Sequence[Architecture], most: int) -> Iterator[slice]:
        """Graphs of many nodes come in shorter parts."""
        if self.template is not None:
            return blocks([len(self.template.base.labels)] * len(architectures), most)
        return blocks([len(graph.labels) for graph in self.graphs(architectures)], most)


class Paths(Drawn):
    """Which sequences of operations lead from an input to the output (White et al. 2021, arXiv:1910.11858).

    Paths run through the graph of what was decided, so those through a cell count once. There is a column for each
    path of the training set; paths that none of it has are counted in one more column. In spaces of chains hardly any
    two architectures have a path in common, so that paths say nothing of a new one; there only those that two have get
    a column (some 50 of the 36,000 in 100 networks for event sequences), and the options taken stand beside (see
    :class:`OneHot`). So they do where more than 100,000 paths lead through a network of the training set: those of such
    a network are not counted.

    Args:
        space: The space of the architectures.
        longest: Only paths of at most so many operations (truncated path encoding).
    """

    def __init__(self, space: Space, longest: int | None = None) -> None:
        super().__init__(space)
        self.longest = longest
        self.columns: dict[tuple[str, ...], int] = {}
        self.beside: OneHot | None = None
        self.routes = None if self.template is None else routes(self.template.base, longest)

    def paths(self, architectures: Sequence[Architecture]) -> list[set[tuple[str, ...]]]:
        """The paths of each architecture."""
        return [self.paths_of(architecture) for architecture in architectures]

    def paths_of(self, architecture: Architecture) -> set[tuple[str, ...]]:
        """The paths of an architecture; those of the last that were asked for are remembered."""
        known, key = _PATHS.setdefault(self.space, {}), (architecture.decisions, self.longest)
        found = known.pop(key, None)
        if found is None:
            (graph,) = self.graphs([architecture])
            there = routes(graph, self.longest) if self.routes is None else self.routes
            found = {tuple([graph.labels[node] for node in route]) for route in there or ()}
            while known and sum(map(len, known.values())) + len(found) > KEPT:
                del known[next(iter(known))]
        known[key] = found
        return found

    def fit(self, architectures: Sequence[Architecture]) -> None:
        """Makes a column for each path."""
        distinct = self.paths(list({each.decisions: each for each in architectures}.values()))
        found = Counter(path for paths in distinct for path in paths)
        several = {path: count for path, count in found.items() if count > 1}
        telling = sum(several.values()) >= COMMON * found.total() and all(distinct)
        self.columns = {path: number for number, path in enumerate(sorted(found if telling else several))}
        self.beside = None if telling else OneHot(self.space)

    def __call__(self, architectures: Sequence[Architecture]) -> Array:
        """(n, paths of the training set + 1), and the options where they stand beside."""
        rows = np.zeros((len(architectures), len(self.columns) + 1), np.float32)
        other = len(self.columns)
        for row, paths in zip(rows, self.paths(architectures), strict=True):
            for path in paths:
                row[self.columns.get(path, other)] += 1.0
        return rows if self.beside is None else np.hstack([rows, self.beside(architectures)])
