"""A study as trackers need it: its trials, what was optimised, and when each thing happened."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nasturtium.objective import Goal
from nasturtium.study.folder import read_settings

if TYPE_CHECKING:
    from nasturtium.study import Study


@dataclass
class Times:
    """When a trial ran, in seconds since 1970.

    Attributes:
        asked: When it was proposed.
        started: When its last run began, if any did.
        ended: When it ended, if it did.
        reports: When each report of the last run came.
    """

    asked: float
    started: float | None = None
    ended: float | None = None
    reports: list[float] = field(default_factory=list)


@dataclass
class Tracked:
    """What a folder holds.

    Attributes:
        folder: The folder.
        settings: What the search noted.
        study: Its trials, opened to look only.
        times: When the trials ran, by number.
    """

    folder: Path
    settings: Mapping[str, Any]
    study: Study
    times: list[Times]

    @property
    def goal(self) -> Goal:
        """What was optimised."""
        return self.study.goal

    @property
    def name(self) -> str:
        """What the study is called elsewhere."""
        return self.folder.resolve().name


def read_tracked(folder: Path, store: str | None = None) -> Tracked:
    """Reads the study of a folder, which may be running.

    Args:
        folder: Where it lies.
        store: URL of the database that keeps the trials; if None the one in the settings, else the file in the folder.

    Raises:
        StudyError: If there is none, or it cannot be read.
    """
    from nasturtium.study import open_study, place_of

    settings = read_settings(folder)
    goal = Goal.of(settings["objectives"], settings["limits"])
    place, name = place_of(folder, store or settings.get("store"))
    study = open_study(place, goal, name=name, read_only=True)
    try:
        return Tracked(folder, settings, study, times_of(study))
    finally:
        study.close()


def times_of(study: Study) -> list[Times]:
    """When the trials of a study ran, from its events."""
    times: list[Times] = []
    for each in study.store.read():
        if each.trial >= len(study):
            break  # of a search that runs: it came after the trials were read
        if each.kind == "asked":
            times.append(Times(each.at))
        elif each.kind == "started":
            times[each.trial].started = each.at
            times[each.trial].reports.clear()
        elif each.kind == "reported":
            times[each.trial].reports.append(each.at)
        elif each.kind == "told":
            times[each.trial].ended = each.at
    return times
