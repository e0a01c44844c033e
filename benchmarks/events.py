"""Time and memory to prepare millions of events: real ones repeated with other ids, or made up.

python benchmarks/events.py [--events FILE --labels FILE --entity case_id --timestamp t --target label] [--count N]
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import polars as pl

ALONE = """
import json, resource, sys, time
import nasturtium as nt
events, options = sys.argv[1], json.loads(sys.argv[2])
begun, cpu = time.perf_counter(), time.process_time()
task = nt.tasks.load(events, **options)
seconds, cpu = time.perf_counter() - begun, time.process_time() - cpu
split = task.train
print(task.summary())
print(json.dumps({"seconds": seconds, "cpu": cpu, "rss": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6,
                  "held": sum(v.nbytes for v in split.inputs) / 1e6, "events": int(split.offsets[-1])}))
"""
"""Run in a process of its own, whose peak of memory is that of the preparation."""


def made_up(count: int) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Events of entities of 20 on average, with two categories and two numbers."""
    rng = np.random.default_rng(0)
    entities = max(count // 20, 10)
    owners = np.sort(rng.integers(0, entities, count))
    times = 1.3e9 + owners * 60.0 + rng.exponential(86_400.0, count)
    kinds = np.array([f"kind {k}" for k in range(300)])
    events = pl.DataFrame(
        {
            "case_id": owners,
            "t": times,
            "kind": kinds[rng.zipf(1.5, count) % 300],
            "place": rng.integers(0, 50, count).astype(str),
            "amount": rng.lognormal(3, 1, count),
            "rate": np.where(rng.random(count) < 0.1, np.nan, rng.normal(size=count)),
        }
    )
    found = events["case_id"].unique(maintain_order=True)
    return events, pl.DataFrame({"case_id": found, "label": rng.integers(0, 2, len(found))})


def repeated(frame: pl.DataFrame, entity: str, times: int, apart: int) -> pl.DataFrame:
    """A frame many times over, each time with ids of its own."""
    return pl.concat([frame.with_columns(pl.col(entity).cast(pl.Int64) + number * apart) for number in range(times)])


def measured(events: pl.DataFrame, labels: pl.DataFrame, options: dict[str, str], shuffled: bool) -> None:
    """Write the tables, prepare them in a fresh process, and print what it took."""
    if shuffled:
        events = events.sample(fraction=1.0, shuffle=True, seed=0)
    with tempfile.TemporaryDirectory() as folder:
        paths = [Path(folder) / name for name in ("events.parquet", "labels.parquet")]
        events.write_parquet(paths[0])
        labels.write_parquet(paths[1])
        told = json.dumps({**options, "labels": str(paths[1])})
        done = subprocess.run([sys.executable, "-c", ALONE, str(paths[0]), told], stdout=subprocess.PIPE, check=True)
    summary, figures = done.stdout.decode().strip().rsplit("\n", 1)
    found = json.loads(figures)
    print(summary)
    print(
        f"{len(events):,} events of {len(labels):,} entities: {found['seconds']:.1f} s "
        f"({found['cpu']:.1f} s of CPU time), "
        f"peak {found['rss']:.2f} GB; the training rows take {found['held']:.0f} MB for {found['events']:,} events"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--events", type=Path)
    parser.add_argument("--labels", type=Path)
    parser.add_argument("--entity", default="case_id")
    parser.add_argument("--timestamp", default="t")
    parser.add_argument("--target", default="label")
    parser.add_argument("--count", type=int, default=5_000_000, help="events to prepare")
    parser.add_argument("--shuffled", action="store_true", help="events in random order in the file")
    asked = parser.parse_args()
    options = {name: getattr(asked, name) for name in ("entity", "timestamp", "target")}
    if asked.events is None or asked.labels is None:
        measured(*made_up(asked.count), options, asked.shuffled)
        return
    events, labels = pl.read_parquet(asked.events), pl.read_parquet(asked.labels)
    times, apart = -(-asked.count // len(events)), int(labels[asked.entity].max()) + 1
    events, labels = (repeated(frame, asked.entity, times, apart) for frame in (events, labels))
    measured(events, labels, options, asked.shuffled)


if __name__ == "__main__":
    main()
