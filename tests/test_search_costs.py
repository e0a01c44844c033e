"""What is measured of an architecture is measured once in a study: a latency is never twice the same."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import numpy as np
import pytest

import nasturtium as nt
from nasturtium.trial import State

QUICK = {"epochs": 4, "final_epochs": 0, "quiet": True, "limits": ["latency_ms<=10"]}


def blobs() -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    y = np.arange(60) % 2
    return (rng.normal(size=(60, 3)) + 3 * y[:, None]).astype(np.float32), y


@pytest.fixture
def measured(monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """How often each architecture was measured; what keeps the limit at first breaks it the next time."""
    counts: Counter[str] = Counter()

    def latency_ms(architecture: nt.Architecture, **options: object) -> float:
        counts[str(architecture.canonical)] += 1
        return 9.9 if counts[str(architecture.canonical)] == 1 else 10.1

    monkeypatch.setattr("nasturtium.estimators.latency.latency_ms", latency_ms)
    return counts


def test_a_trial_that_goes_on_keeps_the_latency_by_which_it_was_admitted(
    measured: Counter[str], tmp_path: Path
) -> None:
    options = {"strategy": "asha", "strategy_options": {"factor": 2}, **QUICK}
    for trials in (5, 9):  # the second time in the place of another process
        result = nt.search(blobs(), "mlp", out=tmp_path, trials=trials, **options)
    assert sum(trial.parent is not None for trial in result.trials[5:]) >= 2
    assert {trial.state for trial in result.trials} == {State.COMPLETE}
    assert {trial.scores["latency_ms"] for trial in result.trials} == {9.9}
    assert set(measured.values()) == {1}


def test_nothing_is_measured_that_nobody_asked_for(measured: Counter[str]) -> None:
    result = nt.search(blobs(), "mlp", trials=2, strategy="random", **{**QUICK, "limits": ["params<=1M"]})
    assert not measured
    assert all({"params", "flops"} < set(trial.scores) for trial in result.trials)
    assert not any("latency_ms" in trial.scores for trial in result.trials)


def test_what_is_refused_is_refused_again(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Also where the machine has become faster since."""
    given = {"strategy": "random", "space": of_two, "out": tmp_path, **QUICK}
    latency = {"now": 11.0}
    monkeypatch.setattr("nasturtium.estimators.latency.latency_ms", lambda architecture, **options: latency["now"])
    monkeypatch.setattr("nasturtium.study.gate.IN_A_ROW", 5)
    for _ in range(2):
        with pytest.warns(UserWarning, match="all"), pytest.raises(nt.errors.StudyError, match="all broke a limit"):
            nt.search(blobs(), trials=1, **given)
        latency["now"] = 5.0


def of_two(input: object, outputs: int) -> nt.Space:
    from nasturtium.layers import Linear, ReLU, Sequential

    return nt.Space(Sequential(Linear(nt.choice(4, 5)), ReLU(), Linear(outputs)), input=input, name="two")
