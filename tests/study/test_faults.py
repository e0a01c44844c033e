"""What a trial may do to processes, memory and disks: it costs that trial, or the search ends in one clear line."""

import contextlib
import os
import subprocess
import sys
from pathlib import Path

import pytest
from bit_space import Bits, BitSpace, OneMax
from test_executors import drain, gone, job
from unruly import Hoarders, Own, Programs, Tensor, Writer

from nasturtium.errors import StudyError
from nasturtium.objective import Goal
from nasturtium.strategies import RandomSearch
from nasturtium.study import InProcess, LocalProcesses, MemoryStore, Silent, Study, open_study, run
from nasturtium.trial import State

SPACE = BitSpace(20)
MIB = 2**20


def pids_of(folder):
    return [int(line) for line in (folder / "pids").read_text().splitlines()]


def test_no_loader_of_a_trial_outlives_it(tmp_path):
    """In a driver of its own, which imports torch once for all its workers."""
    command = [sys.executable, Path(__file__).with_name("loader_driver.py"), tmp_path]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(Path(__file__).parent), *sys.path])}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True, timeout=120)
    states = dict(line.split(" ", 1) for line in done.stdout.splitlines())
    assert states == {"raise": "failed 2", "hang": "failed 2", "segfault": "lost 2", "exit": "lost 2"}
    assert all(gone(pid) for how in states for pid in pids_of(tmp_path / how))


@pytest.mark.parametrize("how", ["raise", "hang"])
def test_no_program_of_a_trial_outlives_its_failure(tmp_path, how):
    executor = LocalProcesses(Programs(how), SPACE, 1)
    executor.submit(job(0, folder=tmp_path, seconds=1.5 if how == "hang" else None))
    (end,) = drain(executor, 1)
    assert end.state is State.FAILED
    assert all(gone(pid) for pid in pids_of(tmp_path))
    assert len(executor.workers) == (how == "raise")  # a worker whose trial raised goes on with the next
    executor.shutdown()


def test_in_the_driver_too_a_failed_trial_leaves_no_process(tmp_path):
    executor = InProcess(Programs("raise"))
    executor.submit(job(0, folder=tmp_path))
    (end,) = drain(executor, 1)
    assert end.state is State.FAILED
    assert all(gone(pid) for pid in pids_of(tmp_path))


def test_a_tensor_beyond_the_limit_is_out_of_memory_and_the_next_trial_runs():
    executor = LocalProcesses(Tensor(3 * 2**30), SPACE, 1, memory=1200 * MIB)
    executor.submit(job(0))
    (end,) = drain(executor, 1)
    assert end.state is State.FAILED
    assert end.reason.startswith("out of memory (RuntimeError: [enforce fail")
    assert executor.workers[0].process.is_alive()
    executor.shutdown()
    executor = LocalProcesses(Tensor(100 * MIB), SPACE, 1, memory=1200 * MIB)
    executor.submit(job(0))
    assert drain(executor, 1)[0].state is State.COMPLETE
    executor.shutdown()


def test_what_a_trial_starts_counts_as_its_memory(tmp_path):
    executor = LocalProcesses(Hoarders(150 * MIB, 3), SPACE, 1, memory=350 * MIB)
    executor.submit(job(0, folder=tmp_path))
    (end,) = drain(executor, 1)
    assert end.state is State.FAILED
    assert end.reason.startswith("out of memory (it and what it started held ")
    assert end.reason.endswith(" MiB of 350)")
    assert all(gone(pid) for pid in pids_of(tmp_path))
    executor.shutdown()


def test_a_limit_that_no_worker_can_keep_is_said_at_once():
    executor = LocalProcesses(OneMax(), SPACE, 1, memory=MIB)
    executor.submit(job(0))
    with pytest.raises(StudyError, match=r"memory limit of 1 MiB is less than the \d+ MiB that a worker holds"):
        drain(executor, 1)
    executor.shutdown()


@contextlib.contextmanager
def small_disk(folder, size):
    """A file system with so many bytes; a limit on the size of files stands in where none can be mounted."""
    command = ["mount", "-t", "tmpfs", "-o", f"size={size}", "none", str(folder)]
    if os.geteuid() != 0 or subprocess.run(command, capture_output=True, check=False).returncode:
        pytest.skip("no file system can be mounted here")
    try:
        yield
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)


@pytest.mark.parametrize("wrapped", [False, True])
@pytest.mark.parametrize("kind", ["in process", "worker"])
def test_a_disk_that_a_trial_fills_ends_the_search_and_nothing_is_blamed_on_the_trial(tmp_path, kind, wrapped):
    with small_disk(tmp_path, 400_000):
        estimator = Writer(tmp_path, 10**7, wrapped)
        executor = InProcess(estimator) if kind == "in process" else LocalProcesses(estimator, SPACE, 1)
        study = Study(MemoryStore(), Goal.of("accuracy"), SPACE)
        with pytest.raises(StudyError, match=r"\(in trial 0\); the disk is full; all that was recorded is kept: make"):
            run(study, RandomSearch(SPACE), executor, trials=3)
        assert [trial.state for trial in study] == [State.WAITING]
        run(study, RandomSearch(SPACE), InProcess(Writer(tmp_path, 10)), trials=3)
        assert study.counts[State.COMPLETE] == 3


