"""``nasturtium show --watch``: a running search, read every second, until it ends."""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from nasturtium.cli.showing import Shown, line, make_console, show, table
from nasturtium.errors import StudyError
from nasturtium.report.content import best_rows, status_text, trials_header
from nasturtium.report.numbers import number_text
from nasturtium.trial import State

if TYPE_CHECKING:
    from nasturtium.report.reading import Reading
    from nasturtium.trial import Trial

SECONDS = 1.0
"""How often the study is read."""

LOCKED = ("study.db", "finals.db")
"""The files whose locks a running search holds, one after the other."""

RUNNING = 8
"""So many running trials are shown."""


def watch_study(folder: Path, wanted: Shown) -> int:
    """Show a search while it runs, and what is wanted of the study once it has ended; Ctrl-C ends the watching alone.

    Raises:
        StudyError: If there is no study, or it cannot be read.
    """
    try:
        follow(folder, wanted.top, wanted.store)
    except KeyboardInterrupt:
        sys.stdout.write("watching ended; the search goes on\n")
        return 0
    show(folder, wanted)
    return 0


def follow(folder: Path, top: int, store: str | None) -> None:
    """Redraw a search every second for as long as it runs."""
    from rich.live import Live

    from nasturtium.report.reading import read_folder

    console, reading = make_console(), read_folder(folder, store)
    try:
        if not running(reading):
            line(console, "no search is running here")
            return
        line(console, "watching; Ctrl-C ends this, not the search")
        with Live(picture(reading, top), console=console, auto_refresh=False, transient=True) as live:
            while running(reading) or settled(reading):
                time.sleep(SECONDS)
                reading.study.refresh()
                live.update(picture(reading, top), refresh=True)
    finally:
        reading.close()


def settled(reading: Reading) -> bool:
    """Whether a search runs after all: between the search and its final trainings nothing may be locked."""
    time.sleep(SECONDS)
    return running(reading)


def running(reading: Reading) -> bool:
    """Whether the driver of a study lives.

    Of a study in a file the locks of the search and of its final trainings say so. Of one in a database the trials
    must do: it runs as long as one is waiting or running.
    """
    from nasturtium.study.folder import STUDY

    if reading.place == str(reading.folder / STUDY):
        return any(held(reading.folder / f"{name}.lock") for name in LOCKED)
    return bool(reading.study.unended)


def held(path: Path) -> bool:
    """Whether a process holds a lock on a file; asks for a shared lock, and lets go of it at once."""
    from nasturtium.study.lock import HELD

    if str(path.resolve()) in HELD:  # this process: opening and closing the file would end its lock
        return True
    try:
        with path.open("rb") as file:
            return not shared(file)
    except FileNotFoundError:
        return False
    except OSError as error:
        raise StudyError(f"cannot read {path}: {error.strerror}; so it cannot be known whether a search runs") from None


if sys.platform == "win32":
    import msvcrt

    def shared(file: IO[bytes]) -> bool:
        """Whether the first byte of a file could be locked."""
        try:
            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        msvcrt.locking(file.fileno(), msvcrt.LK_UNLCK, 1)
        return True
else:
    import fcntl

    def shared(file: IO[bytes]) -> bool:
        """Whether a shared lock could be had."""
        try:
            fcntl.lockf(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except OSError:
            return False
        return True


def picture(reading: Reading, top: int) -> Any:
    """The search as it is now: how far it is, what runs, and the best so far."""
    from rich.console import Group
    from rich.progress_bar import ProgressBar
    from rich.text import Text

    study = reading.study
    wanted = int(reading.settings.get("trials") or 0)
    done = sum(study.counts[state] for state in (State.COMPLETE, State.STOPPED, State.FAILED))
    parts: list[Any] = [Text(str(reading.settings["summary"]), style="bold"), Text(status_text(reading))]
    if wanted:
        parts += [ProgressBar(total=wanted, completed=min(done, wanted), width=60), Text(f"{done} of {wanted} trials")]
    active = [trial for trial in study.unended if trial.state is State.RUNNING]
    if active:
        rows = [(str(trial.number), *_last(reading, trial)) for trial in active[:RUNNING]]
        parts.append(table("running", ("trial", "epoch", reading.metric, "architecture"), rows, left=(0, 3)))
    elif wanted and done >= wanted:
        parts.append(Text("the search is over; the final trainings run"))
    best = best_rows(reading, top)
    if best:
        parts.append(table("the best so far (validation scores)", trials_header(reading), best))
    return Group(*parts)


def _last(reading: Reading, trial: Trial) -> tuple[str, str, str]:
    text = str(trial.architecture)
    text = text if len(text) <= 48 else f"{text[:47]}…"
    if not len(trial.curve):
        return "", "", text
    point = trial.curve[-1]
    return f"{point.get('step', 0):g}", number_text(point.get(reading.metric)), text
