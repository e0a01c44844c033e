"""Settings: what a search notes beside its study, so that it can be shown and repeated without its data."""

from __future__ import annotations

import json
import platform
import sys
from collections.abc import Mapping
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from nasturtium.errors import StudyError
from nasturtium.objective import Goal
from nasturtium.space import Space
from nasturtium.space.architecture import to_json_signal
from nasturtium.study.folder import SETTINGS, scrubbed
from nasturtium.tasks import Task
from nasturtium.writing import replacing

PACKAGES = ("nasturtium", "torch", "numpy", "scikit-learn")


def write_settings(
    out: Path, task: Task, space: Space, goal: Goal, header: Mapping[str, Any], options: Mapping[str, Any]
) -> None:
    """Note how a study was made.

    Args:
        out: Folder of the study.
        task: Its data.
        space: Its space.
        goal: What is optimised under which limits.
        header: What must not change, and what else is to be noted.
        options: Those that the space was made with; noted if JSON can say them.

    Raises:
        StudyError: If the folder cannot be written.
    """
    content = {"signals": [to_json_signal(signal) for signal in task.inputs], "outputs": task.outputs,
               "space_options": _plain(options),
               **header, "summary": task.summary(), "notes": list(task.notes), "metric": task.metric,
               "space": space.name, "objectives": [str(each) for each in goal.objectives],
               "limits": [str(each) for each in goal.limits], "versions": versions(), "command": command()}  # fmt: skip
    try:
        out.mkdir(parents=True, exist_ok=True)
        with replacing(out / SETTINGS) as draft:
            draft.write_text(json.dumps(content, indent=1))
    except OSError as error:
        raise StudyError(f"cannot write to {out}: {error.strerror}; give another folder") from None


def _plain(options: Mapping[str, Any]) -> dict[str, Any] | None:
    """Options as JSON gives them back, or None where it cannot."""
    try:
        again: dict[str, Any] = json.loads(json.dumps(dict(options)))
    except (TypeError, ValueError):
        return None
    return again


def versions() -> dict[str, str]:
    """The releases that a result may depend on."""
    found = {"python": platform.python_version()}
    for name in PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:  # run from a source folder that is not installed
            continue
    return found


def command() -> list[str] | None:
    """The command line, if this is the ``nasturtium`` command; passwords of databases are not in it."""
    program = Path(sys.argv[0])
    ours = program.stem == "nasturtium" or (program.name == "__main__.py" and program.parent.name == "nasturtium")
    return ["nasturtium", *map(scrubbed, sys.argv[1:])] if ours else None
