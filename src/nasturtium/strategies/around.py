"""Neighbours first: a known architecture, then those that differ from it in one decision, then another strategy."""

from __future__ import annotations

import functools
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, Unpack

import numpy as np

from nasturtium.errors import NasturtiumError
from nasturtium.options import at_least
from nasturtium.strategies.base import Common, Strategy, named
from nasturtium.trial import Proposal, Trial

if TYPE_CHECKING:
    from nasturtium.space import Architecture, Space

MEMBER = "start"
"""The member of a space that is taken for the centre, where there is one."""


class NeighboursFirst(Strategy):
    """Tries a centre and its neighbours in the order of the seed, then goes on with another strategy, which knows them.

    The centre is the member ``start`` of the space (``nasturtium.spaces.around`` gives one), else the first
    architecture that was asked, which the user's ``start`` is; else one at random.

    Args:
        neighbours: At most how many neighbours come first; all if not given.
        then: What goes on: the name of a strategy, such as ``evolution`` (from what was tried), or a strategy's class.
        **common: As in :class:`Strategy`.

    Raises:
        NasturtiumError: If an option cannot be used.
    """

    def __init__(
        self,
        space: Space,
        *,
        neighbours: int | None = None,
        then: str | Any = "evolution",
        **common: Unpack[Common],
    ) -> None:
        super().__init__(space, **common)
        self.most = None if neighbours is None else at_least("neighbours", neighbours, 0)
        self.then = _made(then, space, self.common)
        self.known = self.then.known
        self.reads_curves, self.continues = self.then.reads_curves, self.then.continues
        known = getattr(space, "members", {})
        self.centre: Architecture | None = space.member(MEMBER) if MEMBER in known else None
        self.listed: list[Architecture] = []
        self.rest: Iterator[Architecture] | None = None

    def propose(self, number: int, rng: np.random.Generator) -> Proposal | None:
        """The centre, a neighbour that was not asked yet, or what the other strategy proposes."""
        if self.centre is None:
            first: Architecture | None = self.space.sample(rng)
        elif self.centre not in self.known:
            first = self.centre
        else:
            first = next((each for each in self.near(self.centre) if each not in self.known), None)
        given = None if first is None else self.then.given(first)
        return self.then.propose(number, rng) if given is None else given

    def given(self, architecture: Architecture) -> Proposal | None:
        """As the other strategy has it tried, which may begin at a small budget."""
        return self.then.given(architecture)

    def near(self, centre: Architecture) -> Iterator[Architecture]:
        """The neighbours of the centre, made when they are asked for, in an order that the seed alone decides."""
        if self.rest is None:
            self.rest = self.space.neighbours(centre, np.random.default_rng([self.seed, 1]), self.most)
        yield from self.listed
        for neighbour in self.rest:
            self.listed.append(neighbour)
            yield neighbour

    def asked(self, proposal: Proposal) -> None:
        """Takes note, and passes it on."""
        self.then.number = self.number  # which is the study's, also where a strategy with budgets is around this
        self.number += 1
        if self.centre is None:
            self.centre = self.space.architecture(proposal.architecture.decisions)  # as a replay gives it
        self.then.asked(proposal)

    def tell(self, trial: Trial) -> None:
        """Passes it on."""
        self.then.tell(trial)

    def went_on(self, trial: Trial) -> None:
        """Passes it on."""
        self.then.went_on(trial)

    def recommended(self) -> Sequence[Architecture]:
        """As the other strategy has it."""
        return self.then.recommended()


def _made(then: Any, space: Space, common: Common) -> Strategy:
    from nasturtium.strategies import STRATEGIES

    others = {name: maker for name, maker in STRATEGIES.items() if maker is not NeighboursFirst}
    maker = named(then, {name: functools.partial(_itself, maker) for name, maker in others.items()})
    made = maker(space, **common)
    if not isinstance(made, Strategy):
        raise NasturtiumError(f"then={then!r} made no strategy; give a name, or a class derived from Strategy")
    return made


def _itself(maker: Any) -> Any:
    return maker
