"""The verdict: who is ahead, by outputs made by hand; chance that shows; failures that are named."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from nasturtium import tasks
from nasturtium.errors import StudyError
from nasturtium.final.results import Finals, Network, Run, read_finals, scores_of_tests, write_finals
from nasturtium.final.verdict import compare

ROWS = 400


@pytest.fixture(scope="module")
def task():
    rng = np.random.default_rng(0)
    whole = tasks.load((rng.normal(size=(4 * ROWS, 3)), rng.integers(2, size=4 * ROWS)))
    return replace(whole, test=whole.train.take(np.arange(ROWS)))


def outputs(task, wrong, seed=0):
    """Logits (N, 2) that are wrong in so many rows."""
    targets = task.test.targets.copy()
    rows = np.random.default_rng(seed).choice(ROWS, size=wrong, replace=False)
    targets[rows] = 1 - targets[rows]
    return np.eye(2)[targets] * 4.0


def finals_of(task, wrong, valid=None):
    """Networks whose trainings are wrong in the given numbers of rows."""
    networks, given = [], {}
    for number, (name, errors) in enumerate(wrong.items()):
        runs = [Run(s, "complete", 1.0, "", {"accuracy": 1 - e / ROWS}) for s, e in enumerate(errors)]
        kind = "finalist" if name.startswith("trial") else "baseline"
        networks.append(Network(name, kind, number, valid=(valid or {}).get(name, 0.9), runs=runs))
        given[name] = [outputs(task, e, seed) for seed, e in enumerate(errors)]
    finals = Finals("accuracy", True, 10, [0, 1, 2], networks, networks[0].name)
    compare(finals, task, given)
    return finals


def test_a_large_lead_is_a_lead_and_a_small_one_is_not(task):
    finals = finals_of(task, {"trial 3": (20, 22, 21), "trial 5": (80, 81, 83), "trial 8": (21, 23, 19)})
    first, second = finals.comparisons
    assert first.ahead
    assert first.difference == pytest.approx((80 + 81 + 83 - 20 - 22 - 21) / 3 / ROWS)
    assert first.interval[0] < first.difference < first.interval[1]
    assert not second.ahead
    assert not second.behind
    best = finals.best
    assert best.mean == pytest.approx(1 - 21 / ROWS)
    assert best.sd == pytest.approx(1 / ROWS)
    assert best.interval[0] < best.mean < best.interval[1]
    assert finals.verdict[0].startswith("trial 3: test accuracy 0.9475 ± 0.0025 over 3 trainings")
    assert "it is ahead of trial 5, the next by validation (+0.1508, 95 % between +0.1" in finals.verdict[1]


def test_the_interval_is_about_that_of_a_share(task):
    (network,) = finals_of(task, {"trial 0": (40,)}).networks
    half = 1.96 * np.sqrt(0.1 * 0.9 / ROWS)  # normal approximation of the binomial
    assert network.interval[0] == pytest.approx(0.9 - half, abs=0.006)
    assert network.interval[1] == pytest.approx(0.9 + half, abs=0.006)
    assert network.sd is None


def test_the_choice_stays_with_validation(task):
    finals = finals_of(task, {"trial 3": (80, 84, 82), "trial 5": (20, 21, 22)})
    assert finals.winner == "trial 3"
    assert finals.comparisons[0].behind
    assert any("trial 5 did better; the choice stays with validation" in line for line in finals.verdict)


def test_order_that_is_chance_is_called_so(task):
    close = {"trial 1": 0.9002, "trial 2": 0.9001}
    noisy = finals_of(task, {"trial 1": (10, 30, 50), "trial 2": (40, 12, 33)}, close)
    assert any("their order is mostly chance" in line for line in noisy.verdict)
    apart = finals_of(task, {"trial 1": (10, 30, 50), "trial 2": (40, 12, 33)}, {"trial 1": 0.99, "trial 2": 0.6})
    assert not any("chance" in line for line in apart.verdict)


def test_a_baseline_that_wins_is_named(task):
    finals = finals_of(task, {"trial 1": (80, 81, 82), "plain network": (20, 20, 21)})
    assert any("behind the plain network" in line and "better choice" in line for line in finals.verdict)


def test_failures_are_named_and_cost_nothing_else(task):
    finals = finals_of(task, {"trial 1": (20, 20), "trial 2": (30, 30)})
    finals.networks[1].runs.append(Run(2, "failed", 1.0, "the loss is nan\nmore"))
    compare(finals, task, {"trial 1": [outputs(task, 20)] * 2, "trial 2": [outputs(task, 30)] * 2})
    assert finals.verdict[-1] == "trial 2: 1 of 3 trainings failed (the loss is nan)"


def scores_of_tests_by_hand():
    runs = [Run(0, "complete", scores={"accuracy": 0.9, "test_loss": 0.2}), Run(1, "failed"),
            Run(2, "complete", scores={"accuracy": 0.8, "test_loss": 0.4})]  # fmt: skip
    scores = scores_of_tests(Network("a", "finalist", runs=runs, interval=(0.7, 0.95)), "accuracy")
    assert scores["test_accuracy"] == pytest.approx(0.85)
    assert scores["test_accuracy_sd"] == pytest.approx(0.0707106781)
    assert scores["test_loss"] == pytest.approx(0.3)
    assert (scores["test_accuracy_low"], scores["test_accuracy_high"]) == (0.7, 0.95)


def test_results_travel_through_json(task, tmp_path):
    assert read_finals(tmp_path) is None
    finals = finals_of(task, {"trial 3": (20, 22, 21), "trial 5": (80, 81, 83)})
    write_finals(finals, tmp_path)
    again = read_finals(tmp_path)
    assert again.best.runs == finals.best.runs
    assert again.verdict == finals.verdict
    (tmp_path / "finals.json").write_text('{"metric": "accuracy"')
    with pytest.raises(StudyError, match="delete it and run the search again"):
        read_finals(tmp_path)
