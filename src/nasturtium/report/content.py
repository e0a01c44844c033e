"""The tables of a report as rows of text, for the page and for the terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nasturtium.final.results import Finals
from nasturtium.report.endings import MEANINGS, Ending, trials_text
from nasturtium.report.finals import metrics_of, ordered
from nasturtium.report.numbers import number_text, seconds_text
from nasturtium.report.reading import Reading
from nasturtium.trial import Trial

if TYPE_CHECKING:
    from nasturtium.report.importance import Importance

TOP = 10
"""So many of the best trials are shown."""

MOST_ROWS = 500
"""So many trials are shown at most."""

Rows = list[tuple[str, ...]]


def status_text(reading: Reading) -> str:
    """How many trials ended in which way, and how long they ran."""
    study = reading.study
    counts = ", ".join(f"{count:,} {state}" for state, count in study.counts.items() if count)
    noun = "trial" if len(study) == 1 else "trials"
    spent = sum(trial.seconds for trial in study.trials)
    ran = f"; {seconds_text(spent)} of training in all" if spent else ""
    return f"{len(study):,} {noun}: {counts or 'none yet'}{ran}"


def shown_metrics(reading: Reading) -> list[str]:
    """The metrics in tables of trials: the objectives, the task's, the validation loss, costs, proxies."""
    held = {name for trial in reading.study.trials for name in trial.scores}
    task = str(reading.settings.get("metric"))
    names = [each.metric for each in reading.goal.objectives]
    names += [each.metric for each in reading.goal.limits]
    names += [name for name in (task, "valid_loss", "params", "flops", "latency_ms") if name in held]
    names += sorted(name for name in held if name.startswith("proxy_"))
    return list(dict.fromkeys(names))


def trials_header(reading: Reading) -> tuple[str, ...]:
    """The columns of tables of trials."""
    return ("trial", *shown_metrics(reading), "seconds")


def best_rows(reading: Reading, count: int) -> Rows:
    """The best trials by validation, each architecture once."""
    metrics = shown_metrics(reading)
    return [_row(trial, metrics) for trial in reading.leaders(count)]


def all_rows(reading: Reading) -> Rows:
    """The trials by number, with their states and budgets; at most ``MOST_ROWS``."""
    metrics = shown_metrics(reading)
    made: Rows = []
    for trial in reading.study.trials[:MOST_ROWS]:
        number, *rest = _row(trial, metrics)
        made.append((number, str(trial.state), f"{trial.budget:g}", *rest))
    return made


def _row(trial: Trial, metrics: list[str]) -> tuple[str, ...]:
    scores = [number_text(trial.scores.get(name)) for name in metrics]
    return (str(trial.number), *scores, f"{trial.seconds:.1f}")


def ending_rows(found: list[Ending]) -> Rows:
    """How trials ended, a row for each state and reason."""
    rows: Rows = []
    for each in found:
        reason = each.headline or MEANINGS[each.state]
        which = trials_text(each.trials)
        rows.append((str(each.state), f"{len(each.trials):,}", seconds_text(each.seconds), reason, which))
    return rows


def finals_rows(finals: Finals) -> Rows:
    """The networks of the final training: name, kind, mean, sd, interval, runs, parameters."""
    rows: Rows = []
    for each in ordered(finals):
        done = sum(run.state == "complete" for run in each.runs)
        interval = "–" if each.interval is None else " to ".join(number_text(end) for end in each.interval)
        spread = (number_text(each.mean), number_text(each.sd), interval)
        rows.append((each.name, each.role, *spread, f"{done}/{len(each.runs)}", number_text(each.params)))
    return rows


def runs_table(finals: Finals) -> tuple[tuple[str, ...], Rows]:
    """Every final training with all its scores: header and rows."""
    metrics = metrics_of(finals)
    rows: Rows = []
    for network in ordered(finals):
        for run in network.runs:
            scores = [number_text(run.scores.get(name)) for name in metrics]
            why = f"{run.state}{f': {run.reason.splitlines()[0]}' if run.reason else ''}"
            rows.append((network.name, str(run.seed), *scores, seconds_text(run.seconds or None), why))
    return ("network", "seed", *metrics, "time", "end"), rows


def option_rows(importance: Importance) -> Rows:
    """The options of a decision: how many trials took each, the mean and the spread of their scores."""
    return [
        (level.text, str(level.count), number_text(level.mean), number_text(level.sd)) for level in importance.levels
    ]
