"""The page of a comparison: curves, finals and ranks, in one HTML file that needs no network and no script."""

from __future__ import annotations

from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nasturtium.report import plots
from nasturtium.report.comparison_plots import STYLE, curve_plot, difference_plot, finals_plot, marks
from nasturtium.report.comparison_text import FINAL_HEADER, final_rows, protocol, ranking_sentences
from nasturtium.writing import write_text

if TYPE_CHECKING:
    from nasturtium.comparison import Comparison, Ranking


@dataclass(frozen=True)
class Section:
    """What is shown of one benchmark.

    Attributes:
        name: Its place on the page.
        title: The benchmark.
        about: What is in it, in a sentence.
        svgs: Its plots.
        rows: Its table.
    """

    name: str
    title: str
    about: str
    svgs: tuple[str, ...]
    rows: list[tuple[str, ...]]


def write_comparison(comparison: Comparison, out: Path) -> None:
    """Write the page of a comparison.

    Raises:
        StudyError: If the file cannot be written.
    """
    write_text(out, render(comparison))


def write_difference(comparison: Comparison, out: Path) -> None:
    """Write the plot of critical differences as an SVG file of its own, if there is something to rank.

    Raises:
        StudyError: If the file cannot be written.
    """
    ranks = comparison.ranking()
    if ranks is not None:
        write_text(out, difference_plot(ranks, style=True))


def render(comparison: Comparison) -> str:
    """The page as text."""
    return filled(
        title=f"Comparison of {len(comparison.names)} strategies", protocol=protocol(comparison), kind="strategies",
        names=comparison.names, key=marks(len(comparison.names)), header=FINAL_HEADER,
        caption="At the end of the budget",
        sections=[section(comparison, number) for number in range(len(comparison.facts))],
        **_ranks(comparison.ranking()),
    )  # fmt: skip


def filled(**content: Any) -> str:
    """The page of a comparison, of strategies or of predictors, with its content put in."""
    import jinja2

    from nasturtium import __version__

    environment = jinja2.Environment(autoescape=True, trim_blocks=True, undefined=jinja2.StrictUndefined)
    held = files("nasturtium.report")
    template = environment.from_string(held.joinpath("comparison.html.j2").read_text(encoding="utf-8"))
    css = held.joinpath("page.css").read_text(encoding="utf-8")
    return template.render(release=__version__, style=f"{css}{plots.STYLE}{STYLE}", **content)


def _ranks(ranks: Ranking | None) -> dict[str, Any]:
    if ranks is None:
        return {"ranks": None, "difference": "", "sentences": []}
    return {"ranks": ranks, "difference": difference_plot(ranks), "sentences": ranking_sentences(ranks)}


def section(comparison: Comparison, place: int) -> Section:
    """What is shown of the benchmark at a place."""
    from nasturtium.comparison.results import caution

    facts = comparison.facts[place]
    rows = "answers for its whole space" if facts["rows"] is None else f"{facts['rows']:,} rows"
    about = f"{rows}; strategies see {facts['signal']}; {facts['verdict']} ({facts['split']}) is reported"
    if facts["restricted"]:
        about += "; the table does not hold its whole space, so its rows are searched"
    if caution(facts):
        about += f"; {caution(facts)}"
    whats = ["test"] if facts["verdict"] == facts["signal"] else ["test", "validation"]
    svgs = [curve_plot(comparison, place, what) for what in whats]
    return Section(
        f"benchmark-{place}", facts["title"], f"{about}.", (*svgs, finals_plot(comparison, place)),
        final_rows(comparison, place),
    )  # fmt: skip
