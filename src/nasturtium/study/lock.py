"""A lock that one driver holds on a study, and that its death lets go of."""

from __future__ import annotations

import contextlib
import datetime
import json
import os
import socket
import sys
import threading
from pathlib import Path
from typing import IO

from nasturtium.errors import StudyError

HELD: set[str] = set()
"""Paths locked by this process: the locks of POSIX do not hold between parts of one process."""
GUARD = threading.Lock()


class FileLock:
    """An operating system's lock on a file beside the study; not inherited by child processes.

    The system drops it when the process ends, however it ends, so the lock of a dead driver is simply taken
    over.

    Args:
        path: The file; made if missing, never removed (removing it would let two processes lock two files).

    Raises:
        StudyError: If the file cannot be made.
    """

    def __init__(self, path: Path) -> None:
        self.name = str(path.resolve())
        self.file: IO[bytes] | None = None

    def acquire(self) -> bool:
        """Takes the lock if nobody has it; says whether it was taken."""
        with GUARD:
            if self.name in HELD:
                return False
            try:
                file = open(self.name, "a+b")  # noqa: SIM115 - held open for as long as the lock is
            except OSError as error:
                hint = "give another folder, or permission to write there"
                raise StudyError(f"cannot write {self.name}: {error.strerror}; {hint}") from None
            if not lock_file(file):
                file.close()
                return False
            HELD.add(self.name)
            self.file = file
            return True

    def write(self, text: str) -> None:
        """Leaves a text in the file, once, while the lock is held.

        Through this handle alone: closing any other one of this process would let go of the lock (POSIX).
        """
        if self.file is not None and os.fstat(self.file.fileno()).st_size == 0:
            with contextlib.suppress(OSError):  # a full disk: only the mark is missing
                self.file.write(text.encode())
                self.file.flush()

    def release(self) -> None:
        """Lets go of the lock, if it is held."""
        with GUARD:
            if self.file is not None:
                self.file.close()
                self.file = None
                HELD.discard(self.name)


if sys.platform == "win32":
    import msvcrt

    def lock_file(file: IO[bytes]) -> bool:
        """Locks the first byte; says whether that worked."""
        file.seek(0)
        try:
            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        return True
else:
    import fcntl

    def lock_file(file: IO[bytes]) -> bool:
        """Locks the file (a POSIX record lock: a forked child does not hold it); says whether that worked."""
        try:
            fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            return False
        return True


def this_owner() -> str:
    """Who runs here and since when, as JSON to be recorded beside a lock."""
    now = datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")
    return json.dumps({"pid": os.getpid(), "host": socket.gethostname(), "since": now})


def refusal(where: str, owner: str | None) -> StudyError:
    """The error for a study that another driver holds."""
    known = json.loads(owner) if owner else {}
    who = "another process"
    if known:
        who = f"process {known.get('pid')} on {known.get('host')} since {known.get('since')}"
    return StudyError(f"the study {where} is being run by {who}; wait for it, end it, or give another place")
