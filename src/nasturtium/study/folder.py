"""The folder of a study: where its trials are kept, and what the search noted there."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from nasturtium.errors import StudyError

STUDY = "study.db"
SETTINGS = "settings.json"

NEEDED = {"objectives", "limits", "summary"}
"""Without these settings a study cannot be shown."""
KINDS: Mapping[str, type | tuple[type, ...]] = {
    "objectives": list, "limits": list, "summary": str, "notes": list, "store": str, "trials": int, "metric": str,
    "command": list, "proxy_keep": (int, float), "versions": dict, "recommended": list,
}  # fmt: skip
"""What settings are, where they are given."""
HELD: Mapping[str, type] = {"recommended": int}
"""What lists hold that do not hold texts."""

PASSWORD = re.compile(r"(://[^:/@\s]*):(?:[^?\s]*@|[^@\s]*@)")
"""A password where URLs have it; an ``@`` or a ``?`` in it that should have been escaped belongs to it."""
QUERY = re.compile(r"(?<=[?&])(?:ssl)?password=[^&\s]*(?:&|$)|[?&](?:ssl)?password=[^&\s]*$")
"""A password where PostgreSQL takes it too: ``?password=secret``."""


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
        url = sa.make_url(scrubbed(store))
    except sa.exc.ArgumentError:
        shown = scrubbed(store)
        raise StudyError(f"cannot read the database URL {shown!r}; write postgresql://user@host/base") from None
    return url.render_as_string(hide_password=False)


def scrubbed(text: str) -> str:
    """A word of a command line without the password of a URL in it; other words stay as they are.

    >>> scrubbed("--store=postgresql://me:secret@host/base")
    '--store=postgresql://me@host/base'
    >>> scrubbed("postgresql://host/base?user=me&password=secret")
    'postgresql://host/base?user=me'
    """
    return QUERY.sub("", PASSWORD.sub(r"\1@", text)) if "://" in text else text


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
    if not isinstance(settings, dict) or not settings.keys() >= NEEDED:
        raise StudyError(f"{path} is not what a search writes; run the search again to write it anew")
    for name, kinds in KINDS.items():
        value = settings.get(name)
        fits = name not in settings or (value is None and name not in NEEDED) or isinstance(value, kinds)
        held = HELD.get(name, str)
        if not fits or (isinstance(value, list) and not all(isinstance(each, held) for each in value)):
            raise StudyError(
                f"{path} is not what a search writes: {name} is {value!r:.40}; run the search again to write it anew"
            )
    return settings
