"""Local search: moves to better neighbours, and begins elsewhere when there are none."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple, Unpack

import numpy as np

from nasturtium.options import at_least
from nasturtium.strategies.base import Common, Losses, Strategy
from nasturtium.strategies.known import Decisions
from nasturtium.trial import Proposal, Trial

if TYPE_CHECKING:
    from nasturtium.space import Architecture, Space


class Place(NamedTuple):
    """Where the search stands: the losses there, and what was decided."""

    losses: Losses
    decisions: Decisions


class LocalSearch(Strategy):
    """Moves to better neighbours; restarts where there are none (White et al. 2021, arXiv:2005.02960; naszilla).

    Some architectures are drawn at random, and the best of them is the first place. Its neighbours are asked in
    random order. At the first that is better the search moves there, or, with ``full``, to the best of all once all
    are known. Where none is better, it begins again with new random architectures. Nothing that was asked is asked
    again: what is known of it decides.

    With several objectives the first decides. Places on spaces whose neighbours need new decisions (conditional
    spaces, grammars) have neighbours in which those are drawn once for each place.

    Args:
        initial: How many random architectures every start is the best of.
        full: Whether all neighbours are asked before the search moves.
        around: How many neighbours of a place are looked at; all if not given.
        **common: As in :class:`Strategy`.

    Raises:
        NasturtiumError: If a number is below 1.
    """

    def __init__(
        self,
        space: Space,
        *,
        initial: int = 10,
        full: bool = False,
        around: int | None = None,
        **common: Unpack[Common],
    ) -> None:
        super().__init__(space, **common)
        self.initial = at_least("initial", initial, 1)
        self.full = full
        self.around = None if around is None else at_least("around", around, 1)
        self.told: dict[Decisions, Losses] = {}
        self.start: dict[Decisions, None] = {}
        self.place: Place | None = None
        self._listed: list[Architecture] = []
        self._further: Iterator[Architecture] = iter(())

    def propose(self, number: int, rng: np.random.Generator) -> Proposal | None:
        """A neighbour of the place that is not known, or at the start something random."""
        if self.place is None:
            if len(self.start) >= self.initial:
                return None
            return Proposal(self.fresh(lambda: self.space.sample(rng), rng), self.budget)
        for neighbour in self.neighbours():
            if neighbour not in self.known:
                return Proposal(neighbour, self.budget)
        return None  # those that are still running decide

    def asked(self, proposal: Proposal) -> None:
        """Takes note; at the start, of one more to choose from."""
        super().asked(proposal)
        decisions = proposal.architecture.decisions
        if self.place is None:
            self.start[decisions] = None
        self.told.pop(decisions, None)

    def tell(self, trial: Trial) -> None:
        """Moves as far as what is known by now leads."""
        nothing = (math.inf,) * (1 + len(self.goal.objectives))
        self.told[trial.architecture.decisions] = self.losses(trial) or nothing
        if self.place is None:
            self._begin()
        while self.place is not None and self._move(self.place):
            pass

    def _begin(self) -> None:
        """Goes to the best of the start, once all of it is known."""
        if len(self.start) >= self.initial and all(each in self.told for each in self.start):
            self._go(min(Place(self.told[each], each) for each in self.start))

    def _go(self, place: Place | None) -> None:
        self.place = place
        self.start = {}
        self._listed = []
        self._further = iter(()) if place is None else self._drawn(place)

    def _move(self, place: Place) -> bool:
        """Goes on from a place if what is known allows; says whether it went to another place."""
        best, waiting = place, False
        for neighbour in self.neighbours():
            losses = self.told.get(neighbour.decisions)
            if losses is None:
                if neighbour not in self.known:
                    return False  # it is the next to ask
                waiting = True
            elif losses < best.losses:
                best = Place(losses, neighbour.decisions)
                if not self.full:
                    break
        if waiting and (self.full or best is place):
            return False
        self._go(None if best is place else best)
        return best is not place

    def neighbours(self) -> Iterator[Architecture]:
        """The neighbours of the place, in an order that the seed and the place decide, made as they are needed."""
        yield from self._listed
        for neighbour in self._further:
            self._listed.append(neighbour)
            yield neighbour

    def _drawn(self, place: Place) -> Iterator[Architecture]:
        rng = np.random.default_rng((self.seed, 2, *place.decisions))
        return self.space.neighbours(self.space.architecture(place.decisions), rng, self.around)
