"""The page of a comparison of predictors: rank correlation against train size, and whether spreads are right."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from nasturtium.report.axes import axis
from nasturtium.report.comparison import Section, filled
from nasturtium.report.comparison_plots import band, mark, marks
from nasturtium.report.numbers import number_text
from nasturtium.report.plots import Bar, Plot, whiskers
from nasturtium.writing import write_text

if TYPE_CHECKING:
    from nasturtium.comparison.predicting import Assessed

HEADER = (
    "predictor", "train", "Spearman", "± sd", "Kendall", "top 10 %", "50 %", "90 %", "fit s", "ask s", "splits",
)  # fmt: skip

LEVELS = {0.5: "coverage50", 0.9: "coverage90"}
"""The intervals whose coverage is known, with the name of the number."""

Fits = dict[str, dict[int, list["Assessed"]]]
"""The splits of each predictor at each train size."""


def write_prediction(rows: Sequence[Assessed], out: Path) -> None:
    """Write the page of a comparison of predictors.

    Raises:
        StudyError: If the file cannot be written.
    """
    write_text(out, render_prediction(rows))


def render_prediction(rows: Sequence[Assessed]) -> str:
    """The page as text."""
    names = tuple(dict.fromkeys(row.predictor for row in rows))
    parts: dict[tuple[str, str, str], list[Assessed]] = defaultdict(list)
    for row in rows:
        parts[row.benchmark, row.dataset, row.features].append(row)
    splits = len({row.run for row in rows})
    protocol = [
        f"Every predictor learns from the same rows in each of {splits} split{'s' * (splits > 1)}, and is asked for "
        "others; a larger train size holds the rows of a smaller one.",
        "Bands and whiskers are one standard deviation over the splits; seconds are CPU time.",
    ]
    return filled(
        title=f"Comparison of {len(names)} predictor{'s' * (len(names) > 1)}", protocol=protocol, kind="predictors",
        names=names, key=marks(len(names)), header=HEADER, caption="Means over the splits", ranks=None, difference="",
        sentences=[],
        sections=[_section(place, *part, names) for place, part in enumerate(parts.items())],
    )  # fmt: skip


def _section(place: int, part: tuple[str, str, str], rows: Sequence[Assessed], names: Sequence[str]) -> Section:
    benchmark, dataset, features = part
    fits: Fits = {name: defaultdict(list) for name in names if any(row.predictor == name for row in rows)}
    for row in rows:
        fits[row.predictor][row.train].append(row)
    seen = {"encoding": "the encoding", "proxies": "zero-cost proxies", "both": "the encoding and zero-cost proxies"}
    title = f"{benchmark} ({dataset})" if dataset else benchmark
    return Section(
        f"benchmark-{place}", f"{title}, {features}", f"Predictors see {seen.get(features, features)}.",
        (rank_plot(fits, names), calibration_plot(fits, names)), _rows(fits),
    )  # fmt: skip


def rank_plot(fits: Fits, names: Sequence[str]) -> str:
    """Spearman's correlation over the train size with a band of one standard deviation; whiskers for one size."""
    sizes = sorted({size for found in fits.values() for size in found})
    told = {name: {size: _spread(rows) for size, rows in sorted(found.items())} for name, found in fits.items()}
    ends = [mean + sign * sd for found in told.values() for mean, sd in found.values() for sign in (-1, 1)]
    ends = [end for end in ends if np.isfinite(end)]
    about = "; ".join(f"{name} {_there(list(found.values())[-1][0])}" for name, found in told.items())
    title = "rank correlation (Spearman)"
    if len(sizes) == 1:
        bars = [
            Bar(name, mean, number_text(mean), (mean - sd, mean + sd))
            for name, found in told.items()
            for mean, sd in found.values()
            if np.isfinite(mean)
        ]
        bars.sort(key=lambda bar: -bar.value)
        return whiskers(f"{title} after {sizes[0]} rows", axis(title, ends), bars, about)
    plot = Plot(title, axis("rows to learn from", sizes, log=True, whole=True), axis(title, ends), about)
    for name, found in told.items():
        look, fill = mark(names.index(name))
        points = [(float(size), mean) for size, (mean, _) in found.items() if np.isfinite(mean)]
        if points:
            plot.marks.append(band(plot, points, [sd for mean, sd in found.values() if np.isfinite(mean)], fill))
            plot.line(points, f"line {look}", name=name)
    return plot.svg()


def _spread(rows: Sequence[Assessed]) -> tuple[float, float]:
    values = [row.spearman for row in rows]
    return float(np.mean(values)), float(np.std(values, ddof=1)) if len(values) > 1 else 0.0


def _there(value: float) -> str:
    """A number, or a dash where there is none: equal predictions have no rank correlation, one split no spread."""
    return number_text(value if math.isfinite(value) else None)


def calibration_plot(fits: Fits, names: Sequence[str]) -> str:
    """The share of true scores within the 50 % and 90 % intervals, at the largest train size; right on the diagonal."""
    plot = Plot("coverage", axis("what intervals promise", [0.4, 1.0]), axis("share of scores within", [0.0, 1.0]))
    plot.line([(0.4, 0.4), (1.0, 1.0)], "thin", name="right")
    said = []
    for name, found in fits.items():
        look, fill = mark(names.index(name))
        rows = found[max(found)]
        points = [(level, float(np.mean([getattr(row, what) for row in rows]))) for level, what in LEVELS.items()]
        plot.line(points, f"line {look}", name=name)
        for level, share in points:
            plot.point(level, share, fill, f"{name}: {share:.2f} within the {level:.0%} interval")
        said.append(f"{name} {points[0][1]:.2f} and {points[1][1]:.2f}")
    plot.about = "; ".join(said)
    return plot.svg()


def _rows(fits: Fits) -> list[tuple[str, ...]]:
    """One line for each predictor and train size, the best of each size first."""
    lines = []
    for name, found in fits.items():
        for size, rows in found.items():
            mean, sd = _spread(rows)
            names = ("kendall", "precision", "coverage50", "coverage90", "fit_seconds", "query_seconds")
            rest = [_there(float(np.mean([getattr(row, what) for row in rows]))) for what in names]
            told = _there(mean), _there(sd if len(rows) > 1 else math.nan)
            cells = (name, str(size), *told, *rest, str(len(rows)))
            lines.append((size, -mean if math.isfinite(mean) else math.inf, cells))
    return [cells for *_, cells in sorted(lines, key=lambda line: line[:2])]
