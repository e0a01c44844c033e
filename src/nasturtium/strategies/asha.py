"""ASHA: successive halving that never waits."""

from __future__ import annotations

from bisect import insort
from typing import TYPE_CHECKING, Unpack

from nasturtium.errors import NasturtiumError
from nasturtium.options import at_least
from nasturtium.strategies.base import Losses
from nasturtium.strategies.fidelity import MultiFidelity, Stepped, best_first
from nasturtium.trial import Budget, Proposal, Trial

if TYPE_CHECKING:
    from nasturtium.space import Architecture, Space


class Rung:
    """The trials at one budget.

    Attributes:
        ended: How many trials ended here, those without a score included.
        results: Losses and numbers of those with a score, in order.
        promoted: The numbers of those that went on.
    """

    def __init__(self) -> None:
        self.ended = 0
        self.results: list[tuple[Losses, int]] = []
        self.promoted: set[int] = set()

    def due(self, factor: int) -> int | None:
        """The best trial among the first of every ``factor`` that has not gone on yet."""
        count = self.ended // factor
        if not count or not self.results:
            return None
        if len(self.results[0][0]) == 2:  # one objective: they are in order
            numbers = [number for _, number in self.results[:count]]
        else:
            numbers = best_first(self.results)[:count]
        return next((number for number in numbers if number not in self.promoted), None)


class ASHA(MultiFidelity):
    """Goes on with what is among the best of its budget, else tries something new (Li et al. 2020, arXiv:1810.05934).

    Algorithm 2 of the paper with eta = 4: whenever a worker is free, the largest budget is looked for at which a trial
    is among the best ``1 / eta`` so far and has not gone on; if there is none, something new begins at the smallest.
    Trials that give no score count but never go on.

    Args:
        factor: eta.
        least: r, the smallest budget.
        skip: s, how many of the smallest budgets are left out.
        **common: As in :class:`MultiFidelity`.

    Raises:
        NasturtiumError: If an option's value cannot be used.
    """

    def __init__(
        self,
        space: Space,
        *,
        factor: int = 4,
        least: Budget = 1,
        skip: int = 0,
        **common: Unpack[Stepped],
    ) -> None:
        super().__init__(space, factor=factor, least=least, **common)
        if at_least("skip", skip, 0) >= len(self.budgets):
            raise NasturtiumError(f"option skip={skip}: of the budgets {self.budgets} none would be left")
        self.budgets = self.budgets[skip:]
        self.rungs = [Rung() for _ in self.budgets]
        self.at: dict[int, int] = {}
        self.architectures: dict[int, Architecture] = {}

    def promoted(self) -> Proposal | None:
        """From the largest budget down, a trial that is among the best there."""
        for level in range(len(self.rungs) - 2, -1, -1):
            number = self.rungs[level].due(self.factor)
            if number is not None:
                return Proposal(self.architectures[number], self.budgets[level + 1], number)
        return None

    def entrance(self) -> Budget | None:
        """The smallest budget, always."""
        return self.budgets[0]

    def note(self, number: int, proposal: Proposal) -> None:
        """Takes note of the level; what goes on leaves its rung."""
        level = 0
        if proposal.parent is not None:
            level = self.at[proposal.parent] + 1
            self.rungs[level - 1].promoted.add(proposal.parent)
            self.architectures.pop(proposal.parent)
        self.at[number] = level

    def result(self, trial: Trial, losses: Losses | None) -> None:
        """Puts the trial among those of its budget."""
        rung = self.rungs[self.at[trial.number]]
        rung.ended += 1
        if losses is not None:
            insort(rung.results, (losses, trial.number))
            self.architectures[trial.number] = self.space.architecture(trial.architecture.decisions)
