"""Random search: the baseline that every other strategy has to beat."""

from __future__ import annotations

from typing import TYPE_CHECKING, Unpack

import numpy as np

from nasturtium.strategies.base import Common, Strategy
from nasturtium.strategies.known import SAMPLES
from nasturtium.trial import Proposal, Trial

if TYPE_CHECKING:
    from nasturtium.space import Architecture, Space


class RandomSearch(Strategy):
    """Draws architectures at random (Li and Talwalkar 2019, arXiv:1902.07638, as the baseline of NAS).

    Args:
        uniform: Draw uniformly over architectures instead of by the weights of the choices.
        repeats: Whether an architecture may be proposed twice. If not, the rest of a small space is
            enumerated once drawing finds nothing new, and repeats begin when nothing is left.
        **common: As in :class:`Strategy`; objectives and limits are not used.
    """

    def __init__(
        self,
        space: Space,
        *,
        uniform: bool = False,
        repeats: bool = False,
        **common: Unpack[Common],
    ) -> None:
        super().__init__(space, **common)
        self.uniform = uniform
        self.repeats = repeats

    def propose(self, number: int, rng: np.random.Generator) -> Proposal:
        """A random architecture, not asked before where the space allows."""

        def draw() -> Architecture:
            return self.space.sample(rng, uniform=True) if self.uniform else self.space.sample(rng)

        if self.repeats:
            return Proposal(draw(), self.budget)
        return Proposal(self.known.fresh(draw, rng, SAMPLES, near=False), self.budget)

    def tell(self, trial: Trial) -> None:
        """Nothing to learn from it."""
