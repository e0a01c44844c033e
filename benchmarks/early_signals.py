"""Searches of real data with early signals (zero-cost proxies, learning curves) beside searches without, at equal time.

``python benchmarks/early_signals.py [--tasks digits mnist electric] [--seeds 5] [--minutes 10] [--out FOLDER]``

The sides of a task and a seed run at the same time, one thread each, so that whatever else the machine does hits them
alike. The same command goes on where it stopped; what was cut off begins anew, since its time cannot be told. Give each
side a core, or more minutes: tasks times seeds times minutes is what all takes.
"""

from __future__ import annotations

import argparse
import inspect
import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

import nasturtium as nt
from nasturtium.tasks.arrays import from_arrays

DATA = Path(__file__).resolve().parents[1] / "../shared/data/datasets"
ROWS = 2_000
"""Rows of MNIST and ElectricDevices that are trained on and validated by, drawn once; the test rows are all."""
DRAWS = 10_000

Row = dict[str, Any]
Array = npt.NDArray[Any]


def digits() -> nt.tasks.Task:
    """The 8x8 digits."""
    return nt.tasks.load("digits")


def mnist() -> nt.tasks.Task:
    """MNIST: some of the training pictures, all of the test pictures."""
    with np.load(DATA / "mnist/train.npz") as train, np.load(DATA / "mnist/test.npz") as test:
        return some((train["x"], train["y"]), (test["x"], test["y"]), name="mnist", layout="image")


def electric() -> nt.tasks.Task:
    """ElectricDevices of the UCR archive: some of the training series of 96 steps, all of the test series."""
    with np.load(DATA / "ucr/ElectricDevices.npz") as held:
        train, test = ((held[f"x_{part}"], held[f"y_{part}"]) for part in ("train", "test"))
        return some(train, test, name="electric", layout="sequence")


def some(train: tuple[Array, Array], test: tuple[Array, Array], **options: Any) -> nt.tasks.Task:
    """A task of ``ROWS`` of the training rows, drawn once for all, and all test rows."""
    rows = np.random.default_rng(0).choice(len(train[1]), ROWS, replace=False)
    x, y = (np.concatenate((old[rows], new)) for old, new in zip(train, test, strict=True))
    return from_arrays(x, y, split=np.where(np.arange(len(y)) < ROWS, "train", "test"), **options)


TASKS: dict[str, tuple[Callable[[], nt.tasks.Task], dict[str, Any]]] = {
    "digits": (digits, {"epochs": 10, "space_options": {"width": 0.25, "depth": 2}}),
    "mnist": (mnist, {"epochs": 10, "space_options": {"width": 0.125, "depth": 2}}),
    "electric": (electric, {"epochs": 10, "space_options": {"width": 0.25, "depth": 2}}),
}
"""Each task and how it is searched: among networks that train in 1 to 5 seconds of a core. Curves stop nothing
before the fifth epoch."""


def sides(proxy: str) -> dict[str, dict[str, Any]]:
    """What each side is asked for beside the others; those with curves only where searches know them."""
    proxies = {"proxy": proxy, "proxy_keep": 0.25, "proxy_start": 5}
    found: dict[str, dict[str, Any]] = {"without": {}, "proxies": proxies}
    if "early_stop" in inspect.signature(nt.search).parameters:
        found |= {"curves": {"early_stop": "curve"}, "both": {**proxies, "early_stop": "curve"}}
    return found


def one(task: str, side: str, seed: int, minutes: float, proxy: str, out: Path) -> Row:
    """One search, and what came of it."""
    make, asked = TASKS[task]
    data = make()
    begun = time.monotonic()
    result = nt.search(
        data, strategy="evolution", trials=100_000, time=60 * minutes, seed=seed, out=out, quiet=True, device="cpu",
        finalists=3, final_seeds=2, baselines=False, **asked, **sides(proxy)[side],
    )  # fmt: skip
    best = result.trials[result.best.number].scores
    states = [str(trial.state) for trial in result.trials]
    test = result.best.scores.get(f"test_{data.metric}")
    return {"task": task, "side": side, "seed": seed, "minutes": minutes, "proxy": proxy, "metric": data.metric,
            "test": test, "validation": best[data.metric], "trials": len(states), "complete": states.count("complete"),
            "stopped": states.count("stopped"), "wall": time.monotonic() - begun}  # fmt: skip


