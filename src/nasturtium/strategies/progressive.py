"""PNAS: architectures grow step by step, and a predictor says which of the grown ones are tried."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Unpack

import numpy as np

from nasturtium.options import at_least
from nasturtium.strategies.candidates import PATIENCE, attempts, distinct
from nasturtium.strategies.learners import Maker
from nasturtium.strategies.learning import Learned, Learning, Told
from nasturtium.trial import Proposal, Trial

if TYPE_CHECKING:
    from nasturtium.space import Architecture, Space

EXAMPLES = 50
"""How many architectures are drawn to find a small one to begin with, where the smallest is not known."""


class ProgressiveSearch(Learning):
    """PNAS: from the smallest architectures to larger ones, the most promising first (Liu et al. 2018,
    arXiv:1712.00559, algorithm 1).

    There, cells of one block are tried first, then every cell of the beam gets one more block, a predictor picks the
    best guesses, they are tried, it learns, and so on. Here an architecture grows by one decision at a time, so that
    growth is defined on every space. Where architectures have different numbers of decisions (repeats, grammars), the
    size is that number, and one that has grown has more. Where all have as many (cells), the size is how many
    decisions are not those of the smallest architecture, which takes the first option everywhere (where that is
    ``none`` or ``skip`` it is the least network). A mutation that makes something larger is a step of growth. The first
    level is what is one step larger than the smallest; each level tries ``beam`` architectures and gives the next its
    best as parents; where nothing grows any more, mutations of the best of all are tried, the best guess first.

    Args:
        predictor: As in :class:`Learning`; there an LSTM or a network of its own making.
        beam: How many architectures a level tries (K; the paper's 256 of a far larger space).
        parents: From how many of the best of a level the next one grows.
        candidates: How many grown architectures are guessed for a proposal.
        every, pending, **common: As in :class:`Learning`.

    Raises:
        NasturtiumError: If an option cannot be used, or the predictor cannot read the space.
    """

    def __init__(
        self,
        space: Space,
        *,
        predictor: str | Maker = "random_forest",
        beam: int = 20,
        parents: int = 10,
        candidates: int = 100,
        every: int = 5,
        pending: str = "none",
        **common: Unpack[Learned],
    ) -> None:
        super().__init__(space, predictor=predictor, initial=2, every=every, pending=pending, **common)
        self.beam = at_least("beam", beam, 1)
        self.parents = at_least("parents", parents, 1)
        self.candidates = at_least("candidates", candidates, 1)
        self.smallest = smallest(space, self.seed)
        self.level = 0
        self.asked_here = 0
        self.level_of: dict[int, int] = {}
        self.tried: dict[int, list[Told]] = {}

    def propose(self, number: int, rng: np.random.Generator) -> Proposal | None:
        """The smallest; then the best guess of what has grown; then, where nothing grows, of mutations of the best."""
        if self.smallest not in self.known:
            return Proposal(self.smallest, self.budget)
        new = self.varied(self.beam_of(self.level - 1), rng, grown=True)
        new = new or self.varied(self.best()[: self.parents], rng, grown=False)
        if not new:
            return self.anything(rng)
        if not self.ready:
            return Proposal(new[0], self.budget)
        return self.chosen(new, self.fitted().predict(new)[0], rng)

    def asked(self, proposal: Proposal) -> None:
        """Counts it at its level; a full level gives way to the next."""
        self.level_of[self.number] = self.level
        super().asked(proposal)
        self.asked_here += 1
        if self.asked_here >= (1 if self.level == 0 else self.beam):
            self.level, self.asked_here = self.level + 1, 0

    def tell(self, trial: Trial) -> None:
        """Takes note at the level at which it was asked, whichever budget is learned from."""
        super().tell(trial)
        level, losses = self.level_of.pop(trial.number, self.level), self.judged(trial)
        if losses is not None:
            told = Told(losses, self.space.architecture(trial.architecture.decisions))
            self.tried.setdefault(level, []).append(told)

    def beam_of(self, level: int) -> list[Architecture]:
        """The best of a level; of the last before it that gave a score where it gave none; or the smallest."""
        while level > 0 and not self.tried.get(level):
            level -= 1
        found = sorted(self.tried.get(level, []), key=lambda each: each.losses)
        return [each.architecture for each in found[: self.parents]] or [self.smallest]

    def varied(self, parents: list[Architecture], rng: np.random.Generator, grown: bool) -> list[Architecture]:
        """New mutations of each parent in turn; with ``grown`` only those that are larger than their parent."""
        sources = itertools.cycle(parents)

        def mutation() -> Architecture | None:
            parent = next(sources)
            child = self.space.mutate(parent, rng)
            return child if not grown or self.size(child) > self.size(parent) else None

        drawn = attempts(mutation, PATIENCE * self.candidates) if parents else iter(())
        return distinct((each for each in drawn if each is not None), self.known, self.candidates)

    def size(self, architecture: Architecture) -> int:
        """How large an architecture is (see :func:`size`)."""
        return size(self.space, architecture)


def size(space: Space, architecture: Architecture) -> int:
    """How many decisions it took; where all take as many, how many of them are not the first option."""
    if space.radices is None:
        return len(architecture.decisions)
    return sum(decision > 0 for decision in architecture.decisions)


def smallest(space: Space, seed: int) -> Architecture:
    """The architecture with the first option everywhere, or the smallest of some that are drawn."""
    if space.radices is not None:
        first = space.architecture((0,) * len(space.radices))
        if space.admits(first):
            return first
    rng = np.random.default_rng((seed, 4))
    return min((space.sample(rng) for _ in range(EXAMPLES)), key=lambda each: size(space, each))
