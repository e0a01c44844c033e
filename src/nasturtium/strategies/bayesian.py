"""Bayesian optimisation: a predictor, an acquisition, a way to make candidates, and what to do about pending trials."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Unpack

import numpy as np
from numpy.typing import NDArray

from nasturtium.strategies.acquisition import ACQUISITIONS, Acquisition, Guess
from nasturtium.strategies.base import named
from nasturtium.strategies.candidates import Candidates, Ground, makers
from nasturtium.strategies.learning import Learned, Learning, Maker
from nasturtium.strategies.likeness import likeness
from nasturtium.trial import Proposal

if TYPE_CHECKING:
    from nasturtium.space import Architecture, Space

Array = NDArray[Any]


class BayesianOptimisation(Learning):
    """Tries what an acquisition finds most worthwhile among candidates, by a predictor of what was told.

    The parts are independent, and every published method is a choice of them: NASBOT, NASBOWL, BANANAS, BONAS and more
    are rows of ``PRESETS``. Candidates are scored in one batch; each proposal takes the best of what is left of them.
    With several objectives the first decides; see ``hypervolume`` and ``parego`` for all of them.

    Args:
        acquisition: ``"expected_improvement"``, ``"probability_of_improvement"``, ``"upper_confidence"``,
            ``"thompson"``, ``"independent_thompson"``, ``"mean"``, or an :class:`Acquisition`.
        candidates: ``"mutation"`` (of the best), ``"random"``, ``"local_search"`` (of the acquisition), ``"mixed"``, or
            :class:`Candidates`.
        count: How many candidates are made, whenever the predictor has learned anew or a new best was told.
        parents: Of how many of the best candidates are mutations; NASLib's 2.
        pending: As in :class:`Learning`, or ``"penalise"``: trials that still run teach nothing, but candidates count
            the less the more they are like them (as in González et al. 2016, with likeness of decisions in place of
            their balls).
        predictor, initial, every, **common: As in :class:`Learning`.

    Raises:
        NasturtiumError: If an option cannot be used, or the predictor cannot read the space.
    """

    def __init__(
        self,
        space: Space,
        *,
        predictor: str | Maker = "random_forest",
        acquisition: str | Acquisition = "expected_improvement",
        candidates: str | Candidates = "mutation",
        count: int = 100,
        parents: int = 2,
        initial: int = 10,
        every: int = 5,
        pending: str = "believer",
        **common: Unpack[Learned],
    ) -> None:
        self.penalised = pending == "penalise"
        self.acquisition: Acquisition = named(acquisition, ACQUISITIONS)
        self.candidates: Candidates = named(candidates, makers(count, parents))
        super().__init__(
            space, predictor=predictor, initial=initial, every=every,
            pending="none" if self.penalised else pending, **common,
        )  # fmt: skip

    def propose(self, number: int, rng: np.random.Generator) -> Proposal | None:
        """At random at first, then the candidate that is worth most."""
        if not self.ready:
            return self.anything(rng)
        guess = self.pool(self.made_of)
        if not guess.architectures:
            guess = self.guessed(self.made_of(self.ground(lambda some: self.guessed(some).mean), rng))
        return self.chosen(guess.architectures, self.worth(guess, rng), rng)

    def made_of(self, ground: Ground, rng: np.random.Generator) -> Sequence[Architecture]:
        """Candidates; those that climb do so by the acquisition."""
        return self.candidates(ground._replace(worth=lambda some: self.acquisition(self.guessed(some), rng)), rng)

    def worth(self, guess: Guess, rng: np.random.Generator) -> Array:
        """The acquisition of what was guessed, (n,)."""
        worth = self.acquisition(guess, rng)
        if not self.penalised or not self.running:
            return worth
        return penalised(worth, guess.architectures, list(self.running.values()))


def penalised(worth: Array, architectures: Sequence[Architecture], pending: Sequence[Architecture]) -> Array:
    """How far each candidate leads the least, times 1 - likeness for each pending architecture; (n,)."""
    free = np.prod(1.0 - likeness(architectures, pending), axis=1)
    return np.asarray((worth - np.min(worth)) * free)
