"""An incomplete table as a space of its own: whatever a strategy draws, varies or decides on is one of its rows."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from nasturtium.comparison.branches import Branch, Decisions, RowDerivation
from nasturtium.errors import SpaceError
from nasturtium.space.architecture import Architecture
from nasturtium.space.part import Part
from nasturtium.space.sampling import template
from nasturtium.space.space import Space

if TYPE_CHECKING:
    import numpy

NEAR = 10
"""So many of the nearest rows are the neighbours of a row."""

ABSENT = -1
"""Stands in the table of options where a row does not come to a choice."""


class Row(Architecture):
    """A row of a product space, whose steps need not be derived, which takes long in large networks."""

    __slots__ = ()

    @property
    def steps(self) -> tuple[Any, ...]:
        """The decisions with their addresses and the options that the space offers."""
        if self._steps is None and isinstance(self.space, TableSpace):
            template_steps = zip(template(self.space.whole), self.decisions, strict=True)
            self._steps = tuple([step._replace(taken=index) for step, index in template_steps])
        steps: tuple[Any, ...] = self._steps
        return steps


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
        one, other = (self.options[:, self._places[each.decisions]] for each in (first, second))
        apart = self._apart(np.where(rng.random(len(one)) < 0.5, one, other))
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

    def adopt(self, architecture: Architecture, recorded: Sequence[int] | None = None) -> Architecture:
        """The same architecture as a row.

        Raises:
            SpaceError: If it is none.
        """
        return architecture if architecture.space is self else self._held(self.whole.adopt(architecture, recorded))

    def read(self, text: str) -> Architecture:
        """Read a row from the name of a member, its notation or its text."""
        return self._held(self.whole.read(text))

    def member(self, name: str) -> Architecture:
        """A known architecture by its published name."""
        return self._held(self.whole.member(name))

    def from_notation(self, text: str) -> Architecture:
        """Read a row as its community writes it."""
        return self._held(self.whole.from_notation(text))

    def decisions(self, architecture: Architecture | Part | str) -> Decisions:
        """The decisions that lead to a closed value in the space that the rows are of."""
        return self.whole.decisions(architecture)

    def _held(self, architecture: Architecture) -> Architecture:
        if architecture.decisions not in self._places:
            raise SpaceError(
                f"{str(architecture)[:200]} is no row of the table on {self.name!r}, which holds {len(self.rows)} "
                "architectures of that space; give one of them"
            )
        return self.architecture(architecture.decisions)

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
        return (Architecture if self.whole.radices is None else Row)(space=self, decisions=taken)

    def near(self, row: int) -> list[int]:
        """The rows nearest to a row, the nearest first."""
        if row not in self._near:
            apart = self._apart(self.options[:, row]) + np.random.default_rng(row).random(len(self.rows))
            apart[row] = np.inf
            count = min(NEAR, len(self.rows) - 1)
            nearest = np.argpartition(apart, count - 1)[:count] if count else np.array([], dtype=int)
            self._near[row] = nearest[np.argsort(apart[nearest])].tolist()
        return self._near[row]

    def _apart(self, options: NDArray[np.int16]) -> NDArray[np.int16]:
        """At how many choices each row differs from options, (addresses,) to (rows,)."""
        apart: NDArray[np.int16] = (self.options != options[:, None]).sum(axis=0, dtype=np.int16)
        return apart

    @cached_property
    def options(self) -> NDArray[np.int16]:
        """The option each row takes at each address: (addresses, rows)."""
        if self.whole.radices is not None:
            return np.ascontiguousarray(np.array(self.rows, dtype=np.int16).T)
        steps = [self.replayed(row) for row in range(len(self.rows))]
        places = {address: n for n, address in enumerate(dict.fromkeys(s.point.address for row in steps for s in row))}
        made = np.full((len(places), len(steps)), ABSENT, dtype=np.int16)
        for row, taken in enumerate(steps):
            made[[places[step.point.address] for step in taken], row] = [step.taken for step in taken]
        return made

    @cached_property
    def branches(self) -> Branch:
        """The rows as a tree of decisions."""
        return Branch(self, range(len(self.rows)), 0)

    def replayed(self, row: int) -> Sequence[Any]:
        """The steps of a row in the space that the rows are of."""
        if self.whole.radices is not None:
            return template(self.whole)
        if row not in self._steps:
            self._steps[row] = self.whole.replay(self.rows[row]).taken()
        return self._steps[row]

    def _row(self, row: int) -> Architecture:
        return self.architecture(self.rows[row])
