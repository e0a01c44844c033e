"""Random search on NAS-Bench-201 against the exact expectation of the best of n, at every n of 10 to 500."""

from __future__ import annotations

import argparse
import time
from pathlib import Path

import numpy as np

from nasturtium.benchmarks import load
from nasturtium.comparison import compare, expected_best

DATA = Path(__file__).resolve().parents[2] / "shared" / "data" / "benchmarks"
SHOWN = (10, 25, 50, 100, 150, 200, 300, 500)
FIRST, LAST = 10, 500


def main() -> None:
    """Print, for validation and test, curves beside expectations and the largest distance in standard errors."""
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--data", type=Path, default=DATA if DATA.exists() else None)
    asked.add_argument("--dataset", default="cifar10")
    asked.add_argument("--runs", type=int, default=500)
    asked.add_argument("--seed", type=int, default=0)
    asked.add_argument("--workers", type=int, default=1)
    given = asked.parse_args()
    begun = time.monotonic()
    found = compare(
        ("nasbench201", given.dataset), ["random"], LAST, given.runs, seed=given.seed, data=given.data,
        workers=given.workers,
    )  # fmt: skip
    table = load("nasbench201", given.dataset, given.data)
    print(f"{given.runs} runs of {LAST} queries on {table.title}: {time.monotonic() - begun:.1f} s")
    for what, metric in (("validation", table.signal), ("test", table.verdict)):
        curve = found.curve(0, "random", what)
        expected = expected_best(table.column(), table.column(metric), range(1, LAST + 1))
        apart = (curve.mean - expected) / curve.error
        print(f"{what:<12}{'runs':>10}{'± se':>9}{'expected':>10}{'apart':>8}")
        for n in SHOWN:
            print(
                f"n = {n:<8}{curve.mean[n - 1]:>10.4f}{curve.error[n - 1]:>9.4f}{expected[n - 1]:>10.4f}"
                f"{apart[n - 1]:>7.2f} se"
            )
        worst = np.abs(apart[FIRST - 1 :])
        print(f"largest distance at any n of {FIRST} to {LAST}: {worst.max():.2f} standard errors\n")


if __name__ == "__main__":
    main()
