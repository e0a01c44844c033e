"""An incomplete table as a space of its own: whatever a strategy draws, varies or decides on is one of its rows."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from nasturtium.errors import SpaceError
from nasturtium.space.architecture import Architecture
from nasturtium.space.choice import Choice
from nasturtium.space.derivation import Derivation
from nasturtium.space.sampling import template
from nasturtium.space.space import Space

if TYPE_CHECKING:
    import numpy

Decisions = tuple[int, ...]

NEAR = 10
"""So many of the nearest rows are the neighbours of a row."""

ABSENT = -1
"""Stands in the table of options where a row does not come to a choice."""


class Site(NamedTuple):
    """A choice at which rows differ in what they take.

    Attributes:
        address: Its path in the space.
        choice: The choice.
        offered: The options that rows with the same decisions so far take.
    """

    address: str
    choice: Choice
    offered: tuple[int, ...]

    @property
    def remaining(self) -> tuple[int, ...]:
        """The same: no derivation of rows meets a dead end."""
        return self.offered


class Step(NamedTuple):
    """A decision: where, and which option."""

    point: Site
    taken: int


class RowDerivation:
    """Closes a space choice by choice, offering only what leads to a row.

    Args:
        space: The rows.
    """

    def __init__(self, space: TableSpace) -> None:
        self.space = space
        self.prefix: Decisions = ()
        self._taken: list[Step] = []
        self.point = space.site(())

    @property
    def count(self) -> int:
        """Number of decisions taken so far."""
        return len(self.prefix)

    def taken(self) -> list[Step]:
        """The decisions so far, in order."""
        return list(self._taken)

    @cached_property
    def _whole(self) -> Derivation:
        """The same decisions in the space that the rows are of; for a derivation that is finished."""
        return self.space.whole.replay(self.prefix)

    @property
    def value(self) -> Any:
        """The closed part."""
        return self._whole.value

    @property
    def trail(self) -> Any:
        """The last step, in the space that the rows are of."""
        return self._whole.trail

    def take(self, index: int) -> None:
        """Take the option with this index.

        Raises:
            SpaceError: If no row takes it here.
        """
        if self.point is None or index not in self.point.offered:
            raise SpaceError(f"no row of the table takes option {index} after the decisions {self.prefix}")
        self._taken.append(Step(self.point, index))
        self.prefix = (*self.prefix, index)
        self.point = self.space.site(self.prefix)


class TableSpace(Space):
    """The rows of a table as a space.

    Samples are uniform over the rows. A mutation is one of the ``NEAR`` nearest rows, by the number of choices at which
    they differ (ties in an order fixed for each row); these are also the neighbours. A crossover takes every decision
    from one of its parents and is the row nearest to that. A derivation offers the options that lead to a row.

    Args:
        space: The space that the rows are of.
        rows: The decisions of each.

    Raises:
        SpaceError: If there are no rows.
    """

    def __init__(self, space: Space, rows: Sequence[Decisions]) -> None:
        if not rows:
            raise SpaceError(f"no row of the table on {space.name!r} has a value, so there is nothing to search")
        self.__dict__.update(space.__dict__)
        self.__dict__.pop("_sites", None)
        self.whole = space
        self.where = ()
        self.rows = list(dict.fromkeys(rows))
        self._places = {decisions: row for row, decisions in enumerate(self.rows)}
        self._near: dict[int, list[int]] = {}
        self._steps: dict[int, list[Any]] = {}
        self._size = len(self.rows)

    @property
    def radices(self) -> None:
        """Not every combination of options is a row."""
        return None

    @property
    def recursive(self) -> bool:
        """A table is finite."""
        return False

    def sample(self, rng: numpy.random.Generator, uniform: bool = False) -> Architecture:
        """Any row."""
        return self._row(int(rng.random() * len(self.rows)))

    def mutate(
        self, architecture: Architecture, rng: numpy.random.Generator, count: int = 1, subtree: bool = False
    ) -> Architecture:
        """One of the nearest rows, or of those nearest to that one, ``count`` times."""
        row = self._places[architecture.decisions]
        for _ in range(max(count, 1)):
            near = self.near(row)
            if not near:
                raise SpaceError("the table has only one architecture, which has no mutation")
            row = near[int(rng.random() * len(near))]
        return self._row(row)

    def cross(self, first: Architecture, second: Architecture, rng: numpy.random.Generator) -> Architecture:
        """The row nearest to what takes every decision from one of the parents."""
        one, other = (self.options[self._places[each.decisions]] for each in (first, second))
        child = np.where(rng.random(len(one)) < 0.5, one, other)
        apart = (self.options != child).sum(axis=1)
        nearest = np.flatnonzero(apart == apart.min())
        return self._row(int(nearest[int(rng.random() * len(nearest))]))

    def neighbours(
        self, architecture: Architecture, rng: numpy.random.Generator | None = None, limit: int | None = None
    ) -> Iterator[Architecture]:
        """The nearest rows, the nearest first or, with a generator, in random order."""
        near = self.near(self._places[architecture.decisions])
        order = near if rng is None else [near[place] for place in rng.permutation(len(near)).tolist()]
        for row in order[:limit]:
            yield self._row(row)

    def enumerate(self) -> Iterator[Architecture]:
        """Every row."""
        return map(self._row, range(len(self.rows)))

    def admits(self, architecture: Architecture) -> bool:
        """Whether it is a row."""
        return architecture.decisions in self._places

    def derive(self, chronological: bool = False, lenient: bool = False, spent: int = 0) -> Any:
        """Start closing the choices."""
        return RowDerivation(self)

    def replay(self, decisions: Sequence[int]) -> Any:
        """Close the choices by recorded decisions."""
        derivation = RowDerivation(self)
        for index in decisions:
            derivation.take(index)
        return derivation

    def finished(self, derivation: Any) -> Architecture:
        """The row of a derivation that has closed every choice."""
        return self.architecture(derivation.prefix)

    def architecture(self, decisions: Sequence[int]) -> Architecture:
        """The row with these decisions."""
        taken = tuple(decisions)
        steps = None
        if self.whole.radices is not None:  # then they need not be derived, which takes long in large networks
            steps = tuple([step._replace(taken=index) for step, index in zip(template(self.whole), taken, strict=True)])
        return Architecture(space=self, decisions=taken, steps=steps)

    def near(self, row: int) -> list[int]:
        """The rows nearest to a row, the nearest first."""
        if row not in self._near:
            apart = (self.options != self.options[row]).sum(axis=1) + np.random.default_rng(row).random(len(self.rows))
            apart[row] = np.inf
            count = min(NEAR, len(self.rows) - 1)
            nearest = np.argpartition(apart, count - 1)[:count] if count else np.array([], dtype=int)
            self._near[row] = nearest[np.argsort(apart[nearest])].tolist()
        return self._near[row]

    @cached_property
    def options(self) -> NDArray[np.int16]:
        """The option each row takes at each address: (rows, addresses)."""
        if self.whole.radices is not None:
            return np.array(self.rows, dtype=np.int16)
        steps = [self._replayed(row) for row in range(len(self.rows))]
        places = {address: n for n, address in enumerate(dict.fromkeys(s.point.address for row in steps for s in row))}
        made = np.full((len(steps), len(places)), ABSENT, dtype=np.int16)
        for row, taken in enumerate(steps):
            made[row, [places[step.point.address] for step in taken]] = [step.taken for step in taken]
        return made

    def site(self, prefix: Decisions) -> Site | None:
        """The choice after some decisions, with the options that rows take there; None at a row's end."""
        if prefix not in self._branches:
            return None
        row, offered = self._branches[prefix]
        point = self._replayed(row)[len(prefix)].point
        return Site(point.address, point.choice, tuple(sorted(offered)))

    @cached_property
    def _branches(self) -> dict[Decisions, tuple[int, set[int]]]:
        """For each beginning of decisions, a row that begins so and the options taken next."""
        found: dict[Decisions, tuple[int, set[int]]] = {}
        for row, decisions in enumerate(self.rows):
            for length, option in enumerate(decisions):
                found.setdefault(decisions[:length], (row, set()))[1].add(option)
        return found

    def _replayed(self, row: int) -> Sequence[Any]:
        if self.whole.radices is not None:
            return template(self.whole)
        if row not in self._steps:
            self._steps[row] = self.whole.replay(self.rows[row]).taken()
        return self._steps[row]

    def _row(self, row: int) -> Architecture:
        return self.architecture(self.rows[row])
