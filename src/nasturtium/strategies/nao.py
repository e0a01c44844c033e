"""Neural architecture optimisation: the best architectures are moved in a continuous encoding, and decoded."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, Unpack

import numpy as np

from nasturtium.errors import NasturtiumError
from nasturtium.options import at_least
from nasturtium.strategies.base import Common
from nasturtium.strategies.learners import Maker, learner
from nasturtium.strategies.learning import Basis, Learning
from nasturtium.trial import Proposal

if TYPE_CHECKING:
    from nasturtium.space import Architecture, Space


ONE = partial(learner, "nao", members=1, holding_out=False)
"""One model: others would only give a spread and its scale, at which nothing looks."""


class ContinuousSearch(Learning):
    """NAO: encodes one of the best, steps along the gradient of the predicted score, and decodes (Luo et al. 2018,
    arXiv:1808.07233, algorithm 1).

    Each proposal begins at the best, with the shortest step; where that decodes to something known the next of the best
    is taken, and then the step is lengthened, as in the paper. Where no step leads to anything new it is a mutation of
    the best.

    Args:
        predictor: What makes a predictor with such an encoding; ``"nao"``.
        predictor_options: Its options.
        parents: From how many of the best steps begin (the paper's 200 of 600 that were trained).
        steps: The lengths of steps, in the continuous encoding, whose points have length 1.
        initial, every, pending, **common: As in :class:`Learning`.

    Raises:
        NasturtiumError: If an option cannot be used.
    """

    def __init__(
        self,
        space: Space,
        *,
        predictor: str | Maker = ONE,
        predictor_options: Mapping[str, Any] | None = None,
        parents: int = 20,
        steps: Sequence[float] = (0.1, 0.3, 1.0, 3.0),
        initial: int = 30,
        every: int = 20,
        pending: str = "none",
        **common: Unpack[Common],
    ) -> None:
        if not steps or not all(step > 0 for step in steps):
            raise NasturtiumError(f"option steps={steps!r}: lengths above 0 are expected")
        super().__init__(
            space, predictor=predictor, encoding=None, predictor_options=predictor_options, initial=initial,
            every=every, pending=pending, **common,
        )  # fmt: skip
        self.parents = at_least("parents", parents, 1)
        self.steps = tuple(sorted(steps))
        self._moved: dict[tuple[Basis, float], list[Architecture]] = {}

    def propose(self, number: int, rng: np.random.Generator) -> Proposal | None:
        """At random at first, then what the shortest step from the best leads to that is new."""
        if not self.ready:
            return self.anything(rng)
        best = [each.architecture for each in sorted(self.told[: self.basis.size], key=lambda each: each.losses)]
        for step in self.steps:
            for moved in self.moved(best[: self.parents], step):
                if moved not in self.known:
                    return Proposal(moved, self.budget)
        return Proposal(self.fresh(lambda: self.space.mutate(best[0], rng), rng), self.budget)

    def moved(self, best: Sequence[Architecture], step: float) -> list[Architecture]:
        """Where a step from each of the best leads."""
        from nasturtium.predictors.continuous import improve

        if (self.basis, step) not in self._moved:
            found = improve(self.fitted(), best, step)  # type: ignore[arg-type]
            self._moved = {key: value for key, value in self._moved.items() if key[0] == self.basis}
            self._moved[self.basis, step] = [each for each in found if each is not None]
        return self._moved[self.basis, step]