def together(task: str, seed: int, options: argparse.Namespace) -> list[Row]:
    """All sides of a task and a seed at the same time, a process each.

    Raises:
        SystemExit: If one fails; what it said stands above.
    """
    running = {}
    for side in options.sides:
        out = options.out / f"{task}-{seed}-{side}"
        shutil.rmtree(out, ignore_errors=True)
        command = [sys.executable, __file__, "--one", task, side, str(seed), "--minutes", str(options.minutes),
                   "--proxy", options.proxy, "--out", str(out)]  # fmt: skip
        environment = {**os.environ, "OMP_NUM_THREADS": "1"}
        running[side] = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment)
    said = {side: process.communicate()[0] for side, process in running.items()}
    failed = [side for side, process in running.items() if process.returncode]
    if failed:
        raise SystemExit(f"{task}, seed {seed}: {', '.join(failed)} failed; the same command tries again")
    return [json.loads(text.splitlines()[-1]) for text in said.values()]


def interval(differences: npt.NDArray[np.float64]) -> tuple[float, float]:
    """A 95 % bootstrap interval of a mean over seeds, widened by what so few seeds make it too narrow."""
    count = len(differences)
    if count < 2:
        return float("nan"), float("nan")
    drawn = np.random.default_rng(0).choice(differences, (DRAWS, count)).mean(1)
    mean = differences.mean()
    low, high = mean + (np.quantile(drawn, [0.025, 0.975]) - mean) * np.sqrt(count / (count - 1))
    return float(low), float(high)


HEADER = f"{'task':<10}{'side':<10}{'seeds':>6}{'trained':>8}{'stopped':>8}{'wall s':>8}"
COLUMNS = f"{'score':>12}{'difference':>12}{'95 % interval':>20}"


def report(rows: list[Row]) -> None:
    """For each task and side the mean difference to the side without, in test and validation score, over seeds."""
    print(HEADER + COLUMNS.replace("score", " test") + COLUMNS.replace("     score", "validation"))
    for task, side in dict.fromkeys((row["task"], row["side"]) for row in rows):
        mine = {row["seed"]: row for row in rows if (row["task"], row["side"]) == (task, side)}
        other = {row["seed"]: row for row in rows if (row["task"], row["side"]) == (task, "without")}
        trained = np.mean([row["complete"] + row["stopped"] for row in mine.values()])  # others broke a limit
        means = [trained, *(np.mean([row[name] for row in mine.values()]) for name in ("stopped", "wall"))]
        text = f"{task:<10}{side:<10}{len(mine):>6}{means[0]:>8.1f}{means[1]:>8.1f}{means[2]:>8.0f}"
        print(text + "".join(columns(mine, other, name) for name in ("test", "validation")))


def columns(mine: dict[int, Row], other: dict[int, Row], name: str) -> str:
    """A mean score, its difference to that of the other side over the seeds that both have, and the interval."""
    scored = {seed: row[name] for seed, row in mine.items() if row[name] is not None}
    both = [
        value - other[seed][name] for seed, value in scored.items() if seed in other and other[seed][name] is not None
    ]
    if not scored or not both:
        return f"{'none':>12}{'':>32}"
    differences = np.array(both)
    low, high = interval(differences)
    mean = float(np.mean(list(scored.values())))
    return f"{mean:>12.4f}{differences.mean():>+12.4f}{f'[{low:+.4f}, {high:+.4f}]':>20}"


def main() -> None:
    """Run what is missing, and print the table after each group."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--tasks", nargs="*", default=list(TASKS), choices=TASKS)
    parser.add_argument("--sides", nargs="*", default=None, help="without, proxies, curves, both; all that there are")
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--minutes", type=float, default=10.0, help="of each search, final trainings included")
    parser.add_argument("--proxy", default="nwot,synflow")
    parser.add_argument("--out", type=Path, default=Path("runs/early_signals"))
    parser.add_argument("--one", nargs=3, metavar=("TASK", "SIDE", "SEED"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.one:
        task, side, seed = options.one
        print(json.dumps(one(task, side, int(seed), options.minutes, options.proxy, options.out)))
        return
    options.sides = options.sides or list(sides(options.proxy))
    options.out.mkdir(parents=True, exist_ok=True)
    known = options.out / "rows.jsonl"
    rows = [json.loads(line) for line in known.read_text().splitlines()] if known.exists() else []
    rows = [row for row in rows if (row["minutes"], row["proxy"]) == (options.minutes, options.proxy)]
    for seed in range(options.seeds):
        for task in options.tasks:
            if {row["side"] for row in rows if (row["task"], row["seed"]) == (task, seed)} >= set(options.sides):
                continue
            found = together(task, seed, options)
            with known.open("a") as file:
                file.writelines(f"{json.dumps(row)}\n" for row in found)
            rows = [row for row in rows if (row["task"], row["seed"]) != (task, seed)] + found
            report([row for row in rows if row["task"] == task])
    print()
    report(sorted(rows, key=lambda row: options.tasks.index(row["task"]) if row["task"] in options.tasks else -1))


if __name__ == "__main__":
    main()
