"""REINFORCE with a table of logits, one row for each decision."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Unpack

import numpy as np

from nasturtium.options import between
from nasturtium.strategies.base import Common, Strategy
from nasturtium.strategies.policy import Advantages, Site, Taken, derived, path
from nasturtium.trial import Proposal, Trial

if TYPE_CHECKING:
    from nasturtium.space import Space

DECAYS = (0.9, 0.999)
"""Of Adam's first and second moments."""


class Row:
    """The logits of one decision, and Adam's state for them (Kingma and Ba 2015, algorithm 1)."""

    __slots__ = ("first", "logits", "second", "steps")

    def __init__(self, options: int) -> None:
        self.logits = np.zeros(options)
        self.first = np.zeros(options)
        self.second = np.zeros(options)
        self.steps = 0

    def descend(self, gradient: np.ndarray, rate: float) -> None:
        """One step of Adam."""
        self.steps += 1
        self.first = DECAYS[0] * self.first + (1 - DECAYS[0]) * gradient
        self.second = DECAYS[1] * self.second + (1 - DECAYS[1]) * gradient**2
        first = self.first / (1 - DECAYS[0] ** self.steps)
        second = self.second / (1 - DECAYS[1] ** self.steps)
        self.logits = self.logits - rate * first / (np.sqrt(second) + 1e-8)


class Reinforce(Strategy):
    """A table of logits, trained by REINFORCE (Williams 1992; NAS-Bench-201: Dong and Yang 2020, arXiv:2001.00326).

    Settings of the authors' code: Adam, a moving average of rewards (0.9, the new reward in it) as baseline, one update
    for each trial. The learning rate of 0.01 is that of NATS-Bench; their script for NAS-Bench-201 goes through rates
    from 0.01 to 0.5, and 0.1 gives the figures of that paper (docs/comparison.md): a hundred steps of 0.01 leave the
    policy close to uniform. A decision has one row of logits for its address, softened over the options offered, so
    that conditional spaces and grammars work too. We differ: logits begin at zero instead of small random numbers, and
    what was asked before is not proposed again unless ``repeats`` is set.

    Args:
        learning_rate: Of Adam.
        momentum: Of the moving average.
        repeats: Whether to propose what was asked before, as the published code does.
        **common: As in :class:`Strategy`; the reward is the first objective (see :class:`.policy.Rewards`).

    Raises:
        NasturtiumError: If an option's value cannot be used.
    """

    def __init__(
        self,
        space: Space,
        *,
        learning_rate: float = 0.01,
        momentum: float = 0.9,
        repeats: bool = False,
        **common: Unpack[Common],
    ) -> None:
        super().__init__(space, **common)
        self.rate = between("learning_rate", learning_rate, 0, math.inf)
        self.advantages = Advantages(momentum)
        self.repeats = repeats
        self.rows: dict[tuple[str, int], Row] = {}

    def propose(self, number: int, rng: np.random.Generator) -> Proposal:
        """What the policy draws, or something near it that is new."""

        def pick(taken: Sequence[Taken], site: Site) -> int:
            chances = np.cumsum(self.probabilities(site))
            place = int(np.searchsorted(chances, rng.random() * chances[-1], side="right"))
            return site.offered[min(place, len(site.offered) - 1)]

        return Proposal(self.fresh(lambda: derived(self.space, pick, rng), rng), self.budget)

    def tell(self, trial: Trial) -> None:
        """One step along (reward - baseline) * gradient of the log probability."""
        losses = self.judged(trial)
        if losses is None:
            return
        advantage = self.advantages(losses)
        for site, option in path(self.space, trial.architecture.decisions):
            if len(site.offered) > 1:
                row = self.rows.setdefault(self.key(site), Row(len(site.choice.options)))
                row.descend(-advantage * self.score(site, option), self.rate)

    def key(self, site: Site) -> tuple[str, int]:
        """What tells rows apart: the address, and how many options there are, as rules of a grammar may share one."""
        return site.address, len(site.choice.options)

    def probabilities(self, site: Site) -> np.ndarray:
        """The probability of each option offered."""
        row = self.rows.get(self.key(site))
        if row is None:
            return np.full(len(site.offered), 1 / len(site.offered))
        offered = row.logits[list(site.offered)]
        weights: np.ndarray = np.exp(offered - offered.max())
        weights /= weights.sum()
        return weights

    def score(self, site: Site, option: int) -> np.ndarray:
        """The gradient of the log probability of an option by the logits of all options: taken minus expected."""
        gradient = np.zeros(len(site.choice.options))
        gradient[list(site.offered)] = -self.probabilities(site)
        gradient[option] += 1
        return gradient
