"""Studies: stores, executors, and the loop that ties them together. Knows protocols, not networks."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nasturtium.objective import Goal
from nasturtium.study.ending import Ending
from nasturtium.study.executor import Ended, Executor, InProcess, Job
from nasturtium.study.folder import place_of, without_password
from nasturtium.study.identity import Recorded, check_header
from nasturtium.study.loop import run
from nasturtium.study.processes import LocalProcesses
from nasturtium.study.progress import Line, Progress, Silent, make_progress
from nasturtium.study.store import Event, MemoryStore, Store
from nasturtium.study.study import Study

if TYPE_CHECKING:
    from nasturtium.space import Space


def open_study(
    place: Path | str | None,
    goal: Goal,
    space: Space | None = None,
    header: Mapping[str, Any] | None = None,
    *,
    name: str = "study",
    read_only: bool = False,
) -> Study:
    """Opens a study, or makes one where there is none yet.

    Args:
        place: The SQLite file, the URL of a PostgreSQL database, or None for a study in memory.
        goal: What is optimised, under which limits; may change from one opening to the next.
        space: What makes architectures of the recorded decisions; without it only their text is known.
        header: What must stay the same while the study lives: task, strategy, seed, ... as JSON. The name and
            the fingerprint of the space are added. Without a header a study is opened, never made.
        name: Name of the study within its database.
        read_only: Only look, beside a driver that runs.

    Raises:
        StudyError: If it cannot be opened, is in use, or was made under another header.
    """
    wanted = None if header is None else dict(header)
    if wanted is not None and space is not None:
        wanted |= {"space": space.name, "fingerprint": space.fingerprint}
    if place is None:
        return Study(MemoryStore(wanted), goal, space)
    from nasturtium.study.sql import SQLStore

    store = SQLStore(place, wanted, name=name, read_only=read_only)
    try:
        check_header(store.header, wanted or {}, store.place)
        return Study(store, goal, space)
    except BaseException:
        store.close()
        raise


__all__ = [
    "Ended",
    "Ending",
    "Event",
    "Executor",
    "InProcess",
    "Job",
    "Line",
    "LocalProcesses",
    "MemoryStore",
    "Progress",
    "Recorded",
    "Silent",
    "Store",
    "Study",
    "check_header",
    "make_progress",
    "open_study",
    "place_of",
    "run",
    "without_password",
]
