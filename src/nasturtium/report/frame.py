"""All trials of a study as a table: for polars and for CSV files."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from nasturtium.errors import StudyError

if TYPE_CHECKING:
    import polars

    from nasturtium.study import Study


def trials_frame(study: Study) -> polars.DataFrame:
    """The trials by number, a row each; one column for each score, null where a trial has none.

    Columns: ``trial``, ``state``, ``budget``, ``seconds``, ``parent``, ``copy_of`` (the trial whose scores it was
    given), the scores by their names (those that are called like another column with ``score_`` before it),
    ``reason``, ``architecture``.
    """
    import polars

    trials = study.trials
    columns: dict[str, polars.Series] = {}

    def add(name: str, values: list[object], kind: type[polars.DataType]) -> None:
        columns[name] = polars.Series(name, values, dtype=kind)

    add("trial", [trial.number for trial in trials], polars.Int64)
    add("state", [str(trial.state) for trial in trials], polars.String)
    add("budget", [float(trial.budget) for trial in trials], polars.Float64)
    add("seconds", [trial.seconds for trial in trials], polars.Float64)
    add("parent", [trial.parent for trial in trials], polars.Int64)
    add("copy_of", [study.copies.get(trial.number) for trial in trials], polars.Int64)
    for score in dict.fromkeys(name for trial in trials for name in trial.scores):
        name = f"score_{score}" if score in (*columns, "reason", "architecture") else score
        add(name, [trial.scores.get(score) for trial in trials], polars.Float64)
    add("reason", [trial.reason for trial in trials], polars.String)
    add("architecture", [str(trial.architecture) for trial in trials], polars.String)
    return polars.DataFrame(columns)


def write_csv(study: Study, path: Path) -> None:
    """Write all trials as a CSV file, with a header.

    Raises:
        StudyError: If it cannot be written.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        trials_frame(study).write_csv(path)
    except OSError as error:
        raise StudyError(f"cannot write {path}: {error.strerror or error}; give another --csv") from None
