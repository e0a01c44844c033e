"""Bayesian optimisation of several objectives: expected hypervolume improvement, and random scalarisation."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Unpack

import numpy as np
from numpy.typing import NDArray

from nasturtium.objective import ranking
from nasturtium.options import at_least, between
from nasturtium.strategies.acquisition import ACQUISITIONS, Acquisition, Guess
from nasturtium.strategies.base import named
from nasturtium.strategies.candidates import Candidates, makers
from nasturtium.strategies.front import improvements, undominated
from nasturtium.strategies.learners import Maker
from nasturtium.strategies.learning import Learned, Learning
from nasturtium.strategies.lessons import quantiles, worths
from nasturtium.strategies.population import Scalarised
from nasturtium.trial import Proposal

if TYPE_CHECKING:
    from nasturtium.space import Architecture, Space

Array = NDArray[Any]


class HypervolumeSearch(Learning):
    """Tries what lets the hypervolume of the front grow most, in expectation over draws from a predictor for each
    objective (Emmerich et al. 2006; sampled as in Daulton et al. 2020, arXiv:2006.05078, equation 3).

    Objectives are learned as normal quantiles of their ranks, which changes no domination, and scaled to 0..1 over the
    front, so that none counts more for its unit; the reference point is ``beyond`` above the worst of the front. Draws
    of different objectives are independent; what breaks a limit is worse in each. With one objective this is the
    expected improvement.

    Args:
        predictor: As in :class:`Learning`; there is one for each objective.
        candidates: As in :class:`BayesianOptimisation`; the best are those of the best fronts.
        count: How many candidates are made for a proposal.
        parents: Of how many of the best candidates are mutations.
        draws: From how many draws the expectation is taken.
        beyond: How far the reference point lies beyond the worst of the front, as a part of its width.
        initial, every, pending, **common: As in :class:`Learning`, with objectives such as ``["accuracy", "-params"]``.

    Raises:
        NasturtiumError: If an option cannot be used, or the predictor cannot read the space.
    """

    def __init__(
        self,
        space: Space,
        *,
        predictor: str | Maker = "random_forest",
        candidates: str | Candidates = "mutation",
        count: int = 100,
        parents: int = 20,
        draws: int = 32,
        beyond: float = 0.1,
        initial: int = 10,
        every: int = 5,
        pending: str = "believer",
        **common: Unpack[Learned],
    ) -> None:
        super().__init__(space, predictor=predictor, initial=initial, every=every, pending=pending, **common)
        self.candidates: Candidates = named(candidates, makers(count, parents))
        self.draws = at_least("draws", draws, 1)
        self.beyond = between("beyond", beyond, 0, float("inf"))

    def propose(self, number: int, rng: np.random.Generator) -> Proposal | None:
        """At random at first, then the candidate with the largest expected improvement."""
        if not self.ready:
            return self.anything(rng)
        noise = rng.standard_normal((self.draws, 1, len(self.goal.objectives)))

        def worth(architectures: Sequence[Architecture]) -> Array:
            return self.expected(architectures, noise)

        candidates = self.candidates(self.ground(worth), rng)
        return self.chosen(candidates, worth(candidates), rng) if candidates else self.anything(rng)

    def best(self, count: int | None = None) -> list[Architecture]:
        """Everything that was told, or the first ``count`` of it, front by front."""
        told = self.told[:count]
        return [told[i].architecture for i in ranking([each.losses for each in told])]

    def columns(self) -> Array:
        """What is learned of the basis, a column for each objective, (n, k); less is better."""
        losses = [each.losses for each in self.told[: self.basis.size]]
        places = range(1, 1 + len(self.goal.objectives))
        return np.stack([-quantiles(worths([(each[0], each[place]) for each in losses])) for place in places], 1)

    def expected(self, architectures: Sequence[Architecture], noise: Array) -> Array:
        """The mean over draws of the growth of the hypervolume, (n,).

        Args:
            architectures: The candidates.
            noise: Of the draws, (draws, 1, k): each is an equally likely deviation, the same for all candidates.
        """
        losses = self.columns()
        front = undominated(losses)
        low, width = front.min(0), np.ptp(front, 0)
        width = np.where(width > 0, width, np.where(np.ptp(losses, 0) > 0, np.ptp(losses, 0), 1.0))
        guessed = [self.learned(k, -column).predict(architectures) for k, column in enumerate(losses.T)]
        mean = (-np.stack([each[0] for each in guessed], 1) - low) / width  # (n, k)
        std = np.stack([each[1] for each in guessed], 1) / width
        drawn = (mean + std * noise).reshape(-1, len(low))  # (draws * n, k)
        front = (front - low) / width
        grown = improvements(drawn, front, front.max(0) + self.beyond + 1e-9)
        return np.asarray(grown.reshape(len(noise), -1).mean(0))


class ParEGO(Learning):
    """Each proposal scalarises all objectives by weights of its own, and tries what an acquisition finds best for the
    scalarised score (Knowles 2006, ParEGO, equations 1 and 2).

    The weights are uniform on the simplex, the scalarisation is the augmented Chebyshev one of losses scaled to 0..1;
    the predictor learns it anew for every proposal.

    Args:
        predictor: As in :class:`Learning`; a Gaussian process, as there.
        acquisition: As in :class:`BayesianOptimisation`; the expected improvement there.
        candidates: As in :class:`BayesianOptimisation`; the best are those by the scalarised score.
        count: How many candidates are made for a proposal.
        parents: Of how many of the best candidates are mutations.
        rho: The share of the sum in the augmented Chebyshev scalarisation; 0.05 there.
        initial, pending, **common: As in :class:`Learning`, with objectives such as ``["accuracy", "-params"]``.

    Raises:
        NasturtiumError: If an option cannot be used, or the predictor cannot read the space.
    """

    def __init__(
        self,
        space: Space,
        *,
        predictor: str | Maker = "gp",
        acquisition: str | Acquisition = "expected_improvement",
        candidates: str | Candidates = "mutation",
        count: int = 100,
        parents: int = 10,
        rho: float = 0.05,
        initial: int = 10,
        pending: str = "believer",
        **common: Unpack[Learned],
    ) -> None:
        super().__init__(space, predictor=predictor, initial=initial, every=1, pending=pending, **common)
        self.acquisition: Acquisition = named(acquisition, ACQUISITIONS)
        self.candidates: Candidates = named(candidates, makers(count, parents))
        self.scalarised = Scalarised(1, "chebyshev", between("rho", rho, 0, float("inf")))

    def propose(self, number: int, rng: np.random.Generator) -> Proposal | None:
        """At random at first, then the candidate that is worth most for the weights of this proposal."""
        if not self.ready:
            return self.anything(rng)
        values = self.scalars(rng.dirichlet(np.ones(len(self.goal.objectives))))
        learner = self.learned(number, values)

        def worth(architectures: Sequence[Architecture]) -> Array:
            mean, std = learner.predict(architectures)
            return self.acquisition(Guess(mean, std, float(values.max()), architectures), rng)

        best = [self.told[i].architecture for i in np.argsort(-values, kind="stable")]
        candidates = self.candidates(self.ground(worth)._replace(best=best), rng)
        return self.chosen(candidates, worth(candidates), rng) if candidates else self.anything(rng)

    def scalars(self, weights: Array) -> Array:
        """The scalarised scores of the basis, (n,); more is better."""
        losses = np.array([each.losses for each in self.told[: self.basis.size]])
        scalar = self.scalarised.scalar(losses[:, 1:], weights)
        return quantiles(worths(list(zip(losses[:, 0].tolist(), scalar.tolist(), strict=True))))
