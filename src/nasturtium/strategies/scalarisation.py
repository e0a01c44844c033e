"""Several objectives made one by random weights, new for each trial."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from nasturtium.errors import NasturtiumError, did_you_mean
from nasturtium.objective import Limit, Objectives
from nasturtium.strategies.base import Losses, at_least, between
from nasturtium.strategies.evolution import RegularisedEvolution
from nasturtium.strategies.population import Scalarised, Variation
from nasturtium.trial import Budget, Trial

if TYPE_CHECKING:
    from nasturtium.space import Space

KINDS = ("chebyshev", "linear")


class RandomScalarisation(RegularisedEvolution):
    """Evolution towards a random weighting of the objectives (ParEGO's weights, Knowles 2006; Paria et al. 2019).

    Every trial draws weights from the simplex; the parent is the winner of a tournament by the augmented Chebyshev
    (rho 0.05) or linear scalarisation. What is dominated most dies, so that the population spreads over the front.
    ParEGO proposes by a Gaussian process; here there is no model. Architectures refused for their structure take part
    by their violation.

    Args:
        space: Where architectures come from.
        seed: Seed of the study.
        budget: What each trial may spend, in the estimator's unit.
        objectives: What to optimise, such as ``["accuracy", "-params"]``.
        limits: What must hold; what violates a limit loses to what does not.
        population: How many members live at a time.
        tournament: How many of them a parent is chosen from.
        initial: How many are drawn at random, or given, before evolution begins.
        kind: ``"chebyshev"`` or ``"linear"``; linear weights find convex parts of a front only.
        rho: The share of the sum in the augmented Chebyshev scalarisation.
        variation: ``"mutate"``, ``"cross"``, or a :class:`Variation`.
        repeats: Whether to propose what was asked before without trying for something new.

    Raises:
        NasturtiumError: If an option's value cannot be used.
    """

    def __init__(
        self,
        space: Space,
        *,
        seed: int = 0,
        budget: Budget = 1,
        objectives: Objectives = "accuracy",
        limits: Iterable[str | Limit] = (),
        population: int = 30,
        tournament: int = 10,
        initial: int = 10,
        kind: str = "chebyshev",
        rho: float = 0.05,
        variation: str | Variation = "mutate",
        repeats: bool = False,
    ) -> None:
        if kind not in KINDS:
            raise NasturtiumError(f"option kind={kind!r}{did_you_mean(kind, KINDS)} (there are: {', '.join(KINDS)})")
        size = at_least("tournament", tournament, 1)
        selection = Scalarised(size, kind, between("rho", rho, 0, float("inf")))
        super().__init__(
            space, seed=seed, budget=budget, objectives=objectives, limits=limits, population=population,
            tournament=size, initial=initial, repeats=repeats, selection=selection, variation=variation,
            survival="worst",
        )  # fmt: skip

    def counted(self, trial: Trial) -> Losses | None:
        """The losses, also of what was refused for its structure."""
        return self.judged(trial)
