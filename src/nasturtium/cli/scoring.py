"""``nasturtium score``: networks by zero-cost proxies on a batch of a task, as a table and as JSON."""

from __future__ import annotations

import json
import math
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nasturtium.cli.searching import read_start
from nasturtium.errors import NasturtiumError

if TYPE_CHECKING:
    from nasturtium.proxies import Scorer, Scores
    from nasturtium.space import Architecture
    from nasturtium.tasks import Task


@dataclass
class Scored:
    """What was asked for.

    Attributes:
        what: The text of an architecture or a file with it, or the name of a space.
        task: The data.
        proxies: ``all``, or names with commas.
        count: How many architectures of a space are drawn.
        rows: Rows of the batch.
        seed: Of the batch, the first weights and what is drawn.
        device: Where networks are scored.
        json: File for the rows.
        task_options: Those of the task.
        space_options: Those of the space.
    """

    what: str
    task: str
    proxies: str
    count: int
    rows: int
    seed: int
    device: str
    json: Path | None
    task_options: dict[str, Any]
    space_options: dict[str, Any]


def run_score(asked: Scored) -> None:
    """Score networks and write a table; with ``json`` also its rows."""
    from nasturtium.estimators.device import check_device, resolve_device
    from nasturtium.proxies import scorer
    from nasturtium.tasks import load
    from nasturtium.writing import checked_place

    check_device(asked.device)
    device = resolve_device(asked.device)
    if asked.json is not None:
        checked_place(asked.json)
    task = load(asked.task, seed=asked.seed, **asked.task_options)
    score = scorer(task, asked.proxies, rows=asked.rows, seed=asked.seed, device=device)
    scored = [(architecture, score(architecture)) for architecture in architectures(asked, task)]
    write_table(score, scored)
    if asked.json is not None:
        rows = [as_row(asked, task, number, *each) for number, each in enumerate(scored)]
        try:
            asked.json.write_text(json.dumps(rows, indent=1) + "\n", encoding="utf-8")
        except OSError as error:
            raise NasturtiumError(f"cannot write {asked.json}: {error.strerror}; give another --json") from None


def architectures(asked: Scored, task: Task) -> list[Architecture]:
    """The architecture that was given, or so many drawn from the space that was named."""
    import numpy

    from nasturtium import spaces
    from nasturtium.space import Architecture

    if asked.what not in spaces.SPACES:
        if asked.space_options:
            raise NasturtiumError(f"--space-option belongs to a space, and {asked.what:.40} is none; leave it out")
        text = read_start(asked.what)
        if "(" not in text:
            spaces.make(text, task.inputs, task.outputs)  # says what there is
        return [Architecture.parse(text, input=task.inputs)]
    space = spaces.make(asked.what, task.inputs, task.outputs, **asked.space_options)
    rng = numpy.random.default_rng(asked.seed)
    return [space.sample(rng) for _ in range(asked.count)]


def write_table(score: Scorer, scored: list[tuple[Architecture, Scores]]) -> None:
    """A line for each network; what has no value is said below, once for each reason."""
    widths = [max(10, len(name)) for name in score.names]
    heads = "  ".join(name.rjust(width) for name, width in zip(score.names, widths, strict=True))
    sys.stdout.write(f"{'#':>4}  {heads}  architecture\n")
    missing: dict[str, list[int]] = {}
    for number, (architecture, scores) in enumerate(scored):
        values = "  ".join(_shown(scores[name]).rjust(width) for name, width in zip(score.names, widths, strict=True))
        sys.stdout.write(f"{number:>4}  {values}  {architecture}\n")
        for name, reason in scores.reasons.items():
            missing.setdefault(f"{name}: {reason}", []).append(number)
    for reason, numbers in missing.items():
        sys.stdout.write(f"no {reason} (# {', '.join(map(str, numbers))})\n")


def _shown(value: float) -> str:
    if math.isnan(value):
        return "-"
    return f"{value:,.0f}" if value == int(value) and abs(value) < 1e12 else f"{value:.4g}"


def as_row(asked: Scored, task: Task, number: int, architecture: Architecture, scores: Scores) -> dict[str, Any]:
    """A network as plain values; null where a proxy has no value."""
    values = {name: None if math.isnan(value) else value for name, value in scores.items()}
    return {
        "task": task.name, "seed": asked.seed, "number": number, "architecture": str(architecture), **values,
        "reasons": scores.reasons,
    }  # fmt: skip
