"""Bayesian optimisation: a predictor, an acquisition, a way to make candidates, and what to do about pending trials."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from nasturtium.objective import Limit, Objectives
from nasturtium.strategies.acquisition import ACQUISITIONS, Acquisition, Guess
from nasturtium.strategies.base import at_least, named
from nasturtium.strategies.candidates import Candidates, Ground, makers
from nasturtium.strategies.learning import Learning, Maker
from nasturtium.strategies.likeness import likeness
from nasturtium.trial import Budget, Proposal

if TYPE_CHECKING:
    from nasturtium.space import Architecture, Space

Array = NDArray[Any]


class BayesianOptimisation(Learning):
    """Tries what an acquisition finds most worthwhile among candidates, by a predictor of what was told.

    The parts are independent, and every published method is a choice of them: NASBOT, NASBOWL, BANANAS, BONAS and more
    are rows of ``PRESETS``. Candidates are scored in one batch; each proposal takes the best of what is left of them.
    With several objectives the first decides; see ``hypervolume`` and ``parego`` for all of them.

    Args:
        space: Where architectures come from.
        seed: Seed of the study.
        budget: What each trial may spend, in the estimator's unit.
        objectives: What to optimise.
        limits: What must hold; what violates a limit is learned as worse than all that does not.
        predictor: A name in ``nasturtium.predictors.PREDICTORS``, or what makes a predictor, called with ``space`` and
            ``seed``.
        encoding: What the predictor sees instead of its usual encoding, such as ``"one_hot"`` or ``"path"``.
        predictor_options: Further options of the predictor.
        acquisition: ``"expected_improvement"``, ``"probability_of_improvement"``, ``"upper_confidence"``,
            ``"thompson"``, ``"independent_thompson"``, ``"mean"``, or an :class:`Acquisition`.
        candidates: ``"mutation"`` (of the best), ``"random"``, ``"local_search"`` (of the acquisition), ``"mixed"``, or
            :class:`Candidates`.
        count: How many candidates are made, whenever the predictor has learned anew or a new best was told.
        parents: Of how many of the best candidates are mutations; NASLib's 2.
        initial: How many random architectures are scored before the predictor leads.
        every: After how many new scores the predictor is fitted again.
        pending: What trials that still run are taken to score: ``"believer"``, ``"min"``, ``"mean"``, ``"max"``,
            ``"none"``, or ``"penalise"``: nothing, but candidates count the less the more they are like them (as in
            González et al. 2016, with likeness of decisions in place of their balls).

    Raises:
        NasturtiumError: If an option cannot be used, or the predictor cannot read the space.
    """

    def __init__(
        self,
        space: Space,
        *,
        seed: int = 0,
        budget: Budget = 1,
        objectives: Objectives = "accuracy",
        limits: Iterable[str | Limit] = (),
        predictor: str | Maker = "random_forest",
        encoding: str | None = None,
        predictor_options: Mapping[str, Any] | None = None,
        acquisition: str | Acquisition = "expected_improvement",
        candidates: str | Candidates = "mutation",
        count: int = 100,
        parents: int = 2,
        initial: int = 10,
        every: int = 5,
        pending: str = "believer",
    ) -> None:
        self.penalised = pending == "penalise"
        self.acquisition: Acquisition = named(acquisition, ACQUISITIONS)
        table = makers(at_least("count", count, 1), at_least("parents", parents, 1))
        self.candidates: Candidates = named(candidates, table)
        super().__init__(
            space, seed=seed, budget=budget, objectives=objectives, limits=limits, predictor=predictor,
            encoding=encoding, predictor_options=predictor_options, initial=initial, every=every,
            pending="none" if self.penalised else pending,
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
