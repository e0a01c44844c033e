"""Kills a search with SIGKILL at random moments, again and again, then lets it end, and counts what was lost."""

from __future__ import annotations

import argparse
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import psutil

from nasturtium.objective import Goal
from nasturtium.study import open_study
from nasturtium.trial import State


def ended(study_file: Path) -> dict[int, tuple[str, float]]:
    """The trials that had ended: number to (architecture, accuracy)."""
    if not study_file.exists():
        return {}
    study = open_study(study_file, Goal.of("accuracy"), read_only=True)
    try:
        done = [t for t in study.trials if t.state is State.COMPLETE]
        return {t.number: (str(t.architecture), t.scores["accuracy"]) for t in done}
    finally:
        study.close()


def left_running(mark: str) -> list[int]:
    """Processes of this search that still run."""
    found = []
    for process in psutil.process_iter(["pid", "environ"]):
        if (process.info["environ"] or {}).get("NASTURTIUM_KILLS") == mark:
            found.append(process.info["pid"])
    return found


def settled(mark: str, seconds: float = 15.0) -> list[int]:
    """What still runs when workers have had time to notice that their driver is gone."""
    until = time.monotonic() + seconds
    while (found := left_running(mark)) and time.monotonic() < until:
        time.sleep(0.2)
    return found


def kill_once(command: list[str], environment: dict[str, str], longest: float) -> bool:
    """Start the search and kill it after a random time; False if it ended before."""
    process = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        process.wait(random.uniform(0.2, longest))
    except subprocess.TimeoutExpired:
        process.send_signal(signal.SIGKILL)
        process.wait()
        return True
    return False


def main() -> None:
    """Print one row for each kill, then the verdict."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--trials", type=int, default=40)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--longest", type=float, default=30.0, help="seconds before a kill, at most")
    given = parser.parse_args()
    random.seed(0)
    lost = orphans = 0
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "study"
        search = ["-m", "nasturtium", "search", "digits", "--space", "mlp", "--epochs", "2", "--final-epochs", "1"]
        sizes = ["--trials", str(given.trials), "--workers", str(given.workers), "--out", str(out)]
        command = [sys.executable, *search, *sizes]
        environment = {**os.environ, "NASTURTIUM_KILLS": folder, "OMP_NUM_THREADS": "1"}
        before: dict[int, tuple[str, float]] = {}
        for number in range(given.kills):
            killed = kill_once(command, environment, given.longest)
            alive = settled(folder)
            now = ended(out / "study.db")
            missing = [trial for trial, what in before.items() if now.get(trial) != what]
            lost, orphans = lost + len(missing), orphans + len(alive)
            print(f"kill {number + 1:>2}: {'killed' if killed else 'ended by itself'}, {len(now)} trials ended, "
                  f"{len(missing)} lost, {len(alive)} left running")  # fmt: skip
            before = now
        last = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
        now = ended(out / "study.db")
        missing = [trial for trial, what in before.items() if now.get(trial) != what]
        print(last.stdout + last.stderr[-500:] if last.returncode else last.stdout)
        print(
            f"exit code {last.returncode}, {len(now)} trials ended, {lost + len(missing)} lost, {orphans} left running"
        )
        sys.exit(bool(last.returncode or lost or missing or orphans))


if __name__ == "__main__":
    main()
