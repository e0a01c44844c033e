"""The event store on SQL: one SQLite file, or a PostgreSQL database by its URL, through SQLAlchemy Core."""

from __future__ import annotations

import contextlib
import json
import zlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import sqlalchemy as sa

from nasturtium.errors import StudyError
from nasturtium.study.lock import refusal, this_owner
from nasturtium.study.places import Place
from nasturtium.study.postgres_place import DatabasePlace
from nasturtium.study.sqlite_place import SQLitePlace
from nasturtium.study.store import VERSION, Event, check_version

METADATA = sa.MetaData()
STUDIES = sa.Table(
    "nasturtium_studies",
    METADATA,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("name", sa.String(200), nullable=False, unique=True),
    sa.Column("version", sa.Integer, nullable=False),
    sa.Column("header", sa.Text, nullable=False),
    sa.Column("owner", sa.Text),
)
EVENTS = sa.Table(
    "nasturtium_events",
    METADATA,
    sa.Column("study", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("id", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("kind", sa.String(20), nullable=False),
    sa.Column("trial", sa.Integer, nullable=False),
    sa.Column("data", sa.Text, nullable=False),
    sa.Column("at", sa.Double, nullable=False),
    sa.Column("sum", sa.BigInteger, nullable=False),
    sqlite_with_rowid=False,
)
INSERT = sa.insert(EVENTS)
CHUNK = 5_000


class SQLStore:
    """Events in a table that is only ever appended to, by one driver at a time.

    Ids are counted by the driver, which holds the lock; should a second one slip through (a file system
    without locks), the primary key refuses its first event instead of mixing two histories.

    Args:
        place: A path for SQLite, or a database URL such as ``postgresql://user@host/base``.
        header: What the study is about; needed to create it, ignored when it exists.
        name: Name of the study within the database.
        read_only: Open without a lock and without the right to write, beside a driver that runs.

    Raises:
        StudyError: If it cannot be opened: held by another driver, damaged, foreign, newer, not writable, or
            (without a header) not there.
    """

    def __init__(
        self,
        place: Path | str,
        header: dict[str, Any] | None = None,
        *,
        name: str = "study",
        read_only: bool = False,
    ) -> None:
        url = isinstance(place, str) and "://" in place
        self.place: Place = SQLitePlace(Path(place), read_only)
        if url:
            self.place = DatabasePlace(str(place), name, read_only)
        self.name = name
        with self.closing_on_error():
            if not read_only and not self.place.lock():
                raise refusal(str(self.place), self.owner_of_lock())
            with self.place.guarded():
                self.connection = self.place.connect()
                self.open(header, read_only)

    def open(self, header: dict[str, Any] | None, read_only: bool) -> None:
        """Checks what is there, and creates what is not."""
        self.place.inspect(self.connection, STUDIES.name)
        row = self.row()
        if row is None:
            if header is None or read_only:
                raise StudyError(f"there is no study {self.place}")
            METADATA.create_all(self.connection)
            values = {"name": self.name, "version": VERSION, "header": json.dumps(header)}
            self.connection.execute(sa.insert(STUDIES), values)
            row = self.row()
        if row is None:
            raise StudyError(f"the study {self.place} could not be created")
        check_version(row.version, str(self.place))
        self.study: int = row.id
        self.header: dict[str, Any] = json.loads(row.header)
        if not read_only:
            self.connection.execute(sa.update(STUDIES).where(STUDIES.c.id == self.study).values(owner=this_owner()))
        last = self.connection.scalar(sa.select(sa.func.max(EVENTS.c.id)).where(EVENTS.c.study == self.study))
        self.last: int = last or 0
        self.connection.commit()
        if not read_only:
            self.place.made()

    def row(self) -> Any:
        """The study's row, or None."""
        if not sa.inspect(self.connection).has_table(STUDIES.name):
            return None
        return self.connection.execute(sa.select(STUDIES).where(STUDIES.c.name == self.name)).first()

    def owner_of_lock(self) -> str | None:
        """Who holds the lock, as far as can be read."""
        with contextlib.suppress(StudyError), self.place.guarded():
            self.connection = self.place.connect()
            row = self.row()
            return str(row.owner) if row is not None and row.owner else None
        return None

    def append(self, events: Sequence[Event], durable: bool = False) -> int:
        """Keeps the events, all or none, in one transaction; returns the id of the last one stored."""
        if not events:
            return self.last
        rows = [
            {"study": self.study, "id": i, "kind": e.kind, "trial": e.trial, "data": e.text, "at": e.at}
            | {"sum": checksum(e.kind, e.trial, e.text, e.at, i)}
            for i, e in enumerate(events, self.last + 1)
        ]
        with self.place.guarded(self.connection):
            self.place.durable(self.connection, durable)
            self.connection.execute(INSERT, rows if len(rows) > 1 else rows[0])
            self.connection.commit()
        self.last += len(rows)
        return self.last

    def read(self, since: int = 0) -> Iterator[Event]:
        """The events with an id above ``since``, in order."""
        wanted = (EVENTS.c.kind, EVENTS.c.trial, EVENTS.c.data, EVENTS.c.at, EVENTS.c.id, EVENTS.c.sum)
        order = sa.select(*wanted).where(EVENTS.c.study == self.study).order_by(EVENTS.c.id).limit(CHUNK)
        while True:
            with self.place.guarded(self.connection):
                rows = self.connection.execute(order.where(EVENTS.c.id > since)).all()
                self.connection.commit()
            for *columns, total in rows:
                if checksum(*columns) != total:
                    raise StudyError(f"the study {self.place}: event {columns[-1]} is damaged; put back a copy")
                yield Event(*columns)
            if len(rows) < CHUNK:
                return
            since = rows[-1][-2]

    def close(self) -> None:
        """Closes the connection and lets go of the lock."""
        self.place.close(getattr(self, "connection", None))

    @contextlib.contextmanager
    def closing_on_error(self) -> Iterator[None]:
        """Closes all when opening fails."""
        try:
            yield
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()


def checksum(kind: str, trial: int, text: str, at: float, number: int) -> int:
    """CRC-32 of an event: SQLite notices damaged pages, but not damaged values within them."""
    return zlib.crc32(f"{number} {kind} {trial} {at!r} {text}".encode())
