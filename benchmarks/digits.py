"""Regularised evolution on the 8x8 digits in every image space, by its name alone.

python benchmarks/digits.py [--trials 12] [--epochs 5] [SPACE ...]
"""

from __future__ import annotations

import argparse
import tempfile
import time
from pathlib import Path

import nasturtium as nt

ROW = "{:<26}{:>8}{:>10}{:>12}{:>12}{:>12}{:>10}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("spaces", nargs="*", help="names; every image space if none is given")
    parser.add_argument("--trials", type=int, default=12)
    parser.add_argument("--epochs", type=int, default=5)
    options = parser.parse_args()
    images = [name for name, row in nt.spaces.SPACES.items() if "image" in row.kinds]
    print(ROW.format("space", "trials", "complete", "validation", "test", "params", "seconds"))
    for name in options.spaces or images:
        begun = time.perf_counter()
        with tempfile.TemporaryDirectory() as folder:
            result = nt.search(
                "digits", space=name, strategy="evolution", trials=options.trials, epochs=options.epochs, seed=0,
                out=Path(folder) / name, quiet=True,
            )  # fmt: skip
        best = result.best.scores
        complete = sum(trial.state == "complete" for trial in result.trials)
        accuracies = f"{best['accuracy']:.4f}", f"{best['test_accuracy']:.4f}", f"{best['params']:,.0f}"
        seconds = f"{time.perf_counter() - begun:.0f}"
        print(ROW.format(name, len(result.trials), complete, *accuracies, seconds), flush=True)


if __name__ == "__main__":
    main()
