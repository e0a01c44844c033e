"""Pieces of a drawing as SVG with their sizes: boxes of text, pins, and graphs of them with their wires."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple
from xml.sax.saxutils import escape

from nasturtium.report.folding import Graph
from nasturtium.report.placing import Link, Vertex, exit_of, place
from nasturtium.report.wording import signals_text, text_width
from nasturtium.space.infer import Signals

TITLE, SMALL = 13.0, 11.0
"""Font sizes of titles and of all else, in pixels."""

PAD, GAP = 9.0, 32.0
"""Space inside boxes, and between rows."""


BEND = 16.0
"""A wire that would bend by less runs straight, and enters its box beside the middle."""


class Picture(NamedTuple):
    """A piece of SVG with its size; where wires enter and leave it, if that is fixed."""

    width: float
    height: float
    svg: str
    entries: tuple[float, ...] = ()
    exits: tuple[float, ...] = ()
    beside: float = 0.0
    any_order: bool = True


def number(value: float) -> str:
    """A coordinate with at most one decimal."""
    return f"{value:.1f}".removesuffix(".0") if round(value, 1) else "0"


def text(x: float, y: float, content: str, style: str, size: float = SMALL, after: str = "") -> str:
    """A line of text; ``y`` is its base line, and what comes ``after`` has no style."""
    place = f'x="{number(x)}" y="{number(y)}" font-size="{number(size)}"'
    if not after:
        return f'<text class="{style}" {place}>{escape(content)}</text>'
    return f'<text {place}><tspan class="{style}">{escape(content)}</tspan>{escape(after)}</text>'


def rectangle(width: float, height: float, style: str, radius: float = 5, x: float = 0.0, y: float = 0.0) -> str:
    """A rectangle with round corners."""
    size = f'width="{number(width)}" height="{number(height)}" rx="{number(radius)}"'
    return f'<rect class="{style}" x="{number(x)}" y="{number(y)}" {size}/>'


class Lines:
    """Lines of text below each other, which know how wide and high they are."""

    def __init__(self) -> None:
        self.rows: list[tuple[str, str, float, float, str]] = []

    def add(self, content: str, style: str = "", size: float = SMALL, indent: float = 0.0, after: str = "") -> None:
        """Add a line: ``style`` may be ``strong`` or ``faint``; what comes ``after`` has no style."""
        self.rows.append((content, style, size, indent, after))

    @property
    def width(self) -> float:
        """Of the widest line."""
        return max((_line_width(*row) for row in self.rows), default=0.0)

    @property
    def height(self) -> float:
        """Of all lines."""
        return sum(row[2] + 4 for row in self.rows)

    def svg(self, x: float, y: float) -> str:
        """The lines from a top left corner on."""
        made = []
        for content, style, size, indent, after in self.rows:
            y += size + 4
            made.append(text(x + indent, y - 4, content, style, size, after))
        return "".join(made)


def _line_width(content: str, style: str, size: float, indent: float, after: str) -> float:
    return indent + text_width(content, size, style == "strong") + text_width(after, size)


def box(lines: Lines, style: str, about: str, params: int, share: float | None, exits: int, ordered: bool) -> Picture:
    """A box of text, with a bar for the share of parameters at its foot.

    Args:
        lines: What it says.
        style: Its class in the style sheet.
        about: What is said when one points at it.
        params: Its parameters, noted on the element.
        share: Of the parameters, between 0 and 1; None for no bar.
        exits: How many wires leave it, from different outputs.
        ordered: Whether the order of the wires that enter it matters.
    """
    width = max(lines.width + 2 * PAD, 26.0 * exits)
    height = lines.height + PAD + (8 if share is not None else 3)
    svg = [f"<title>{escape(about)}</title>", rectangle(width, height, f"box {style}"), lines.svg(PAD, PAD / 2)]
    if share is not None:
        long, y = width - 2 * PAD, height - 8
        svg.append(rectangle(long, 3, "track", 1.5, PAD, y))
        svg.append(rectangle(max(1.0, long * min(1.0, share)), 3, "bar", 1.5, PAD, y))
    leaving = tuple([width * (index + 1) / (exits + 1) for index in range(exits)])
    made = f'<g class="layer" data-params="{params}">{"".join(svg)}</g>'
    return Picture(width, height, made, (), leaving, any_order=not ordered)


def pin(content: str) -> Picture:
    """The end of a wire at the edge of a panel, with its text."""
    width, height = text_width(content, SMALL) + 2 * PAD, SMALL + 10
    svg = rectangle(width, height, "pin", height / 2) + text(PAD, SMALL + 4, content, "faint")
    return Picture(width, height, f'<g class="end">{svg}</g>')


def dots(contents: Sequence[str], strong: bool = False) -> list[Picture]:
    """The ends of wires at the edge of a frame, with what stands right of each."""
    style, height = "strong" if strong else "faint", 14 if any(contents) else 4
    made = []
    for content in contents:
        label = text(10, 11, content, style) if content else ""
        beside = text_width(content, SMALL, strong) + 12 * bool(content)
        made.append(Picture(4, height, f'<path class="wire" d="M2 0V{height}"/>{label}', beside=beside))
    return made


def joined(
    graph: Graph, pictures: Sequence[Picture], starts: Sequence[Picture], ends: Sequence[Picture], hidden: bool = False
) -> Picture:
    """The pictures of a graph's items, placed in layers, with wires between them.

    Args:
        graph: Whose items they are.
        pictures: One for each item.
        starts: One for each input, in the first row.
        ends: One for each output, in the last row.
        hidden: Whether what leaves it is said elsewhere.
    """
    vertices = [_vertex(p, pinned=n) for n, p in enumerate(starts)]
    signals: list[Signals] = [(signal,) for signal in graph.inputs]
    for picture, item in zip(pictures, graph.items, strict=True):
        vertices.append(_vertex(picture))
        signals.append(item.outputs[:1] if item.lags else item.outputs)
        label = text_width(signals_text(signals[-1]), SMALL) + 10
        last = picture.exits[-1] if picture.exits else picture.width / 2
        vertices[-1].beside = max(picture.beside, label - (picture.width - last))
    vertices += [_vertex(p, pinned=n, last=True) for n, p in enumerate(ends)]
    links = _links(graph, vertices, len(starts))
    width, height, spans = place(vertices, links, GAP)
    every = [*starts, *pictures, *ends]
    _spread(links, {id(v): p for v, p in zip(vertices, every, strict=True)})
    svg = [_wire(link, spans) for link in links]
    svg += [_moved(v.x, v.y, p.svg) for v, p in zip(vertices, every, strict=True)]
    read = {id(link.source) for link in links if not hidden or link.target not in vertices[-len(ends) :]}
    for index, vertex in enumerate(vertices[len(starts) : len(vertices) - len(ends)]):
        if id(vertex) in read:
            x = vertex.x + exit_of(vertex, max(0, len(vertex.exits) - 1)) + 5
            below = vertex.y + vertex.height + SMALL + 1
            svg.append(text(x, below, signals_text(signals[len(starts) + index]), "faint halo"))
    entries = tuple([vertex.x + vertex.middle for vertex in vertices[: len(starts)]])
    exits = tuple([vertex.x + vertex.middle for vertex in vertices[len(vertices) - len(ends) :]])
    return Picture(width, height, "".join(svg), entries, exits)


def _vertex(picture: Picture, pinned: int | None = None, last: bool = False) -> Vertex:
    width, height, _, entries, exits, beside, _ = picture
    return Vertex(width, height, beside, entries, exits, pinned, last)


def _moved(x: float, y: float, svg: str) -> str:
    return f'<g transform="translate({number(x)} {number(y)})">{svg}</g>'


def _links(graph: Graph, vertices: list[Vertex], starts: int) -> list[Link]:
    found = []
    for index, item in enumerate(graph.items):
        target = vertices[starts + index]
        for entry, read in enumerate(dict.fromkeys(item.reads) if item.beside else item.reads):
            together = item.beside and target.entries  # a frame that stands for several has one entry
            found.append(_link(read, vertices, starts, target, 0 if together else entry))
    for index, source in enumerate(graph.returns):
        found.append(_link(source, vertices, starts, vertices[starts + len(graph.items) + index], 0))
    return found


def _link(source: tuple[int, int], vertices: list[Vertex], starts: int, target: Vertex, entry: int) -> Link:
    step, output = source
    if step < 0:
        return Link(vertices[-1 - step], 0, target, entry)
    return Link(vertices[starts + step], output, target, entry)


def _spread(links: list[Link], pictures: dict[int, Picture]) -> None:
    """Let the wires that enter a box do so side by side, without crossing where their order does not matter."""
    entering: dict[int, list[Link]] = {}
    for link in links:
        entering.setdefault(id(link.target), []).append(link)
    for group in entering.values():
        target = group[0].target
        if target.entries:
            continue
        if pictures[id(target)].any_order:
            group.sort(key=_above)
        apart = min(18.0, target.width / (len(group) + 1))
        first = target.middle - apart * (len(group) - 1) / 2
        if len(group) == 1 and abs(_above(group[0]) - target.x - first) <= min(BEND, target.middle - 6):
            first = _above(group[0]) - target.x
        target.entries = [first + apart * index for index in range(len(group))]
        for index, link in enumerate(group):
            link.entry = index


def _above(link: Link) -> float:
    before = link.via[-1] if link.via else None
    return before.x + 1 if before else link.source.x + exit_of(link.source, link.exit)


def _wire(link: Link, spans: list[tuple[float, float]]) -> str:
    """A wire: straight through the rows it passes, a smooth curve between rows, a tip at its end."""
    x = link.source.x + exit_of(link.source, link.exit)
    path = [f"M{number(x)} {number(link.source.y + link.source.height)}"]
    points = [(via.x + 1, via.rank) for via in link.via]
    points.append((link.target.x + link.target.entries[link.entry], link.target.rank))
    at = link.source.rank
    for following, rank in points:
        top, bottom = spans[at][1] + 14, spans[rank][0] - 6
        path.append(f"V{number(top)}")
        if abs(following - x) > 0.3:
            middle = number((top + bottom) / 2)
            path.append(f"C{number(x)} {middle} {number(following)} {middle} {number(following)} {number(bottom)}")
        x, at = following, rank
    end = link.target.y
    path.append(f"V{number(end)}")
    tip = f'<path class="tip" d="M{number(x)} {number(end)}l-3 -6h6z"/>' if link.target.height > 14 else ""
    return f'<path class="wire" d="{"".join(path)}"/>{tip}'
