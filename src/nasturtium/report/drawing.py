"""An architecture as a drawing: one SVG, with the network and every cell that occurs again drawn once."""

from __future__ import annotations

from xml.sax.saxutils import escape, quoteattr

from nasturtium.report.folding import Graph, Item
from nasturtium.report.outline import Block, outline
from nasturtium.report.pictures import (
    PAD,
    SMALL,
    TITLE,
    Lines,
    Picture,
    box,
    dots,
    joined,
    number,
    pin,
    rectangle,
    text,
)
from nasturtium.report.scene import Panel, Scene
from nasturtium.report.wording import (
    arguments,
    layer_text,
    shape_text,
    share_text,
    short_number,
    text_width,
    wrapped,
)
from nasturtium.space.architecture import Architecture

STYLE = """
.architecture{font-family:system-ui,"Segoe UI",Helvetica,Arial,"DejaVu Sans",sans-serif;background:#ffffff}
.architecture text{fill:#1b2430}.architecture .strong{font-weight:bold}.architecture .faint{fill:#55606e}
.architecture .halo{paint-order:stroke;stroke:#ffffff;stroke-width:3px}
.architecture .box{fill:#f4f6f9;stroke:#8592a3}.architecture .join{fill:#ffffff;stroke:#8592a3}
.architecture .cell{fill:#e2eefc;stroke:#2f6fb5}.architecture .frame{fill:none;stroke:#8592a3;stroke-dasharray:5 3}
.architecture .panel{fill:none;stroke:#c3ccd6}.architecture .pin{fill:#ffffff;stroke:#c3ccd6}
.architecture .wire{fill:none;stroke:#66717f;stroke-width:1.3}.architecture .tip{fill:#66717f}
.architecture .track{fill:#d6dde6}.architecture .bar{fill:#2f6fb5}
@media (prefers-color-scheme:dark){
.architecture{background:#14181d}.architecture text{fill:#e8edf3}.architecture .faint{fill:#a9b4c0}
.architecture .halo{stroke:#14181d}.architecture .box{fill:#222932;stroke:#77838f}
.architecture .join{fill:#14181d}.architecture .cell{fill:#17324f;stroke:#6aa9ec}
.architecture .frame{fill:none;stroke:#77838f}.architecture .panel{stroke:#3d4650}
.architecture .pin{fill:#14181d;stroke:#3d4650}.architecture .wire{stroke:#95a1ad}.architecture .tip{fill:#95a1ad}
.architecture .track{fill:#3d4650}.architecture .bar{fill:#6aa9ec}}
"""

LINE = 30
"""Arguments of layers are broken into lines of about so many characters."""

SHORT = 22
"""A layer whose text is no longer than so many characters takes one line."""

SPACE = 20.0
"""Space around panels, in pixels."""

RATIO = 1.3
"""The width of a drawing over its height that columns of panels are made for."""


def draw(architecture: Architecture) -> str:
    """An architecture as SVG text: the network from top to bottom, and beside it each cell that occurs again, once.

    Boxes show layers, their parameters and the share of these (of the network; in a cell, of the cell), wires what
    flows along them. Equal layers in a row are drawn once, with their number. It needs nothing but a
    viewer of SVG, and follows its light or dark scheme.

    Raises:
        SpaceError: If the architecture is no network, or its input is not known.
    """
    root = outline(architecture)
    scene = Scene(root)
    panels = [_Painter(scene, root.cost.params).network(root)]
    while scene.waiting:
        panel = scene.waiting.pop(0)
        panels.append(_Painter(scene, panel.block.cost.params).cell(panel, root.cost.params))
    name = architecture.space.name if architecture.space is not None else "architecture"
    return _page(name, architecture.hash, root, panels)


