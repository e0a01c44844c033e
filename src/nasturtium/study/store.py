"""Event stores: where a study is kept, one event after another, and nothing is ever changed."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Sequence
from types import TracebackType
from typing import Any, NamedTuple, Protocol, Self

from nasturtium.errors import StudyError

VERSION = 1
"""Version of the schema and of the events in it; older ones must stay readable."""


ENCODE = json.JSONEncoder(separators=(",", ":")).encode


class Event(NamedTuple):
    """Something that happened in a study.

    Attributes:
        kind: ``opened``, ``asked``, ``started``, ``reported``, ``told``, ``lost`` or ``interrupted``.
        trial: Number of the trial it is about; -1 for none.
        text: What is to be known of it, a JSON object.
        at: When, in seconds since 1970; only shown to people, never computed with.
        id: Its place in the study, from 1; 0 before it is stored.
    """

    kind: str
    trial: int
    text: str = "{}"
    at: float = 0.0
    id: int = 0

    @property
    def data(self) -> dict[str, Any]:
        """The text, read."""
        content: dict[str, Any] = json.loads(self.text)
        return content


def event(kind: str, trial: int = -1, **data: Any) -> Event:
    """An event that happens now."""
    return Event(kind, trial, ENCODE(data), time.time())


class Store(Protocol):
    """Keeps the events of one study.

    ``header`` says what the study is about; it is written once, when the store is created.
    """

    header: dict[str, Any]

    def append(self, events: Sequence[Event], durable: bool = False) -> int:
        """Keeps the events, all or none, in one transaction; returns the id of the last one stored.

        Args:
            events: In order; their ids are ignored.
            durable: Whether they must outlive a power cut, and not only the end of the process.

        Raises:
            StudyError: If they cannot be written.
        """
        ...

    def read(self, since: int = 0) -> Iterator[Event]:
        """The events with an id above ``since``, in order."""
        ...

    def close(self) -> None:
        """Lets go of files, connections and locks."""
        ...


class MemoryStore:
    """A store that ends with the process.

    Args:
        header: What the study is about.
    """

    def __init__(self, header: dict[str, Any] | None = None) -> None:
        self.header = dict(header or {})
        self.events: list[Event] = []

    def append(self, events: Sequence[Event], durable: bool = False) -> int:
        """Keeps the events; returns the id of the last one stored."""
        first = len(self.events) + 1
        self.events += [each._replace(id=first + i) for i, each in enumerate(events)]
        return len(self.events)

    def read(self, since: int = 0) -> Iterator[Event]:
        """The events with an id above ``since``, in order."""
        return iter(self.events[since:])

    def close(self) -> None:
        """Nothing to let go of."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()


def check_version(found: object, where: str) -> None:
    """Refuses a study written by a newer release.

    Raises:
        StudyError: If ``found`` is no version that this release reads.
    """
    if not isinstance(found, int) or not 1 <= found <= VERSION:
        raise StudyError(
            f"the study {where} has format {found!r}, this release reads formats 1 to {VERSION}; "
            "upgrade nasturtium, or give another place for a new study"
        )
