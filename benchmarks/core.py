"""Prints what the core, the strategies and the study cost: CPU time on one core.

Ask and tell are medians of 10,000, opening a study and the imports medians of five, and those of spaces means (their
times differ from architecture to architecture); trials a second and the memory of the driver are of one run.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from nasturtium import Architecture, Space, choice, encodings, spaces, strategies
from nasturtium.layers import Linear, ReLU, Sequential
from nasturtium.objective import Goal
from nasturtium.study import InProcess, Study, open_study, run
from nasturtium.trial import State

FEW = 5
"""What takes long is measured so often; the rest as often as its row says."""

ROW = "{:<62}{:>12}{:>10}"


def median_ms(call: Callable[[], Any], times: int) -> float:
    """Median CPU milliseconds of a call."""
    taken = []
    for _ in range(times):
        begun = time.process_time_ns()
        call()
        taken.append(time.process_time_ns() - begun)
    return float(np.median(taken)) / 1e6


def mean_ms(call: Callable[[], Any], times: int) -> float:
    """Mean CPU milliseconds of a call."""
    begun = time.process_time()
    for _ in range(times):
        call()
    return (time.process_time() - begun) / times * 1e3


def tell(what: str, value: float, unit: str = "ms", bar: str = "") -> None:
    """Print one row."""
    print(ROW.format(what, f"{value:.3f} {unit}", bar))


def time_space(space: Space, times: int = 500) -> None:
    """Sampling, mutation, text and encodings of one space."""
    rng = np.random.default_rng(0)
    parents = [space.sample(rng) for _ in range(50)]

    def any_parent() -> Architecture:
        return parents[int(rng.integers(len(parents)))]

    tell(f"{space.name}: sample", mean_ms(lambda: space.sample(rng).value, times), bar=f"{space.size:.3g}")
    tell(f"{space.name}: mutate", mean_ms(lambda: space.mutate(any_parent(), rng).value, times))
    tell(f"{space.name}: cross", mean_ms(lambda: space.cross(any_parent(), any_parent(), rng).value, times))
    tell(f"{space.name}: write and read as text", mean_ms(lambda: space.parse(str(any_parent())), times // 5))
    for encoding in ("one_hot", "tokens"):
        each = mean_ms(lambda name=encoding: encodings.encode(space, parents, name), 20) / len(parents)  # type: ignore[misc]
        tell(f"{space.name}: encode {encoding}", each)


def product_space() -> Space:
    """Six choices among five, as in NAS-Bench-201."""
    net = Sequential(*[choice(*[Linear(4 + extra) for extra in range(5)]) for _ in range(6)], ReLU())
    return Space(net, input=(4,), name="product of 6 x 5")


def ask_and_tell(study: Study, strategy: Any, times: int) -> float:
    """Median milliseconds of one ask and one tell."""

    def once() -> None:
        trial = study.ask(strategy)
        if trial is None:
            raise RuntimeError("the strategy proposes nothing")
        strategy.tell(study.tell(trial, State.COMPLETE, {"accuracy": 1.0 / (1 + trial.number % 97)}))

    return median_ms(once, times)


def opening(place: Path, goal: Goal) -> float:
    """CPU seconds in which a study opens, the median of five."""
    return median_ms(lambda: open_study(place, goal, product_space(), {"seed": 0}).close(), FEW) / 1e3


class Nothing:
    """An estimator that costs nothing."""

    def evaluate(self, architecture: Architecture, budget: float, report: Any) -> dict[str, float]:
        """A made-up score."""
        return {"accuracy": 0.5}


def memory_of_driver(trials: int) -> float:
    """MiB that a driver holds (USS, with torch, as a search has it) after so many trials on SQLite."""
    script = (
        "import sys, tempfile, psutil, torch; sys.path.insert(0, sys.argv[1]); from core import fill; "
        "from pathlib import Path; folder = tempfile.TemporaryDirectory(); "
        "study = fill(Path(folder.name) / 'study.db', int(sys.argv[2])); print(psutil.Process().memory_full_info().uss)"
    )
    command = [sys.executable, "-c", script, str(Path(__file__).parent), str(trials)]
    return int(subprocess.run(command, check=True, capture_output=True, text=True).stdout) / 2**20


def fill(place: Path, trials: int) -> Study:
    """The study of a search of so many trials, each with ten reports, that take no time to evaluate."""
    space = spaces.convnet((1, 8, 8), 10)
    study = open_study(place, Goal.of("accuracy"), space, {"seed": 0})
    run(study, strategies.make("evolution", space=space), InProcess(Reporting()), trials=trials)
    return study


class Reporting:
    """An estimator that costs nothing and reports ten times."""

    def evaluate(self, architecture: Architecture, budget: float, report: Any) -> dict[str, float]:
        """A made-up score."""
        for step in range(1, 11):
            report(step, {"accuracy": step / 20, "loss": 1 / step})
        return {"accuracy": (report.seed % 1_000) / 1_000, "loss": 0.1}


def import_time(statement: str) -> float:
    """User and system seconds of a fresh interpreter that runs a statement, the median of five."""
    taken = []
    for _ in range(FEW):
        before = os.times()
        subprocess.run([sys.executable, "-c", statement], check=True, stdout=subprocess.DEVNULL)
        after = os.times()
        taken.append(after.children_user + after.children_system - before.children_user - before.children_system)
    return float(np.median(taken))


def main(arguments: Sequence[str]) -> None:
    """Print all rows."""
    print(ROW.format("what", "CPU time", "bar"))
    for space in (product_space(), *(make((1, 8, 8), 10) for make in (spaces.convnet, spaces.multibranch))):
        time_space(space)
    goal = Goal.of("accuracy")
    for name in ("random", "evolution"):
        with tempfile.TemporaryDirectory() as folder:
            for where, bar in ((None, "0.3 ms"), (Path(folder) / "study.db", "1 ms")):
                space = product_space()
                study = open_study(where, goal, space, {"seed": 0})
                strategy = strategies.make(name, space=space)
                kept = "in memory" if where is None else "on SQLite"
                tell(f"{name}: ask + tell, {kept}", ask_and_tell(study, strategy, 10_000), bar=bar)
                study.close()
            tell("a study of 10,000 trials opens", opening(Path(folder) / "study.db", goal), "s", "1 s")
    few, many = memory_of_driver(1_000), memory_of_driver(10_000)
    tell("memory of the driver with 10,000 trials over that with 1,000", many / few, "", "1.2")
    space = product_space()
    study = open_study(None, goal, space, {"seed": 0})
    begun = time.process_time()
    run(study, strategies.make("random", space=space), InProcess(Nothing()), trials=2_000)
    tell("trials a second, no-op estimator, in process", 2_000 / (time.process_time() - begun), "/s")
    tell("import nasturtium", import_time("import nasturtium"), "s", "0.3 s")
    tell("nasturtium --help", import_time("from nasturtium.cli import run; run(['--help'])"), "s", "0.3 s")


if __name__ == "__main__":
    main(sys.argv[1:])
