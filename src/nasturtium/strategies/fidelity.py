"""What multi-fidelity strategies share: budgets in steps, and another strategy for what is new."""

from __future__ import annotations

import itertools
from abc import abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Unpack

import numpy as np

from nasturtium.errors import NasturtiumError
from nasturtium.objective import ranking
from nasturtium.options import at_least
from nasturtium.strategies.base import Common, Losses, Strategy
from nasturtium.strategies.known import Decisions
from nasturtium.trial import Budget, Proposal, Trial

if TYPE_CHECKING:
    from nasturtium.space import Architecture, Space


def steps(budget: Budget, least: Budget, factor: int) -> list[Budget]:
    """Budgets from about ``least`` up to ``budget``, each ``factor`` times the one before.

    They are counted from the top, ``budget / factor^k``, as Hyperband does; whole numbers stay whole.

    >>> steps(81, 1, 3)
    [1, 3, 9, 27, 81]
    """
    found: list[Budget] = [budget]
    while found[-1] >= factor * least:
        found.append(found[-1] / factor)
    if isinstance(budget, int):
        found = sorted({max(1, round(each)) for each in found}, reverse=True)
    return found[::-1]


def rising(budgets: Sequence[Budget], largest: Budget) -> list[Budget]:
    """Budgets that were given one by one, if they rise to the largest.

    Raises:
        NasturtiumError: Otherwise.
    """
    found = list(budgets)
    if not found or found[-1] != largest or found[0] <= 0 or any(b <= a for a, b in itertools.pairwise(found)):
        raise NasturtiumError(f"option budgets={budgets!r}: budgets that rise from above 0 to {largest} are expected")
    return found


class Staged(Common, total=False):
    """The options that every strategy with several budgets takes with the same default (see :class:`MultiFidelity`)."""

    strategy: Any
    options: Mapping[str, Any] | None


class Stepped(Staged, total=False):
    """Likewise of those whose budgets may be given one by one."""

    budgets: Sequence[Budget] | None


class MultiFidelity(Strategy):
    """Tries many architectures at small budgets and the best of them at larger ones.

    A trial at a larger budget has the trial that it continues as its ``parent``. The other strategy is asked for
    whatever is new and told how that did at the budget it was first tried at; of what goes on it may learn, too (those
    with a predictor and TPE do, see :meth:`Strategy.went_on`).

    Args:
        factor: How much larger each budget is than the one before, and of how many trials one goes on (eta).
        least: The smallest budget.
        strategy: What proposes new architectures: a name, a class or function (see :func:`make`), or a strategy;
            ``random`` in the papers.
        options: Of that strategy.
        budgets: The budgets one by one, up to the largest, in place of those that ``factor`` and ``least`` give.
        **common: As in :class:`Strategy`; the budget is the largest (R), and what violates a limit goes on after what
            does not.
    """

    continues = True

    def __init__(
        self,
        space: Space,
        *,
        factor: int,
        least: Budget,
        strategy: Any = "random",
        options: Mapping[str, Any] | None = None,
        budgets: Sequence[Budget] | None = None,
        **common: Unpack[Common],
    ) -> None:
        super().__init__(space, **common)
        from nasturtium.strategies import make  # the table of strategies, to which this one belongs

        if not isinstance(strategy, Strategy):
            strategy = make(strategy, space=space, **self.common, **(options or {}))
        if not isinstance(strategy, Strategy) or isinstance(strategy, MultiFidelity):
            raise NasturtiumError(
                f"{type(self).__name__} takes new architectures from a strategy derived from "
                f"nasturtium.strategies.Strategy with one budget, not from {type(strategy).__name__}"
            )
        if not 0 < least <= self.budget:
            raise NasturtiumError(
                f"option least={least!r}: more than 0 and at most the budget ({self.budget}) is expected"
            )
        self.strategy = strategy
        self.known = strategy.known
        self.factor = at_least("factor", factor, 2)
        self.budgets = steps(self.budget, least, factor) if budgets is None else rising(budgets, self.budget)
        self.new: set[int] = set()
        self.reached: tuple[Budget, set[Decisions]] = (0, set())

    def propose(self, number: int, rng: np.random.Generator) -> Proposal | None:
        """Something that goes on, or something new."""
        going_on = self.promoted()
        if going_on is not None:
            return going_on
        budget = self.entrance()
        if budget is None:
            return None
        proposal = self.strategy.propose(number, rng)
        return None if proposal is None else proposal._replace(budget=budget)

    def given(self, architecture: Architecture) -> Proposal | None:
        """At the budget at which something new is tried now."""
        budget = self.entrance()
        return None if budget is None else Proposal(architecture, budget)

    def asked(self, proposal: Proposal) -> None:
        """Takes note; passes on what is new."""
        number = self.number
        if proposal.parent is None:
            self.new.add(number)
            self.strategy.number = number  # which is the study's, not the count of what is new
            self.strategy.asked(proposal)
        self.note(number, proposal)
        self.number = number + 1

    def tell(self, trial: Trial) -> None:
        """Takes note; passes on how something did, new or not."""
        if trial.number in self.new:
            self.new.remove(trial.number)
            self.strategy.tell(trial)
        else:
            self.strategy.went_on(trial)
        losses = self.losses(trial)
        if losses is not None and trial.budget >= self.reached[0]:
            self._reach(trial, broken=losses[0] > 0)
        self.result(trial, losses)

    def _reach(self, trial: Trial, broken: bool) -> None:
        if broken:
            self.reached[1].discard(trial.architecture.decisions)
            return
        if trial.budget > self.reached[0]:
            self.reached = trial.budget, set()
        self.reached[1].add(trial.architecture.decisions)

    def recommended(self) -> Sequence[Architecture]:
        """What the other strategy recommends of what keeps all limits at the largest budget that any trial has had.

        A short training says little of a long one, so nothing else is recommended, however good it is taken to be.
        """
        return [each for each in self.strategy.recommended() if each.decisions in self.reached[1]]

    @abstractmethod
    def promoted(self) -> Proposal | None:
        """A trial that goes on at a larger budget, if one is due."""

    @abstractmethod
    def entrance(self) -> Budget | None:
        """The budget at which something new may be tried now; None if more must be told first."""

    @abstractmethod
    def note(self, number: int, proposal: Proposal) -> None:
        """Takes note of a proposal."""

    @abstractmethod
    def result(self, trial: Trial, losses: Losses | None) -> None:
        """Takes note of a trial that ended, with its losses if it gave any."""


def best_first(results: Iterable[tuple[Losses, int]]) -> list[int]:
    """The numbers of trials, best first; earlier ones before later ones that are as good."""
    ordered = sorted(results, key=lambda result: result[1])
    return [ordered[i][1] for i in ranking([losses for losses, _ in ordered])]
