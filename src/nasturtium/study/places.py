"""What stores ask of the place where they live, and what the errors of databases mean to a user."""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterator
from typing import Protocol

import sqlalchemy as sa

from nasturtium.errors import StudyError
from nasturtium.study.ending import FULL

DAMAGED = "put back a copy, rescue it with 'sqlite3 FILE .recover', or give another place"
LOST = "the connection to the server is lost; all that was recorded is kept: run the same command again"

MEANINGS = (
    ("disk is full", FULL),
    ("no space left on device", FULL),
    ("read-only transaction", "it may not be written; ask for another role, or open it to look only"),
    ("permission denied", "this role may not use it; ask for another role, or give another base"),
    ("connection refused", "no server answers there; start it, or give another host or port"),
    ("terminating connection", LOST),
    ("server closed the connection", LOST),
    ("the connection is closed", LOST),
    ("the connection is lost", LOST),
    ("password authentication failed", "the server knows no such user with this password"),
    ("readonly database", "it may not be written; give another folder, or permission to write there"),
    (
        "attempt to write a readonly",
        "it may not be written; give another folder, or permission to write there",
    ),
    ("unable to open", "it cannot be opened; is the folder there, and may it be written?"),
    ("not a database", "it is damaged, or no study at all; put back a copy, or give another place"),
    ("malformed", f"it is damaged; {DAMAGED}"),
    ("disk i/o error", "the disk failed; all that was recorded is kept as far as the disk holds it"),
    ("is locked", "another process keeps it locked; end that process, or try again later"),
    ("unique constraint", "another driver wrote to it at the same time; end one of them and run this again"),
    ("duplicate key", "another driver wrote to it at the same time; end one of them and run this again"),
)


class Place(Protocol):
    """One kind of database."""

    def lock(self) -> bool: ...

    def connect(self) -> sa.Connection: ...

    def made(self) -> None: ...

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
