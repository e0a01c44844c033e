"""The plots of a comparison as SVG text: curves, final values, and average ranks with their critical difference."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from nasturtium.report.axes import Axis, axis, robust
from nasturtium.report.numbers import number_text
from nasturtium.report.plots import COLOURS, Bar, Plot, whiskers, write
from nasturtium.report.plots import STYLE as PLAIN

if TYPE_CHECKING:
    from nasturtium.comparison import Comparison, Ranking

DASHES = ("", " dashed", " dotted", " mixed")

STYLE = """
.plot .dashed{stroke-dasharray:7 4}.plot .dotted{stroke-dasharray:2 3}.plot .mixed{stroke-dasharray:8 3 2 3}
.plot .band{stroke:none;opacity:.13}.plot .clique{stroke:#1b2430;stroke-width:4}.plot .tie{stroke:#8592a3;fill:none}
figure.broad{max-width:760px;grid-column:1/-1}
ul.key{list-style:none;padding:0;display:flex;flex-wrap:wrap;gap:.3rem 1.3rem}ul.key svg{vertical-align:middle}
@media (prefers-color-scheme:dark){.plot .clique{stroke:#e8edf3}}
"""
"""What these plots need beside the style of all plots."""

BROAD, MARGIN, RULER = 760.0, 210.0, 82.0
"""Width of the plot of ranks, of the names at its sides, and where its ruler lies."""

MOST = 150
"""A line has so many points at most."""


def mark(number: int) -> tuple[str, str]:
    """How the line and the band of strategy ``number`` look."""
    return f"c{number % COLOURS}{DASHES[number // COLOURS % len(DASHES)]}", f"d{number % COLOURS}"


def marks(count: int) -> list[str]:
    """A sample of the line of each strategy, as SVG text."""
    begin = '<svg class="plot" width="34" height="10" aria-hidden="true">'
    return [f'{begin}<path class="line {mark(number)[0]}" d="M1 5H33"/></svg>' for number in range(count)]


def curve_plot(comparison: Comparison, place: int, what: str = "test") -> str:
    """The mean of every strategy over the budget, with a band of one standard error; regret where that is known."""
    facts = comparison.facts[place]
    curves = [comparison.curve(place, name, what) for name in comparison.names]
    known = not any(np.isnan(curve.regret).all() for curve in curves)
    verdict = facts["verdict" if what == "test" else "signal"]
    kept = np.unique(np.geomspace(1, len(comparison.at), MOST).round().astype(int)) - 1
    lines = [(curve.regret if known else curve.mean)[kept] for curve in curves]
    ends = np.concatenate(lines)
    ends = ends[np.isfinite(ends)].tolist()
    title = f"mean regret of {verdict}" if known else f"mean {verdict}"
    up = axis(title, [value for value in ends if not known or value > 0], log=True) if known else robust(
        title, ends, facts["verdict_maximise"])  # fmt: skip
    plot = Plot(
        title, axis(_across(comparison), comparison.at[kept].tolist(), log=True, whole=not comparison.timed), up
    )
    for number, (line, curve) in enumerate(zip(lines, curves, strict=True)):
        look, fill = mark(number)
        error = np.nan_to_num(curve.error[kept])
        there = np.isfinite(line)
        points = list(zip(comparison.at[kept][there].tolist(), line[there].tolist(), strict=True))
        if points:
            plot.marks.append(band(plot, points, error[there].tolist(), fill))
            plot.line(points, f"line {look}", name=comparison.names[number])
    plot.about = "; ".join(
        f"{name} ends at {number_text(float(line[-1]))}" for name, line in zip(comparison.names, lines, strict=True)
    )
    return plot.svg()


def _across(comparison: Comparison) -> str:
    return "seconds of simulated time" if comparison.timed else "queries"


def band(plot: Plot, points: list[tuple[float, float]], errors: list[float], fill: str) -> str:
    """What lies within an error of a line, as SVG text."""
    upper = [plot.at(x, y + error) for (x, y), error in zip(points, errors, strict=True)]
    lower = [plot.at(x, max(y - error, plot.y.low)) for (x, y), error in zip(points, errors, strict=True)]
    ring = " ".join(f"{x:.1f},{y:.1f}" for x, y in (*upper, *lower[::-1]))
    return f'<polygon class="band {fill}" points="{ring}"/>'


def finals_plot(comparison: Comparison, place: int) -> str:
    """The mean of every strategy at the end of the budget, with two standard errors to each side."""
    facts, rows, ends = comparison.facts[place], [], []
    for name in comparison.names:
        curve = comparison.curve(place, name)
        mean, error = float(curve.mean[-1]), float(np.nan_to_num(curve.error[-1]))
        rows.append(Bar(name, mean, number_text(mean), (mean - 2 * error, mean + 2 * error)))
        ends += [value for value in (mean - 2 * error, mean + 2 * error) if math.isfinite(value)]
    rows.sort(key=lambda row: -row.value if facts["verdict_maximise"] else row.value)
    title = f"{facts['verdict']} at the end, mean ± 2 se"
    return whiskers(title, axis(title, ends), rows, "; ".join(f"{row.name} {row.text}" for row in rows))


def difference_plot(ranks: Ranking, style: bool = False) -> str:
    """Average ranks on a line, the best at the left; bars join what is not told apart (Demšar 2006, figure 1)."""
    count = len(ranks.names)
    left = (count + 1) // 2
    line = RULER + 14 + 8 * len(ranks.groups)
    scale = Axis("average rank", 1.0, float(max(count, 2)))
    made = [write(8, 18, f"average rank over {ranks.blocks} {ranks.over}", "strong"), *_ruler(scale, ranks)]
    for place, (first, last) in enumerate(ranks.groups):
        y = RULER + 11 + 8 * place
        ends = f'x1="{_x(scale, ranks.ranks[first]) - 4:.1f}" x2="{_x(scale, ranks.ranks[last]) + 4:.1f}"'
        made.append(f'<line class="clique" {ends} y1="{y:.1f}" y2="{y:.1f}"/>')
    for place, (name, rank) in enumerate(zip(ranks.names, ranks.ranks, strict=True)):
        before = place < left
        y = line + 16 + 20 * (place if before else count - 1 - place)
        end, x = (MARGIN - 16, _x(scale, rank)) if before else (BROAD - MARGIN + 16, _x(scale, rank))
        made.append(f'<path class="tie" d="M{x:.1f} {RULER:g}V{y:.1f}H{end:.1f}"/>')
        text = f"{name} {rank:.2f}" if before else f"{rank:.2f} {name}"
        made.append(write(end - 5 if before else end + 5, y + 5, text, "", "end" if before else "start"))
    return _page("average ranks with their critical difference", ranks, line + 20 * left + 16, made, style)


def _ruler(scale: Axis, ranks: Ranking) -> list[str]:
    """The line of ranks with its numbers, and the length of the critical difference above it."""
    made = [f'<path class="edge" fill="none" d="M{_x(scale, scale.low):.1f} {RULER:g}H{_x(scale, scale.high):.1f}"/>']
    for rank in range(1, int(scale.high) + 1):
        x = _x(scale, rank)
        made.append(f'<line class="edge" x1="{x:.1f}" x2="{x:.1f}" y1="{RULER - 6:g}" y2="{RULER:g}"/>')
        made.append(write(x, RULER - 10, str(rank), "faint", "middle"))
    begin, end = _x(scale, 1), _x(scale, min(1 + ranks.difference, scale.high))
    made.append(f'<path class="whisker" fill="none" d="M{begin:.1f} 36v8m0 -4H{end:.1f}m0 -4v8"/>')
    return [*made, write(begin - 8, 45, f"critical difference {ranks.difference:.2f}", "faint", "end")]


def _x(scale: Axis, rank: float) -> float:
    return MARGIN + (BROAD - 2 * MARGIN) * scale.place(rank)


def _page(title: str, ranks: Ranking, height: float, made: list[str], style: bool) -> str:
    from xml.sax.saxutils import quoteattr

    said = "; ".join(f"{name} {rank:.2f}" for name, rank in zip(ranks.names, ranks.ranks, strict=True))
    look = f"<style>{PLAIN}{STYLE}</style>" if style else ""
    size = f'width="{BROAD:g}" height="{height:g}" viewBox="0 0 {BROAD:g} {height:g}"'
    label = quoteattr(f"{title}: {said}")
    begin = f'<svg xmlns="http://www.w3.org/2000/svg" class="plot" role="img" aria-label={label} {size}>'
    return "\n".join([begin, look, *made, "</svg>", ""])
