"""A study in a SQLite file, read with the standard library alone: SQLAlchemy takes longer to import than `show` may."""

from __future__ import annotations

import json
import sqlite3
import zlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from nasturtium.errors import StudyError
from nasturtium.study.store import Event, check_version

if TYPE_CHECKING:
    from nasturtium.objective import Goal
    from nasturtium.study import Study

CHUNK = 5_000


class PlainStore:
    """The events of the study in a file, for readers.

    Args:
        path: The file.

    Raises:
        sqlite3.Error: If anything is out of the ordinary; the store of the study room says what.
    """

    def __init__(self, path: Path) -> None:
        self.place = path
        self.connection = sqlite3.connect(f"file:{quote(str(path.resolve()))}?mode=ro", uri=True, timeout=30)
        try:
            query = "SELECT id, version, header FROM nasturtium_studies WHERE name = 'study'"
            row = self.connection.execute(query).fetchone()
            if row is None:
                raise sqlite3.DatabaseError("no study of this name")
            self.study, version, header = row
            check_version(version, str(path))
            self.header: dict[str, Any] = json.loads(header)
        except BaseException:
            self.connection.close()
            raise

    def append(self, events: Sequence[Event], durable: bool = False) -> int:
        """Refuses: it is for readers."""
        raise StudyError(f"the study {self.place} was opened to be read")

    def read(self, since: int = 0) -> Iterator[Event]:
        """The events with an id above ``since``, in order."""
        columns = "kind, trial, data, at, id, sum"
        query = f"SELECT {columns} FROM nasturtium_events WHERE study = ? AND id > ? ORDER BY id LIMIT ?"
        while True:
            try:
                rows = self.connection.execute(query, (self.study, since, CHUNK)).fetchall()
            except sqlite3.Error as error:
                raise StudyError(f"the study {self.place} cannot be read: {error}; put back a copy") from None
            for kind, trial, text, at, number, total in rows:
                if zlib.crc32(f"{number} {kind} {trial} {at!r} {text}".encode()) != total:
                    raise StudyError(f"the study {self.place}: event {number} is damaged; put back a copy")
                yield Event(kind, trial, text, at, number)
            if len(rows) < CHUNK:
                return
            since = rows[-1][4]

    def close(self) -> None:
        """Closes the file."""
        self.connection.close()


def open_plain(path: Path, goal: Goal) -> Study:
    """A study in a file, opened to be read beside a driver that runs.

    Raises:
        StudyError: If there is none, or it cannot be read.
    """
    from nasturtium.study import Study, open_study

    try:
        store = PlainStore(path)
    except (sqlite3.Error, ValueError):
        return open_study(path, goal, read_only=True)
    try:
        return Study(store, goal)
    except BaseException:
        store.close()
        raise
