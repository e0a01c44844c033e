"""Which architectures a table holds: by their decisions, or by the published key that several derivations share."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from nasturtium.space.space import Space

Decisions = tuple[int, ...]

REMEMBERED = 1_000_000
"""Keys that are remembered before all are forgotten again."""


class Rows(Protocol):
    """The architectures of a table, in the order of its rows."""

    def __len__(self) -> int: ...

    def index(self, decisions: Decisions) -> int | None:
        """The row of the architecture with these decisions, or None."""

    def decisions(self, row: int) -> Decisions:
        """Decisions that lead to the architecture of a row."""

    def complete(self, space: Space) -> bool:
        """Whether every architecture of the space has a row."""

    def said(self) -> str:
        """How many there are, and what they are."""


class DecisionRows:
    """One row for each tuple of decisions.

    Args:
        decisions: Those of each row; where some occur twice, the first row counts.
    """

    def __init__(self, decisions: Sequence[Decisions]) -> None:
        self._decisions = decisions
        self._places: dict[Decisions, int] = {}
        for row, each in enumerate(decisions):
            self._places.setdefault(each, row)

    def __len__(self) -> int:
        return len(self._decisions)

    def index(self, decisions: Decisions) -> int | None:
        return self._places.get(decisions)

    def decisions(self, row: int) -> Decisions:
        return self._decisions[row]

    def complete(self, space: Space) -> bool:
        return len(self._places) == space.size

    def said(self) -> str:
        return f"{len(self):,} architectures"


class KeyedRows:
    """One row for each published key, which several derivations share.

    Args:
        keys: The key of each row.
        key_of: The key that decisions lead to.
        decode: Decisions that lead to the architecture of a row.
        total: How many keys the space has.
    """

    def __init__(
        self,
        keys: Sequence[str | int],
        key_of: Callable[[Decisions], str | int],
        decode: Callable[[int], Decisions],
        total: int | None = None,
    ) -> None:
        self._keys, self._key_of, self._decode, self._total = keys, key_of, decode, total
        self._places = {key: row for row, key in reversed(list(enumerate(keys)))}
        self._known: dict[Decisions, int | None] = {}

    def __len__(self) -> int:
        return len(self._keys)

    def index(self, decisions: Decisions) -> int | None:
        known = self._known
        if decisions not in known:
            if len(known) >= REMEMBERED:
                known.clear()
            known[decisions] = self._places.get(self._key_of(decisions))
        return known[decisions]

    def decisions(self, row: int) -> Decisions:
        return self._decode(row)

    def complete(self, space: Space) -> bool:
        return len(self._places) == self._total

    def said(self) -> str:
        return f"{len(self):,} architectures by their published key"
