"""Ctrl-C as a terminal sends it, to the driver and its workers at once; and a second driver beside a running one."""

import contextlib
import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import psutil
import pytest
from bit_space import OneMax
from search_driver import GOAL, LARGE

from nasturtium.study import Job, LocalProcesses, open_study
from nasturtium.trial import State

HERE = Path(__file__).parent


@pytest.fixture(params=["in_process", "two_workers"])
def kind(request):
    return request.param


class Terminal:
    """Starts drivers in a session of their own, as a terminal does, so that a signal reaches all of it."""

    def __init__(self, folder, kind, seconds):
        self.place = folder / "s.sqlite"
        self.command = [sys.executable, HERE / "search_driver.py", folder, kind, "random", "60"]
        path = os.pathsep.join([str(HERE), *sys.path])
        self.environment = {**os.environ, "PYTHONPATH": path, "NASTURTIUM_TEST_SECONDS": str(seconds)}

    def start(self):
        pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
        driver = subprocess.Popen(self.command, env=self.environment, start_new_session=True, **pipes)
        assert driver.stdout.readline() == "begun\n"
        self.family = psutil.Process(driver.pid).children(recursive=True)
        return driver

    def states(self):
        study = open_study(self.place, GOAL, LARGE, {"seed": 3, "strategy": "random"})
        try:
            return [trial.state for trial in study]
        finally:
            study.close()

    def alive(self):
        _, alive = psutil.wait_procs(self.family, timeout=5)
        return [each for each in alive if each.status() != psutil.STATUS_ZOMBIE]


def test_once_finishes_what_runs(tmp_path, kind):
    terminal = Terminal(tmp_path, kind, seconds=0.6)
    driver = terminal.start()
    os.killpg(driver.pid, signal.SIGINT)
    out, err = driver.communicate(timeout=60)
    running = 2 if kind == "two_workers" else 1
    assert f"finishing {running} running; Ctrl-C again ends them" in out or running == 2
    assert out.splitlines()[-1].startswith("interrupted ")
    assert (driver.returncode, err) == (0, "")
    states = terminal.states()
    assert set(states) <= {State.COMPLETE, State.INFEASIBLE}
    assert 1 <= states.count(State.COMPLETE) <= 2
    assert terminal.alive() == []


def test_a_worker_that_starts_does_not_hear_it(tmp_path):
    executor = LocalProcesses(OneMax(), LARGE, 1)
    executor.submit(Job(0, LARGE.sample(np.random.default_rng(0)), 1, seed=0))
    for _ in range(20):
        with contextlib.suppress(ProcessLookupError):
            os.kill(executor.workers[0].process.pid, signal.SIGINT)
    ended = []
    while not ended:
        ended = executor.wait(1.0, lambda *report: True)
    assert ended[0].state is State.COMPLETE
    executor.shutdown()


def test_twice_stops_now_and_what_ran_is_run_again(tmp_path, kind):
    terminal = Terminal(tmp_path, kind, seconds=9)  # in the driver it begins to report after 3
    driver = terminal.start()
    os.killpg(driver.pid, signal.SIGINT)
    assert driver.stdout.readline().startswith("finishing ")
    os.killpg(driver.pid, signal.SIGINT)
    _, err = driver.communicate(timeout=30)
    assert err.splitlines()[-1] == "KeyboardInterrupt"
    assert terminal.alive() == []
    states = terminal.states()
    assert State.WAITING in states
    assert State.RUNNING not in states
    assert State.COMPLETE not in states
    terminal.environment["NASTURTIUM_TEST_SECONDS"] = "0.01"
    again = terminal.start()
    assert again.wait(60) == 0
    assert terminal.states().count(State.COMPLETE) == 60


def test_a_second_driver_is_refused_in_one_line_and_the_first_goes_on(tmp_path):
    terminal = Terminal(tmp_path, "two_workers", seconds=1)
    first = terminal.start()
    second = subprocess.run(terminal.command, env=terminal.environment, capture_output=True, text=True, check=False)
    assert second.returncode != 0
    line = second.stderr.splitlines()[-1]
    assert f"s.sqlite is being run by process {first.pid} on " in line
    assert line.endswith("wait for it, end it, or give another place")
    os.killpg(first.pid, signal.SIGINT)
    assert first.wait(60) == 0
    assert State.COMPLETE in terminal.states()
    assert set(terminal.states()) <= {State.COMPLETE, State.INFEASIBLE}