class _Painter:
    """Makes the pictures of one panel."""

    def __init__(self, scene: Scene, whole: int) -> None:
        self.scene = scene
        self.whole = whole

    def network(self, root: Block) -> Picture:
        """The panel of the network."""
        return _panel(Lines(), self.whole_graph(root))

    def cell(self, panel: Panel, network: int) -> Picture:
        """The panel of a container that boxes refer to."""
        head = Lines()
        values = "" if panel.variants > 1 else arguments(panel.block.part)
        head.add(f"{panel.letter}: {panel.block.tag}", "strong", TITLE)
        for line in wrapped(values, 2 * LINE) if values else ():
            head.add(line)
        often = "once" if panel.times == 1 else f"{panel.times} times"
        head.add(f"{often}, {share_text(panel.params, network)} of all parameters", "faint")
        if len(panel.signals) > 1:
            shapes = [shape_text(signal) for signal in panel.signals[:4]]
            head.add("gives " + ", ".join(shapes) + (", ..." if len(panel.signals) > 4 else ""), "faint")
        if panel.variants > 1:
            head.add(f"{panel.variants} variants; shown is {layer_text(panel.block.part)}", "faint")
        lines = self.scene.lines(panel.block)
        return _panel(head, self.stack(panel.block, lines) if lines else self.whole_graph(panel.block))

    def whole_graph(self, block: Block) -> Picture:
        """A container with its inputs and outputs as ends of wires."""
        graph = self.scene.graph(block) if block.steps else _alone(block)
        several = len(graph.inputs) > 1
        starts = [
            pin(f"input {index + 1}: {shape_text(signal)}" if several else f"input {shape_text(signal)}")
            for index, signal in enumerate(graph.inputs)
        ]
        ends = [pin(f"output {shape_text(signal)}") for signal in block.outputs]
        return joined(graph, [self.item(item) for item in graph.items], starts, ends)

    def item(self, item: Item) -> Picture:
        """A box, or a frame with what is in it."""
        if item.row is not None:
            title = f"× {item.times}, each on the one before"
            return self.frame(item.row, title, item, item.lags)
        block = item.block
        if block is None:
            raise ValueError("an item holds a block or a row")
        look = self.scene.look(block)
        if look == "frame":
            return self.frame(self.scene.graph(block), layer_text(block.part) + _times(item), item, ())
        if look == "stack":
            return self.stack(block, self.scene.lines(block), item)
        return self.box(block, item, "panel" if look == "panel" else "")

    def box(self, block: Block, item: Item, look: str) -> Picture:
        """A layer, or a container that has a panel."""
        lines = Lines()
        mark = f"{self.scene.panel(block).letter}: " if look else ""
        values = arguments(block.part)
        short = f"({values})" if values and len(block.tag) + len(values) <= SHORT else ""
        lines.add(f"{mark}{block.tag}", "strong", 12, after=f"{short}{_times(item)}")
        for line in wrapped(values, LINE) if values and not short else ():
            lines.add(line)
        join = not block.steps and not item.cost.params and len(item.reads) > 1
        ordered = not getattr(type(block.part), "commutative", False)
        return self._filled(lines, "cell" if look else "join" if join else "", item, ordered)

    def stack(self, block: Block, texts: list[str], item: Item | None = None) -> Picture:
        """A short chain of layers, a line for each."""
        item = item or Item(block, (), block.outputs, block.cost, 0, 0)
        lines = Lines()
        if block.is_named or item.times > 1:
            values = arguments(block.part)
            lines.add(block.tag, "strong", 12, after=f"{f'({values})' if values else ''}{_times(item)}")
        for content in texts:
            first, *rest = wrapped(content, LINE + 8)
            lines.add(first)
            for line in rest:
                lines.add(line, indent=12)
        return self._filled(lines, "", item, ordered=False)

    def _filled(self, lines: Lines, style: str, item: Item, ordered: bool) -> Picture:
        params, share = item.cost.params, None
        if params:
            share = params / self.whole if params < self.whole else None
            lines.add(f"{short_number(params)} · {share_text(params, self.whole)}", "faint")
        about = f"{layer_text(item.block.part) if item.block else ''}: {params:,} parameters, {item.cost.flops:,} FLOPs"
        return box(lines, style, about, params, share, len(item.outputs), ordered)

    def frame(self, graph: Graph, title: str, item: Item, lags: tuple[int, ...]) -> Picture:
        """A graph inside another, in a frame."""
        title = title if len(title) <= LINE or item.block is None else f"{item.block.tag}{_times(item)}"
        last = len(graph.inputs) - 1
        starts = dots([title if index == last else "" for index in range(last + 1)], strong=True)
        ends = dots(["the one before" if lag else "" for lag in lags or (0,) * len(graph.returns)])
        inner = joined(graph, [self.item(each) for each in graph.items], starts, ends, hidden=True)
        width, height = inner.width + 2 * PAD, inner.height
        edge = rectangle(width, height, "frame")
        about = f"<title>{escape(title)}: {item.cost.params:,} parameters, {item.cost.flops:,} FLOPs</title>"
        inside = f'<g class="inside" transform="translate({number(PAD)} 0)">{inner.svg}</g>'
        svg = f'<g class="framed" data-params="{item.cost.params}">{about}{edge}{inside}</g>'
        entries, exits = (tuple([PAD + x for x in xs]) for xs in (inner.entries, inner.exits))
        return Picture(width, height, svg, entries, exits)


