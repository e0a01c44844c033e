"""Several objectives made one by random weights, new for each trial."""

from __future__ import annotations

from typing import TYPE_CHECKING, Unpack

from nasturtium.errors import NasturtiumError, did_you_mean
from nasturtium.options import at_least, between
from nasturtium.strategies.base import Losses
from nasturtium.strategies.evolution import Evolving, RegularisedEvolution
from nasturtium.strategies.population import Scalarised
from nasturtium.trial import Trial

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
        tournament: How many members of the population a parent is chosen from.
        kind: ``"chebyshev"`` or ``"linear"``; linear weights find convex parts of a front only.
        rho: The share of the sum in the augmented Chebyshev scalarisation.
        **common: As in :class:`RegularisedEvolution`, with objectives such as ``["accuracy", "-params"]``.

    Raises:
        NasturtiumError: If an option's value cannot be used.
    """

    def __init__(
        self,
        space: Space,
        *,
        tournament: int = 10,
        kind: str = "chebyshev",
        rho: float = 0.05,
        **common: Unpack[Evolving],
    ) -> None:
        if kind not in KINDS:
            raise NasturtiumError(f"option kind={kind!r}{did_you_mean(kind, KINDS)} (there are: {', '.join(KINDS)})")
        size = at_least("tournament", tournament, 1)
        selection = Scalarised(size, kind, between("rho", rho, 0, float("inf")))
        super().__init__(space, tournament=size, selection=selection, survival="worst", **common)

    def counted(self, trial: Trial) -> Losses | None:
        """The losses, also of what was refused for its structure."""
        return self.judged(trial)
