"""Plots as SVG text: points, lines, steps and bars between two axes, in light and dark, without any script."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from xml.sax.saxutils import escape, quoteattr

from nasturtium.report.axes import Axis
from nasturtium.report.wording import text_width

WIDTH, HEIGHT = 420.0, 290.0
LEFT, RIGHT, TOP, BOTTOM = 62.0, 14.0, 34.0, 48.0
SIZE = 14.0
"""Size of texts, in pixels; a page of 400 pixels shrinks a plot to seven eighths."""

STYLE = """
.plot{font-family:system-ui,"Segoe UI",Helvetica,Arial,"DejaVu Sans",sans-serif;font-size:14px;background:#ffffff}
.plot text{fill:#1b2430}.plot .faint{fill:#55606e}.plot .strong{font-weight:bold}
.plot .halo{paint-order:stroke;stroke:#ffffff;stroke-width:4px}
.plot .grid{stroke:#e1e6ec}.plot .edge{stroke:#8592a3}
.plot .line{fill:none;stroke-width:2}.plot .thin{fill:none;stroke:#b3bdc9;stroke-width:1}
.plot .point{fill:#9aa6b4;stroke:#ffffff;stroke-width:.7}.plot .beyond{fill:none;stroke:#8592a3;stroke-width:1.3}
.plot .c0{stroke:#1f6fbf}.plot .c1{stroke:#b3501d}.plot .c2{stroke:#1d7a5c}.plot .c3{stroke:#8a4a9e}
.plot .c4{stroke:#8a6d00}
.plot .d0{fill:#1f6fbf}.plot .d1{fill:#b3501d}.plot .d2{fill:#1d7a5c}.plot .d3{fill:#8a4a9e}.plot .d4{fill:#8a6d00}
.plot .bar{fill:#1f6fbf}.plot .whisker{stroke:#1b2430;stroke-width:1.5}
@media (prefers-color-scheme:dark){
.plot{background:#14181d}.plot text{fill:#e8edf3}.plot .faint{fill:#a9b4c0}
.plot .halo{stroke:#14181d}.plot .grid{stroke:#2b323a}.plot .edge{stroke:#77838f}.plot .thin{stroke:#56616d}
.plot .point{fill:#7c8895;stroke:#14181d}.plot .beyond{stroke:#95a1ad}
.plot .c0{stroke:#6aa9ec}.plot .c1{stroke:#f0985f}.plot .c2{stroke:#5fc7a2}.plot .c3{stroke:#c99add}
.plot .c4{stroke:#dcc050}
.plot .d0{fill:#6aa9ec}.plot .d1{fill:#f0985f}.plot .d2{fill:#5fc7a2}.plot .d3{fill:#c99add}.plot .d4{fill:#dcc050}
.plot .bar{fill:#6aa9ec}.plot .whisker{stroke:#e8edf3}}
"""

COLOURS = 5


@dataclass
class Plot:
    """A plot between two axes; marks are drawn in the order they are added.

    Attributes:
        title: What is shown, in a few words.
        x, y: The axes.
        about: What can be seen, for those who do not see it.
        outside: The points that lay beyond the vertical axis and were drawn at its edge.
    """

    title: str
    x: Axis
    y: Axis
    about: str = ""
    marks: list[str] = field(default_factory=list)
    legend: list[tuple[str, str]] = field(default_factory=list)
    outside: set[tuple[float, float]] = field(default_factory=set)

    @property
    def beyond(self) -> int:
        """How many places lay beyond the vertical axis."""
        return len(self.outside)

    def at(self, x: float, y: float) -> tuple[float, float]:
        """Where values lie on the page."""
        across, up = WIDTH - LEFT - RIGHT, HEIGHT - TOP - BOTTOM
        return LEFT + across * self.x.place(x), HEIGHT - BOTTOM - up * self.y.place(y)

    def point(self, x: float, y: float, style: str = "point", about: str = "", radius: float = 4.0) -> None:
        """A point; a hollow triangle at the edge where it lies beyond the vertical axis."""
        across, down = self.at(x, y)
        title = f"<title>{escape(about)}</title>" if about else ""
        if self.y.holds(y):
            mark = f'<circle class="{style}" cx="{_n(across)}" cy="{_n(down)}" r="{_n(radius)}">{title}</circle>'
        else:
            self.outside.add((x, y))
            tip = 5 if y < self.y.low else -5
            shape = f"M{_n(across - 4)} {_n(down - tip)}h8l-4 {tip}z"
            mark = f'<path class="beyond" d="{shape}">{title}</path>'
        self.marks.append(mark)

    def line(self, points: Sequence[tuple[float, float]], style: str, steps: bool = False, name: str = "") -> None:
        """A line through points; with ``steps`` it stays level until the next point."""
        path = ""
        for number, (x, y) in enumerate(points):
            across, down = self.at(x, y)
            letter = f"M{_n(across)} " if not number else f"H{_n(across)}V" if steps else f"L{_n(across)} "
            path += f"{letter}{_n(down)}"
        title = f"<title>{escape(name)}</title>" if name else ""
        self.marks.append(f'<path class="{style}" d="{path}">{title}</path>')

    def named(self, name: str, style: str) -> None:
        """A name in the legend."""
        self.legend.append((name, style))

    def svg(self, style: bool = False) -> str:
        """The plot as SVG text; with ``style`` it can stand alone."""
        return _page(self.title, self.about, HEIGHT, [*self._frame(), *self.marks, *self._legend()], style)

    def _frame(self) -> list[str]:
        made, bottom, right = [], HEIGHT - BOTTOM, WIDTH - RIGHT
        for value, text in self.y.ticks(6):
            _, y = self.at(self.x.low, value)
            made.append(f'<line class="grid" x1="{_n(LEFT)}" x2="{_n(right)}" y1="{_n(y)}" y2="{_n(y)}"/>')
            made.append(write(LEFT - 6, y + 5, text, "faint", "end"))
        for value, text in self.x.ticks(5):
            x, _ = self.at(value, self.y.low)
            made.append(f'<line class="edge" x1="{_n(x)}" x2="{_n(x)}" y1="{_n(bottom)}" y2="{_n(bottom + 4)}"/>')
            made.append(write(x, bottom + 19, text, "faint", "middle"))
        made.append(f'<path class="edge" fill="none" d="M{_n(LEFT)} {_n(TOP - 6)}V{_n(bottom)}H{_n(right)}"/>')
        made.append(write((LEFT + right) / 2, HEIGHT - 8, self.x.title, "faint", "middle"))
        made.append(write(8, 16, self.y.title, "strong"))
        return made

    def _legend(self) -> list[str]:
        made, x = [], WIDTH - RIGHT
        for name, style in reversed(self.legend):
            x -= text_width(name, SIZE)
            made.append(write(x, 16, name, "faint"))
            x -= 8
            made.append(f'<line class="line {style}" x1="{_n(x - 14)}" x2="{_n(x - 2)}" y1="11" y2="11"/>')
            x -= 26
        return made


@dataclass(frozen=True, slots=True)
class Bar:
    """One line of a plot of bars or of means with their intervals.

    Attributes:
        name: What stands before it.
        value: Its length, or its mean.
        text: What stands behind it.
        interval: Ends of its whisker, if it has one.
        dots: Single values, drawn small.
    """

    name: str
    value: float
    text: str
    interval: tuple[float, float] | None = None
    dots: tuple[float, ...] = ()


ROW = 44.0
"""Height of a line of bars or whiskers: the name, and below it what it is about."""


def bars(title: str, rows: Sequence[Bar], about: str, style: bool = False) -> str:
    """Horizontal bars from 0, their names above them and their values behind."""
    widest = max([row.value for row in rows] + [1e-12])
    across, made = WIDTH - 80, [write(8, 18, title, "strong")]
    for number, row in enumerate(rows):
        top = 30 + number * ROW
        length = max(across * row.value / widest, 1.0)
        made.append(write(8, top + 15, fitting(row.name, WIDTH - 16)))
        made.append(f'<rect class="bar" x="8" y="{_n(top + 20)}" width="{_n(length)}" height="16" rx="2"/>')
        made.append(write(length + 14, top + 33, row.text, "faint"))
    return _page(title, about, 36 + len(rows) * ROW, made, style)


def whiskers(title: str, scale: Axis, rows: Sequence[Bar], about: str, style: bool = False) -> str:
    """Means with their intervals, their names above them; small dots are single values."""
    across, bottom = WIDTH - 48, 34 + len(rows) * ROW
    made = [write(8, 18, title, "strong")]
    for value, text in scale.ticks(5):
        x = 24 + across * scale.place(value)
        made.append(f'<line class="grid" x1="{_n(x)}" x2="{_n(x)}" y1="30" y2="{_n(bottom)}"/>')
        made.append(write(x, bottom + 18, text, "faint", "middle"))
    for number, row in enumerate(rows):
        y = 30 + number * ROW
        made.append(write(8, y + 15, fitting(row.name, WIDTH - 90), "halo"))
        made.append(write(WIDTH - 8, y + 15, row.text, "halo faint", "end"))
        made += _whisker(row, y + 30, lambda value: 24 + across * scale.place(value))
    return _page(title, about, bottom + 26, made, style)


def _whisker(row: Bar, y: float, x_of: Callable[[float], float]) -> list[str]:
    made = []
    if row.interval is not None:
        low, high = (_n(x_of(value)) for value in row.interval)
        made.append(f'<line class="whisker" x1="{low}" x2="{high}" y1="{_n(y)}" y2="{_n(y)}"/>')
    made += [f'<circle class="point" cx="{_n(x_of(value))}" cy="{_n(y)}" r="3"/>' for value in row.dots]
    title = f"<title>{escape(row.name)}: {escape(row.text)}</title>"
    return [*made, f'<circle class="d0" cx="{_n(x_of(row.value))}" cy="{_n(y)}" r="5.5">{title}</circle>']


def fitting(text: str, width: float) -> str:
    """A text cut from the left to a width: the end of an address tells more than its beginning."""
    if text_width(text, SIZE) <= width:
        return text
    while text and text_width(f"…{text}", SIZE) > width:
        text = text[1:]
    return f"…{text}"


def write(x: float, y: float, text: str, style: str = "", anchor: str = "start") -> str:
    """A text; ``y`` is its base line."""
    look = f' class="{style}"' if style else ""
    turned = f' text-anchor="{anchor}"' if anchor != "start" else ""
    return f'<text x="{_n(x)}" y="{_n(y)}"{look}{turned}>{escape(text)}</text>'


def _page(title: str, about: str, height: float, marks: Sequence[str], style: bool) -> str:
    look = f"<style>{STYLE}</style>\n" if style else ""
    size = f'width="{_n(WIDTH)}" height="{_n(height)}" viewBox="0 0 {_n(WIDTH)} {_n(height)}"'
    said = f"{title}. {about}" if about else title
    body = "\n".join(marks)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" class="plot" role="img" aria-label={quoteattr(said)} {size}>\n'
        f"{look}{body}\n</svg>\n"
    )


def _n(value: float) -> str:
    return f"{value:.1f}".removesuffix(".0")
