"""Kills a search, its driver and its worker, with SIGKILL at random moments, and compares it with one never killed."""

from __future__ import annotations

import argparse
import os
import random
import subprocess
import sys
import tempfile
import time
import zlib
from collections import Counter
from pathlib import Path
from typing import Any

import psutil

from nasturtium import Architecture, spaces, strategies, tasks
from nasturtium.objective import Goal
from nasturtium.space.signal import image
from nasturtium.study import LocalProcesses, Silent, Study, open_study, run
from nasturtium.trial import Report, Scores

MARK = "NASTURTIUM_KILLS"
GOAL = Goal.of(["accuracy"], ["params<=60k"])
EPOCHS = 3
SEED = 5


class Announced(Silent):
    """Says when the first trial of a driver's life runs."""

    said = False

    def update(self, study: Study, running: int) -> None:
        """Writes one line, once."""
        if running and not self.said:
            self.said = True
            print("begun", flush=True)


class Quick:
    """Scores that follow from architecture and seed, reported over a tenth of a second; starts without torch."""

    def evaluate(self, architecture: Architecture, budget: float, report: Report) -> Scores:
        """As if it were trained."""
        score = (zlib.crc32(str(architecture).encode()) % 9_000 + report.seed % 1_000) / 10_000
        for step in range(1, EPOCHS + 1):
            time.sleep(0.1 / EPOCHS)
            report(step, {"accuracy": score * step / EPOCHS})
        return {"accuracy": score}


def search(folder: Path, trials: int, train: bool) -> None:
    """A seeded sequential search in one worker process, from the start or from wherever the folder stands."""
    space = spaces.make("mlp", (image(1, 8, 8),), 10)
    estimator: Any = Quick()
    if train:
        from nasturtium.estimators import Training, default_recipe

        task = tasks.load("digits")
        estimator = Training(task, default_recipe(task), device="cpu")
    study = open_study(folder / "study.db", GOAL, space, {"seed": SEED})
    strategy = strategies.make(
        "evolution", space=space, seed=SEED, budget=EPOCHS, objectives=GOAL.objectives, limits=GOAL.limits
    )
    executor = LocalProcesses(estimator, space, 1, preload=("torch", "torch._dynamo") if train else ())
    run(
        study, strategy, executor, trials=trials, seed=SEED, cost=lambda architecture: architecture.count(),
        folder=folder / "trials", progress=Announced(),
    )  # fmt: skip
    study.close()


def facts(folder: Path) -> list[tuple[Any, ...]]:
    """All that a search found, trial for trial, but for how long each took."""
    if not (folder / "study.db").exists():
        return []
    study = open_study(folder / "study.db", GOAL, read_only=True)
    try:
        return [(t.number, t.state, str(t.architecture), t.scores, list(t.curve), t.reason) for t in study]
    finally:
        study.close()


def losses(folder: Path) -> int:
    """How many workers have died of the trial that runs."""
    study = open_study(folder / "study.db", GOAL, read_only=True)
    study.close()
    return max((study.losses.get(trial.number, 0) for trial in study.unended), default=0)


