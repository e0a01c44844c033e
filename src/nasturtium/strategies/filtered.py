"""Filtered: any strategy with a warm start and a filter by scores that cost next to nothing."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from fractions import Fraction
from itertools import chain, islice
from typing import TYPE_CHECKING

import numpy as np

from nasturtium.options import at_least, between
from nasturtium.strategies.base import Strategy, Wrapper
from nasturtium.trial import Proposal

if TYPE_CHECKING:
    from nasturtium.space import Architecture

Judge = Callable[[Sequence["Architecture"]], Sequence[float]]
"""Gives a number for each of several candidates, the same for the same ones: better ones larger, NaN for none."""

FINEST = 1_000_000
"""Shares are taken as fractions of whole numbers up to this, so that 0.1 is a tenth and nothing is lost by rounding."""
DRAWS = 100
"""How many times as many as are wanted are drawn for a pool where limits are hard to keep."""


def one_by_one(score: Callable[[Architecture], float]) -> Judge:
    """Judges each candidate by a score of its own."""
    return lambda candidates: [score(each) for each in candidates]


class ProxyFilter(Wrapper):
    """Begins with the best of a drawn pool, then tries the best of several candidates of another strategy.

    The warm start of Abdelfattah et al. 2021 (arXiv:2101.08134, section 4.2), and their move proposal for whatever the
    other strategy is: of each ``1 / keep`` candidates it proposes, the best one is tried. Where that is no whole number
    the remainder is carried on: at 0.4 the best of two and of three in turn. The pool follows from the seed alone;
    proposals that continue a trial are not filtered, and come between those of the pool where the other strategy can
    take nothing new.

    Args:
        strategy: What is filtered; it is told of all trials.
        judge: Of candidates; asked as often as something is drawn, so let it remember their scores.
        keep: Share of the candidates that are tried, above 0; 1 filters nothing.
        start: How many of the pool are tried first.
        pool: How many architectures are drawn for that; ``start / keep`` if not given.
        after: How many architectures come before the warm start, which somebody else chose.
        able: Whether an architecture may be in the pool; if not, another is drawn, ``DRAWS`` times the pool at most.

    Raises:
        NasturtiumError: If an option cannot be used.
    """

    def __init__(
        self, strategy: Strategy, judge: Judge, *, keep: float = 0.1, start: int = 0, pool: int | None = None,
        after: int = 0, able: Callable[[Architecture], bool] | None = None,
    ) -> None:  # fmt: skip
        super().__init__(strategy)
        self.judge = judge
        self.each = 1 / Fraction(between("keep", keep, 1e-6, 1)).limit_denominator(FINEST)
        self.start = at_least("start", start, 0)
        self.pool = round(self.start * self.each) if pool is None else at_least("pool", pool, self.start)
        self.after = at_least("after", after, 0)
        self.able = able or (lambda architecture: True)
        self.begun = 0
        self._best: list[Architecture] | None = None

    def propose(self, number: int, rng: np.random.Generator) -> Proposal | None:
        """The next of the warm start, or the best candidate of the other strategy."""
        if self.begun < self.after + self.start:
            warm = next((each for each in self.warm() if each not in self.known), None)
            given = None if warm is None else self.strategy.given(warm)
            if given is not None:
                return given
        first = self.strategy.propose(number, rng)
        if first is None or first.parent is not None:
            return first
        others = [self.strategy.propose(number, rng) for _ in range(self.offered() - 1)]
        able = [first, *(each for each in others if each is not None and each.parent is None)]
        different = {each.architecture.decisions: each for each in reversed(able)}  # of equal ones the first
        if len(different) == 1:
            return first
        best = self._ordered([each.architecture for each in reversed(different.values())])[0]
        return different[best.decisions]

    def offered(self) -> int:
        """Of how many candidates the next one is the best: ``1 / keep`` in the mean, from what was asked alone."""
        return math.floor((self.begun + 1) * self.each) - math.floor(self.begun * self.each)

    def asked(self, proposal: Proposal) -> None:
        """Takes note, and passes it on."""
        self.begun += proposal.parent is None
        super().asked(proposal)

    def warm(self) -> list[Architecture]:
        """The best of the pool, the best one first; drawn and scored when first asked for."""
        if self._best is None:
            self._best = self._ordered(self._drawn())[: self.start]
        return self._best

    def _drawn(self) -> list[Architecture]:
        """The pool; if nothing that was drawn is able, the first of it all the same."""
        rng = np.random.default_rng([self.seed, 2])
        drawn = (self.space.sample(rng) for _ in range(DRAWS * self.pool))
        first = list(islice(drawn, self.pool))
        able = list(islice(filter(self.able, chain(first, drawn)), self.pool))
        return list({each.decisions: each for each in able or first}.values())

    def _ordered(self, candidates: list[Architecture]) -> list[Architecture]:
        """The best one first; what has no value comes last."""
        values = [-math.inf if math.isnan(each) else float(each) for each in self.judge(candidates)]
        return [candidates[place] for place in sorted(range(len(values)), key=lambda i: -values[i])]
