"""Where a store lives: how SQLite and PostgreSQL are reached and locked, and what their errors mean."""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Protocol
from urllib.parse import quote

import sqlalchemy as sa

from nasturtium.errors import MissingExtra, StudyError
from nasturtium.study.lock import FileLock

PATIENCE_SECONDS = 30
"""How long SQLite waits for a reader or a checkpoint of another process."""

HEADER_BYTES = 100
"""The shortest file that can be a SQLite database."""

MEANINGS = (
    (
        "disk is full",
        "the disk is full; all that was recorded is kept: make room and run the same command again",
    ),
    ("readonly database", "it may not be written; give another folder, or permission to write there"),
    (
        "attempt to write a readonly",
        "it may not be written; give another folder, or permission to write there",
    ),
    ("unable to open", "it cannot be opened; is the folder there, and may it be written?"),
    ("not a database", "it is damaged, or no study at all; put back a copy, or give another place"),
    (
        "malformed",
        "it is damaged; put back a copy, rescue it with 'sqlite3 FILE .recover', or give another place",
    ),
    ("disk i/o error", "the disk failed; all that was recorded is kept as far as the disk holds it"),
    ("is locked", "another process keeps it locked; end that process, or try again later"),
    ("unique constraint", "another driver wrote to it at the same time; end one of them and run this again"),
    ("duplicate key", "another driver wrote to it at the same time; end one of them and run this again"),
)


class Place(Protocol):
    """One kind of database."""

    def lock(self) -> bool: ...

    def connect(self) -> sa.Connection: ...

    def inspect(self, connection: sa.Connection, table: str) -> None: ...

    def durable(self, connection: sa.Connection, wanted: bool) -> None: ...

    def guarded(self, connection: sa.Connection | None = None) -> contextlib.AbstractContextManager[None]: ...

    def close(self, connection: sa.Connection | None) -> None: ...


class Guarded:
    """Turns errors of the database into lines for the user."""

    @contextlib.contextmanager
    def guarded(self, connection: sa.Connection | None = None) -> Iterator[None]:
        """Rolls back and raises a :class:`StudyError` when the database refuses."""
        try:
            yield
        except (sa.exc.SQLAlchemyError, sqlite3.Error) as error:
            if connection is not None:
                with contextlib.suppress(sa.exc.SQLAlchemyError, sqlite3.Error):
                    connection.rollback()
            raise StudyError(f"the study {self}: {meaning(error)}") from error


def meaning(error: Exception) -> str:
    """What a database's error means to the user, or its own first line."""
    said = str(getattr(error, "orig", None) or error)
    for sign, line in MEANINGS:
        if sign in said.lower():
            return line
    return (said.splitlines() or [type(error).__name__])[0]


