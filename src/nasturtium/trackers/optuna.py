"""A study for Optuna's dashboard: a copy of its trials in an Optuna storage. Nothing is read back."""

from __future__ import annotations

import datetime
import math
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nasturtium.errors import MissingExtra, StudyError
from nasturtium.study.folder import scrubbed
from nasturtium.trackers.fields import Plain, varying_fields
from nasturtium.trackers.reading import Times, Tracked, read_tracked
from nasturtium.trial import State, Trial

if TYPE_CHECKING:
    from optuna.trial import FrozenTrial

OURS = "nasturtium"
STATES = {
    State.WAITING: "WAITING",
    State.RUNNING: "RUNNING",
    State.LOST: "RUNNING",
    State.COMPLETE: "COMPLETE",
    State.STOPPED: "PRUNED",
    State.FAILED: "FAIL",
    State.INFEASIBLE: "FAIL",
}
"""Optuna knows no infeasible trials that gave no value; the attribute ``state`` says which failed ones these are."""
LACKING = "it has no score {}, by which the study is judged since"
"""Of a complete trial from before the objectives were changed. To Optuna it failed, as it has no value to show."""


def export(folder: str | Path, storage_url: str, name: str | None = None, store: str | None = None) -> int:
    """Copies the study of a folder to an Optuna storage, in place of an earlier copy.

    Values, directions and states go over as such, what the architectures differ in as categorical parameters, the
    learning curve of the first objective as intermediate values, all else as user attributes. A complete trial that
    lacks a score by which the study is judged since is a failed one there, with that as its reason.

    Args:
        folder: The folder of a search.
        storage_url: As Optuna takes it, such as ``sqlite:///optuna.db``; then ``optuna-dashboard`` shows it.
        name: What the study is called there; the name of the folder if not given.
        store: URL of the database that keeps the trials; if None the one in the settings, else the file in the folder.

    Returns:
        How many trials were copied.

    Raises:
        MissingExtra: If Optuna is not installed.
        StudyError: If there is no study, the storage cannot be written, or holds another study of that name.
    """
    try:
        import optuna
    except ImportError:
        raise MissingExtra("optuna", "optuna") from None
    import sqlalchemy as sa

    tracked = read_tracked(Path(folder), store)
    before = optuna.logging.get_verbosity()
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    try:
        fields = varying_fields(tracked.study.trials)
        choices = choices_of(fields)
        whole = zip(tracked.study, tracked.times, fields, strict=True)
        trials = [frozen(trial, times, differs, choices, tracked) for trial, times, differs in whole]
        made = fresh(tracked, storage_url, name or tracked.name)  # removes an earlier copy, so all else is ready
        made.add_trials(trials)
    except (sa.exc.SQLAlchemyError, optuna.exceptions.StorageInternalError, ImportError) as error:
        shown = scrubbed(storage_url)
        raise StudyError(f"cannot write to the Optuna storage {shown}: {str(error).splitlines()[0]}") from None
    finally:
        optuna.logging.set_verbosity(before)
    return len(fields)


def fresh(tracked: Tracked, storage_url: str, name: str) -> Any:
    """An empty Optuna study; an earlier copy of ours is removed, another study is not."""
    import optuna

    there = {each.study_name: each for each in optuna.get_all_study_summaries(storage_url)}
    if name in there:
        if OURS not in there[name].user_attrs:
            shown = scrubbed(storage_url)
            raise StudyError(f"{shown} has a study {name!r} that is not a copy of ours; give another name")
        optuna.delete_study(study_name=name, storage=storage_url)
    up, down = optuna.study.StudyDirection.MAXIMIZE, optuna.study.StudyDirection.MINIMIZE
    directions = [up if each.maximise else down for each in tracked.goal.objectives]
    made = optuna.create_study(storage=storage_url, study_name=name, directions=directions)
    made.set_metric_names([each.metric for each in tracked.goal.objectives])
    made.set_user_attr(OURS, str(tracked.folder.resolve()))
    for key in ("task", "space", "strategy", "seed", "limits", "summary"):
        if key in tracked.settings:
            made.set_user_attr(key, tracked.settings[key])
    return made


def choices_of(fields: list[dict[str, Plain]]) -> dict[str, tuple[Plain, ...]]:
    """What each place can hold: numbers in order, or texts where not all are numbers."""
    found: dict[str, dict[str, Plain]] = {}
    for each in fields:
        for place, value in each.items():
            found.setdefault(place, {})[repr(value)] = value
    choices: dict[str, tuple[Plain, ...]] = {}
    for place, values in found.items():
        numbers = [value for value in values.values() if isinstance(value, int | float) and not isinstance(value, bool)]
        choices[place] = (
            tuple(sorted(numbers)) if len(numbers) == len(values) else tuple(sorted(map(str, values.values())))
        )
    return choices


def frozen(
    trial: Trial, times: Times, differs: Mapping[str, Plain], choices: Mapping[str, tuple[Plain, ...]], tracked: Tracked
) -> FrozenTrial:
    """One trial as Optuna keeps it."""
    from optuna.distributions import CategoricalDistribution
    from optuna.trial import FrozenTrial, TrialState

    state = TrialState["FAIL" if lacking(trial, tracked) else STATES[trial.state]]
    params = {place: value if value in choices[place] else str(value) for place, value in differs.items()}
    complete = state is TrialState.COMPLETE
    return FrozenTrial(
        number=trial.number,
        state=state,
        value=None,
        values=[trial.scores[each.metric] for each in tracked.goal.objectives] if complete else None,
        datetime_start=None if state is TrialState.WAITING else moment(times.started or times.asked),
        datetime_complete=moment(times.ended) if state.is_finished() else None,
        params=params if state is not TrialState.WAITING else {},
        distributions={place: CategoricalDistribution(choices[place]) for place in params}
        if state is not TrialState.WAITING
        else {},
        user_attrs=attributes(trial, tracked),
        system_attrs={},
        intermediate_values=curve(trial, tracked.goal.objectives[0].metric),
        trial_id=trial.number,
    )


def lacking(trial: Trial, tracked: Tracked) -> str:
    """What a complete trial lacks that the study has come to need; strategies are told of it as failed, too."""
    missing = tracked.goal.missing(trial.scores) if trial.state is State.COMPLETE else []
    return LACKING.format(", ".join(missing)) if missing else ""


def curve(trial: Trial, metric: str) -> dict[int, float]:
    """The reports of one metric by step."""
    points = {int(point["step"]): float(point[metric]) for point in trial.curve if metric in point}
    return {step: value for step, value in points.items() if math.isfinite(value)}


def attributes(trial: Trial, tracked: Tracked) -> dict[str, Any]:
    """All that Optuna has no place of its own for."""
    known = not tracked.goal.missing(trial.scores)
    reason = "; ".join(filter(None, [trial.reason, lacking(trial, tracked)]))
    return {
        "state": trial.state.value,
        "architecture": str(trial.architecture),
        "budget": trial.budget,
        "seconds": trial.seconds,
        **({"reason": reason} if reason else {}),
        **({"keeps limits": bool(tracked.goal.feasible(trial.scores))} if known and tracked.goal.limits else {}),
        **{f"score {name}": value for name, value in trial.scores.items()},
    }


def moment(at: float | None) -> datetime.datetime | None:
    """A local time, as Optuna keeps it."""
    return None if at is None else datetime.datetime.fromtimestamp(at)
