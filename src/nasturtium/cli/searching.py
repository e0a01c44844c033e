"""``nasturtium search``: from the options to a search, and what is said when it ends."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path
from time import monotonic
from typing import Any

from nasturtium.errors import NasturtiumError


@dataclass
class Asked:
    """The options of a search as they were given."""

    task: str
    space: str | None
    strategy: str | None
    trials: int | None
    epochs: int
    workers: int
    objectives: list[str]
    limits: list[str]
    start: list[str]
    time: str | None
    trial_time: str | None
    seed: int
    out: Path | None
    device: str | None
    quiet: bool
    distil: list[str] | None
    task_options: dict[str, Any]
    final: dict[str, Any]


def run_search(asked: Asked) -> int:
    """Search, then show the best five and where the study lies; gives the exit code."""
    begun = monotonic()  # before anything is imported or loaded: that counts, too
    from nasturtium import spaces, strategies, tasks
    from nasturtium.estimators.distillation import read_distillation
    from nasturtium.searching import duration, search

    seconds = duration(asked.time)
    task = tasks.load(asked.task, seed=asked.seed, **asked.task_options)
    space = asked.space or spaces.for_signal(task.inputs[0])
    timed = asked.trials is None and asked.time is not None and asked.epochs > 1
    strategy = asked.strategy or strategies.for_signal(task.inputs[0], max(len(asked.objectives or ()), 1), timed)
    out = asked.out or Path("runs") / f"{task.name}-{space}-{strategy}"
    for line in (task.summary(), *task.notes):
        sys.stderr.write(f"{line}\n")
    result = search(
        task, space, asked.strategy, asked.trials, epochs=asked.epochs, objectives=asked.objectives or None,
        limits=asked.limits, start=[read_start(each) for each in asked.start] or None, workers=asked.workers,
        time=left(seconds, begun), trial_time=asked.trial_time, seed=asked.seed, out=out, device=asked.device,
        quiet=asked.quiet, isolated=True, **asked.final,
        distillation=None if asked.distil is None else read_distillation(asked.distil),
    )  # fmt: skip
    say(out, asked.final.get("store"))
    return 130 if result.ending == "interrupted" else 0


def left(seconds: float | None, begun: float) -> float | None:
    """What is left of a time limit, in hundredths of a second; never nothing, so that something is tried."""
    return None if seconds is None else max(round(seconds - (monotonic() - begun), 2), 0.01)


def read_start(given: str) -> str:
    """The text of an architecture (or its notation, or the name of a member), or that in the file it names."""
    path = Path(given)
    if path.suffix not in (".txt", ".arch") and (len(given) > 255 or not path.is_file()):
        return given
    try:
        return path.read_text(encoding="utf-8").strip()
    except OSError as error:
        raise NasturtiumError(f"cannot read the architecture in {given}: {error.strerror}") from None
    except UnicodeError:
        raise NasturtiumError(
            f"{given} is no text file (UTF-8); give a file with the text of an architecture"
        ) from None


def say(out: Path, store: str | None = None) -> None:
    """Show the best five, the winner and its test scores, and where everything lies."""
    from nasturtium.cli.showing import Shown, show

    show(out, Shown(5, store=store))
