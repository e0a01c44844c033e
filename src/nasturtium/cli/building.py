"""``nasturtium build-benchmark``: from the options to a table of trainings."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass
class Built:
    """The options as they were given."""

    task: str
    space: str | None
    count: int
    seeds: int
    epochs: int
    limits: list[str]
    workers: int
    time: str | None
    seed: int
    out: Path | None
    device: str | None
    quiet: bool
    task_options: dict[str, Any]
    space_options: dict[str, Any]


def run_build(asked: Built) -> None:
    """Train, write the table, and say what it holds."""
    from nasturtium import spaces, tasks
    from nasturtium.benchmarks import build, load
    from nasturtium.benchmarks.built import facts_of

    task = tasks.load(asked.task, seed=asked.seed, **asked.task_options)
    space = asked.space or spaces.for_signal(task.inputs[0])
    out = asked.out or Path("runs") / f"benchmark-{task.name}-{space}"
    written = build(
        task, space, count=asked.count, seeds=asked.seeds, epochs=asked.epochs, limits=asked.limits, out=out,
        workers=asked.workers, time=asked.time, seed=asked.seed, device=asked.device, quiet=asked.quiet,
        space_options=asked.space_options,
    )  # fmt: skip
    made = load(str(written))
    failed = facts_of(written)["failed"]
    said = f"; {failed} trainings failed" if failed else ""
    sys.stdout.write(
        f"wrote {written}: {len(made)} architectures, up to {len(made.seeds)} trainings each{said}; the best by "
        f"{made.signal} has {made.query(made.best(made.signal), made.verdict):.4g} {made.verdict}\n"
    )
