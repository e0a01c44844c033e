"""Regularised evolution: selection, variation and survival put together."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from typing import TYPE_CHECKING

import numpy as np

from nasturtium.errors import SpaceError
from nasturtium.objective import Limit, Objectives
from nasturtium.strategies.base import Strategy, at_least, named, unseen
from nasturtium.strategies.population import (
    SURVIVALS,
    VARIATIONS,
    Member,
    Selection,
    Survival,
    Tournament,
    Variation,
)
from nasturtium.trial import Budget, Proposal, State, Trial

if TYPE_CHECKING:
    from nasturtium.space import Architecture, Space

TRIES = 10
"""Draws or variations tried to find something that was not asked before."""


class RegularisedEvolution(Strategy):
    """Mutates the winner of a tournament; the oldest dies (Real et al. 2019, arXiv:1802.01548, algorithm 1).

    Failed and infeasible trials count, but never enter the population. We differ from the paper (population
    100, tournament 25, evolution begins when the population is full): the sizes are those of naszilla and
    NASLib (population 30, tournament 10), evolution begins after ``initial`` members, and what was asked
    before is not proposed again if a few more variations find something new.

    Args:
        space: Where architectures come from.
        seed: Seed of the study.
        budget: What each trial may spend, in the estimator's unit.
        objectives: What to optimise.
        limits: What must hold; what violates a limit loses to what does not.
        population: How many members live at a time.
        tournament: How many of them a parent is chosen from; sets ``selection``.
        initial: How many members are drawn at random, or given, before evolution begins.
        fill: Whether those first members are then copied, in turn, until the population is full (Ericsson et al.
            2024), so that they take part in tournaments until as many children have pushed them out.
        repeats: Whether to propose what was asked before without trying for something new.
        selection: Chooses parents; a tournament with replacement unless given.
        variation: ``"mutate"``, ``"cross"``, or a :class:`Variation`.
        survival: ``"oldest"``, ``"worst"``, or a :class:`Survival`.

    Raises:
        NasturtiumError: If a size is below 1, or a name is unknown.
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
        fill: bool = False,
        repeats: bool = False,
        selection: Selection | None = None,
        variation: str | Variation = "mutate",
        survival: str | Survival = "oldest",
    ) -> None:
        super().__init__(space, seed=seed, budget=budget, objectives=objectives, limits=limits)
        self.size = at_least("population", population, 1)
        self.initial = min(at_least("initial", initial, 1), population)
        self.fill = fill
        self.repeats = repeats
        size = at_least("tournament", tournament, 1)
        self.selection = selection or Tournament(size)
        self.variation: Variation = named(variation, VARIATIONS)
        self.survival: Survival = named(survival, SURVIVALS)
        self.population: deque[Member] = deque()
        self.entered = 0
        self.pending = 0
        self.seen: set[tuple[int, ...]] = set()

    def propose(self, number: int, rng: np.random.Generator) -> Proposal:
        """At random at first, then a variation of the selected."""

        def parent() -> Architecture:
            return self.selection(self.population, rng).architecture

        def draw() -> Architecture:
            if not evolving:
                return self.space.sample(rng)
            try:
                return self.variation(parent, self.space, rng)
            except SpaceError:  # a space of one architecture has no other; so it is that one again
                return self.space.sample(rng)

        evolving = self.entered + self.pending >= self.initial and self.population
        child = None if self.repeats else unseen(draw, self.seen, TRIES)
        return Proposal(child or draw(), self.budget)

    def asked(self, proposal: Proposal) -> None:
        """Counts it as one that may enter the population."""
        super().asked(proposal)
        self.pending += 1
        if not self.repeats:
            self.seen.add(proposal.architecture.decisions)

    def tell(self, trial: Trial) -> None:
        """Lets a complete trial enter the population; then one dies if there are too many."""
        self.pending -= 1
        if trial.state is not State.COMPLETE or self.goal.missing(trial.scores):
            return
        self.entered += 1
        self.population.append(Member(self.goal.losses(trial.scores), trial.architecture))
        if self.fill and self.entered == self.initial:
            first = list(self.population)
            self.population.extend(first[index % len(first)] for index in range(self.size - len(first)))
        if len(self.population) > self.size:
            self.survival(self.population)
