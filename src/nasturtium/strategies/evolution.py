"""Regularised evolution: selection, variation and survival put together."""

from __future__ import annotations

from collections import deque
from itertools import cycle, islice
from typing import TYPE_CHECKING, Unpack

import numpy as np

from nasturtium.options import at_least
from nasturtium.strategies.base import Common, Losses, Strategy, named
from nasturtium.strategies.population import (
    SURVIVALS,
    VARIATIONS,
    Member,
    Selection,
    Survival,
    Variation,
    selections,
)
from nasturtium.trial import Proposal, Trial

if TYPE_CHECKING:
    from nasturtium.space import Architecture, Space


class Evolving(Common, total=False):
    """The options of every evolution that keeps a population (see :class:`RegularisedEvolution`)."""

    population: int
    initial: int
    variation: str | Variation
    repeats: bool


class RegularisedEvolution(Strategy):
    """Mutates the winner of a tournament; the oldest dies (Real et al. 2019, arXiv:1802.01548, algorithm 1).

    Failed and infeasible trials count, but never enter the population. We differ from the paper (population
    100, tournament 25, evolution begins when the population is full): the sizes are those of naszilla and
    NASLib (population 30, tournament 10), evolution begins after ``initial`` members, and what was asked
    before is not proposed again while there is something new.

    Args:
        population: How many members live at a time.
        tournament: How many of them a parent is chosen from.
        initial: How many members are drawn at random, or given, before evolution begins.
        fill: Whether the first ``initial`` that were asked are copied, in turn, until the population is full (Ericsson
            et al. 2024), so that they take part in tournaments until as many children have pushed them out. While one
            of them runs, other workers try variations of them.
        repeats: Whether to propose what was asked before without trying for something new.
        selection: Chooses parents: ``"tournament"`` (with replacement), ``"roulette"``, ``"chebyshev"``,
            ``"linear"`` or a :class:`Selection`.
        variation: ``"mutate"``, ``"cross"``, or a :class:`Variation`.
        survival: ``"oldest"``, ``"worst"``, or a :class:`Survival`.
        **common: As in :class:`Strategy`.

    Raises:
        NasturtiumError: If a size is below 1, or a name is unknown.
    """

    def __init__(
        self,
        space: Space,
        *,
        population: int = 30,
        tournament: int = 10,
        initial: int = 10,
        fill: bool = False,
        repeats: bool = False,
        selection: str | Selection = "tournament",
        variation: str | Variation = "mutate",
        survival: str | Survival = "oldest",
        **common: Unpack[Common],
    ) -> None:
        super().__init__(space, **common)
        self.size = at_least("population", population, 1)
        self.initial = min(at_least("initial", initial, 1), population)
        self.fill = fill
        self.repeats = repeats
        size = at_least("tournament", tournament, 1)
        self.selection: Selection = named(selection, selections(size))
        self.variation: Variation = named(variation, VARIATIONS)
        self.survival: Survival = named(survival, SURVIVALS)
        self.population: deque[Member] = deque()
        self.entered = 0
        self.pending = 0
        self.first: dict[int, Architecture] = {}
        self.waiting: set[int] = set()
        self.founders: dict[int, Member] = {}

    @property
    def begins(self) -> bool:
        """Whether something random is due."""
        if self.fill and (self.waiting or self.founders):
            return len(self.first) < self.initial
        return self.entered + self.pending < self.initial or not self.population

    def propose(self, number: int, rng: np.random.Generator) -> Proposal:
        """At random at first, then a variation of the selected."""
        population, space = self.population, self.space

        def parent() -> Architecture:
            if self.waiting:  # for the end of the first, which are to be copied
                return list(self.first.values())[int(rng.integers(len(self.first)))]
            return self.selection(population, rng).architecture

        def vary() -> Architecture:
            return self.variation(parent, space, rng)

        if self.begins:
            return Proposal(self.fresh(lambda: space.sample(rng), rng), self.budget)
        return Proposal(self.fresh(vary, rng), self.budget)

    def asked(self, proposal: Proposal) -> None:
        """Counts it as one that may enter the population."""
        if self.fill and len(self.first) < self.initial:
            self.first[self.number] = self.space.architecture(proposal.architecture.decisions)
            self.waiting.add(self.number)
        super().asked(proposal)
        self.pending += 1

    def tell(self, trial: Trial) -> None:
        """Lets a complete trial enter the population; then one dies if there are too many."""
        self.pending -= 1
        losses = self.counted(trial)
        if losses is not None:
            self.entered += 1
            member = Member(losses, self.space.architecture(trial.architecture.decisions))
            if trial.number in self.waiting:
                self.founders[trial.number] = member
            else:
                self.enter(member)
        if trial.number in self.waiting:
            self.waiting.remove(trial.number)
            if len(self.first) == self.initial and not self.waiting:
                self.copy()

    def enter(self, member: Member) -> None:
        """Lets a member enter the population; then one dies if there are too many."""
        self.population.append(member)
        if len(self.population) > self.size:
            self.survival(self.population)

    def copy(self) -> None:
        """Fills the population with those of the first that gave scores; what entered before then comes after them."""
        founders = [self.founders[number] for number in self.first if number in self.founders]
        entered = list(self.population)
        self.population.clear()
        self.population.extend(islice(cycle(founders), self.size))
        for member in entered:
            self.enter(member)

    def counted(self, trial: Trial) -> Losses | None:
        """The losses by which a trial enters the population, or None."""
        return self.losses(trial)