def test_a_study_on_a_full_disk_keeps_all_that_was_told_and_goes_on_when_there_is_room(tmp_path):
    space = BitSpace(40)
    with small_disk(tmp_path, 600_000):
        ballast = tmp_path / "ballast"
        ballast.write_bytes(b"x" * 100_000)
        study = open_study(tmp_path / "s.sqlite", Goal.of("accuracy"), space, {})
        with pytest.raises(StudyError, match="the disk is full"):
            run(study, RandomSearch(space), InProcess(OneMax()), trials=10_000)
        done = {trial.number: trial.scores for trial in study if trial.state.ended}
        study.close()
        assert len(done) > 5
        ballast.unlink()
        again = open_study(tmp_path / "s.sqlite", Goal.of("accuracy"), space, {})
        assert {trial.number: trial.scores for trial in again if trial.state.ended} == done
        run(again, RandomSearch(space), InProcess(OneMax()), trials=len(done) + 5)
        assert again.counts[State.COMPLETE] == len(done) + 5
        again.close()


class Noting(Silent):
    def __init__(self):
        self.notes = []

    def note(self, text):
        self.notes.append(text)


@pytest.mark.parametrize("kind", ["in process", "workers"])
def test_what_a_users_own_code_raises_is_shown_with_its_last_lines_once(kind):
    space, told = BitSpace(8), Noting()
    study = Study(MemoryStore(), Goal.of("accuracy"), space)
    executor = InProcess(Own()) if kind == "in process" else LocalProcesses(Own(), space, 2)
    run(study, RandomSearch(space, seed=1), executor, trials=50, progress=told)
    assert study.counts[State.FAILED] == 50
    assert len(told.notes) == 2
    (mistake,) = [text for text in told.notes if "'acuracy'" in text]
    assert "unruly.py" in mistake
    assert 'return scores["acuracy"]' in mistake
    assert mistake.splitlines()[-1].startswith("(said once")


def test_errors_without_end_are_cut_short():
    class Various:
        def evaluate(self, architecture, budget, report):
            raise type(f"Error{chr(65 + report.seed % 23)}", (Exception,), {})

    space, told = BitSpace(8), Noting()
    study = Study(MemoryStore(), Goal.of("accuracy"), space)
    run(study, RandomSearch(space), InProcess(Various()), trials=60, progress=told)
    assert len(told.notes) == 6
    assert told.notes[-1].endswith("each trial's reason is kept in the study")


def test_a_trial_that_ends_the_driver_again_and_again_is_named():
    study, told = Study(MemoryStore(), Goal.of("accuracy"), SPACE), Noting()
    from nasturtium.study.store import event

    study.ask(RandomSearch(SPACE))
    for _ in range(2):
        study.record([event("started", 0)])  # and then the driver died
        run(study, RandomSearch(SPACE), InProcess(OneMax()), trials=0, time=0.0, progress=told)
    assert study.deaths == {0: 2}
    assert told.notes == [
        "trial 0 was running when the search was killed, 2 times now; if it is the trial that ends it, "
        "run with two workers: a worker's death costs one trial, never the search"
    ]


@contextlib.contextmanager
def ordinary_user():
    """Without the rights of the superuser, who may write anywhere."""
    before = os.geteuid()
    if before == 0:
        os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(before)


def test_a_folder_that_may_not_be_written_is_one_clear_line(open_folder):
    folder = open_folder / "archive"
    study = open_study(folder / "s.sqlite", Goal.of("accuracy"), SPACE, {})
    run(study, RandomSearch(SPACE), InProcess(OneMax()), trials=4)
    study.close()
    (folder / "s.sqlite.lock").unlink()
    folder.chmod(0o555)
    with ordinary_user():
        with pytest.raises(StudyError, match=r"cannot write .*s\.sqlite\.lock.*; give another folder, or permission"):
            open_study(folder / "s.sqlite", Goal.of("accuracy"), SPACE, {})
        with pytest.raises(StudyError, match="cannot make the folder"):
            open_study(folder / "deeper" / "s.sqlite", Goal.of("accuracy"), SPACE, {})
        shown = open_study(folder / "s.sqlite", Goal.of("accuracy"), read_only=True)
        assert shown.counts[State.COMPLETE] == 4
        shown.close()
    folder.chmod(0o755)


def test_limits_may_change_from_one_run_to_the_next():
    study = Study(MemoryStore(), Goal.of("accuracy", ["params<=120"]), SPACE)
    run(study, RandomSearch(SPACE), InProcess(OneMax()), trials=30, cost=SPACE.cost)
    best = study.best.scores["params"]
    assert best == 120
    tighter = Study(study.store, Goal.of("accuracy", ["params<=90"]), SPACE)
    assert tighter.best.scores["params"] == 90
    assert tighter.counts == study.counts  # how trials ended is history
    run(tighter, RandomSearch(SPACE), InProcess(OneMax()), trials=40, cost=SPACE.cost)
    late = tighter.trials[len(study) :]
    assert {sum(t.architecture.decisions) > 9 for t in late if t.state is State.INFEASIBLE} == {True}
    assert {sum(t.architecture.decisions) > 9 for t in late if t.state is State.COMPLETE} == {False}
    assert isinstance(late[0].architecture, Bits)
