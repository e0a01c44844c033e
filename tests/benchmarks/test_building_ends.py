"""Building a benchmark under limits, and what is left of it when it is ended before its time."""

from __future__ import annotations

import errno
import os
import signal
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import numpy as np
import polars
import pytest

import nasturtium as nt
from nasturtium.benchmarks import BenchmarkError, build
from nasturtium.benchmarks.building import FILE, STUDY, Sampled
from nasturtium.benchmarks.recorded import RecordedTraining
from nasturtium.errors import NasturtiumError, StudyError
from nasturtium.layers import Linear, ReLU, Sequential
from nasturtium.objective import Goal
from nasturtium.study import open_study
from nasturtium.tasks.arrays import from_arrays
from nasturtium.trial import State, Trial

OPTIONS = {"count": 3, "seeds": 2, "epochs": 1, "quiet": True}


def blobs() -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    y = np.arange(150) % 3
    return rng.normal(size=(150, 4)).astype(np.float32) + 2 * np.eye(3, 4, dtype=np.float32)[y], y


def wide() -> nt.Space:
    """Networks of 4 to 11 units, of which those up to 7 have at most 59 parameters."""
    return nt.Space(Sequential(Linear(nt.choice(*range(4, 12))), ReLU(), Linear(3)), input=(4,), name="wide")


def trials_in(folder: Path) -> list[Trial]:
    study = open_study(folder / STUDY, Goal.of("accuracy"), wide(), read_only=True)
    try:
        return list(study.trials)
    finally:
        study.close()


def test_latency_and_memory_are_measured_once_where_they_are_limited(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    counts: Counter[str] = Counter()

    def latency_ms(architecture: nt.Architecture, **options: object) -> float:
        counts[str(architecture)] += 1
        return float(architecture.count()["params"])

    monkeypatch.setattr("nasturtium.estimators.latency.latency_ms", latency_ms)
    path = build(blobs(), wide(), out=tmp_path, limits=["latency_ms<=59", "memory_mb<=100"], **OPTIONS)
    frame = polars.read_parquet(path)
    assert len(frame) == 6
    assert frame["params"].max() <= 59
    assert set(counts.values()) == {1}
    refused = [trial for trial in trials_in(tmp_path) if trial.state is State.INFEASIBLE]
    assert all("the limit is latency_ms<=59" in trial.reason for trial in refused)


def test_what_breaks_a_limit_is_tried_once_and_another_comes_in_its_place(tmp_path: Path) -> None:
    for count in (1, 4):  # and goes on
        path = build(blobs(), wide(), out=tmp_path / "parts", limits=["params<=59"], **{**OPTIONS, "count": count})
    whole = build(blobs(), wide(), out=tmp_path / "whole", limits=["params<=59"], **{**OPTIONS, "count": 4})
    frame = polars.read_parquet(whole)
    assert polars.read_parquet(path).drop("seconds").equals(frame.drop("seconds"))
    assert frame["seed"].to_list() == [0, 1] * 4
    assert frame["architecture"].n_unique() == 4
    asked = Counter(str(trial.architecture) for trial in trials_in(tmp_path / "whole"))
    refused = [str(t.architecture) for t in trials_in(tmp_path / "whole") if t.state is State.INFEASIBLE]
    assert refused
    assert {asked[each] for each in refused} == {1}


def test_the_search_gives_up_after_so_many_different_architectures(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("nasturtium.study.gate.IN_A_ROW", 6)
    with pytest.raises(StudyError, match="the last 6 architectures all broke a limit"):
        build(blobs(), wide(), out=tmp_path, limits=["params<=3"], **OPTIONS)
    assert len({str(trial.architecture) for trial in trials_in(tmp_path)}) == 6


def test_a_study_that_asked_for_the_infeasible_several_times_goes_on() -> None:
    made = [Sampled(wide(), seed=3, budget=1, seeds=3) for _ in range(2)]
    (first,) = made[0].ask(1)
    made[0].tell(Trial(0, State.INFEASIBLE, first.architecture))
    assert made[0].ask(1)[0].architecture != first.architecture
    for number in range(2):  # as it was before they were left out
        made[1].asked(first)
        made[1].tell(Trial(number, State.INFEASIBLE, first.architecture))
    group = [each.architecture for each in made[1].ask(3)]
    assert len(set(group)) == 1
    assert group[0] != first.architecture


def test_a_metric_that_validation_rows_cannot_tell_is_missed_before_anything_is_trained(tmp_path: Path) -> None:
    x, y = blobs()
    y = (y > 0).astype(int)
    split = np.where(np.arange(len(y)) < 90, "train", np.where(y == 0, "valid", "test"))
    task = from_arrays(x, y, split=split, name="patients", layout="vector", metric="auroc")
    with pytest.raises(NasturtiumError, match=r"auroc cannot be told from the \d+ validation rows"):
        build(task, wide_of_two, out=tmp_path / "one", **OPTIONS)
    assert not (tmp_path / "one").exists()


def wide_of_two(input: object, outputs: int) -> nt.Space:
    return nt.Space(Sequential(Linear(nt.choice(4, 5)), ReLU(), Linear(outputs)), input=input, name="narrow")


def after(count: int, what: Callable[[], object]) -> Callable[..., object]:
    """A training that does something once so many have ended."""
    evaluate, calls = RecordedTraining.evaluate, []

    def changed(self, *given: object) -> object:
        calls.append(given)
        if len(calls) > count:
            what()
        return evaluate(self, *given)

    return changed


def second_interrupt() -> None:
    raise KeyboardInterrupt


def full_disk() -> None:
    raise OSError(errno.ENOSPC, "No space left on device")


def first_interrupt() -> None:
    os.kill(os.getpid(), signal.SIGINT)


@pytest.mark.parametrize(
    ("what", "raised", "rows"),
    [(second_interrupt, KeyboardInterrupt, 3), (full_disk, StudyError, 3), (first_interrupt, KeyboardInterrupt, 4)],
)
def test_what_ends_it_leaves_a_table_of_what_was_trained(
    what: Callable[[], None], raised: type[BaseException], rows: int, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    with monkeypatch.context() as patched:
        patched.setattr(RecordedTraining, "evaluate", after(3, what))
        with pytest.raises(raised):
            build(blobs(), wide(), out=tmp_path, **OPTIONS)
    frame = polars.read_parquet(tmp_path / FILE)
    assert frame["seed"].to_list() == [0, 1, 0, 1][:rows]
    again = polars.read_parquet(build(blobs(), wide(), out=tmp_path, **OPTIONS))
    assert again["seed"].to_list() == [0, 1] * 3
    assert again.head(rows).equals(frame)


def interrupted_and_failed() -> None:
    first_interrupt()
    raise ValueError("not this one")


@pytest.mark.parametrize("what", [second_interrupt, interrupted_and_failed])
def test_stopped_by_the_user_before_anything_ended_is_no_error_of_theirs(
    what: Callable[[], None], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(RecordedTraining, "evaluate", after(0, what))
    with pytest.raises(KeyboardInterrupt):
        build(blobs(), wide(), out=tmp_path, **OPTIONS)
    assert not (tmp_path / FILE).exists()
    with pytest.raises(BenchmarkError, match="no training ended well"):
        build(blobs(), wide(), out=tmp_path / "none", time=1e-9, **OPTIONS)
