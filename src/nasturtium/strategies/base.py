"""The base of strategies: ask and tell as a fold over events, and seeding with given architectures."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypedDict

import numpy as np

from nasturtium.errors import NasturtiumError, did_you_mean
from nasturtium.objective import Goal, Limit, Objectives
from nasturtium.options import at_least
from nasturtium.strategies.known import TRIES, Known
from nasturtium.trial import Budget, Proposal, State, Trial, trial_rng

if TYPE_CHECKING:
    from nasturtium.space import Architecture, Space

Losses = tuple[float, ...]
"""The violation of limits, then the loss of each objective; less is better (see :meth:`Goal.losses`)."""


class Common(TypedDict, total=False):
    """The options of every strategy (see :class:`Strategy`), as ``**common: Unpack[Common]`` takes them."""

    seed: int
    budget: Budget
    objectives: Objectives
    limits: Iterable[str | Limit]


class Strategy(ABC):
    """Decides what to try next.

    A subclass writes :meth:`propose`, which draws from the generator it is given and changes nothing, and
    takes notes in :meth:`asked` and :meth:`tell`, which draw nothing. Then a study resumed by replaying its
    events goes on as if it had never stopped, because proposal ``n`` depends on the events and on (seed, n)
    alone.

    Args:
        space: Where architectures come from.
        seed: Seed of the study.
        budget: What each trial may spend, in the estimator's unit.
        objectives: What to optimise: text or values; the first decides where one best is needed.
        limits: What must hold; what violates a limit ranks behind what does not.

    Attributes:
        number: The number of the next trial.
        known: The architectures asked so far.
        repeats: Whether what is known may be proposed again while there is something new.
        reads_curves: Whether it looks at the learning curves of trials, so that tables must give them.
        continues: Whether it has trials go on where others ended, so that their checkpoints must be kept.
    """

    repeats: bool = False
    reads_curves: bool = False
    continues: bool = False

    def __init__(
        self,
        space: Space,
        *,
        seed: int = 0,
        budget: Budget = 1,
        objectives: Objectives = "accuracy",
        limits: Iterable[str | Limit] = (),
    ) -> None:
        self.space = space
        self.seed = at_least("seed", seed, 0)
        self.budget = budget
        self.goal = Goal.of(objectives, limits)
        self.number = 0
        self.known = Known(space)

    @property
    def common(self) -> Common:
        """What another strategy is given that goes by the same seed, budget, objectives and limits."""
        goal = self.goal
        return {"seed": self.seed, "budget": self.budget, "objectives": goal.objectives, "limits": goal.limits}

    @abstractmethod
    def propose(self, number: int, rng: np.random.Generator) -> Proposal | None:
        """Proposal ``number``, drawn from ``rng``; None when more must be told first. Changes nothing."""

    def ask(self, n: int = 1) -> list[Proposal]:
        """Up to ``n`` proposals; fewer when more trials must be told first."""
        proposals: list[Proposal] = []
        for _ in range(n):
            proposal = self.propose(self.number, trial_rng(self.seed, self.number))
            if proposal is None:
                break
            self.asked(proposal)
            proposals.append(proposal)
        return proposals

    def asked(self, proposal: Proposal) -> None:
        """Takes note that ``proposal`` was made. Draws nothing; a subclass that extends it calls this one."""
        self.number += 1
        self.known.add(proposal.architecture)

    @abstractmethod
    def tell(self, trial: Trial) -> None:
        """Takes note of a trial that ended, in whatever state. Draws nothing."""

    def went_on(self, trial: Trial) -> None:
        """Takes note of how what it proposed did at a larger budget. Draws nothing; most learn nothing of it either."""
        return

    def recommended(self) -> Sequence[Architecture]:
        """What was tried, the best first as far as this strategy has learned; nothing where it goes by the scores."""
        return ()

    def given(self, architecture: Architecture) -> Proposal | None:
        """How this strategy has an architecture tried that somebody else chose; None when it cannot now."""
        return Proposal(architecture, self.budget)

    @property
    def exhausted(self) -> bool:
        """Whether everything there is was proposed, so that known architectures are proposed again."""
        return self.known.exhausted

    def look(self) -> bool:
        """Whether everything was proposed, which a strategy that was brought to where a study is has not found out."""
        return self.known.look()

    def fresh(self, draw: Callable[[], Architecture], rng: np.random.Generator, tries: int = TRIES) -> Architecture:
        """What ``draw`` gives, or something like it that was not asked before (see :meth:`Known.fresh`)."""
        return draw() if self.repeats else self.known.fresh(draw, rng, tries)

    def losses(self, trial: Trial) -> Losses | None:
        """The losses of a trial that is complete and has finite scores; None of any other.

        Raises:
            ObjectiveError: If a complete trial lacks the score of an objective or a limit (a study fails such trials
                before they are told): nothing would be learned of any, and the search would be a random one.
        """
        if trial.state is not State.COMPLETE:
            return None
        losses = self.goal.losses(trial.scores)
        return losses if all(map(math.isfinite, losses)) else None

    def judged(self, trial: Trial) -> Losses | None:
        """As :meth:`losses`; but a trial refused for its structure has its violation, and infinite losses."""
        if trial.state is not State.INFEASIBLE:
            return self.losses(trial)
        limits = [limit for limit in self.goal.limits if limit.metric in trial.scores]
        violation = float(sum(limit.violation(trial.scores) for limit in limits))
        if not 0 < violation < math.inf:
            return None
        return (violation, *(math.inf for _ in self.goal.objectives))


class Wrapper(Strategy):
    """Base of strategies that change what another one proposes, which is told of everything.

    Args:
        strategy: The other one.
    """

    def __init__(self, strategy: Strategy) -> None:
        super().__init__(strategy.space, **strategy.common)
        self.strategy = strategy
        self.known = strategy.known
        self.reads_curves, self.continues = strategy.reads_curves, strategy.continues

    def went_on(self, trial: Trial) -> None:
        """Passes it on."""
        self.strategy.went_on(trial)

    def recommended(self) -> Sequence[Architecture]:
        """As the other strategy has it."""
        return self.strategy.recommended()

    def given(self, architecture: Architecture) -> Proposal | None:
        """As the other strategy has it tried, which may begin at a small budget."""
        return self.strategy.given(architecture)

    def asked(self, proposal: Proposal) -> None:
        """Takes note, and passes it on."""
        self.strategy.number = self.number  # which is the study's, also where a strategy with budgets is around this
        self.number += 1
        self.strategy.asked(proposal)

    def tell(self, trial: Trial) -> None:
        """Passes it on."""
        self.strategy.tell(trial)


class Seeded(Wrapper):
    """Proposes given architectures first and then what another strategy proposes, which is told of all.

    While the other strategy can take nothing new (a full bracket of Hyperband) it goes on with what it has.

    Args:
        strategy: The strategy that goes on.
        start: The architectures to begin with, in this order.
    """

    def __init__(self, strategy: Strategy, start: Iterable[Architecture]) -> None:
        super().__init__(strategy)
        self.start = tuple(start)
        self.begun = 0

    def propose(self, number: int, rng: np.random.Generator) -> Proposal | None:
        """The start architectures in order, then the other strategy's proposals."""
        given = self.strategy.given(self.start[self.begun]) if self.begun < len(self.start) else None
        return self.strategy.propose(number, rng) if given is None else given

    def asked(self, proposal: Proposal) -> None:
        """Takes note, and passes it on."""
        if self.begun < len(self.start) and proposal.parent is None:
            self.begun += proposal.architecture == self.start[self.begun]
        super().asked(proposal)


def named(given: Any, table: Mapping[str, Callable[[], Any]]) -> Any:
    """``given`` itself, or what the table makes of its name.

    Raises:
        NasturtiumError: If the name is not in the table, with the nearest one and all that there are.
    """
    if not isinstance(given, str):
        return given
    if given not in table:
        there = ", ".join(table)
        raise NasturtiumError(f"unknown name {given!r}{did_you_mean(given, table)} (there are: {there})")
    return table[given]()
