"""Distances between networks: edits of layers and skip connections (Auto-Keras), transport of layers (NASBOT)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from nasturtium.predictors.graphs import Graphs

Array = NDArray[Any]

PAIRS = 250_000
"""How many pairs of graphs are compared at a time."""

SKIPS = 1.0
"""Weight of skip connections in the edit distance (lambda of Auto-Keras)."""

MATCHED = 4_000
"""How many pairs of graphs are matched at a time, so that what is at hand stays in the cache."""

SMALL = 8
"""Up to so many columns assignments are solved for many matrices at once; it takes 2 ** columns sums."""

MANY = 200
"""Fewer matrices are solved one by one."""

STRUCTURE = 0.5
"""Weight of the place of a layer in the transport distance (nu of NASBOT)."""


def distances(kind: str, a: Graphs, b: Graphs) -> Array:
    """Distances of all graphs of ``a`` from all of ``b``, (n, m); ``kind`` is ``edit`` or ``transport``."""
    return KINDS[kind](a, b)


def mismatch(a: Array, b: Array) -> Array:
    """Whether labels differ, as a float32."""
    return np.asarray((a != b).astype(np.float32))


def edit(a: Graphs, b: Graphs) -> Array:
    """The edit distance of Auto-Keras (Jin et al. 2018, arXiv:1806.10282, equations 4 to 8).

    Fewest changes that turn one sequence of layers into the other, in topological order, where deleting, adding and
    replacing a layer each cost 1 (there, replacing costs the relative difference of widths; here layers carry all
    their settings in a label), plus the cheapest matching of skip connections: edges that do not join neighbours.
    """
    shapes_a, index_a = shapes(a)
    shapes_b, index_b = shapes(b)
    between = np.array([[skip_distance(one, other) for other in shapes_b] for one in shapes_a], np.float32)
    return np.asarray(_aligned(a.labels, b.labels) + SKIPS * between[np.ix_(index_a, index_b)])


def _aligned(a: Array, b: Array) -> Array:
    """Edit distance of all pairs of label sequences, padded by -1; (n, m)."""
    step = max(1, PAIRS // max(1, len(b)))
    return np.vstack([_alignments(a[k : k + step], b) for k in range(0, len(a), step)]).astype(np.float64)


def _alignments(a: Array, b: Array) -> Array:
    """Levenshtein's table, one row at a time for all pairs at once; padding costs nothing to skip."""
    there_a = (a >= 0).astype(np.float32)
    there_b = (b >= 0).astype(np.float32)
    row = [np.zeros((len(a), len(b)), np.float32)]
    for j in range(b.shape[1]):
        row.append(row[-1] + there_b[None, :, j])
    for i in range(a.shape[1]):
        deleted = there_a[:, i, None]
        after = [row[0] + deleted]
        for j in range(b.shape[1]):
            replaced = row[j] + (a[:, i, None] != b[None, :, j])
            best = np.minimum(row[j + 1] + deleted, after[j] + there_b[None, :, j])
            after.append(np.minimum(best, replaced, out=best))
        row = after
    return row[-1]


class Shape(NamedTuple):
    """The edges of a graph without labels: sizes, skip connections, and each node's place."""

    size: int
    skips: Array
    places: Array


def shapes(graphs: Graphs) -> tuple[list[Shape], Array]:
    """The different shapes among graphs, and the number of each graph's shape."""
    sizes = (graphs.labels >= 0).sum(1)
    flat = graphs.adjacency.reshape(len(sizes), -1) > 0
    packed = np.hstack([np.packbits(flat, axis=1).astype(np.int64), sizes[:, None]])
    _, first, index = np.unique(packed, axis=0, return_index=True, return_inverse=True)
    return [shape(graphs.adjacency[k], int(sizes[k])) for k in first], index.reshape(-1)


def shape(adjacency: Array, size: int) -> Shape:
    """The shape of one graph."""
    edges = adjacency[:size, :size] > 0
    ends = np.argwhere(edges)
    skips = ends[ends[:, 1] - ends[:, 0] > 1]
    return Shape(size, skips, np.vstack([*_lengths(edges), *_lengths(edges[::-1, ::-1].T)[:, ::-1]]))


def _lengths(edges: Array) -> Array:
    """Shortest, longest and expected number of steps from the inputs to each node, (3, s).

    The expected one is that of a walk which goes back along a random incoming edge at each step.
    """
    found = np.zeros((3, len(edges)))
    for node in range(len(edges)):
        before = found[:, edges[:, node]]
        if before.size:
            found[:, node] = 1 + np.array([before[0].min(), before[1].max(), before[2].mean()])
    return found


def skip_distance(a: Shape, b: Shape) -> float:
    """The cheapest matching of skip connections; one without a partner costs 1 (Auto-Keras, equations 6 to 8)."""
    from scipy.optimize import linear_sum_assignment

    if not len(a.skips) or not len(b.skips):
        return float(len(a.skips) + len(b.skips))
    start_a, start_b = a.skips[:, 0], b.skips[:, 0]
    span_a, span_b = a.skips[:, 1] - start_a, b.skips[:, 1] - start_b
    apart = np.abs(start_a[:, None] - start_b) + np.abs(span_a[:, None] - span_b)
    most = np.maximum(start_a[:, None], start_b) + np.maximum(span_a[:, None], span_b)
    costs = apart / most
    rows, columns = linear_sum_assignment(costs)
    return float(costs[rows, columns].sum()) + abs(len(a.skips) - len(b.skips))


