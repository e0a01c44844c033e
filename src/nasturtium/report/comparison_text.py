"""What a comparison found, in words and tables: for the terminal and for its page."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from nasturtium.report.english import listed
from nasturtium.report.numbers import number_text, seconds_text

if TYPE_CHECKING:
    from nasturtium.comparison import Comparison, Ranking

FINAL_HEADER = ("strategy", "validation", "test", "± se", "10 %", "median", "90 %", "regret", "course")
"""The columns of :func:`final_rows`."""

BLOCKS = "▁▂▃▄▅▆▇█"
COURSE = 8
"""So many blocks show the course of a mean."""


def final_rows(comparison: Comparison, place: int) -> list[tuple[str, ...]]:
    """For each strategy, the best first: means at the end of the budget, and the course of the test value."""
    curves = [comparison.curve(place, name) for name in comparison.names]
    sign = -1.0 if comparison.facts[place]["verdict_maximise"] else 1.0
    courses = course([each.mean for each in curves], sign < 0)
    rows = []
    for number in np.argsort([sign * each.mean[-1] for each in curves], kind="stable").tolist():
        curve, name = curves[number], comparison.names[number]
        validation = comparison.curve(place, name, "validation").mean[-1]
        numbers = (validation, curve.mean[-1], curve.error[-1], *curve.quantiles[[0, 2, 4], -1], curve.regret[-1])
        rows.append((name, *[_text(value) for value in numbers], courses[number]))
    return rows


def course(means: list[np.ndarray], maximise: bool) -> list[str]:
    """Each mean over the budget as a row of blocks, on one scale for all; high is good."""
    places = np.unique(np.geomspace(1, len(means[0]), COURSE).round().astype(int)) - 1
    picked = np.array([mean[places] for mean in means]) * (1 if maximise else -1)
    if np.isnan(picked).all():
        return ["" for _ in means]
    low, high = np.nanmin(picked), np.nanmax(picked)
    levels = np.nan_to_num((picked - low) / (high - low) if high > low else picked * 0)
    return ["".join(BLOCKS[int(level * (len(BLOCKS) - 1) + 0.5)] for level in row) for row in levels]


def protocol(comparison: Comparison) -> list[str]:
    """How it was compared, in sentences."""
    plan, limits = comparison.plan, comparison.plan.limits
    budget = [f"{limits.queries:,} queries"] if limits.queries is not None else []
    budget += [f"{seconds_text(limits.seconds)} of simulated time"] if limits.seconds is not None else []
    said = [
        f"{plan.runs} run{'s' * (plan.runs > 1)} of every strategy on every benchmark, each of "
        f"{' within '.join(budget)}; run r of all strategies has the same seed (from {plan.seed})."
    ]
    if limits.workers > 1:
        said.append(f"{limits.workers} trainings run at a time, in simulated time.")
    if plan.epoch is not None:
        said.append(f"Strategies see the validation after {plan.epoch} epochs; what is reported is after the last.")
    seen = "one training of each architecture, the same for all strategies" if plan.noise else "the mean over trainings"
    said.append(
        f"They see {seen} where a table tells trainings apart. The incumbent is the best by what was seen; the same "
        "architecture asked for twice costs two queries; at a smaller budget a query counts by its share of epochs."
    )
    return said


def ranking_sentences(ranks: Ranking) -> list[str]:
    """What the ranks say."""
    chance = "below 0.0001" if ranks.p_value < 1e-4 else f"{ranks.p_value:.2g}"
    said = [
        f"Average ranks over {ranks.blocks} {ranks.over}: Friedman's chi-square is {ranks.chi_square:.1f} "
        f"(p {chance}); average ranks that differ by less than {ranks.difference:.2f} are not told apart "
        f"(Nemenyi, alpha {ranks.alpha:g})."
    ]
    for first, last in ranks.groups:
        said.append(f"Not told apart: {listed(ranks.names[first : last + 1])}.")
    if ranks.over == "runs":
        said.append("The blocks are runs on the same tables, so this holds for these benchmarks alone.")
    return said


def rank_rows(ranks: Ranking) -> list[tuple[str, str]]:
    """Each strategy with its average rank, the best first."""
    return [(name, f"{rank:.2f}") for name, rank in zip(ranks.names, ranks.ranks, strict=True)]


def _text(value: float) -> str:
    return "–" if math.isnan(value) else number_text(float(value))