def _times(item: Item) -> str:
    return "" if item.times == 1 else f" × {item.times}{' side by side' if item.beside else ''}"


def _alone(block: Block) -> Graph:
    from nasturtium.report.outline import Source, entering

    item = Item(block, entering(len(block.inputs)), block.outputs, block.cost, 0, 0)
    return Graph(block.inputs, [item], tuple([Source(0, output) for output in range(len(block.outputs))]))


def _panel(head: Lines, body: Picture) -> Picture:
    width = max(head.width, body.width) + 2 * PAD
    top = head.height + 2 * PAD
    height = top + body.height + PAD
    edge = rectangle(width, height, "panel")
    left = (width - body.width) / 2
    inside = f'<g class="inside" transform="translate({number(left)} {number(top)})">{body.svg}</g>'
    return Picture(width, height, f'<g class="whole">{edge}{head.svg(PAD, PAD / 2)}{inside}</g>')


def _page(name: str, digest: str, root: Block, panels: list[Picture]) -> str:
    columns = _columns(panels)
    totals = root.total
    width = max(text_width(totals, SMALL) + 2 * SPACE, text_width(name, 16, True) + 2 * SPACE)
    body, x, lowest = [], SPACE, 0.0
    for column in columns:
        y = 60.0
        for panel in column:
            body.append(f'<g transform="translate({number(x)} {number(y)})">{panel.svg}</g>')
            y += panel.height + SPACE
        x += max(panel.width for panel in column) + SPACE
        lowest = max(lowest, y)
    width = max(width, x)
    head = text(SPACE, 26, name, "strong", 16) + text(SPACE, 45, totals, "faint")
    ids = f"title-{digest} about-{digest}"
    size = f'width="{number(width)}" height="{number(lowest)}" viewBox="0 0 {number(width)} {number(lowest)}"'
    about = f"A network drawn from its input to its output: {totals}"
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" class="architecture" role="img" aria-label={quoteattr(name)} '
        f'aria-labelledby="{ids}" {size} data-params="{root.cost.params}" data-flops="{root.cost.flops}">\n'
        f'<title id="title-{digest}">{escape(name)}</title><desc id="about-{digest}">{escape(about)}</desc>\n'
        f"<style>{STYLE}</style>\n{head}\n" + "\n".join(body) + "\n</svg>\n"
    )


def _columns(panels: list[Picture]) -> list[list[Picture]]:
    """The panels in columns, in their order, for the height that gives the smallest page of the wanted ratio."""
    tallest = max(panel.height for panel in panels)
    tried = [_filled_to(panels, tallest * (1 + step / 4)) for step in range(24)]
    return min(tried, key=_extent)


def _filled_to(panels: list[Picture], height: float) -> list[list[Picture]]:
    columns: list[list[Picture]] = []
    used = 0.0
    for panel in panels:
        if columns and used + SPACE + panel.height <= height:
            columns[-1].append(panel)
            used += SPACE + panel.height
        else:
            columns.append([panel])
            used = panel.height
    return columns


def _extent(columns: list[list[Picture]]) -> float:
    """The height of a page of the wanted ratio that holds the columns."""
    width = sum(max(panel.width for panel in column) + SPACE for column in columns)
    return max(width / RATIO, max(sum(panel.height + SPACE for panel in column) for column in columns))
