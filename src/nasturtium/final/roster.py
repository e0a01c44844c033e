"""The roster: which networks are trained in the end, and the strategy that trains each once for every seed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from nasturtium.space import Architecture, Part
from nasturtium.space.infer import Signals
from nasturtium.space.text import from_text
from nasturtium.trial import Budget, Proposal, Trial


@dataclass
class Roster:
    """Networks of any origin by number, which a study and its workers take for a space.

    It only grows, so that the numbers that an earlier run recorded keep their meaning.

    Attributes:
        input: What all of them receive.
        texts: Their texts.
        parts: Those that were added and need not be read from their texts.
    """

    input: Signals
    texts: list[str]
    parts: dict[int, Part] = field(default_factory=dict)
    name: str = "finals"
    fingerprint: str = "finals"

    def add(self, architecture: Architecture) -> int:
        """The number of a network, which joins the roster if it is new."""
        text = str(architecture)
        if text not in self.texts:
            self.texts.append(text)
        number = self.texts.index(text)
        self.parts[number] = architecture.value
        return number

    def architecture(self, decisions: Sequence[int]) -> Architecture:
        """The network with the number that is the only decision."""
        (number,) = decisions
        if number not in self.parts:
            self.parts[number] = from_text(self.texts[number])
        return Architecture(self.parts[number], decisions=(number,), input=self.input)


class Replicates:
    """Proposes each network once for every seed: all with the first seed, then all with the second, and so on.

    Args:
        roster: What makes networks of their numbers.
        numbers: Which of them are wanted, the most wanted first.
        seeds: How many times each.
        budget: Epochs of each training; those of other budgets do not count.
    """

    def __init__(self, roster: Roster, numbers: Iterable[int], seeds: int, budget: Budget) -> None:
        self.roster, self.numbers, self.seeds, self.budget = roster, tuple(numbers), seeds, budget
        self.made: Counter[int] = Counter()

    def ask(self, n: int = 1) -> list[Proposal]:
        """Up to ``n`` trainings that are still to be done."""
        proposals: list[Proposal] = []
        while len(proposals) < n:
            number = min(self.numbers, key=lambda number: self.made[number])
            if self.made[number] >= self.seeds:
                break
            proposals.append(Proposal(self.roster.architecture((number,)), self.budget))
            self.asked(proposals[-1])
        return proposals

    def asked(self, proposal: Proposal) -> None:
        """Takes note of a training that was proposed."""
        if proposal.budget == self.budget:
            self.made[proposal.architecture.decisions[0]] += 1

    def tell(self, trial: Trial) -> None:
        """Nothing follows from how it ended."""


def replicate(trials: Sequence[Trial], trial: Trial) -> int:
    """How many trials before this one trained the same network for as long."""
    same = (trial.architecture.decisions, trial.budget)
    return sum((each.architecture.decisions, each.budget) == same for each in trials[: trial.number])
