"""Filtered: any strategy with a warm start and a filter by a score that costs next to nothing."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np

from nasturtium.strategies.base import Strategy, at_least, between
from nasturtium.trial import Proposal, Trial

if TYPE_CHECKING:
    from nasturtium.space import Architecture

Score = Callable[["Architecture"], float]
"""Gives a number for an architecture, better ones larger, always the same; NaN where it has none."""


class ProxyFilter(Strategy):
    """Begins with the best of a drawn pool, then tries the best of several candidates of another strategy.

    The warm start of Abdelfattah et al. 2021 (arXiv:2101.08134, section 4.2), and their move proposal for whatever the
    other strategy is: of each ``1 / keep`` candidates it proposes, the one with the best score is tried. The pool
    follows from the seed alone; proposals that continue a trial are not filtered.

    Args:
        strategy: What is filtered; it is told of all trials.
        score: Of an architecture; asked as often as something is drawn, so let it remember.
        keep: Share of the candidates that are tried, above 0; 1 filters nothing.
        start: How many of the pool are tried first.
        pool: How many architectures are drawn for that; ``start / keep`` if not given.

    Raises:
        NasturtiumError: If an option cannot be used.
    """

    def __init__(
        self, strategy: Strategy, score: Score, *, keep: float = 0.1, start: int = 0, pool: int | None = None
    ) -> None:
        self.strategy = strategy
        super().__init__(
            strategy.space,
            seed=strategy.seed,
            budget=strategy.budget,
            objectives=strategy.goal.objectives,
            limits=strategy.goal.limits,
        )
        self.known = strategy.known
        self.reads_curves = strategy.reads_curves
        self.score = score
        self.candidates = max(1, round(1 / between("keep", keep, 1e-6, 1)))
        self.start = at_least("start", start, 0)
        self.pool = self.start * self.candidates if pool is None else at_least("pool", pool, self.start)
        self._best: list[Architecture] | None = None

    def propose(self, number: int, rng: np.random.Generator) -> Proposal | None:
        """The next of the warm start, or the best candidate of the other strategy."""
        if number < self.start:
            warm = next((each for each in self.warm() if each not in self.known), None)
            if warm is not None:
                return self.strategy.given(warm)
        first = self.strategy.propose(number, rng)
        if first is None or first.parent is not None or self.candidates == 1:
            return first
        others = [self.strategy.propose(number, rng) for _ in range(self.candidates - 1)]
        offered = [first, *(each for each in others if each is not None and each.parent is None)]
        return max(offered, key=lambda each: self._rank(each.architecture))

    def warm(self) -> list[Architecture]:
        """The best of the pool, the best one first; drawn and scored when first asked for."""
        if self._best is None:
            rng = np.random.default_rng([self.seed, 2])
            drawn = {each.decisions: each for each in (self.space.sample(rng) for _ in range(self.pool))}
            self._best = sorted(drawn.values(), key=self._rank, reverse=True)[: self.start]
        return self._best

    def asked(self, proposal: Proposal) -> None:
        """Takes note, and passes it on."""
        self.number += 1
        self.strategy.asked(proposal)

    def tell(self, trial: Trial) -> None:
        """Passes it on."""
        self.strategy.tell(trial)

    def _rank(self, architecture: Architecture) -> float:
        """The score; what has none comes last."""
        value = float(self.score(architecture))
        return -math.inf if math.isnan(value) else value
