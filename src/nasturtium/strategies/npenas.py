"""Evolution guided by a predictor: of a brood of children the most promising is tried."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING, Unpack

import numpy as np

from nasturtium.options import at_least
from nasturtium.strategies.acquisition import ACQUISITIONS, Acquisition
from nasturtium.strategies.base import named
from nasturtium.strategies.candidates import PATIENCE, Ground, attempts, distinct
from nasturtium.strategies.learners import Maker, learner
from nasturtium.strategies.learning import Learned, Learning
from nasturtium.strategies.population import VARIATIONS, Member, Selection, Variation, selections
from nasturtium.trial import Proposal

if TYPE_CHECKING:
    from nasturtium.space import Architecture, Space


GIN = partial(learner, "gin", members=2, layers=2, width=32, epochs=60, batch=64, rate=0.01, holding_out=False)
"""Two graph isomorphism networks, of which none is held back to calibrate a spread that NPENAS-NP does not look at."""


class GuidedEvolution(Learning):
    """NPENAS: children of the best are guessed by a predictor, and the best guess is tried (Wei et al. 2020,
    arXiv:2003.12857, algorithm 2).

    A child is a variation of what a selection draws from the ``population`` best that were told. A ``brood`` of
    children that are new is guessed in one batch, and the most promising are tried until the predictor learns again,
    after ``every`` new scores; there, these are 10 that are trained at a time. Here a new best one has children at
    once, and the networks are fewer and smaller than on their own, as they are fitted every ten scores.

    Args:
        predictor: As in :class:`Learning`; GIN in the paper (there one of 3 layers of 32, 300 epochs).
        acquisition: What makes a child promising: ``"mean"`` (NPENAS-NP), ``"independent_thompson"`` (NPENAS-BO), or
            another of :mod:`nasturtium.strategies.acquisition`.
        population: How many of the best may be parents.
        tournament: How many of them a parent is the best of; 1 draws any.
        variation: ``"mutate"``, ``"cross"``, or a :class:`Variation`.
        brood: How many children are made, whenever the predictor has learned anew or a new best was told.
        initial, every, pending, **common: As in :class:`Learning`.

    Raises:
        NasturtiumError: If an option cannot be used, or the predictor cannot read the space.
    """

    def __init__(
        self,
        space: Space,
        *,
        predictor: str | Maker = GIN,
        acquisition: str | Acquisition = "mean",
        population: int = 10,
        tournament: int = 1,
        variation: str | Variation = "mutate",
        brood: int = 100,
        initial: int = 10,
        every: int = 10,
        pending: str = "believer",
        **common: Unpack[Learned],
    ) -> None:
        super().__init__(space, predictor=predictor, initial=initial, every=every, pending=pending, **common)
        self.acquisition: Acquisition = named(acquisition, ACQUISITIONS)
        self.population = at_least("population", population, 1)
        self.selection: Selection = named("tournament", selections(at_least("tournament", tournament, 1)))
        self.variation: Variation = named(variation, VARIATIONS)
        self.brood = at_least("brood", brood, 1)

    def propose(self, number: int, rng: np.random.Generator) -> Proposal | None:
        """At random at first, then the most promising child."""
        if not self.ready:
            return self.anything(rng)
        guess = self.pool(self.children)
        if not guess.architectures:
            return Proposal(self.fresh(lambda: self.child(self.members(len(self.told)), rng), rng), self.budget)
        return self.chosen(guess.architectures, self.acquisition(guess, rng), rng)

    def members(self, count: int) -> list[Member]:
        """The best of the first so many that were told."""
        ordered = sorted(self.told[:count], key=lambda each: each.losses)
        return [Member(*each) for each in ordered[: self.population]]

    def child(self, members: Sequence[Member], rng: np.random.Generator) -> Architecture:
        """A variation of what is selected."""
        return self.variation(lambda: self.selection(members, rng).architecture, self.space, rng)

    def children(self, ground: Ground, rng: np.random.Generator) -> list[Architecture]:
        """A brood of those that are new."""
        members = self.members(max(self.basis.size, self._led))
        return distinct(attempts(lambda: self.child(members, rng), PATIENCE * self.brood), ground.known, self.brood)
