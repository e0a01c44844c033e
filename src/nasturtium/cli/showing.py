"""``nasturtium show``: a study in the terminal, read without torch."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nasturtium.final.earlier import EARLIER
from nasturtium.final.results import scores_of_tests
from nasturtium.report.content import best_rows, ending_rows, finals_rows, status_text, trials_header
from nasturtium.report.numbers import number_text

if TYPE_CHECKING:
    from nasturtium.report.reading import Reading

WIDTH = 100
"""Width of tables where there is no terminal."""

MATTERED = 5
"""So many decisions are shown."""


@dataclass
class Shown:
    """What is to be shown of a study.

    Attributes:
        top: How many of the best trials.
        importance: Whether to say which decisions mattered, which takes seconds.
        csv: File for all trials.
        store: URL of the database of the study; the file in the folder if None.
    """

    top: int = 5
    importance: bool = False
    csv: Path | None = None
    store: str | None = None


def show(folder: Path, wanted: Shown) -> None:
    """Print what a study holds.

    Raises:
        StudyError: If there is no study, or it cannot be read.
    """
    from nasturtium.report.reading import read_folder

    console = make_console()
    reading = read_folder(folder, wanted.store)
    try:
        console.print(reading.settings["summary"], style="bold", highlight=False, markup=False)
        say_search(console, reading, wanted.top)
        say_endings(console, reading)
        say_finals(console, reading)
        if wanted.importance:
            say_importance(console, reading)
        say_origin(console, reading)
        if wanted.csv is not None:
            from nasturtium.trackers.frame import write_csv

            write_csv(reading.study.trials, wanted.csv, decisions=False)
            line(console, f"wrote {len(reading.study):,} trials to {wanted.csv}")
    finally:
        reading.close()


def make_console() -> Any:
    """Standard output; as wide as the terminal, or 100 columns where there is none."""
    from rich.console import Console

    console = Console(soft_wrap=True)
    if not console.is_terminal:
        console.width = WIDTH
    return console


def line(console: Any, text: str) -> None:
    """Write text as it stands."""
    console.print(text, highlight=False, markup=False)


def table(title: str, header: tuple[str, ...], rows: Sequence[tuple[str, ...]], left: tuple[int, ...] = (0,)) -> Any:
    """A table; the columns that are not at the left are numbers."""
    from rich.markup import escape
    from rich.table import Table

    made = Table(title=escape(title), title_justify="left")
    for place, name in enumerate(header):
        made.add_column(name, justify="left" if place in left else "right", overflow="fold")
    for row in rows:
        made.add_row(*map(escape, row))
    return made


def say_search(console: Any, reading: Reading, top: int) -> None:
    """How many trials ended how, the best of them, and the winner; or why there is none."""
    from nasturtium.errors import NasturtiumError
    from nasturtium.report.reading import FINAL, winner_text

    line(console, status_text(reading))
    rows = best_rows(reading, top)
    if rows:
        count = "the best" if len(rows) == 1 else f"the best {len(rows)}"
        order = ", in the order of what the search learned" if reading.recommended else ""
        console.print(table(f"{count} (validation scores{order})", trials_header(reading), rows))
    try:
        text, number, by = winner_text(reading)
    except NasturtiumError as error:
        line(console, str(error))
        return
    name = "best" if number is None else f"best: trial {number}"
    line(console, f"{name} (by its {by})\n  {text}" if by != FINAL else f"{name}\n  {text}")


def say_endings(console: Any, reading: Reading) -> None:
    """How trials ended and why, where that needs a word."""
    from nasturtium.report.endings import endings

    found = endings(reading.study.trials)
    if any(each.reason for each in found):
        header = ("state", "trials", "time", "why", "which")
        console.print(table("how trials ended", header, ending_rows(found), left=(0, 3, 4)))
        for each in found:
            if len(each.reason.splitlines()) > 1:
                line(console, f"trial {each.trials[0]}: {each.reason}")


def say_finals(console: Any, reading: Reading) -> None:
    """The test scores of the final training and what can be said of them, if there was one."""
    for problem in reading.problems:
        line(console, problem)
    finals = reading.finals
    if finals is None:
        line(console, "no final training was recorded: there are no test scores")
        return
    if reading.earlier:
        line(console, EARLIER)
    if len(finals.networks) > 1:
        header = ("network", "kind", f"test {finals.metric}", "sd", "95 % interval", "runs", "params")
        console.print(table(f"final training, {finals.epochs:g} epochs", header, finals_rows(finals), left=(0, 1)))
    else:
        say_one(console, reading)
    for sentence in finals.verdict:
        line(console, f"- {sentence}")


def say_one(console: Any, reading: Reading) -> None:
    """The test scores of the only network that was trained in the end."""
    finals = reading.finals
    network = finals.networks[0] if finals is not None and finals.networks else None
    if finals is None or network is None or network.mean is None:
        line(console, "no final training was completed: there are no test scores")
        return
    done = [run for run in network.runs if run.state == "complete"]
    spread = "" if network.sd is None else f" ± {network.sd:.4f} over {len(done)} trainings"
    means = scores_of_tests(network, finals.metric)  # of each other metric, too, the mean
    others = [name.removeprefix("test_") for name in (done[0].scores if done else ()) if name != finals.metric]
    more = ", ".join(f"{name} {number_text(means[f'test_{name}'])}" for name in others)
    line(console, f"test {finals.metric}: {network.mean:.4f}{spread}" + (f" ({more})" if more else ""))


def say_importance(console: Any, reading: Reading) -> None:
    """The decisions that mattered most, with the best of their options."""
    from nasturtium.report.page import importance_of

    found, why_not = importance_of(reading)
    if found is None:
        line(console, why_not)
        return
    better = max if reading.objective.maximise else min
    rows = []
    for each in found.ranked[:MATTERED]:
        taken = [level for level in each.levels if level.mean is not None]
        best = better(taken, key=lambda level: level.mean or 0.0)
        share = "–" if each.share is None else f"{each.share:.1%}"
        rows.append((each.feature.name, share, best.text, number_text(best.mean), str(best.count)))
    if rows:
        header = ("what", "share", "best option", f"its mean {reading.metric}", "trials")
        console.print(table("what mattered", header, rows, left=(0, 2)))
    line(console, found.note)


def say_origin(console: Any, reading: Reading) -> None:
    """The command and the versions that made it, and where it lies."""
    from nasturtium.report.reading import WEIGHTS
    from nasturtium.report.repeating import command_text, proxy_text, versions_text

    screening = proxy_text(reading.settings)
    if screening is not None:
        line(console, screening)
    command, versions = command_text(reading.settings), versions_text(reading.settings)
    if command is not None:
        line(console, f"made by: {command}")
    if versions is not None:
        line(console, f"with: {versions}")
    if (reading.folder / WEIGHTS).exists():
        line(console, f"weights: {reading.folder / WEIGHTS}")
    line(console, f"study: {reading.place}")
