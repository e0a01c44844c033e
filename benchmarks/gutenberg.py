"""einspace on Gutenberg (Geada et al. 2024): random search and seeded evolution at equal cost, beside the paper.

    python benchmarks/gutenberg.py DATA.npz [--minutes 66] [--workers 1] [--out runs/gutenberg]

DATA holds ``x_train``, ``x_test`` (N, 18) letters from 0 to 26 and ``y_train``, ``y_test``. The strategies run side by
side, each in a process of its own, so that whatever else the machine does slows all of them alike: the cost is equal
also where it is measured in time. The same command goes on where it stopped.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from functools import partial
from pathlib import Path

import numpy as np

import nasturtium as nt
from nasturtium.estimators import Recipe
from nasturtium.spaces.einspace import einspace

PUBLISHED = {"random": 39.58, "re_scratch": 43.70, "re_rn18": 54.02, "re_mix": 50.16}
"""Test accuracy of the paper's searches, of 500 to 1,000 networks of 8 epochs each; ResNet-18 itself has 43.32."""

LIMITS = {"params": 1.2e7, "flops": 4.1e8, "activations": 3.2e6}
"""What a network may cost, so that a core can train dozens of them: as much as the largest of the four seeds."""

RECIPE = Recipe(optimiser="sgd", learning_rate=0.04, weight_decay=3e-4, batch_size=256)
"""The paper's: SGD with momentum 0.9, no augmentation; ours warms up."""

SMALLER = {"population": 20, "tournament": 5}
"""Instead of 100 and 10: in minutes on a CPU a population of 100 would never turn over."""

ROW = "{:<12}{:>8}{:>13}{:>13}{:>22}{:>12}"


def arrays(path: Path, rows: int) -> tuple[np.ndarray, ...]:
    """The official split as images 1x27x18, one column for each letter: x, y of so many rows, x_test, y_test."""
    found: list[np.ndarray] = []
    with np.load(path) as content:
        for part in ("train", "test"):
            letters, targets = content[f"x_{part}"], content[f"y_{part}"].astype(np.int64)
            if part == "train":
                chosen = np.random.default_rng(0).permutation(len(targets))[:rows]
                letters, targets = letters[chosen], targets[chosen]
            images = np.eye(27, dtype=np.float32)[letters].transpose(0, 2, 1)[:, None]  # (N, 1, 27, 18)
            found += [np.ascontiguousarray(images), targets]
    return tuple(found)


def searched(name: str, data: tuple[np.ndarray, ...], options: argparse.Namespace) -> None:
    """Search by one strategy, train what it finds three times, and print a row."""
    evolution = {} if name == "random" else dict(SMALLER, **({"initial": 20} if name == "re_scratch" else {}))
    result = nt.search(
        data, space=partial(einspace, limits=LIMITS), strategy=name, trials=100_000, epochs=options.epochs,
        workers=options.workers, time=f"{options.minutes / 0.6:.2f}m", seed=options.seed, recipe=RECIPE,
        final_epochs=options.final_epochs, final_seeds=3, strategy_options=evolution, out=options.out / name,
        finalists=1, baselines=False, quiet=True,
    )  # fmt: skip
    best = result.best.scores
    test = f"{100 * best['test_accuracy']:.2f} ± {100 * best.get('test_accuracy_sd', 0):.2f}"
    complete = sum(trial.state == "complete" for trial in result.trials)
    valid = f"{100 * best['accuracy']:.2f}"
    print(ROW.format(name, complete, f"{best['params']:,.0f}", valid, test, PUBLISHED[name]), flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("data", type=Path)
    parser.add_argument("--strategy", nargs="*", default=list(PUBLISHED), choices=list(PUBLISHED))
    parser.add_argument("--minutes", type=float, default=66, help="of search for each strategy, 0.6 of all its time")
    parser.add_argument("--rows", type=int, default=4000, help="of the training split; it has 18,000")
    parser.add_argument("--epochs", type=int, default=2)
    parser.add_argument("--final-epochs", type=int, default=6)
    parser.add_argument("--workers", type=int, default=1, help="of each strategy")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, default=Path("runs/gutenberg"))
    options = parser.parse_args()
    if len(options.strategy) == 1:
        searched(options.strategy[0], arrays(options.data, options.rows), options)
        return
    print(ROW.format("strategy", "trials", "parameters", "validation", "test of 3 trainings", "published"), flush=True)
    running = [subprocess.Popen([sys.executable, *sys.argv, "--strategy", name]) for name in options.strategy]
    sys.exit(max(each.wait() for each in running))


if __name__ == "__main__":
    main()
