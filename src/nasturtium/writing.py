"""Files that are written whole or not at all, and whether a file can be written, known before the work."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from nasturtium.errors import StudyError


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """A file beside ``path`` to write, which takes its place once it lies on the disk; nothing is left of it otherwise.

    >>> import tempfile
    >>> place = Path(tempfile.mkdtemp()) / "note.txt"
    >>> with replacing(place) as draft:
    ...     _ = draft.write_text("whole")
    >>> place.read_text()
    'whole'
    """
    draft = path.with_name(f"{path.name}.{os.getpid()}")
    try:
        yield draft
        with draft.open("rb+") as file:
            os.fsync(file.fileno())
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)


def write_text(path: Path, text: str) -> None:
    """Write a text file, and the folders it lies in.

    Raises:
        StudyError: If it cannot be written.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise StudyError(f"cannot write {path}: {error.strerror}; give another place") from None


def checked_place(file: Path) -> Path:
    """The file, once it is sure that it can be written: before hours of work, not after them. Its folder is made.

    Raises:
        StudyError: If it cannot.
    """
    if file.is_dir():
        raise StudyError(f"{file} is a folder; give another file")
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        if file.is_file():
            os.close(os.open(file, os.O_WRONLY))
        elif not file.exists():  # else it is a device or a pipe
            file.open("xb").close()
            file.unlink()
    except OSError as error:
        raise StudyError(f"cannot write {file}: {error.strerror}; give another place") from None
    return file


def checked_folder(folder: Path) -> Path:
    """The folder, made, once it is sure that files can be written in it.

    Raises:
        StudyError: If they cannot.
    """
    if folder.exists() and not folder.is_dir():
        raise StudyError(f"{folder} is a file; give a folder")
    checked_place(folder / f".nasturtium.{os.getpid()}")
    return folder
