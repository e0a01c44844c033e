"""A study in a PostgreSQL database: how it is reached and locked."""

from __future__ import annotations

import contextlib

import sqlalchemy as sa

from nasturtium.errors import MissingExtra, StudyError
from nasturtium.study.folder import scrubbed
from nasturtium.study.places import Guarded

LOOK_ONLY = {"options": "-c default_transaction_read_only=on"}


class DatabasePlace(Guarded):
    """A database behind a URL; PostgreSQL is meant, whose advisory lock a dead driver's session lets go of.

    Args:
        url: ``postgresql://user:password@host/base``.
        name: The study's name there, by which it is locked.
        read_only: Whether to connect without the right to write.
    """

    def __init__(self, url: str, name: str, read_only: bool = False) -> None:
        try:
            self.url = sa.make_url(url)
        except sa.exc.ArgumentError:
            raise StudyError(
                f"cannot read the database URL {scrubbed(url)!r}; write postgresql://user@host/base"
            ) from None
        if self.url.drivername in ("postgres", "postgresql"):
            self.url = self.url.set(drivername="postgresql+psycopg")
        self.name = name
        self.read_only = read_only
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
            options = LOOK_ONLY if self.read_only else {}
            engine = sa.create_engine(self.url, poolclass=sa.pool.NullPool, connect_args=options)
        except ImportError:
            raise MissingExtra("psycopg", "postgres") from None
        except sa.exc.NoSuchModuleError:
            raise StudyError(f"a study cannot be kept in {self.url.drivername}; give a path or postgresql://") from None
        return engine.connect()

    def made(self) -> None:
        """The server needs no mark."""

    def inspect(self, connection: sa.Connection, table: str) -> None:
        """Other tables beside ours are welcome."""

    def durable(self, connection: sa.Connection, wanted: bool) -> None:
        """The server decides; by default every commit is."""

    def close(self, connection: sa.Connection | None) -> None:
        """Lets go of the lock and closes the connections.

        A server lets go by itself of what a closed session held, but only when it notices that it is closed: who opens
        the study again at once would be refused.
        """
        if self.locking is not None:
            with contextlib.suppress(sa.exc.SQLAlchemyError):  # a connection that broke; its session ends by itself
                self.locking.execute(sa.text("SELECT pg_advisory_unlock_all()"))
                self.locking.commit()
        for each in (connection, self.locking):
            if each is not None:
                each.close()
                each.engine.dispose()