class Killing:
    """One study, driven by one driver after another.

    Args:
        folder: Of the study.
        trials: How many it shall have.
        pause: Mean seconds between two kills.
        train: Whether networks are trained.
    """

    def __init__(self, folder: Path, trials: int, pause: float, train: bool) -> None:
        self.folder = folder
        self.pause = pause
        self.command = [sys.executable, __file__, "--drive", str(folder), "--trials", str(trials)]
        self.command += ["--train"] if train else []
        self.environment = {**os.environ, MARK: str(folder), "OMP_NUM_THREADS": "1"}
        self.counts: Counter[str] = Counter()
        self.ended: dict[int, tuple[Any, ...]] = {}

    def life(self, left: int, draw: random.Random) -> int:
        """One driver, from its start to its death by our hand; gives how many kills it took."""
        driver = subprocess.Popen(self.command, env=self.environment, stdout=subprocess.PIPE, text=True)
        kills = 0
        if draw.random() < 0.1:  # while it starts
            time.sleep(draw.uniform(0.05, 3.0))
        else:
            driver.stdout.readline()  # type: ignore[union-attr]
            while kills < left - 1 and driver.poll() is None:
                time.sleep(draw.expovariate(1 / self.pause))
                if draw.random() < 0.5:
                    break
                kills += self.kill_worker(draw)
        self.counts["driver" if driver.poll() is None else "ended by itself"] += 1
        driver.kill()
        driver.communicate()
        self.check()
        return kills + 1

    def kill_worker(self, draw: random.Random) -> int:
        """Kills the worker; gives how many were killed.

        A trial whose worker has died twice is let be: at the third time it has failed, which is the rule, and from
        there on the search would rightly be another one.
        """
        workers = [pid for pid in self.running() if self.is_worker(pid)]
        if not workers or losses(self.folder) > 1:
            return 0
        psutil.Process(draw.choice(workers)).kill()
        self.counts["worker"] += 1
        return 1

    def is_worker(self, pid: int) -> bool:
        """Whether a process was forked by the fork server, which is no worker itself."""
        try:
            parent = psutil.Process(pid).parent()
            return parent is not None and "forkserver" in " ".join(parent.cmdline())
        except psutil.NoSuchProcess:
            return False

    def running(self) -> list[int]:
        """Processes of this search."""
        found = psutil.process_iter(["pid", "environ", "status"])
        able = [each.info for each in found if each.info["status"] != psutil.STATUS_ZOMBIE]
        return [info["pid"] for info in able if (info["environ"] or {}).get(MARK) == str(self.folder)]

    def check(self) -> None:
        """Counts what is left running and what is lost after a kill."""
        until = time.monotonic() + 15
        while (alive := self.running()) and time.monotonic() < until:
            time.sleep(0.1)
        self.counts["left running"] += len(alive)
        now = {fact[0]: fact for fact in facts(self.folder) if fact[1].ended}
        self.counts["lost trials"] += sum(now.get(number) != fact for number, fact in self.ended.items())
        self.ended = now


def main() -> None:
    """Print the figures; leave with 1 if anything was lost, left or different."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--trials", type=int, default=None, help="8 for each kill unless given")
    parser.add_argument("--pause", type=float, default=1.0, help="mean seconds between two kills")
    parser.add_argument("--seed", type=int, default=0, help="of the moments of the kills")
    parser.add_argument("--train", action="store_true", help="train networks on the digits instead of making up scores")
    parser.add_argument("--drive", type=Path, help="only run the search in this folder, as the killed one does")
    given = parser.parse_args()
    trials = given.trials or 8 * given.kills
    if given.drive is not None:
        return search(given.drive, trials, given.train)
    draw, kills = random.Random(given.seed), 0
    with tempfile.TemporaryDirectory() as folder:
        whole, killed = Path(folder) / "whole", Path(folder) / "killed"
        killing = Killing(killed, trials, given.pause, given.train)
        while kills < given.kills and len(killing.ended) < trials:
            kills += killing.life(given.kills - kills, draw)
            print(f"{kills} kills, {len(killing.ended)} trials ended, {dict(killing.counts)}", flush=True)
        subprocess.run(killing.command, env=killing.environment, check=True, stdout=subprocess.DEVNULL)
        killing.check()
        search(whole, trials, given.train)
        expected, found = facts(whole), facts(killed)
        different = [fact[0] for fact, other in zip(expected, found, strict=False) if fact != other]
        print(f"{kills} kills: {dict(killing.counts)}")
        print(f"{len(found)} trials, {len(expected)} never killed, {len(different)} different")
        for number in different[:1]:
            print(f"  killed: {found[number]}\n  never killed: {expected[number]}")
        bad = (
            different or len(found) != len(expected) or killing.counts["lost trials"] or killing.counts["left running"]
        )
        sys.exit(bool(bad))


if __name__ == "__main__":
    main()
