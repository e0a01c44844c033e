"""The rows of a table as a tree of decisions, and derivations that stay in it."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple

from nasturtium.errors import SpaceError
from nasturtium.space.choice import Choice
from nasturtium.space.derivation import Derivation

if TYPE_CHECKING:
    from nasturtium.comparison.table_space import TableSpace

Decisions = tuple[int, ...]


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


class Branch:
    """The rows whose decisions begin alike; what is below is made when it is looked at.

    Args:
        space: The rows.
        rows: Those of this branch, by their places.
        depth: So many of their decisions are the same.
    """

    __slots__ = ("below", "site", "space")

    def __init__(self, space: TableSpace, rows: Sequence[int], depth: int) -> None:
        self.space = space
        self.site: Site | None = None
        self.below: dict[int, Branch | tuple[list[int], int]] = {}
        if depth == len(space.rows[rows[0]]):
            return
        found: dict[int, list[int]] = {}
        for row in rows:
            found.setdefault(space.rows[row][depth], []).append(row)
        point = space.replayed(rows[0])[depth].point
        self.site = Site(point.address, point.choice, tuple(sorted(found)))
        self.below.update({option: (those, depth + 1) for option, those in found.items()})

    def taken(self, option: int) -> Branch | None:
        """The rows that take an option here; None if there is none."""
        there = self.below.get(option)
        if isinstance(there, tuple):
            there = self.below[option] = Branch(self.space, *there)
        return there


class RowDerivation:
    """Closes a space choice by choice, offering only what leads to a row.

    Args:
        space: The rows.
    """

    def __init__(self, space: TableSpace) -> None:
        self.space = space
        self._taken: list[Step] = []
        self._branch = space.branches
        self.point = self._branch.site

    @property
    def prefix(self) -> Decisions:
        """The options taken so far."""
        return tuple([step.taken for step in self._taken])

    @property
    def count(self) -> int:
        """Number of decisions taken so far."""
        return len(self._taken)

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
        branch = None if self.point is None else self._branch.taken(index)
        if branch is None or self.point is None:
            raise SpaceError(f"no row of the table takes option {index} after the decisions {self.prefix}")
        self._taken.append(Step(self.point, index))
        self._branch, self.point = branch, branch.site
