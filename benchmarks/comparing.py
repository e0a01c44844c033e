"""What a comparison costs: queries a second of each strategy on NAS-Bench-201, and memory over many runs."""

from __future__ import annotations

import argparse
import gc
import time
from pathlib import Path

import psutil

from nasturtium.comparison import compare

DATA = Path(__file__).resolve().parents[2] / "shared" / "data" / "benchmarks"
STRATEGIES = ("random", "local_search", "evolution", "mcts", "genetic", "reinforce", "controller", "ppo")
QUERIES, MEMORY_RUNS = 1_000, (1, 10, 30, 100)
MEGABYTE = 1_000_000


def main() -> None:
    """Print CPU time of runs of 1,000 queries, and the resident memory after some runs of evolution in one process."""
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--data", type=Path, default=DATA if DATA.exists() else None)
    asked.add_argument("--runs", type=int, default=3)
    given = asked.parse_args()
    table = ("nasbench201", "cifar10")
    resident(table, given.data)
    print(f"{'strategy':<14}{'queries/s':>12}")
    for name in STRATEGIES:
        compare(table, [name], 10, 1, data=given.data, workers=1)  # imports
        begun = time.process_time()
        compare(table, [name], QUERIES, given.runs, data=given.data, workers=1)
        print(f"{name:<14}{QUERIES * given.runs / (time.process_time() - begun):>12,.0f}")


def resident(table: tuple[str, str], data: Path | None) -> None:
    """Print the resident memory after more and more runs of evolution."""
    compare(table, ["evolution"], 150, 1, data=data, workers=1)
    done, process = 1, psutil.Process()
    for runs in MEMORY_RUNS:
        if runs > done:
            compare(table, ["evolution"], 150, runs - done, seed=done, data=data, workers=1)
        done = max(runs, done)
        gc.collect()
        print(
            f"after {done:>3} runs of evolution (150 queries): {process.memory_info().rss / MEGABYTE:.0f} MB resident"
        )


if __name__ == "__main__":
    main()
