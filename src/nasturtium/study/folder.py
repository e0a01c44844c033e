"""The folder of a study: where its trials are kept, and what the search noted there."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from nasturtium.errors import StudyError

STUDY = "study.db"
SETTINGS = "settings.json"


def place_of(folder: Path | None, store: str | None = None) -> tuple[Path | str | None, str]:
    """The place and the name by which :func:`nasturtium.study.open_study` finds the study of a folder.

    Args:
        folder: The folder of the search; None for a study in memory.
        store: URL of a PostgreSQL database that keeps it instead of a file.

    Raises:
        StudyError: If there is a database and no folder, whose name the study would have there.

    >>> place_of(Path("runs/digits"), "postgresql://me@host/base")
    ('postgresql://me@host/base', 'digits')
    """
    if store is None:
        return None if folder is None else folder / STUDY, "study"
    if folder is None:
        raise StudyError("a study in a database needs a folder too, for weights and settings: give one (--out)")
    return store, folder.resolve().name


def without_password(store: str) -> str:
    """A database URL that may be written down; the password then comes from PGPASSWORD or ~/.pgpass.

    >>> without_password("postgresql://me:secret@host:5433/base")
    'postgresql://me@host:5433/base'
    """
    import sqlalchemy as sa

    try:
        url = sa.make_url(store)
    except sa.exc.ArgumentError:
        raise StudyError(f"cannot read the database URL {store!r}; write postgresql://user@host/base") from None
    return url._replace(password=None).render_as_string(hide_password=False)


def read_settings(folder: Path) -> dict[str, Any]:
    """What a search noted beside its study.

    Raises:
        StudyError: If there is no study, or the note cannot be read.
    """
    path = folder / SETTINGS
    try:
        settings = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise StudyError(f"there is no study in {folder}; 'nasturtium search ... --out DIR' makes one") from None
    except (OSError, ValueError) as error:
        raise StudyError(f"cannot read {path}: {error}; run the search again to write it anew") from None
    if not isinstance(settings, dict) or not {"objectives", "limits", "summary"} <= settings.keys():
        raise StudyError(f"{path} is not what a search writes; run the search again to write it anew")
    return settings
