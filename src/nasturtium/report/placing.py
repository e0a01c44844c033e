"""Layered layout of a graph: ranks by longest path, rows ordered by barycentre, columns by least squares.

Sugiyama, Tagawa & Toda 1981, "Methods for visual understanding of hierarchical system structures"; the columns are
the least-squares solution under the order of each row (isotonic regression, pool adjacent violators).
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, field

SWEEPS = 12
"""How often rows are ordered and columns drawn together, down and up."""

APART = 22.0
"""Space between two boxes of a row, in pixels."""

STRAIGHT = 16.0
"""How much more a long wire counts that should run straight."""


@dataclass(eq=False)
class Vertex:
    """A box to be placed, or a point where a long wire passes a row.

    Attributes:
        width, height: Of the box.
        beside: Space that must stay free at its right (for a label).
        entries: Where wires enter, as distances from its left edge; in the middle where none is given.
        exits: Where wires leave.
        pinned: Its place among the pins of its row, which keep their order.
        last: Whether it belongs in the last row.
        x, y: Its top left corner, once placed.
    """

    width: float
    height: float
    beside: float = 0.0
    entries: Sequence[float] = ()
    exits: Sequence[float] = ()
    pinned: int | None = None
    last: bool = False
    passes: bool = False
    rank: int = 0
    x: float = 0.0
    y: float = 0.0
    up: list[tuple[Vertex, float, float]] = field(default_factory=list)
    down: list[tuple[Vertex, float, float]] = field(default_factory=list)

    @property
    def middle(self) -> float:
        """The distance from its left edge to its middle."""
        return self.width / 2


@dataclass(eq=False)
class Link:
    """A wire from an exit of one vertex to an entry of another; ``via`` are the points where it passes rows."""

    source: Vertex
    exit: int
    target: Vertex
    entry: int
    via: list[Vertex] = field(default_factory=list)


def place(vertices: list[Vertex], links: list[Link], row_gap: float) -> tuple[float, float, list[tuple[float, float]]]:
    """Place all vertices; links get the points where they pass rows.

    Returns:
        Width and height of the whole, and the top and bottom of each row.
    """
    _rank(vertices, links)
    passing = _lengthen(links)
    every = [*vertices, *passing]
    _join(links)
    rows: list[list[Vertex]] = [[] for _ in range(1 + max((v.rank for v in every), default=0))]
    for vertex in every:
        rows[vertex.rank].append(vertex)
    rows = _ordered(rows)
    _columns(rows)
    spans = _heights(rows, row_gap)
    width = max((v.x + v.width + v.beside for v in every), default=0.0)
    return width, spans[-1][1] if spans else 0.0, spans


def _rank(vertices: list[Vertex], links: list[Link]) -> None:
    """Each vertex one row below the lowest it reads (vertices come in the order signals reach them)."""
    readers: dict[int, list[Vertex]] = {}
    for link in links:
        readers.setdefault(id(link.source), []).append(link.target)
    for vertex in vertices:
        for target in readers.get(id(vertex), ()):
            target.rank = max(target.rank, vertex.rank + 1)
    lowest = max((vertex.rank for vertex in vertices), default=0)
    for vertex in vertices:
        if vertex.last:
            vertex.rank = lowest
    entered = {id(link.target) for link in links}
    for vertex in reversed(vertices):  # what reads nothing stands just above its first reader
        if id(vertex) not in entered and vertex.pinned is None and id(vertex) in readers:
            vertex.rank = max(vertex.rank, min(target.rank for target in readers[id(vertex)]) - 1)


def _lengthen(links: list[Link]) -> list[Vertex]:
    """Points for the rows that long wires pass; wires from one exit share them."""
    shared: dict[tuple[int, int, int], Vertex] = {}
    for link in links:
        for rank in range(link.source.rank + 1, link.target.rank):
            key = (id(link.source), link.exit, rank)
            if key not in shared:
                shared[key] = Vertex(2.0, 0.0, passes=True, rank=rank)
            link.via.append(shared[key])
    return list(shared.values())


def _join(links: list[Link]) -> None:
    """Note for each vertex its neighbours in the rows above and below."""
    seen: set[tuple[int, int, int, int]] = set()
    for link in links:
        chain = [link.source, *link.via, link.target]
        for above, below in itertools.pairwise(chain):
            out = link.exit if above is link.source else 0
            into = link.entry if below is link.target else 0
            if (id(above), out, id(below), into) in seen:
                continue
            seen.add((id(above), out, id(below), into))
            leaves, enters = exit_of(above, out), entry_of(below, into)
            above.down.append((below, leaves, enters))
            below.up.append((above, enters, leaves))


def exit_of(vertex: Vertex, number: int) -> float:
    """Where a wire leaves, from the left edge."""
    return vertex.exits[number] if number < len(vertex.exits) else vertex.middle


def entry_of(vertex: Vertex, number: int) -> float:
    """Where a wire enters, from the left edge."""
    return vertex.entries[number] if number < len(vertex.entries) else vertex.middle


def _ordered(rows: list[list[Vertex]]) -> list[list[Vertex]]:
    """The order with the fewest crossings among those that the sweeps give."""
    best, fewest = [list(row) for row in rows], _crossings(rows)
    for sweep in range(SWEEPS):
        if not fewest:
            break
        down = sweep % 2 == 0
        for row in rows if down else reversed(rows):
            place = {id(v): (index + 0.5) / len(other) for other in rows for index, v in enumerate(other)}
            keys = {id(v): _barycentre(v, v.up if down else v.down, place) for v in row}
            row.sort(key=lambda vertex: keys[id(vertex)])
            _keep_pins(row)
        found = _crossings(rows)
        if found < fewest:
            best, fewest = [list(row) for row in rows], found
    return best


def _barycentre(vertex: Vertex, near: list[tuple[Vertex, float, float]], place: dict[int, float]) -> float:
    if not near:
        return place[id(vertex)]
    return sum(place[id(other)] + 0.01 * at / (other.width or 1.0) for other, _, at in near) / len(near)


def _keep_pins(row: list[Vertex]) -> None:
    """Put the pins of a row back into their order, at the places that pins have."""
    pins = sorted((v for v in row if v.pinned is not None), key=lambda vertex: vertex.pinned or 0)
    spots = [index for index, vertex in enumerate(row) if vertex.pinned is not None]
    for spot, vertex in zip(spots, pins, strict=True):
        row[spot] = vertex


def _crossings(rows: list[list[Vertex]]) -> int:
    total = 0
    for row, below in itertools.pairwise(rows):
        order = {id(vertex): index for index, vertex in enumerate(below)}
        ends = [
            (order[id(other)], enters) for vertex in row for other, leaves, enters in sorted(
                vertex.down, key=lambda near: (near[1], order[id(near[0])], near[2])
            )
        ]  # fmt: skip
        total += sum(ends[i] > ends[j] for i in range(len(ends)) for j in range(i + 1, len(ends)))
    return total


def _columns(rows: list[list[Vertex]]) -> None:
    for row in rows:
        _settle(row, [vertex.x for vertex in row], [1.0] * len(row))
    for sweep in range(3 * SWEEPS):
        down = sweep % 2 == 0
        for row in rows if down else reversed(rows):
            wished, weights = [], []
            for vertex in row:
                near = vertex.up if down else vertex.down
                near = near or (vertex.down if down else vertex.up)
                if sweep >= SWEEPS // 2:  # in the end both sides count
                    near = vertex.up + vertex.down
                pulls = [(STRAIGHT if vertex.passes and other.passes else 1.0) for other, _, _ in near]
                spots = [other.x + theirs - mine for other, mine, theirs in near]
                total = sum(pulls)
                pulled = sum(p * s for p, s in zip(pulls, spots, strict=True))
                wished.append(pulled / total if near else vertex.x)
                weights.append(total or 0.1)
            _settle(row, wished, weights)
    left = min((vertex.x for row in rows for vertex in row), default=0.0)
    for row in rows:
        for vertex in row:
            vertex.x -= left


def _settle(row: list[Vertex], wished: list[float], weights: list[float]) -> None:
    """The places nearest to the wished ones (weighted least squares) that keep the order and the distances."""
    offsets, at = [], 0.0
    for vertex, following in zip(row, [*row[1:], None], strict=True):
        offsets.append(at)
        tight = following is not None and (vertex.passes or following.passes)
        at += vertex.width + vertex.beside + (APART / 2 if tight else APART)
    blocks: list[tuple[float, float, int]] = []  # mean, weight, how many
    for wish, weight, offset in zip(wished, weights, offsets, strict=True):
        mean, total, count = wish - offset, weight, 1
        while blocks and blocks[-1][0] > mean:
            other, mass, size = blocks.pop()
            mean, total, count = (mean * total + other * mass) / (total + mass), total + mass, count + size
        blocks.append((mean, total, count))
    means = [mean for mean, _, count in blocks for _ in range(count)]
    for vertex, mean, offset in zip(row, means, offsets, strict=True):
        vertex.x = mean + offset


def _heights(rows: list[list[Vertex]], gap: float) -> list[tuple[float, float]]:
    """Place the rows below each other, further apart where wires run far to the side; give their spans."""
    spans, top = [], 0.0
    for row in rows:
        height = max(vertex.height for vertex in row)
        for vertex in row:
            vertex.y = top + (height - vertex.height) / 2
        spans.append((top, top + height))
        far = max((abs(o.x + enters - v.x - leaves) for v in row for o, leaves, enters in v.down), default=0.0)
        top += height + gap + min(36.0, far * 0.1)
    return spans