def transport(a: Graphs, b: Graphs) -> Array:
    """The optimal-transport distance of NASBOT (Kandasamy et al. 2018, arXiv:1802.07191, section 3), unit masses.

    Layers are matched so that the sum of costs is least: 1 if their labels differ, plus ``STRUCTURE`` times the mean
    difference of their places (shortest, longest and random-walk length from the inputs and to the output); a layer
    without a partner costs 1. There, a layer's mass is its number of operations; here each has mass 1, so that the
    transport is an assignment.
    """
    shapes_a, index_a = shapes(a)
    shapes_b, index_b = shapes(b)
    found = np.zeros((len(index_a), len(index_b)))
    for rows in sorted({each.size for each in shapes_a}):
        for columns in sorted({each.size for each in shapes_b}):
            some_a, own_a, ones = _sized(shapes_a, index_a, rows)
            some_b, own_b, others = _sized(shapes_b, index_b, columns)
            structure = np.array([[_structure(one, other) for other in others] for one in ones])
            labels_a, labels_b = a.labels[some_a, :rows], b.labels[some_b, :columns]
            step = max(1, MATCHED // len(some_b))
            for k in range(0, len(some_a), step):
                part = slice(k, k + step)
                unlike = labels_a[part, None, :, None] != labels_b[None, :, None, :]
                costs = np.minimum(unlike + structure[np.ix_(own_a[part], own_b)], 2.0)
                least = assigned(costs.reshape(-1, rows, columns))
                found[np.ix_(some_a[part], some_b)] = least.reshape(-1, len(some_b))
    return found


def _sized(every: list[Shape], index: Array, size: int) -> tuple[Array, Array, list[Shape]]:
    """Which graphs have so many nodes, the place of each one's shape among those of this size, and these shapes."""
    which = [number for number, each in enumerate(every) if each.size == size]
    some = np.flatnonzero(np.isin(index, which))
    return some, np.searchsorted(which, index[some]), [every[number] for number in which]


def assigned(costs: Array) -> Array:
    """The least sum of an assignment for each matrix of (m, rows, columns); a row or column without partner costs 1.

    Costs are distances of at most 2. So where a row and a column lie at distance 0 they are partners in some best
    assignment (by the triangle inequality), and those that do in all matrices are left out. What is small is then
    solved for all matrices at once.
    """
    if costs.shape[1] > costs.shape[2]:
        costs = costs.transpose(0, 2, 1)
    spare = costs.shape[2] - costs.shape[1]
    costs = _without_coincident(costs)
    if costs.shape[2] > SMALL or len(costs) < MANY:
        return np.asarray(_one_by_one(costs) + spare)
    return np.asarray(_by_subsets(costs) + spare)


def _without_coincident(costs: Array) -> Array:
    """Matrices without the rows and columns that lie at distance 0 of each other in all of them."""
    pairs = [(int(row), int(column)) for row, column in np.argwhere((costs == 0.0).all(0))]
    rows: set[int] = set()
    columns: set[int] = set()
    for row, column in pairs:
        if row not in rows and column not in columns:
            rows.add(row)
            columns.add(column)
    kept = [
        [k for k in range(size) if k not in gone] for size, gone in zip(costs.shape[1:], (rows, columns), strict=True)
    ]
    return costs[:, kept[0]][:, :, kept[1]]


def _one_by_one(costs: Array) -> Array:
    from scipy.optimize import linear_sum_assignment

    columns = np.array([linear_sum_assignment(each)[1] for each in costs], np.int64).reshape(costs.shape[:2])
    return np.asarray(np.take_along_axis(costs, columns[:, :, None], 2)[:, :, 0].sum(1))


def _by_subsets(costs: Array) -> Array:
    """The least sum of all matrices by dynamic programming: over the columns that the first rows take."""
    costs = np.ascontiguousarray(costs.transpose(1, 2, 0))  # (rows, columns, m)
    rows, columns, count = costs.shape
    least = {0: np.zeros(count)}
    spare = np.empty(count)
    for row in range(rows):
        reached: dict[int, Array] = {}
        for taken, sums in least.items():
            for column in range(columns):
                after = taken | 1 << column
                if after == taken:
                    continue
                if after in reached:
                    np.minimum(reached[after], np.add(sums, costs[row, column], out=spare), out=reached[after])
                else:
                    reached[after] = sums + costs[row, column]
        least = reached
    return np.asarray(np.min(list(least.values()), axis=0))


def _structure(a: Shape, b: Shape) -> Array:
    """``STRUCTURE`` times the mean difference of places of all nodes."""
    return np.asarray(STRUCTURE * np.abs(a.places[:, :, None] - b.places[:, None, :]).mean(0))


KINDS: dict[str, Callable[[Graphs, Graphs], Array]] = {"edit": edit, "transport": transport}
