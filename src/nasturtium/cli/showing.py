"""``nasturtium show``: a study in the terminal, read without torch."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nasturtium.errors import StudyError
from nasturtium.objective import Goal

if TYPE_CHECKING:
    from nasturtium.study import Study

WIDTH = 100
"""Width of tables where there is no terminal."""


def show_study(folder: Path, top: int) -> None:
    """Print a table of the best trials, how trials ended, the final scores and the places of the files."""
    from rich.console import Console

    from nasturtium.searching import SETTINGS, STUDY, no_winner, winner
    from nasturtium.study import open_study

    settings = read_settings(folder / SETTINGS)
    goal = Goal.of(settings["objectives"], settings["limits"])
    study = open_study(folder / STUDY, goal, read_only=True)
    console = Console(soft_wrap=True)
    if not console.is_terminal:
        console.width = WIDTH
    try:
        console.print(f"[bold]{settings['summary']}[/]", highlight=False)
        console.print(ending_line(study), highlight=False)
        best = winner(study)
        if best is None:
            console.print(no_winner(study), highlight=False)
        else:
            console.print(best_table(study, top))
            console.print(f"best: trial {best.number}\n  {best.architecture}", highlight=False, markup=False)
    finally:
        study.close()
    say_final(console, folder)
    console.print(f"study: {folder / STUDY}", highlight=False)


def read_settings(path: Path) -> dict[str, Any]:
    """What a search noted beside its study.

    Raises:
        StudyError: If there is no study, or the note cannot be read.
    """
    try:
        settings = json.loads(path.read_text())
    except FileNotFoundError:
        raise StudyError(f"there is no study in {path.parent}; 'nasturtium search ... --out DIR' makes one") from None
    except (OSError, ValueError) as error:
        raise StudyError(f"cannot read {path}: {error}; run the search again to write it anew") from None
    if not isinstance(settings, dict) or not {"objectives", "limits", "summary"} <= settings.keys():
        raise StudyError(f"{path} is not what a search writes; run the search again to write it anew")
    return settings


def ending_line(study: Study) -> str:
    """How many trials ended in which way."""
    counts = ", ".join(f"{count} {state}" for state, count in study.counts.items() if count)
    return f"{len(study)} trials: {counts or 'none yet'}"


def best_table(study: Study, top: int) -> Any:
    """The best trials as a table."""
    from rich.table import Table

    from nasturtium.searching import leading

    trials = leading(study, top)
    wanted = [objective.metric for objective in study.goal.objectives]
    names = list(dict.fromkeys([*wanted, *(n for n in ("accuracy", "rmse", "valid_loss") if n in trials[0].scores)]))
    names += [name for name in ("params", "flops") if name in trials[0].scores and name not in names]
    table = Table("trial", *names, "seconds", title=f"the best {len(trials)} (validation scores)", title_justify="left")
    for trial in trials:
        cells = [number_text(trial.scores.get(name, math.nan)) for name in names]
        table.add_row(str(trial.number), *cells, f"{trial.seconds:.1f}")
    return table


def number_text(value: float) -> str:
    """A number as people read it: 0.9876, 12,345, 1.2M."""
    if not math.isfinite(value):
        return str(value)
    if value >= 1e6:
        return f"{value / 1e6:.3g}M"
    return f"{value:,.0f}" if value == int(value) and abs(value) >= 10 else f"{value:.4f}"


def say_final(console: Any, folder: Path) -> None:
    """The test scores of the final training, if there was one."""
    from nasturtium.final import WEIGHTS, read_best

    best = read_best(folder)
    if best is None:
        return
    scores = best["scores"]
    main = f"test_{best['metric']}"
    spread = f" ± {scores[main + '_sd']:.4f} over {best['seeds']} trainings" if f"{main}_sd" in scores else ""
    others = ", ".join(f"{n.removeprefix('test_')} {number_text(v)}" for n, v in scores.items()
                       if n != main and not n.endswith("_sd"))  # fmt: skip
    console.print(f"test {best['metric']}: {scores[main]:.4f}{spread} ({others})", highlight=False)
    console.print(f"weights: {folder / WEIGHTS}", highlight=False)
