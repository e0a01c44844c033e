"""The architectures of a table, made one by one, and how one of another space is found in it; the room's errors."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from nasturtium.benchmarks.rows import Rows
from nasturtium.errors import NasturtiumError, SpaceError
from nasturtium.space.architecture import Architecture

if TYPE_CHECKING:
    from nasturtium.space.space import Space


class BenchmarkError(NasturtiumError):
    """A benchmark or its file is not there, cannot be read, or does not hold what was asked for."""


class NotInTable(BenchmarkError, LookupError):
    """An architecture, or a metric of it, is not in the table."""


class Listing(Sequence[Architecture]):
    """The architectures of some rows, made one by one."""

    def __init__(self, space: Space, rows: Rows) -> None:
        self.space, self.rows = space, rows

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, place: Any) -> Any:
        if isinstance(place, slice):
            return [self[number] for number in range(*place.indices(len(self)))]
        if not -len(self) <= place < len(self):
            raise IndexError(f"row {place} of {len(self)}")
        return self.space.architecture(self.rows.decisions(place % len(self)))


def decisions_in(space: Space, architecture: Architecture) -> tuple[int, ...]:
    """The decisions of an architecture in a space; one of a space of the same name is carried over by its notation.

    Raises:
        NotInTable: If it is none of the space.
    """
    other = architecture.space
    if other is space:
        return architecture.decisions
    if other is not None and other.name == space.name and space.notation is not None:
        with contextlib.suppress(NasturtiumError):  # written for other options of the space
            return space.from_notation(other.to_notation(architecture)).decisions
    try:
        return space.adopt(architecture).decisions
    except SpaceError as error:
        raise NotInTable(f"the architecture is none of the space {space.name!r}: {error}") from None
