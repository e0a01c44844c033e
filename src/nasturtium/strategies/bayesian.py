"""Bayesian optimisation: a predictor, an acquisition, a way to make candidates, and what to do about pending trials."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Unpack

import numpy as np
from numpy.typing import NDArray

from nasturtium.strategies.acquisition import ACQUISITIONS, Acquisition, Guess
from nasturtium.strategies.base import named
from nasturtium.strategies.candidates import Candidates, Drawn, Ground, makers
from nasturtium.strategies.learners import Maker, by_name
from nasturtium.strategies.learning import Learned, Learning, Told
from nasturtium.strategies.lessons import squeezed, worths
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
        noisy: Whether scores are taken to be noisy, so that the best of many was lucky. Then what the predictor says is
            the best of what was tried counts as the best (Frazier 2018, arXiv:1807.02811, section 5): candidates are
            mutations of it, it is to be improved upon, and recommended. Noise that the predictor tells apart (Gaussian
            processes, linear models) is left out of spreads, and scores are learned as they are above their median,
            instead of as quantiles of ranks (see :func:`.lessons.squeezed`).
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
        noisy: bool = False,
        **common: Unpack[Learned],
    ) -> None:
        self.penalised, self.noisy = pending == "penalise", noisy
        if noisy and by_name(predictor):
            common["predictor_options"] = {"warp": False, **(common.get("predictor_options") or {})}
        self.acquisition: Acquisition = named(acquisition, ACQUISITIONS)
        self.candidates: Candidates = named(candidates, makers(count, parents))
        self.climbs = not isinstance(self.candidates, Drawn)
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

    def lesson(self) -> Array:
        """What is learned of the basis, (n,); more is better."""
        if not self.noisy:
            return super().lesson()
        return squeezed(worths([each.losses for each in self.told[: self.basis.size]]))

    def guessed(self, architectures: Sequence[Architecture]) -> Guess:
        """What the predictor says of architectures; the noise of a single score is left out where scores have some."""
        guess = super().guessed(architectures)
        if not self.noisy:
            return guess
        noise = float(getattr(self.fitted(), "noise", 0.0))
        std = np.sqrt(np.maximum(guess.std**2 - noise**2, 0.0))
        return guess._replace(std=std, best=float(self.believed(self.basis.size).max()))

    def best(self, count: int | None = None) -> list[Architecture]:
        """Everything that was told, or the first ``count`` of it, best first."""
        if not self.noisy or not self.ready:
            return super().best(count)
        told = self.told[:count]
        return in_order(told, self.believed(len(told)))

    def recommended(self) -> Sequence[Architecture]:
        """What was tried, by what the predictor says of it, if scores are noisy; what breaks a limit comes last.

        Of trials at several budgets it is what had the one that is learned from, or a larger one.
        """
        if not self.noisy or not self.ready:
            return ()
        level = next(budget for budget, known in self.levels.items() if known is self.told)
        larger = [each for budget in sorted(self.levels) if budget > level for each in self.levels[budget]]
        if not larger:
            return self.best()
        tried = list({each.architecture.decisions: each for each in (*self.told, *larger)}.values())

        def said() -> Array:
            return self.fitted().predict([each.architecture for each in tried])[0]

        return in_order(tried, self.once(("recommended", len(self.told), len(larger)), said))

    def believed(self, count: int) -> Array:
        """What the predictor says of the first of what was told, (count,)."""

        def said() -> Array:
            return self.fitted().predict([each.architecture for each in self.told[:count]])[0]

        means: Array = self.once(("believed", count), said)
        return means

    def made_of(self, ground: Ground, rng: np.random.Generator) -> Sequence[Architecture]:
        """Candidates; those that climb do so by the acquisition."""
        return self.candidates(ground._replace(worth=lambda some: self.acquisition(self.guessed(some), rng)), rng)

    def worth(self, guess: Guess, rng: np.random.Generator) -> Array:
        """The acquisition of what was guessed, (n,)."""
        worth = self.acquisition(guess, rng)
        if not self.penalised or not self.running:
            return worth
        return penalised(worth, guess.architectures, list(self.running.values()))


def in_order(told: Sequence[Told], means: Array) -> list[Architecture]:
    """What was told by what is believed of it (n,), the best first; what breaks a limit comes last."""
    broken = np.array([each.losses[0] > 0 for each in told])
    return [told[place].architecture for place in np.lexsort((-means, broken))]


def penalised(worth: Array, architectures: Sequence[Architecture], pending: Sequence[Architecture]) -> Array:
    """How far each candidate leads the least, times 1 - likeness for each pending architecture; (n,)."""
    free = np.prod(1.0 - likeness(architectures, pending), axis=1)
    return np.asarray((worth - np.min(worth)) * free)
