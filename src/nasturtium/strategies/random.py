"""Random search: the baseline that every other strategy has to beat."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cached_property
from itertools import islice
from typing import TYPE_CHECKING

import numpy as np

from nasturtium.objective import Limit, Objectives
from nasturtium.strategies.base import Strategy, unseen
from nasturtium.trial import Budget, Proposal, Trial

if TYPE_CHECKING:
    from nasturtium.space import Architecture, Space

TRIES = 100
"""Draws that may hit something already asked before the rest of the space is enumerated."""
ENUMERABLE = 100_000
"""How many architectures are enumerated at most to find what has not been asked yet."""


class RandomSearch(Strategy):
    """Draws architectures at random (Li and Talwalkar 2019, arXiv:1902.07638, as the baseline of NAS).

    Args:
        space: Where architectures come from.
        seed: Seed of the study.
        budget: What each trial may spend, in the estimator's unit.
        objectives: Not used; taken so that all strategies are made alike.
        limits: Not used.
        uniform: Draw uniformly over architectures instead of by the weights of the choices.
        repeats: Whether an architecture may be proposed twice. If not, the rest of a small space is
            enumerated once drawing finds nothing new, and repeats begin when nothing is left.
    """

    def __init__(
        self,
        space: Space,
        *,
        seed: int = 0,
        budget: Budget = 1,
        objectives: Objectives = "accuracy",
        limits: Iterable[str | Limit] = (),
        uniform: bool = False,
        repeats: bool = False,
    ) -> None:
        super().__init__(space, seed=seed, budget=budget, objectives=objectives, limits=limits)
        self.uniform = uniform
        self.repeats = repeats
        self.seen: set[tuple[int, ...]] = set()

    def propose(self, number: int, rng: np.random.Generator) -> Proposal:
        """A random architecture, not asked before where the space allows."""
        if self.repeats:
            return Proposal(self.draw(rng), self.budget)
        return Proposal(unseen(lambda: self.draw(rng), self.seen, TRIES) or self.leftover(rng), self.budget)

    def draw(self, rng: np.random.Generator) -> Architecture:
        """One architecture of the space."""
        return self.space.sample(rng, uniform=True) if self.uniform else self.space.sample(rng)

    def leftover(self, rng: np.random.Generator) -> Architecture:
        """Something not asked yet, found by enumeration; a repeat where nothing is left."""
        rest = [decisions for decisions in self.listed if decisions not in self.seen]
        return self.space.architecture(rest[int(rng.integers(len(rest)))]) if rest else self.draw(rng)

    @cached_property
    def listed(self) -> list[tuple[int, ...]]:
        """The decisions of all architectures, of the first in a large space, of none in an infinite one."""
        if self.space.recursive:
            return []
        return [architecture.decisions for architecture in islice(self.space.enumerate(), ENUMERABLE)]

    def asked(self, proposal: Proposal) -> None:
        """Remembers the architecture."""
        super().asked(proposal)
        self.seen.add(proposal.architecture.decisions)

    def tell(self, trial: Trial) -> None:
        """Nothing to learn from it."""
