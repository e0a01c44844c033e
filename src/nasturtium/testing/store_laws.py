"""The laws of stores, as functions of what opens one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from nasturtium.study import Event, Store
from nasturtium.study.store import event
from nasturtium.testing.broken import require

Open = Callable[[dict[str, Any]], Store]
"""Opens a store with a header: a new one, or the same again where it outlives its process."""

HEADER = {"seed": 1}


def written(store: Store, count: int = 5) -> list[Event]:
    """Append the events of so many trials, and give them as they should come back, without id."""
    all_of_them = []
    for number in range(count):
        first = [event("asked", number, decisions=[1, 0], key="k"), event("started", number)]
        last = [event("told", number, scores={"accuracy": 0.5}, note="ü ∞")]
        store.append(first)
        store.append(last)
        all_of_them += [*first, *last]
    return all_of_them


def keeps_events_in_order(store: Store) -> None:
    """Events come back as they were appended, numbered from 1; since an id, those after it."""
    expected = [each._replace(id=place) for place, each in enumerate(written(store), 1)]
    events = list(store.read())
    require(_told(events) == _told(expected), "events come back otherwise than they were appended", events[:3])
    since = [[each.id for each in store.read(place)] for place in (12, 15)]
    require(since == [[13, 14, 15], []], "since an id other events come than those after it", since)
    require(store.header == HEADER, "the header is not the one it was made with", store.header)


def _told(events: list[Event]) -> list[tuple[Any, ...]]:
    return [(each.id, each.kind, each.trial, each.data) for each in events]


def says_where_it_is(store: Store) -> None:
    """Appending gives the id of the last event that is stored, also where nothing is appended."""
    ids = [
        store.append([event("a")]), store.append([event("b"), event("c")], durable=True), store.append([]),
    ]  # fmt: skip
    require(ids == [1, 3, 3], "appending one, two and no events gives other ids than 1, 3 and 3", ids)
    kinds = [each.kind for each in store.read(1)]
    require(kinds == ["b", "c"], "after the first event others come than the two that were appended", kinds)


STORE_LAWS: dict[str, Callable[[Store], None]] = {
    "keeps_events_in_order": keeps_events_in_order,
    "says_where_it_is": says_where_it_is,
}
"""Every law by its name; each takes a new store with the header ``HEADER``."""


def check_store(new: Callable[[], Open]) -> None:
    """Hold all laws over a store.

    Args:
        new: Called for each law; gives a function that opens a store in a new place, such as
            ``lambda: partial(MyStore, new_folder())``, and is called with the header.

    Raises:
        LawBroken: At the first that is broken, with what was at fault.
    """
    for law in STORE_LAWS.values():
        store = new()(dict(HEADER))
        try:
            law(store)
        finally:
            store.close()


def check_reopening(opens: Open) -> None:
    """Hold over a store that outlives its process that what was appended is there when it is opened again.

    Args:
        opens: Opens the same place each time; it is empty.

    Raises:
        LawBroken: If something is lost, or the header is another one.
    """
    store = opens(dict(HEADER))
    try:
        written(store)
        before = list(store.read())
    finally:
        store.close()
    store = opens({"seed": 2})
    try:
        require(list(store.read()) == before, "opened again, it has other events", len(before))
        require(store.header == HEADER, "opened again, it has another header than when it was made", store.header)
        require(store.append([event("more")]) == len(before) + 1, "opened again, it does not go on with the next id")
    finally:
        store.close()
