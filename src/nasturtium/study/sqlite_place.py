"""A study in one SQLite file: how it is reached, locked and checked before it is believed."""

from __future__ import annotations

import shutil
import sqlite3
import tempfile
from pathlib import Path
from urllib.parse import quote

import sqlalchemy as sa

from nasturtium.errors import StudyError
from nasturtium.study.lock import FileLock
from nasturtium.study.places import DAMAGED, Guarded

PATIENCE_SECONDS = 30
"""How long SQLite waits for a reader or a checkpoint of another process."""

HEADER_BYTES = 100
"""The shortest file that can be a SQLite database."""


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
        self.log = path.with_name(path.name + "-wal")
        self.mark = path.with_name(path.name + ".lock")
        self.lock_file = FileLock(self.mark)
        self.copy: tempfile.TemporaryDirectory[str] | None = None
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
        self.refuse_cut_off()
        engine = sa.create_engine("sqlite://", creator=self.raw, poolclass=sa.pool.NullPool)
        return engine.connect()

    def refuse_cut_off(self) -> None:
        """Refuses a file so short that SQLite would take it for an empty one, and begin anew in silence.

        An empty file where no study was made and no log lies is what a driver leaves that died at birth.
        """
        if 0 < size_of(self.path) < HEADER_BYTES:
            raise StudyError(f"the study {self}: it is damaged, or no study at all; give another place")
        if size_of(self.path) == 0 and (size_of(self.log) or (self.path.is_file() and size_of(self.mark))):
            was = "empty" if self.path.is_file() else "gone"
            raise StudyError(
                f"the study {self}: it is damaged: the file is {was}, but a study was there; "
                f"put back a copy, or remove {self.path.name}* to begin anew"
            )

    def made(self) -> None:
        """Notes beside the file that a study was made, so that an empty file is not taken for a new one."""
        self.lock_file.write("a study was made here\n")

    def raw(self) -> sqlite3.Connection:
        """A connection of the driver."""
        address = f"file:{quote(str(self.path.resolve()))}"
        connect = {"timeout": PATIENCE_SECONDS, "uri": True, "check_same_thread": False}
        if not self.read_only:
            connection = sqlite3.connect(address, **connect)  # type: ignore[call-overload]
            connection.execute("PRAGMA journal_mode=WAL")
            return connection  # type: ignore[no-any-return]
        connection = sqlite3.connect(f"{address}?mode=ro", **connect)  # type: ignore[call-overload]
        try:
            connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
        except sqlite3.OperationalError:
            connection.close()
            return self.unwritable(address)
        return connection  # type: ignore[no-any-return]

    def unwritable(self, address: str) -> sqlite3.Connection:
        """A connection to a file in a folder that may not be written.

        SQLite cannot put its shared memory beside the file there. Nobody else writes there either, so the file can
        be read as it lies; if a log lies beside it, whose events would be passed over, a copy of both is read.
        """
        if not size_of(self.log):
            return sqlite3.connect(f"{address}?immutable=1", uri=True, check_same_thread=False)
        self.copy = tempfile.TemporaryDirectory(prefix="nasturtium-")
        for each in (self.path, self.log):
            shutil.copyfile(each, Path(self.copy.name) / each.name)
        return sqlite3.connect(Path(self.copy.name) / self.path.name, check_same_thread=False)

    def inspect(self, connection: sa.Connection, table: str) -> None:
        """Refuses a damaged file and a file of another program."""
        verdict = connection.exec_driver_sql("PRAGMA quick_check(1)").scalar()
        if verdict != "ok":
            where = str(verdict).splitlines()[-1]
            raise StudyError(f"the study {self}: it is damaged ({where}); {DAMAGED}")
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
        if self.copy is not None:
            self.copy.cleanup()


def size_of(path: Path) -> int:
    """Bytes of a file; 0 where there is none."""
    return path.stat().st_size if path.is_file() else 0
