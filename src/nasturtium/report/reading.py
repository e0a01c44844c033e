"""What a search left in its folder, read without its data: settings, study, final trainings, times."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nasturtium.errors import NasturtiumError, StudyError
from nasturtium.final.earlier import earlier
from nasturtium.final.leaders import leading, no_winner, noted
from nasturtium.final.results import FINALS, Finals, Network, read_finals
from nasturtium.objective import Goal, Objective
from nasturtium.report.finals import from_best, network_called
from nasturtium.study.folder import STUDY, place_of, read_settings
from nasturtium.trial import State, Trial

if TYPE_CHECKING:
    from nasturtium.space import Architecture
    from nasturtium.study import Study

BEST, WEIGHTS = "best.json", "best.safetensors"
FINAL = "final training"
SCORE, LEARNED = "validation score", "place in what the search learned"


@dataclass
class Reading:
    """A study with everything that lies beside it.

    Attributes:
        folder: Where it lies.
        settings: What the search noted beside its study.
        goal: Objectives and limits.
        study: The trials; opened read-only.
        place: Where they are: a file, or a database.
        best: What the last final training of the winner left, if there was one.
        finals: The final trainings of all networks, if there were any.
        problems: What could not be read, one sentence each.
        earlier: Whether the final trainings are of an earlier run, and the study went on since.
    """

    folder: Path
    settings: dict[str, Any]
    goal: Goal
    study: Study
    place: str
    best: dict[str, Any] | None = None
    finals: Finals | None = None
    problems: list[str] = field(default_factory=list)
    earlier: bool = False

    @property
    def objective(self) -> Objective:
        """The first objective, by which the best is chosen."""
        return self.goal.objectives[0]

    @property
    def metric(self) -> str:
        """The metric of the first objective."""
        return self.objective.metric

    def scored(self, metric: str | None = None) -> list[Trial]:
        """Complete trials that have a score, by number."""
        name = metric or self.metric
        return [t for t in self.study.trials if t.state is State.COMPLETE and name in t.scores]

    def feasible(self) -> list[Trial]:
        """Scored trials that keep all limits, by number."""
        able = [t for t in self.scored() if not self.goal.missing(t.scores)]
        return [trial for trial in able if self.goal.feasible(trial.scores)]

    @property
    def recommended(self) -> list[Architecture]:
        """What the strategy takes to be best, in its order; nothing where the scores say it, or while it searches."""
        return noted(self.study, self.settings.get("recommended"))

    def leaders(self, count: int) -> list[Trial]:
        """The best trials (see :func:`nasturtium.final.leaders.leading`)."""
        return leading(self.study, count, self.recommended)

    @property
    def handed_over(self) -> Network | None:
        """What the final trainings of the study as it is handed over; None if none was completed."""
        network = None if self.finals is None or self.earlier else network_called(self.finals, self.finals.winner)
        return network if network is not None and network.done else None

    def close(self) -> None:
        """Closes the study."""
        self.study.close()


def read_folder(folder: Path, store: str | None = None) -> Reading:
    """Reads what a search left in a folder; files of its end may be missing.

    Args:
        folder: Where it lies.
        store: URL of the database that keeps the trials; if None the one in the settings, else the file in the folder.

    Raises:
        StudyError: If there is no study, or it cannot be read.
    """
    from nasturtium.report.plain_store import open_plain
    from nasturtium.study import open_study

    settings = read_settings(folder)
    goal = Goal.of(settings["objectives"], settings["limits"])
    place, name = place_of(folder, store or settings.get("store"))
    plain = isinstance(place, Path)
    study = open_plain(folder / STUDY, goal) if plain else open_study(place, goal, name=name, read_only=True)
    reading = Reading(folder, settings, goal, study, str(getattr(study.store, "place", folder / STUDY)))
    read_ends(reading)
    return reading


def read_ends(reading: Reading) -> None:
    """Reads what the final trainings left, again if that was read before; notes what cannot be read."""
    reading.problems.clear()
    reading.best = _best(reading)
    try:
        reading.finals = read_finals(reading.folder)
    except StudyError as error:
        reading.finals = None
        reading.problems.append(f"{error}.")
    if reading.finals is None and reading.best is not None and not (reading.folder / FINALS).exists():
        try:
            reading.finals = from_best(reading.best)
        except (TypeError, ValueError, AttributeError) as error:
            reading.problems.append(f"{reading.folder / BEST} cannot be read ({error}); its scores are left out.")
    reading.earlier = reading.finals is not None and earlier(reading.finals, reading.study, reading.recommended)


def _best(reading: Reading) -> dict[str, Any] | None:
    path = reading.folder / BEST
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        reading.problems.append(f"{path} cannot be read ({error}); what it holds is left out.")
        return None
    if not isinstance(content, dict):
        reading.problems.append(f"{path} holds no JSON object; it is left out.")
        return None
    return content


def winner_text(reading: Reading) -> tuple[str, int | None, str]:
    """The architecture that won: its text, the trial it comes from, and by what it won.

    Raises:
        NasturtiumError: If nothing won; it says why.
    """
    network, leader = reading.handed_over, next(iter(reading.leaders(1)), None)
    if network is not None and network.architecture:
        text = network.architecture
        same = (trial.number for trial in reading.study.trials if str(trial.architecture) == text)
        number = network.number if network.number is not None else next(same, None)
        return text, number, FINAL
    if leader is None:
        raise NasturtiumError(no_winner(reading.study))
    return str(leader.architecture), leader.number, LEARNED if reading.recommended else SCORE


def times(study: Study) -> dict[int, float]:
    """Seconds from the beginning of a study to the end of each trial; pauses between two runs are left out.

    A run that goes on with a study begins by noting what was interrupted, or by asking; while nothing was running,
    no time is counted.
    """
    ended: dict[int, float] = {}
    passed, last, running = 0.0, None, set[int]()
    for each in study.store.read(0):
        paused = each.kind == "interrupted" or (each.kind == "asked" and not running)
        if last is not None and not paused:
            passed += max(each.at - last, 0.0)
        last = each.at
        if each.kind == "started":
            running.add(each.trial)
        elif each.kind in ("told", "interrupted", "lost"):
            running.discard(each.trial)
        if each.kind == "told":
            ended[each.trial] = passed
    return ended
