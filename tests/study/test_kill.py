"""``kill -9`` at random moments, then the same command: nothing is lost, nothing is left running."""

import os
import random
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest
from search_driver import ESTIMATOR, GOAL, LARGE, search

from nasturtium.study import InProcess, open_study
from nasturtium.trial import State

KILLS = int(os.environ.get("NASTURTIUM_TEST_KILLS", "4"))
"""More than a quick test does: NASTURTIUM_TEST_KILLS=200."""


def comparable(study):
    return [(t.number, t.state, t.architecture, t.scores, t.curve, t.reason) for t in study]


class Driver:
    """Runs the search in a process of its own, on one folder."""

    def __init__(self, folder, kind, strategy, trials):
        script = Path(__file__).with_name("search_driver.py")
        self.place = folder / "s.sqlite"
        self.header = {"seed": 3, "strategy": strategy}
        self.command = [sys.executable, str(script), str(folder), kind, strategy, str(trials)]
        self.environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(script.parent), *sys.path])}

    def start(self):
        return subprocess.Popen(self.command, env=self.environment, stdout=subprocess.PIPE, text=True)

    def study(self):
        return open_study(self.place, GOAL, LARGE, self.header)


def kill_one(process, draw):
    """Kills a driver, most often amid its search, sometimes while it starts; its workers must be gone."""
    if draw.random() < 0.8:
        assert process.stdout.readline() == "begun\n"
        time.sleep(draw.expovariate(10))
    else:
        time.sleep(draw.uniform(0.05, 0.6))
    family = psutil.Process(process.pid).children(recursive=True)
    process.kill()
    process.communicate()
    _, alive = psutil.wait_procs(family, timeout=5)
    assert not [each for each in alive if each.status() != psutil.STATUS_ZOMBIE]


@pytest.mark.parametrize(
    ("kind", "strategy"),
    [("in_process", "evolution"), ("one_worker", "evolution"), ("two_workers", "random")],
)
def test_killed_at_random_moments_it_ends_as_if_it_had_never_been(tmp_path, kind, strategy):
    trials = 20 + 10 * KILLS  # so that it does not end before the last kill
    whole, _ = search(None, InProcess(ESTIMATOR), strategy, trials, LARGE)
    driver, draw = Driver(tmp_path, kind, strategy, trials), random.Random(kind)
    finished, amid = {}, 0
    for _ in range(KILLS):
        kill_one(driver.start(), draw)
        if not driver.place.exists():
            continue
        study = driver.study()
        for number, scores in finished.items():
            assert study.trials[number].scores == scores
        finished = {trial.number: trial.scores for trial in study if trial.state.ended}
        amid += study.counts[State.RUNNING] > 0
        study.close()
    print(f"{amid} of {KILLS} kills hit a running trial, {len(finished)} trials had ended")  # noqa: T201
    assert amid >= KILLS / 4  # the others hit the start, or the moment between two trials
    done = subprocess.run(driver.command, env=driver.environment, capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[1].startswith("trials ")
    study = driver.study()
    assert all(trial.state in (State.COMPLETE, State.INFEASIBLE) for trial in study)
    assert len(study) - study.counts[State.INFEASIBLE] == trials
    if kind != "two_workers":  # side by side, the order in which trials end is not fixed
        assert comparable(study) == comparable(whole)
    study.close()
