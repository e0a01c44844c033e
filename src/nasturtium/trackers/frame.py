"""Trials as a table: a polars frame, one row a trial, and CSV."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nasturtium.errors import StudyError
from nasturtium.trial import Trial

if TYPE_CHECKING:
    import polars


def frame(trials: Sequence[Trial], *, decisions: bool = False) -> polars.DataFrame:
    """One row for each trial, by number.

    Args:
        trials: Of a study or of ``result.trials``.
        decisions: Whether to add a column ``field_<place>``, as text, for everything in which architectures differ.

    Returns:
        Columns ``number``, ``state``, ``architecture`` (text), ``budget``, ``seconds``, ``reason``, ``parent``,
        ``reports`` (length of the learning curve), and ``score_<metric>`` for each metric that any trial has.
    """
    import polars

    metrics = list(dict.fromkeys(name for trial in trials for name in trial.scores))
    columns: dict[str, Any] = {
        "number": [trial.number for trial in trials],
        "state": [trial.state.value for trial in trials],
        "architecture": [str(trial.architecture) for trial in trials],
        "budget": [float(trial.budget) for trial in trials],
        "seconds": [trial.seconds for trial in trials],
        "reason": [trial.reason for trial in trials],
        "parent": [trial.parent for trial in trials],
        "reports": [len(trial.curve) for trial in trials],
    }
    columns |= {f"score_{name}": [number(trial.scores.get(name)) for trial in trials] for name in metrics}
    types: dict[str, Any] = {"number": polars.Int64, "parent": polars.Int64, "reports": polars.Int64}
    types |= dict.fromkeys(("state", "architecture", "reason"), polars.String)
    made = polars.DataFrame(
        {name: polars.Series(name, values, types.get(name, polars.Float64)) for name, values in columns.items()}
    )
    return made.hstack(field_columns(trials)) if decisions and trials else made


def number(value: float | None) -> float | None:
    """A score as a float."""
    return None if value is None else float(value)


def field_columns(trials: Sequence[Trial]) -> list[polars.Series]:
    """The fields in which architectures differ, as text."""
    import polars

    from nasturtium.trackers.fields import varying_fields

    rows = varying_fields(trials)
    places = list(dict.fromkeys(place for row in rows for place in row))
    return [
        polars.Series(f"field_{place}", [str(row[place]) if place in row else None for row in rows], polars.String)
        for place in places
    ]


def write_csv(trials: Sequence[Trial], path: Path, *, decisions: bool = True) -> None:
    """Writes :func:`frame` as CSV.

    Raises:
        StudyError: If the file cannot be written.
    """
    try:
        frame(trials, decisions=decisions).write_csv(path)
    except OSError as error:
        raise StudyError(f"cannot write {path}: {error.strerror or error}; give another file") from None
