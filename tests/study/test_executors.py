"""Where trials run: the fault table, one test each, in worker processes; none of them ends the executor."""

import multiprocessing
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest
from bit_space import FAULTS, BitSpace, Children, Faulty, Greedy, OneMax, Placed, Stubborn, Teller

from nasturtium.errors import NasturtiumError, StudyError
from nasturtium.study import LocalProcesses
from nasturtium.trial import State
from tests.study.faults import TABLE, drain, job

SPACE = BitSpace(20)


def gone(pid, seconds=5.0):
    """Whether a process ends within a few seconds."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        try:
            if psutil.Process(pid).status() == psutil.STATUS_ZOMBIE:
                return True
        except psutil.NoSuchProcess:
            return True
        time.sleep(0.02)
    return False


@pytest.fixture
def faulty():
    executor = LocalProcesses(Faulty(), SPACE, 1)
    yield executor
    executor.shutdown()


@pytest.mark.parametrize(("fault", "state", "reason"), TABLE, ids=[row[0] for row in TABLE])
def test_a_fault_costs_one_trial(faulty, fault, state, reason):
    number = FAULTS.index(fault)
    faulty.submit(job(number, seconds=0.3 if fault == "hang" else None))
    (ended,) = drain(faulty, 1)
    assert (ended.number, ended.state, ended.scores) == (number, state, {})
    assert ended.reason.startswith(reason)
    faulty.submit(job(0))
    (after,) = drain(faulty, 1)
    assert (after.state, after.scores) == (State.COMPLETE, {"accuracy": 0.5})


def test_the_table_covers_every_fault():
    assert {"fine", *(row[0] for row in TABLE)} == set(FAULTS)


def test_an_exception_brings_the_last_lines_of_its_traceback(faulty):
    faulty.submit(job(FAULTS.index("raises")))
    (ended,) = drain(faulty, 1)
    lines = ended.reason.splitlines()
    assert "bit_space.py" in lines[-1]
    assert 'raise ValueError("no such thing as this")' in lines[-1]


def test_a_worker_killed_from_outside_costs_one_trial():
    executor = LocalProcesses(OneMax(seconds=60), SPACE, 2)
    executor.submit(job(0))
    executor.submit(job(1))
    while not all(worker.ready for worker in executor.workers):
        executor.wait(0.1, lambda *report: True)
    os.kill(executor.workers[0].process.pid, signal.SIGKILL)
    (ended,) = drain(executor, 1)
    assert (ended.number, ended.state) == (0, State.LOST)
    assert "killed by SIGKILL (out of memory?)" in ended.reason
    begun = time.monotonic()
    executor.shutdown()
    assert time.monotonic() - begun < 3
    assert executor.workers == []


def test_an_idle_worker_that_dies_costs_nothing():
    executor = LocalProcesses(OneMax(), SPACE, 1)
    executor.submit(job(0))
    drain(executor, 1)
    os.kill(executor.workers[0].process.pid, signal.SIGKILL)
    executor.workers[0].process.join()
    executor.submit(job(1))
    (ended,) = drain(executor, 1)
    assert ended.state is State.COMPLETE
    executor.shutdown()


def test_a_worker_killed_while_it_starts_costs_nothing_and_five_in_a_row_are_said():
    executor = LocalProcesses(OneMax(), SPACE, 1)
    executor.submit(job(0))
    os.kill(executor.workers[0].process.pid, signal.SIGKILL)
    (ended,) = drain(executor, 1)
    assert ended.state is State.COMPLETE
    executor.shutdown()
    executor = LocalProcesses(OneMax(), SPACE, 1)
    executor.submit(job(0))
    with pytest.raises(StudyError, match=r"could not start .killed by SIGKILL"):  # noqa: PT012
        for _ in range(9):
            os.kill(executor.workers[0].process.pid, signal.SIGKILL)
            executor.wait(1.0, lambda *report: True)
    executor.shutdown()


def test_memory_is_bounded_where_asked():
    executor = LocalProcesses(Greedy(), SPACE, 1, memory=600 * 2**20)
    executor.submit(job(0, ones=2))  # 200 MB
    executor.submit(job(1, ones=20))  # 2 GB
    fits, too_much = drain(executor, 2)
    assert fits.state is State.COMPLETE
    assert too_much.state is State.FAILED
    assert too_much.reason.startswith("out of memory")
    executor.shutdown()


@pytest.mark.parametrize("how", ["time limit", "death", "cancel", "shutdown"])
def test_what_a_trial_started_ends_with_its_worker(tmp_path, how):
    executor = LocalProcesses(Children(), SPACE, 1)
    limit = 1 if how == "time limit" else None
    executor.submit(job(0, ones=8 if how == "death" else 1, folder=tmp_path, seconds=limit))
    deadline, ended = time.monotonic() + 20, []
    while not (tmp_path / "pid").exists() and time.monotonic() < deadline:
        ended += executor.wait(0.05, lambda *report: True)
    child = int((tmp_path / "pid").read_text())
    if how == "cancel":
        executor.cancel(0)
        assert executor.wait(0.1, lambda *report: True) == []
    elif how == "shutdown":
        executor.shutdown()
    elif not ended:
        drain(executor, 1)
    assert gone(child)
    executor.shutdown()


@pytest.mark.parametrize("method", ["forkserver", "spawn"])
@pytest.mark.parametrize("estimator", [OneMax(seconds=60), Stubborn()])
def test_workers_end_when_the_driver_is_killed(tmp_path, method, estimator):
    script = (
        "import sys\n"
        f"sys.path.insert(0, {str(Path(__file__).parent)!r})\n"
        "from bit_space import *\n"
        "from nasturtium.study import Job, LocalProcesses\n"
        f"executor = LocalProcesses({estimator!r}, BitSpace(20), 2, method={method!r})\n"
        "for number in range(2): executor.submit(Job(number, Bits((1,) * 20), 1, seed=1))\n"
        "while not all(worker.ready for worker in executor.workers): executor.wait(0.1, lambda *r: True)\n"
        "print('ready', flush=True)\n"
        "while True: executor.wait(1, lambda *r: True)\n"
    )
    (tmp_path / "driver.py").write_text(script)  # no __main__ guard: nothing of the script is sent to workers
    driver = subprocess.Popen([sys.executable, tmp_path / "driver.py"], stdout=subprocess.PIPE, text=True)
    assert driver.stdout.readline() == "ready\n"
    family = [process.pid for process in psutil.Process(driver.pid).children(recursive=True)]
    assert len(family) >= 2
    driver.kill()
    driver.wait()
    assert all(gone(pid) for pid in family)


def test_trials_are_told_seed_folder_deadline_and_threads(tmp_path):
    executor = LocalProcesses(Teller(), SPACE, 1, threads=1)
    executor.submit(job(7, folder=tmp_path / "00007", previous=tmp_path, seconds=50))
    (ended,) = drain(executor, 1)
    assert ended.scores == {
        "seed": 7,
        "folder": 1,
        "previous": 1,
        "left": 50,
        "threads": 1,
        "other_process": 1,
    }
    assert (tmp_path / "00007").is_dir()
    executor.shutdown()


def test_one_worker_runs_many_trials_and_several_run_side_by_side():
    executor = LocalProcesses(OneMax(seconds=1.5), SPACE, 2)
    for number in range(4):
        executor.submit(job(number))
    drain(executor, 2)
    begun = time.monotonic()
    ended = drain(executor, 2)
    assert time.monotonic() - begun < 2.8  # one after the other they would take 3
    assert len(executor.workers) == 2
    assert len(ended) == 2
    executor.shutdown()


def test_what_cannot_be_sent_is_said(monkeypatch):
    monkeypatch.setitem(sys.modules, "cloudpickle", None)
    with pytest.raises(StudyError, match=r"cannot be sent to worker processes .*top of a module"):
        LocalProcesses(lambda: None, SPACE, 1)


def test_lambdas_are_sent_by_value_where_cloudpickle_is_there():
    pytest.importorskip("cloudpickle")

    class Local:
        def evaluate(self, architecture, budget, report):
            return {"accuracy": self.double(0.25)}

        double = staticmethod(lambda value: 2 * value)

    executor = LocalProcesses(Local(), SPACE, 1)
    executor.submit(job(0))
    assert drain(executor, 1)[0].scores == {"accuracy": 0.5}
    executor.shutdown()


def test_no_workers_are_refused():
    with pytest.raises(NasturtiumError, match="workers=0"):
        LocalProcesses(OneMax(), SPACE, 0)


def test_nothing_is_left_running():
    assert [process.name for process in multiprocessing.active_children()] == []


def test_workers_know_their_places_and_a_new_one_takes_that_of_the_dead():
    executor = LocalProcesses(Placed(), SPACE, 2)
    try:
        for number in (4, 5):
            executor.submit(job(number))
        first = drain(executor, 2)
        assert sorted(each.scores["place"] for each in first) == [0, 1]
        dead = next(worker for worker in executor.workers if worker.place == 0)
        os.kill(dead.process.pid, signal.SIGKILL)
        dead.process.join(5)
        for number in (6, 7):
            executor.submit(job(number))
        assert sorted(each.scores["place"] for each in drain(executor, 2)) == [0, 1]
    finally:
        executor.shutdown()
