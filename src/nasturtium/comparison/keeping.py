"""Finished runs in a file: one line each, so that a comparison that was ended goes on where it stopped."""

from __future__ import annotations

import json
import math
import os
from collections.abc import Iterator
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any

from nasturtium.comparison.simulation import Track
from nasturtium.errors import StudyError
from nasturtium.study.lock import FileLock

FILE = "runs.jsonl"
LOCK = "runs.lock"


class Kept:
    """The finished runs in a folder; without a folder nothing is kept.

    A line that was cut short when its process was killed is left out and written over. Lines of other comparisons, with
    another budget or seed, stay where they are and are not used.

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
        whole = 0
        with file.open("rb") as lines:
            for line in lines:
                content = _content(line)
                if content is None:
                    break
                whole += len(line)
                self._note(content)
        if whole < file.stat().st_size:
            os.truncate(file, whole)

    def _note(self, content: dict[str, Any]) -> None:
        if "facts" in content:
            self.facts[content["key"]] = content["facts"]
        else:
            self.runs[content["key"], content["run"]] = _track(content["track"])

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


def _content(line: bytes) -> dict[str, Any] | None:
    """What a whole line holds; None of one that was cut short."""
    if not line.endswith(b"\n"):
        return None
    try:
        content = json.loads(line)
    except ValueError:
        return None
    return content if isinstance(content, dict) and "key" in content else None


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
