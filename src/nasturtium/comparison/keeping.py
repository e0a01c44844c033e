"""Finished runs in a file: one line each, so that a comparison that was ended goes on where it stopped."""

from __future__ import annotations

import json
import math
import os
import warnings
from collections.abc import Iterator
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any

from nasturtium.comparison.simulation import Track
from nasturtium.errors import StudyError
from nasturtium.study.lock import FileLock

FILE = "runs.jsonl"
LOCK = "runs.lock"
SHOWN = 5
"""So many damaged lines are named."""


class Kept:
    """The finished runs in a folder; without a folder nothing is kept.

    A last line that was cut short when its process was killed is left out and written over. Other lines that cannot be
    read stay where they are and are not used, and a warning says which; lines of other comparisons, with another budget
    or seed, are not used either.

    Args:
        folder: Made if it is missing.

    Raises:
        StudyError: If the folder cannot be written, or another process writes there.
    """

    def __init__(self, folder: Path | None) -> None:
        self.folder = folder
        self.runs: dict[tuple[str, int], Track] = {}
        self.facts: dict[str, dict[str, Any]] = {}
        self._lock: FileLock | None = None
        if folder is None:
            return
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise StudyError(f"cannot make {folder}: {error.strerror}; give another --out") from None
        self._lock = FileLock(folder / LOCK)
        if not self._lock.acquire():
            raise StudyError(f"a comparison runs in {folder} already; wait for it, end it, or give another --out")
        self._read(folder / FILE)

    def _read(self, file: Path) -> None:
        if not file.exists():
            return
        bad, line = [], b""
        with file.open("rb") as lines:
            for number, line in enumerate(lines, 1):
                if line.endswith(b"\n") and not self._note(line):
                    bad.append(number)
        if line and not line.endswith(b"\n"):
            os.truncate(file, file.stat().st_size - len(line))
        if bad:
            named = ", ".join(map(str, bad[:SHOWN])) + (", ..." if len(bad) > SHOWN else "")
            text = f"{file} has {len(bad)} damaged line{'s' * (len(bad) > 1)} ({named}), which are left out"
            warnings.warn(text, stacklevel=2)

    def _note(self, line: bytes) -> bool:
        """Takes up what a line holds; False if it cannot be read."""
        try:
            content = json.loads(line)
            if "facts" in content:
                self.facts[content["key"]] = dict(content["facts"])
            else:
                self.runs[content["key"], int(content["run"])] = _track(content["track"])
        except (ValueError, TypeError, LookupError, AttributeError):
            return False
        return True

    def add(self, key: str, runs: Iterator[tuple[int, Track]]) -> None:
        """Keeps some runs of one strategy on one benchmark."""
        lines = []
        for number, track in runs:
            self.runs[key, number] = track
            lines.append({"key": key, "run": number, "track": _plain(track)})
        self._write(lines)

    def add_facts(self, key: str, facts: dict[str, Any]) -> None:
        """Keeps what is known of a benchmark."""
        if self.facts.get(key) != facts:
            self.facts[key] = facts
            self._write([{"key": key, "facts": facts}])

    def _write(self, contents: list[dict[str, Any]]) -> None:
        if self.folder is None:
            return
        text = "".join(f"{json.dumps(each)}\n" for each in contents)
        try:
            with (self.folder / FILE).open("a", encoding="utf-8") as file:
                file.write(text)
        except OSError as error:
            raise StudyError(
                f"cannot write {self.folder / FILE}: {error.strerror}; what ended before is kept"
            ) from None

    def close(self) -> None:
        """Lets go of the folder."""
        if self._lock is not None:
            self._lock.release()


def _plain(track: Track) -> dict[str, Any]:
    return {
        name: [None if math.isnan(each) else each for each in value] if isinstance(value, list) else value
        for name, value in asdict(track).items()
    }


def _track(content: dict[str, Any]) -> Track:
    read: dict[str, Any] = {}
    for each in fields(Track):
        value = content[each.name]
        read[each.name] = [math.nan if v is None else v for v in value] if isinstance(value, list) else value
    return Track(**read)
