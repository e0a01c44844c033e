"""The report of a study: one HTML page that needs no network and no script; its plots also as files."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path
from typing import Any

from nasturtium.errors import NasturtiumError
from nasturtium.report import plots
from nasturtium.report.content import (
    TOP,
    all_rows,
    best_rows,
    ending_rows,
    option_rows,
    runs_table,
    status_text,
    trials_header,
)
from nasturtium.report.endings import endings
from nasturtium.report.features import table_of
from nasturtium.report.figures import Figure, figures
from nasturtium.report.finals import ordered
from nasturtium.report.importance import Importances, importances
from nasturtium.report.numbers import number_text
from nasturtium.report.reading import Reading, read_folder
from nasturtium.report.repeating import call_needs, call_text, command_text, settings_rows, versions_text
from nasturtium.report.winner import winner_of
from nasturtium.writing import write_text

SECTIONS = (
    ("winner", "winner"), ("finals", "test scores"), ("progress", "progress"), ("fronts", "cost"),
    ("curves", "curves"), ("decisions", "what mattered"), ("endings", "how trials ended"), ("trials", "trials"),
    ("repeat", "repeat"), ("notes", "notes"),
)  # fmt: skip
"""Where the links at the top lead, and what they say."""

DECISIONS = 20
"""Options are shown of so many decisions."""


def write_report(folder: Path, out: Path, store: str | None = None) -> None:
    """Write the report of the study in a folder.

    Args:
        folder: What ``nasturtium search ... --out`` wrote; files of its end may be missing.
        out: The HTML file.
        store: URL of the database that keeps the trials; the file in the folder if None.

    Raises:
        StudyError: If there is no study, or the file cannot be written.
    """
    reading = read_folder(folder, store)
    try:
        page = render(reading)
    finally:
        reading.close()
    write_text(out, page)


def write_plots(folder: Path, into: Path, store: str | None = None) -> list[Path]:
    """Write each plot of a study, and the drawing of its winner, as an SVG file of its own.

    Returns:
        The files.

    Raises:
        StudyError: If there is no study, or a file cannot be written.
    """
    reading = read_folder(folder, store)
    try:
        importance, _ = importance_of(reading)
        pictures = {figure.name: figure.svg(True) for figure in figures(reading, importance)}
        drawing = winner_of(reading).drawing
    finally:
        reading.close()
    if drawing is not None:
        pictures["winner"] = drawing
    written = [into / f"{name}.svg" for name in pictures]
    for path, text in zip(written, pictures.values(), strict=True):
        write_text(path, text)
    return written


def importance_of(reading: Reading) -> tuple[Importances | None, str]:
    """Which decisions mattered; or why that cannot be said."""
    if not reading.scored():
        return None, "no trial gave a score, so nothing can be said of what mattered"
    try:
        return importances(table_of(reading)), ""
    except NasturtiumError as error:
        return None, " ".join(str(error).split())


def render(reading: Reading) -> str:
    """The page as text."""
    import jinja2

    environment = jinja2.Environment(autoescape=True, trim_blocks=True, undefined=jinja2.StrictUndefined)
    template = environment.from_string(_resource("page.html.j2"))
    importance, why_not = importance_of(reading)
    made = figures(reading, importance)
    return template.render(
        **_heads(reading), **_tables(reading), figures=made, has=lambda group: _has(made, group), importance=importance,
        why_no_importance=why_not, kind=_kind(importance), shown=DECISIONS, option_rows=option_rows,
        style=f"{_resource('page.css')}{plots.STYLE}", number=number_text,
    )  # fmt: skip


def _heads(reading: Reading) -> dict[str, Any]:
    from nasturtium import __version__

    settings = reading.settings
    task = settings.get("task") or str(settings["summary"]).split(":")[0]
    return {
        "reading": reading, "folder": str(reading.folder), "release": __version__, "sections": SECTIONS,
        "title": f"Search of {task} in {settings.get('space', 'a space of its own')}", "metric": reading.metric,
        "status": status_text(reading), "winner": winner_of(reading), "command": command_text(settings),
        "call": call_text(settings), "call_needs": call_needs(settings),
        "versions": versions_text(settings), "settings_rows": settings_rows(reading),
    }  # fmt: skip


def _tables(reading: Reading) -> dict[str, Any]:
    header, runs = ((), ()) if reading.finals is None else runs_table(reading.finals)
    found = endings(reading.study.trials)
    return {
        "networks": [] if reading.finals is None else ordered(reading.finals),
        "runs_header": header,
        "runs": runs,
        "endings": found,
        "ending_rows": ending_rows(found),
        "trials_header": trials_header(reading),
        "best_rows": best_rows(reading, TOP),
        "all_rows": all_rows(reading),
    }


def _has(made: list[Figure], group: str) -> bool:
    return any(figure.group == group for figure in made)


def _kind(importance: Importances | None) -> str:
    ordered_features = importance is not None and any(each.feature.ordered for each in importance.ranked)
    return "operations" if ordered_features else "decisions"


def _resource(name: str) -> str:
    return files("nasturtium.report").joinpath(name).read_text(encoding="utf-8")
