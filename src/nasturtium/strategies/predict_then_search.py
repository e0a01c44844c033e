"""Predictor, then search: random architectures teach a predictor, and its favourites are tried in their order."""

from __future__ import annotations

from typing import TYPE_CHECKING, Unpack

import numpy as np

from nasturtium.options import at_least
from nasturtium.strategies.candidates import distinct
from nasturtium.strategies.known import Decisions, Known
from nasturtium.strategies.learners import Maker
from nasturtium.strategies.learning import Basis, Learned, Learning
from nasturtium.trial import Proposal

if TYPE_CHECKING:
    from nasturtium.space import Architecture, Space


class PredictThenSearch(Learning):
    """A predictor learns once, from random architectures; then the best of many guesses are tried, in the order of
    the guesses (Wen et al. 2020, Neural Predictor for NAS, arXiv:1912.00848, section 2).

    All of a product space with at most ``candidates`` architectures is guessed, of others as many that are drawn at
    random; when all of those were tried, others are drawn, until a draw has nothing that those before did not have. The
    first stage gets the paper's 172 trials unless ``initial`` says otherwise; naszilla and NASLib leave 20/172 of the
    queries for the second. With several workers the second begins while the last of the first still run, from fewer
    scores; the predictor learns again when there are ``initial`` of them. With ``every``, it also learns from what the
    second stage gives.

    Args:
        predictor: As in :class:`Learning`; GCN in the paper.
        candidates: How many architectures are guessed.
        initial: How many random architectures are scored first (N in the paper).
        every: After how many new scores the predictor is fitted again; 0 for never.
        pending, **common: As in :class:`Learning`.

    Raises:
        NasturtiumError: If an option cannot be used, or the predictor cannot read the space.
    """

    def __init__(
        self,
        space: Space,
        *,
        predictor: str | Maker = "gcn",
        candidates: int = 10_000,
        initial: int = 172,
        every: int = 0,
        pending: str = "none",
        **common: Unpack[Learned],
    ) -> None:
        every = at_least("every", every, 0) or 10**9
        super().__init__(space, predictor=predictor, initial=initial, every=every, pending=pending, **common)
        self.candidates = at_least("candidates", candidates, 1)
        self._order: tuple[Basis, int, list[Architecture]] | None = None
        self._draw = -1
        self._draws: list[Architecture] = []
        self._met: set[Decisions] = set()

    def propose(self, number: int, rng: np.random.Generator) -> Proposal | None:
        """At random at first, then the best guess that was not tried."""
        if not self.ready or self.exhausted:
            return self.anything(rng)
        while self._draw < 0 or (self._draws and all(each in self.known for each in self._draws)):
            self._next()
        untried = (each for each in self.ordered() if each not in self.known)
        best = next(untried, None)
        return self.anything(rng) if best is None else Proposal(best, self.budget)

    def ordered(self) -> list[Architecture]:
        """The candidates of the draw that is at hand, the best guess first; none where the draws are at their end."""
        if self._order is None or self._order[:2] != (self.basis, self._draw):
            drawn = self._draws
            guessed = self.fitted().predict(drawn)[0] if drawn else np.zeros(0)
            found = [drawn[i] for i in np.argsort(-guessed, kind="stable")]
            self._order = (self.basis, self._draw, found)
        return self._order[2]

    def _next(self) -> None:
        """Goes on to another draw, or to none where that has nothing that those before did not have.

        What was tried stays so, and draws are the seed's: which one is at hand follows from the events.
        """
        self._draw += 1
        drawn = self.drawn(self._draw)
        new = {each.decisions for each in drawn} - self._met
        self._draws = drawn if new else []
        self._met |= new

    def drawn(self, draw: int) -> list[Architecture]:
        """What is guessed in the n-th draw, which the seed decides."""
        space = self.space
        whole = space.radices is not None and not space.where and space.size <= self.candidates
        if whole:
            return list(space.enumerate()) if draw == 0 else []
        rng = np.random.default_rng((self.seed, 3, draw))
        return distinct((space.sample(rng) for _ in range(self.candidates)), Known(space), self.candidates)
