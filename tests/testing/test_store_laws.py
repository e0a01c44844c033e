"""Each law of stores can be broken, and says what is at fault; a store in memory keeps those that it can."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import pytest

from nasturtium.study import Event, MemoryStore
from nasturtium.testing import STORE_LAWS, LawBroken, check_reopening, check_store
from nasturtium.testing.store_laws import HEADER


class Unnumbered(MemoryStore):
    """Leaves ids as they come."""

    def append(self, events: Sequence[Event], durable: bool = False) -> int:
        self.events += events
        return len(self.events)


class Inclusive(MemoryStore):
    """Gives the event that was asked from, too."""

    def read(self, since: int = 0) -> Iterator[Event]:
        return iter(self.events[max(since - 1, 0) :])


class Headless(MemoryStore):
    """Forgets its header."""

    def __init__(self, header: dict[str, object]) -> None:
        super().__init__({})


class Counting(MemoryStore):
    """Says how many were appended, and not where it is."""

    def append(self, events: Sequence[Event], durable: bool = False) -> int:
        super().append(events, durable)
        return len(events)


BROKEN = [
    ("keeps_events_in_order", Unnumbered, "events come back otherwise"),
    ("keeps_events_in_order", Inclusive, "since an id other events come"),
    ("keeps_events_in_order", Headless, "the header is not the one"),
    ("says_where_it_is", Counting, "gives other ids than 1, 3 and 3"),
]


@pytest.mark.parametrize(("law", "kind", "said"), BROKEN, ids=[kind.__name__ for _, kind, _ in BROKEN])
def test_laws_can_be_broken(law: str, kind: type[MemoryStore], said: str) -> None:
    with pytest.raises(LawBroken, match=said):
        STORE_LAWS[law](kind(dict(HEADER)))
    with pytest.raises(LawBroken, match=said):
        check_store(lambda: kind)


def test_a_store_in_memory_keeps_them_and_does_not_outlive_itself() -> None:
    check_store(lambda: MemoryStore)
    with pytest.raises(LawBroken, match="opened again, it has other events"):
        check_reopening(MemoryStore)
