"""The plots of a study: each with a caption and the numbers it shows."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from nasturtium.objective import Objective
from nasturtium.report.axes import axis, robust
from nasturtium.report.finals import ordered
from nasturtium.report.importance import Importances
from nasturtium.report.numbers import number_text, seconds_text
from nasturtium.report.plots import Bar, Plot, bars, whiskers
from nasturtium.report.progress import (
    LEADING,
    Found,
    best_so_far,
    curve_metric,
    curves,
    ended_order,
    front,
    rivals,
)
from nasturtium.report.reading import Reading, times
from nasturtium.trial import Trial

MOST_POINTS = 2_000
"""Of more trials only so many are drawn, evenly spread; the best so far are always drawn."""

TOP_BARS = 10
"""So many decisions are drawn."""

SMALL = 0.001
"""Of smaller shares only three are drawn."""

MINUTES, HOURS = 300.0, 3 * 3600.0


@dataclass(frozen=True, slots=True)
class Figure:
    """A plot with what belongs to it.

    Attributes:
        name: Its file name without ending; also its place on the page.
        group: The section of the page it belongs to.
        title: Its heading.
        svg: Gives the plot; with True as a file of its own.
        caption: What it shows, in sentences.
        header: Names of the columns of its table.
        rows: Its numbers.
    """

    name: str
    group: str
    title: str
    svg: Callable[[bool], str]
    caption: str = ""
    header: tuple[str, ...] = ()
    rows: tuple[tuple[str, ...], ...] = ()


def figures(reading: Reading, importance: Importances | None) -> list[Figure]:
    """All plots for which there is something to show, in the order of the page."""
    made = [final_scores(reading), over_trials(reading), over_time(reading)]
    made += [front_of(reading, other) for other in rivals(reading)]
    made += [learning_curves(reading), decisions(importance)]
    return [figure for figure in made if figure is not None]


def final_scores(reading: Reading) -> Figure | None:
    """The means of the final trainings with their intervals and single runs."""
    finals = reading.finals
    networks = [] if finals is None else [each for each in ordered(finals) if each.mean is not None]
    if finals is None or len(networks) < 2:
        return None
    rows, ends = [], []
    for network in networks:
        values = tuple(network.values(finals.metric))
        mean = network.mean or 0.0
        interval = network.interval or (None if network.sd is None else (mean - network.sd, mean + network.sd))
        name = f"{network.name} (winner)" if network is reading.handed_over else network.name
        rows.append(Bar(name, mean, number_text(mean), interval, values))
        ends += [mean, *values, *(interval or ())]
    title = f"test {finals.metric}"
    about = "; ".join(f"{row.name} {row.text}" for row in rows)
    scale = axis(title, ends)
    caption = "Large dots are means over the trainings, small dots single trainings, lines 95 % bootstrap intervals."
    if not any(network.interval for network in networks):
        caption = "Large dots are means over the trainings, small dots single trainings."
        caption += " Lines are one standard deviation." if any(network.sd is not None for network in networks) else ""
    return Figure("finals", "finals", title, lambda s: whiskers(title, scale, rows, about, s), caption)


def over_trials(reading: Reading) -> Figure | None:
    """The score of each trial and the best so far, over the trials that ended."""
    places = {trial.number: float(place) for place, trial in enumerate(ended_order(reading), 1)}
    return _progress(reading, "progress_trials", "trials that ended", places, whole=True)


def over_time(reading: Reading) -> Figure | None:
    """The same over time."""
    passed = times(reading.study)
    longest = max(passed.values(), default=0.0)
    unit, size = ("hours", 3600.0) if longest > HOURS else ("minutes", 60.0) if longest > MINUTES else ("seconds", 1.0)
    scaled = {number: seconds / size for number, seconds in passed.items()}
    return _progress(reading, "progress_time", f"{unit} of search", scaled)


def _progress(reading: Reading, name: str, across: str, places: dict[int, float], whole: bool = False) -> Figure | None:
    found, trials = best_so_far(reading), [trial for trial in reading.scored() if trial.number in places]
    if not found or not trials:
        return None
    metric, maximise = reading.metric, reading.objective.maximise
    best = {each.number for each in found}
    values = [trial.scores[metric] for trial in trials]
    y = robust(f"validation {metric}", [*values, *(each.value for each in found)], maximise)
    plot = Plot(f"best {metric} so far", axis(across, [0.0, *places.values()], whole=whole), y)
    for trial in thinned(trials):
        plot.point(places[trial.number], trial.scores[metric], "point", _about(trial, metric))
    last = max(places.values())
    line = [(places[each.number], each.value) for each in found]
    plot.line([*line, (last, found[-1].value)], "line c0", steps=True, name="best so far")
    for each in found:
        plot.point(places[each.number], each.value, "point d0", f"trial {each.number}: {number_text(each.value)}", 4.5)
    plot.about = f"Rises from {number_text(found[0].value)} to {number_text(found[-1].value)}" if maximise else (
        f"Falls from {number_text(found[0].value)} to {number_text(found[-1].value)}")  # fmt: skip
    kept = " that keeps all limits" if reading.goal.limits else ""
    caption = f"Dots are trials, the line is the best so far{kept}; {_last(found[-1], len(best))}{_edge(plot)}"
    rows = tuple((f"{e.number}", _place(places[e.number], whole), number_text(e.value)) for e in found)
    return Figure(name, "progress", f"over {across.split(' ')[0] if not whole else 'trials'}", plot.svg, caption,
                  ("trial", across, f"validation {metric}"), rows)  # fmt: skip


def _last(found: Found, count: int) -> str:
    return f"trial {found.number} was the last of {count} to improve it." if count > 1 else "the first stayed the best."


def _place(value: float, whole: bool) -> str:
    return f"{value:.0f}" if whole else f"{value:.1f}"


def front_of(reading: Reading, other: Objective) -> Figure | None:
    """All trials by the first objective and another metric, with those that no other dominates."""
    first, trials = reading.objective, reading.scored()
    trials = [trial for trial in trials if other.metric in trial.scores]
    chosen = front(reading.feasible(), first, other)
    if len(trials) < 2 or not chosen:
        return None
    across = axis(other.metric, [trial.scores[other.metric] for trial in trials], log=True)
    y = robust(f"validation {first.metric}", [trial.scores[first.metric] for trial in trials], first.maximise)
    plot = Plot(f"{first.metric} against {other.metric}", across, y)
    for trial in thinned(trials):
        about = f"{_about(trial, first.metric)}, {other.metric} {number_text(trial.scores[other.metric])}"
        plot.point(trial.scores[other.metric], trial.scores[first.metric], "point", about)
    points = [(trial.scores[other.metric], trial.scores[first.metric]) for trial in chosen]
    plot.line(points, "line c1", steps=not other.maximise, name="front")
    for trial, point in zip(chosen, points, strict=True):
        plot.point(*point, "point d1", f"{_about(trial, first.metric)}, {other.metric} {number_text(point[0])}", 4.5)
    plot.about = f"{len(chosen)} of {len(trials)} trials are on the front"
    word = "large" if other.maximise else "small"
    caption = "On the line are trials that no other beats in one of the two without losing in the other; "
    caption += f"{word} {other.metric} is good."
    rows = tuple(
        (f"{t.number}", number_text(x), number_text(value)) for t, (x, value) in zip(chosen, points, strict=True)
    )
    header = ("trial", other.metric, f"validation {first.metric}")
    title = f"{first.metric} against {other.metric}"
    return Figure(f"front_{other.metric}", "fronts", title, plot.svg, f"{caption}{_edge(plot)}", header, rows)


def learning_curves(reading: Reading) -> Figure | None:
    """The curves of the best trials in colour, of some others behind them."""
    metric = curve_metric(reading)
    drawn = [] if metric is None else curves(reading, metric)
    if metric is None or not drawn:
        return None
    from nasturtium.objective import MAXIMISE

    leaders = [trial.number for trial in reading.leaders(LEADING)]
    maximise = MAXIMISE.get(metric.removeprefix("valid_").removeprefix("train_"), reading.objective.maximise)
    values = [value for _, points in drawn for _, value in points]
    steps = [step for _, points in drawn for step, _ in points]
    plot = Plot("learning curves", axis("epoch", steps, whole=True), robust(metric, values, maximise))
    for trial, points in reversed(drawn):
        place = leaders.index(trial.number) if trial.number in leaders else None
        style = "thin" if place is None else f"line c{place}"
        if len(points) > 1:
            plot.line(points, style, name=f"trial {trial.number}")
        plot.point(*points[-1], "point" if place is None else f"point d{place}", f"trial {trial.number}", 3)
    for place, number in enumerate(leaders):
        plot.named(f"{number}", f"c{place}")
    plot.about = f"The curves of {len(drawn)} trials; the best is trial {leaders[0]}" if leaders else ""
    shown = f"{len(drawn)} of {len(reading.study):,} trials; the best {len(leaders)} in colour, by their numbers"
    ended = tuple((f"{t.number}", f"{p[-1][0]:g}", number_text(p[0][1]), number_text(p[-1][1])) for t, p in drawn)
    return Figure("learning_curves", "curves", "learning curves", plot.svg, f"{shown}.{_edge(plot)}",
                  ("trial", "epochs", f"first {metric}", f"last {metric}"), ended)  # fmt: skip


def decisions(importance: Importances | None) -> Figure | None:
    """The shares of the decisions that matter most."""
    if importance is None or importance.explained is None:
        return None
    ranked = [
        each for place, each in enumerate(importance.ranked[:TOP_BARS]) if place < 3 or (each.share or 0) >= SMALL
    ]
    rows = [Bar(each.feature.name, each.share or 0.0, f"{each.share or 0.0:.1%}") for each in ranked]
    title = "share of the variance explained by one alone"
    about = "; ".join(f"{row.name} {row.text}" for row in rows)
    return Figure("importance", "decisions", "which mattered", lambda style: bars(title, rows, about, style))


def thinned(trials: list[Trial]) -> list[Trial]:
    """At most ``MOST_POINTS`` of the trials, evenly spread."""
    return trials[:: max(1, -(-len(trials) // MOST_POINTS))]


def _about(trial: Trial, metric: str) -> str:
    return f"trial {trial.number}: {number_text(trial.scores[metric])} ({seconds_text(trial.seconds)})"


def _edge(plot: Plot) -> str:
    if not plot.beyond:
        return ""
    many = f"{plot.beyond} trials far worse than the others are drawn as triangles"
    return f" {many if plot.beyond > 1 else 'One trial far worse than the others is drawn as a triangle'} at the edge."
