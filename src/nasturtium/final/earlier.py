"""Whether final trainings are of an earlier run: the study went on since, under another goal or to other leaders."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from nasturtium.errors import NasturtiumError
from nasturtium.final.leaders import leading, noted
from nasturtium.final.results import Finals, read_finals
from nasturtium.objective import Goal
from nasturtium.space import Architecture
from nasturtium.study import Study, open_study
from nasturtium.study.folder import STUDY, read_settings

EARLIER = "the final trainings are of an earlier run; the same command trains the new leaders"


def earlier(finals: Finals, study: Study, recommended: Sequence[Architecture] = ()) -> bool:
    """Whether a study has other limits or other leaders now than when its final trainings were made.

    Older releases noted neither limits nor the numbers of trials; then the texts of the architectures are compared, as
    far as they are those of trials.
    """
    limits = [str(limit) for limit in study.goal.limits]
    if finals.settings and list(finals.settings.get("limits") or ()) != limits:
        return True
    finalists = [network for network in finals.networks if network.kind == "finalist"]
    leaders = leading(study, len(finalists), recommended)
    numbers = {network.number for network in finalists}
    if None not in numbers:
        return numbers != {trial.number for trial in leaders}
    texts = {network.architecture for network in finalists}
    tried = {str(trial.architecture) for trial in study.trials}
    return texts <= tried and texts != {str(trial.architecture) for trial in leaders}


def gone_on(folder: Path, winner: str | None) -> bool:
    """Whether the study in a folder went on since the winner in it was trained; False where that cannot be told.

    A study in a database is not asked: the network must be had without it.

    Args:
        folder: Of the search.
        winner: The name of the network whose weights it keeps, if that is known.
    """
    try:
        settings, finals = read_settings(folder), read_finals(folder)
        if finals is None or not (folder / STUDY).is_file():
            return False
        network = next((each for each in finals.networks if each.name == finals.winner), None)
        if winner not in (None, finals.winner) or network is None or not network.done:
            return True
        goal = Goal.of(settings["objectives"], settings["limits"])
        study = open_study(folder / STUDY, goal, read_only=True)
    except NasturtiumError:
        return False
    try:
        return earlier(finals, study, noted(study, settings.get("recommended")))
    finally:
        study.close()