class SQLitePlace(Guarded):
    """One file, in WAL mode.

    With ``synchronous=NORMAL`` nothing is lost when a process dies, whenever that is; when the power fails
    the last moments may be. So a commit waits for the disk only when it is asked to be durable, which costs
    milliseconds.

    Args:
        path: The file.
        read_only: Whether to open it without the right to write.
    """

    def __init__(self, path: Path, read_only: bool = False) -> None:
        self.path = path
        self.read_only = read_only
        self.lock_file = FileLock(path.with_name(path.name + ".lock"))
        self.is_durable: bool | None = None

    def __str__(self) -> str:
        return str(self.path)

    def lock(self) -> bool:
        """Makes the folder and takes the lock file beside the study."""
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise StudyError(f"cannot make the folder {self.path.parent}: {error.strerror}; give another") from None
        return self.lock_file.acquire()

    def connect(self) -> sa.Connection:
        """A connection in WAL mode."""
        if self.read_only and not self.path.is_file():
            raise StudyError(f"there is no study {self.path}")
        if self.path.is_file() and 0 < self.path.stat().st_size < HEADER_BYTES:
            # SQLite takes a file of one byte for an empty one, and would begin anew.
            raise StudyError(f"the study {self}: it is damaged, or no study at all; give another place")
        engine = sa.create_engine("sqlite://", creator=self.raw, poolclass=sa.pool.NullPool)
        return engine.connect()

    def raw(self) -> sqlite3.Connection:
        """A connection of the driver."""
        address = f"file:{quote(str(self.path.resolve()))}"
        connect = {"timeout": PATIENCE_SECONDS, "uri": True, "check_same_thread": False}
        if not self.read_only:
            connection = sqlite3.connect(address, **connect)  # type: ignore[call-overload]
            connection.execute("PRAGMA journal_mode=WAL")
            return connection  # type: ignore[no-any-return]
        try:
            connection = sqlite3.connect(f"{address}?mode=ro", **connect)  # type: ignore[call-overload]
            connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
        except sqlite3.OperationalError:
            # A folder that may not be written: SQLite cannot put its shared memory beside the file. Nobody
            # else writes there either, so the file can be read as it lies.
            connection = sqlite3.connect(f"{address}?immutable=1", **connect)  # type: ignore[call-overload]
        return connection  # type: ignore[no-any-return]

    def inspect(self, connection: sa.Connection, table: str) -> None:
        """Refuses a damaged file and a file of another program."""
        verdict = connection.exec_driver_sql("PRAGMA quick_check(1)").scalar()
        if verdict != "ok":
            raise StudyError(f"the study {self}: it is damaged ({verdict}); put back a copy, or give another place")
        tables = sa.inspect(connection).get_table_names()
        if tables and table not in tables:
            raise StudyError(f"{self} is a database of something else (tables {', '.join(tables[:3])}); give another")

    def durable(self, connection: sa.Connection, wanted: bool) -> None:
        """Whether the next commits wait for the disk."""
        if wanted is not self.is_durable:
            connection.exec_driver_sql(f"PRAGMA synchronous={'FULL' if wanted else 'NORMAL'}")
            self.is_durable = wanted

    def close(self, connection: sa.Connection | None) -> None:
        """Closes the connection, then lets go of the lock."""
        if connection is not None:
            connection.close()
            connection.engine.dispose()
        self.lock_file.release()


class DatabasePlace(Guarded):
    """A database behind a URL; PostgreSQL is meant, whose advisory lock a dead driver's session lets go of.

    Args:
        url: ``postgresql://user:password@host/base``.
        name: The study's name there, by which it is locked.
    """

    def __init__(self, url: str, name: str) -> None:
        try:
            self.url = sa.make_url(url)
        except sa.exc.ArgumentError:
            raise StudyError(f"cannot read the database URL {url!r}; write postgresql://user@host/base") from None
        if self.url.drivername in ("postgres", "postgresql"):
            self.url = self.url.set(drivername="postgresql+psycopg")
        self.name = name
        self.locking: sa.Connection | None = None

    def __str__(self) -> str:
        return f"{self.name!r} in {self.url.render_as_string(hide_password=True)}"

    def lock(self) -> bool:
        """Takes the advisory lock, on a connection of its own."""
        if self.url.get_backend_name() != "postgresql":
            raise StudyError(f"a study cannot be kept in {self.url.get_backend_name()}; give a path or postgresql://")
        with self.guarded():
            self.locking = self.connect()
            query = sa.text("SELECT pg_try_advisory_lock(hashtext('nasturtium'), hashtext(:name))")
            taken = self.locking.scalar(query, {"name": self.name})
            self.locking.commit()
        return bool(taken)

    def connect(self) -> sa.Connection:
        """A connection."""
        try:
            engine = sa.create_engine(self.url, poolclass=sa.pool.NullPool)
        except ImportError:
            raise MissingExtra("psycopg", "postgres") from None
        except sa.exc.NoSuchModuleError:
            raise StudyError(f"a study cannot be kept in {self.url.drivername}; give a path or postgresql://") from None
        return engine.connect()

    def inspect(self, connection: sa.Connection, table: str) -> None:
        """Other tables beside ours are welcome."""

    def durable(self, connection: sa.Connection, wanted: bool) -> None:
        """The server decides; by default every commit is."""

    def close(self, connection: sa.Connection | None) -> None:
        """Closes the connections, and with them the lock."""
        for each in (connection, self.locking):
            if each is not None:
                each.close()
                each.engine.dispose()
