"""Comparing strategies on benchmarks: many runs, the same seeds for all, ranks over benchmarks."""

from __future__ import annotations

from nasturtium.comparison.answers import Answers
from nasturtium.comparison.comparing import carry_out, compare
from nasturtium.comparison.expectation import expected_best
from nasturtium.comparison.plan import Contender, Plan, Subject
from nasturtium.comparison.ranks import Ranking, critical_difference, friedman, ranking
from nasturtium.comparison.results import Comparison, Curve
from nasturtium.comparison.simulation import Limits, Simulation, Track
from nasturtium.comparison.table_space import TableSpace

__all__ = [
    "Answers", "Comparison", "Contender", "Curve", "Limits", "Plan", "Ranking", "Simulation", "Subject", "TableSpace",
    "Track", "carry_out", "compare", "critical_difference", "expected_best", "friedman", "ranking",
]  # fmt: skip
