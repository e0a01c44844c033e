"""Writes the page of the comparisons on event sequences from the cells that are kept."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import event_tasks
import numpy as np
from event_cells import Kept
from pages import grid, made_by, put

from nasturtium.final.results import Comparison, Finals, Network, Run
from nasturtium.final.verdict import compare
from nasturtium.objective import parse_objective
from nasturtium.tasks import Task

PACKAGES = ("torch", "scikit-learn", "numpy")
WIDTH = 100
"""Characters of an architecture that are shown."""


def finals_of(task: Task, kept: Kept, contestants: Sequence[str], key: dict[str, Any]) -> Finals | None:
    """The tests of all contestants of a task, compared with the first of them; None where that is missing."""
    networks, outputs = [], {}
    for name in contestants:
        rows = sorted(kept.rows(kind="test", dataset=task.name, contestant=name, **key), key=lambda row: row["seed"])
        tuned = kept.rows(kind="tuned", dataset=task.name, contestant=name, **key)
        if not rows or not tuned:
            continue
        runs = [Run(row["seed"], "complete", row["cpu"], "", row["scores"]) for row in rows]
        kind = "finalist" if name == contestants[0] else "baseline"
        networks.append(Network(name, kind, None, tuned[-1]["text"], tuned[-1]["valid"], runs=runs))
        outputs[name] = [np.load(kept.place(row), allow_pickle=False) for row in rows]
    if not networks or networks[0].name != contestants[0]:
        return None
    maximise = parse_objective(task.objective).maximise
    seeds = [run.seed for run in networks[0].runs]
    finals = Finals(task.metric, maximise, 0, seeds, networks, contestants[0])
    compare(finals, task, outputs)
    return finals


def shown(network: Network | None, best: float) -> str:
    """A mean with its spread, set off if none is better."""
    if network is None or network.mean is None:
        return "–"
    text = f"{network.mean:.3f}" + ("" if network.sd is None else f" ± {network.sd:.3f}")
    return f"**{text}**" if network.mean == best else text


def verdict(pair: Comparison) -> str:
    """How the first contestant stands to another."""
    low, high = pair.interval
    word = "better" if pair.ahead else "worse" if pair.behind else "within noise"
    return f"{pair.difference:+.3f} ({low:+.3f} to {high:+.3f}) against {pair.second}: {word}"


def scores(found: dict[str, Finals], contestants: Sequence[str]) -> str:
    """Test scores, one line a data set."""
    lines = []
    for name, finals in found.items():
        there = {network.name: network for network in finals.networks}
        means = [network.mean for network in finals.networks if network.mean is not None]
        best = max(means) if finals.maximise else min(means)
        marks = [shown(there.get(contestant), best) for contestant in contestants]
        lines.append([name, finals.metric, *marks, event_tasks.REFERENCE[name]])
    return grid(["data set", "metric", *contestants, "known before"], lines)


def standings(found: dict[str, Finals]) -> str:
    """The first contestant against the best of the others on each data set."""
    lines = []
    for name, finals in found.items():
        pairs = {pair.second: pair for pair in finals.comparisons}
        same = f"{finals.networks[0].name}, "  # what the same search found, trained otherwise in the end
        others = [network for network in finals.networks if network.name in pairs and not network.name.startswith(same)]
        if not others:
            continue
        best = max(others, key=lambda other: (other.mean or 0.0) * (1 if finals.maximise else -1))
        lines.append([name, verdict(pairs[best.name])])
    return grid(["data set", "against the best other"], lines)


def winners(found: dict[str, Finals], kept: Kept, key: dict[str, Any]) -> str:
    """What was chosen by validation, and what it cost."""
    lines = []
    for dataset in found:
        for row in kept.rows(kind="tuned", dataset=dataset, **key):
            tests = kept.rows(kind="test", dataset=dataset, contestant=row["contestant"], **key)
            cost = f"{np.mean([each['cpu'] for each in tests]):.0f} s" if tests else "–"
            text = row["text"] if len(row["text"]) <= WIDTH else row["text"][:WIDTH] + " ..."
            lines.append([dataset, row["contestant"], f"{row['valid']:.3f}", str(row["trials"]), f"{row['cpu']:.0f} s",
                          f"{row['epochs']:g}", f"{row['params']:,.0f}", cost, f"`{text}`"])  # fmt: skip
    header = ["data set", "contestant", "validation", "trials", "CPU", "epochs", "parameters", "final training", "what"]
    return grid(header, lines)


def write_page(
    page: Path, title: str, kept: Kept, folder: Path, minutes: float, contestants: Sequence[str], search_seed: int
) -> None:
    """Write all that is there for a budget to a page."""
    key = {"minutes": minutes, "search_seed": search_seed}
    found: dict[str, Finals] = {}
    for name in event_tasks.TASKS:
        if event_tasks.there(name, folder) and kept.rows(kind="test", dataset=name, **key):
            finals = finals_of(event_tasks.load(name, folder), kept, contestants, key)
            found |= {} if finals is None else {name: finals}
    if not found:
        raise SystemExit(f"nothing of {contestants[0]} at {minutes:g} minutes is there to be shown")
    first = contestants[0]
    made = made_by(PACKAGES, {str(folder): "DATA", str(kept.folder): "OUT", str(page): "PAGE"}, without=["--only-page"])
    put(
        page,
        title,
        f"""{made}

Each contestant was tuned for {minutes:g} minutes of CPU time on train, judged on valid, and what was best there trained
on train + valid with each seed and scored once on test: mean and standard deviation over the seeds of these trainings,
of one tuning each. All networks share trainer, data path and recipe, whose learning rate, weight decay, batch size and
dropout are tuned with them.

{scores(found, contestants)}

## How *{first}* stands

Differences of means with the interval of 95 %: bootstrap over test rows and final trainings. That another search might
have found another network is not in it.

{standings(found)}

## What was chosen

{winners(found, kept, key)}""",
    )


__all__ = ["finals_of", "write_page"]
