"""Successive halving and Hyperband: brackets in which the best go on at larger budgets, step by step."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Unpack

from nasturtium.options import at_least
from nasturtium.strategies.base import Losses
from nasturtium.strategies.fidelity import MultiFidelity, Stepped, best_first
from nasturtium.trial import Budget, Proposal, Trial

if TYPE_CHECKING:
    from nasturtium.space import Architecture, Space


class Bracket:
    """A number of architectures, of which fewer and fewer go on at larger and larger budgets.

    Args:
        counts: How many trials each level has.
        budgets: Their budgets.
    """

    def __init__(self, counts: Sequence[int], budgets: Sequence[Budget]) -> None:
        self.counts = tuple(counts)
        self.budgets = tuple(budgets)
        self.level = 0
        self.entered = 0
        self.waiting: list[int] = []
        self.running: dict[int, Architecture] = {}
        self.architectures: dict[int, Architecture] = {}
        self.results: list[tuple[Losses, int]] = []

    @property
    def opens(self) -> bool:
        """Whether something new may still enter."""
        return self.level == 0 and self.entered < self.counts[0]

    @property
    def ended(self) -> bool:
        """Whether nothing is left to be done."""
        return self.level >= len(self.counts)

    def enter(self, number: int, architecture: Architecture) -> None:
        """Takes in a trial of something new."""
        self.entered += 1
        self.running[number] = architecture

    def go_on(self, number: int, parent: int) -> None:
        """Takes note that a trial continues another."""
        self.waiting.remove(parent)
        self.running[number] = self.architectures[parent]

    def result(self, number: int, losses: Losses | None) -> None:
        """Takes in the end of a trial; the last of a level says which go on."""
        architecture = self.running.pop(number)
        if losses is not None:
            self.results.append((losses, number))
            self.architectures[number] = architecture
        if self.running or self.waiting or self.opens:
            return
        self.level += 1
        if not self.ended:
            self.waiting = best_first(self.results)[: self.counts[self.level]]
        if not self.waiting:
            self.level = len(self.counts)  # nothing gave a result, or all is done
        self.results = []


class Hyperband(MultiFidelity):
    """Brackets of successive halving with less and less early stopping (Li et al. 2018, arXiv:1603.06560).

    With R the largest budget and eta = 3, bracket s tries ``floor((s_max + 1) / (s + 1)) * eta^s`` architectures at
    ``R / eta^s``, which are the numbers of the paper's table, and the best of every eta of them go on. After the last
    bracket the first begins again. A bracket waits for its trials; workers left idle are better used by ``asha``.
    Trials that give no score never go on.

    Args:
        factor: eta.
        least: The smallest budget.
        **common: As in :class:`MultiFidelity`.

    Raises:
        NasturtiumError: If an option's value cannot be used.
    """

    def __init__(
        self,
        space: Space,
        *,
        factor: int = 3,
        least: Budget = 1,
        **common: Unpack[Stepped],
    ) -> None:
        super().__init__(space, factor=factor, least=least, **common)
        self.begun = 0
        self.bracket = self.next()

    def next(self) -> Bracket:
        """The bracket that is due."""
        most = len(self.budgets) - 1
        stages = most - self.begun % (most + 1)
        first = (most + 1) // (stages + 1) * self.factor**stages
        counts = [first // self.factor**level for level in range(stages + 1)]
        return Bracket(counts, self.budgets[most - stages :])

    def promoted(self) -> Proposal | None:
        """The best that waits to go on."""
        bracket = self.bracket
        if not bracket.waiting:
            return None
        parent = bracket.waiting[0]
        return Proposal(bracket.architectures[parent], bracket.budgets[bracket.level], parent)

    def entrance(self) -> Budget | None:
        """The first budget of the bracket, while it takes something new."""
        return self.bracket.budgets[0] if self.bracket.opens else None

    def note(self, number: int, proposal: Proposal) -> None:
        """Takes note in the bracket."""
        if proposal.parent is None:
            self.bracket.enter(number, proposal.architecture)
        else:
            self.bracket.go_on(number, proposal.parent)

    def result(self, trial: Trial, losses: Losses | None) -> None:
        """Takes note in the bracket; the next begins where it ends."""
        self.bracket.result(trial.number, losses)
        if self.bracket.ended:
            self.begun += 1
            self.bracket = self.next()


class SuccessiveHalving(Hyperband):
    """The best of every few go on at a larger budget, again and again (Jamieson and Talwalkar 2016, arXiv:1502.07943).

    The most aggressive bracket of :class:`Hyperband`, over and over: as many architectures at the smallest budget as
    leave one at the largest, unless ``count`` says otherwise.

    Args:
        factor: Of how many one goes on, and by how much its budget grows (eta).
        least: The smallest budget.
        count: How many architectures a bracket begins with.
        **common: As in :class:`MultiFidelity`.

    Raises:
        NasturtiumError: If an option's value cannot be used.
    """

    def __init__(
        self,
        space: Space,
        *,
        factor: int = 3,
        least: Budget = 1,
        count: int | None = None,
        **common: Unpack[Stepped],
    ) -> None:
        self.count = None if count is None else at_least("count", count, 1)
        super().__init__(space, factor=factor, least=least, **common)

    def next(self) -> Bracket:
        """The same bracket again."""
        levels = len(self.budgets)
        first = self.factor ** (levels - 1) if self.count is None else self.count
        return Bracket([max(1, first // self.factor**level) for level in range(levels)], self.budgets)
