"""The verdict: who is ahead, by outputs made by hand; chance that shows; failures that are named."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from nasturtium import tasks
from nasturtium.errors import StudyError
from nasturtium.final.results import Finals, Network, Run, read_finals, scores_of_tests, write_finals
from nasturtium.final.verdict import RANGES, compare, sentences
from nasturtium.tasks import METRICS

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


def test_scores_of_tests_by_hand():
    runs = [Run(0, "complete", scores={"accuracy": 0.9, "test_loss": 0.2}), Run(1, "failed"),
            Run(2, "complete", scores={"accuracy": 0.8, "test_loss": 0.4})]  # fmt: skip
    scores = scores_of_tests(Network("a", "finalist", runs=runs, interval=(0.7, 0.95)), "accuracy")
    assert scores["test_accuracy"] == pytest.approx(0.85)
    assert scores["test_accuracy_sd"] == pytest.approx(0.0707106781)
    assert scores["test_loss"] == pytest.approx(0.3)
    assert (scores["test_accuracy_low"], scores["test_accuracy_high"]) == (0.7, 0.95)


def test_trainings_are_paired_by_their_seeds_also_where_some_failed(task):
    """Both networks get the same rows wrong with the same seed: paired rightly, the difference has no spread at all."""
    first, second = [outputs(task, errors, errors) for errors in (20, 80, 50)], [20, 80, 50]
    networks = []
    for name, missing in (("trial 1", 0), ("trial 2", 2)):
        runs = [Run(seed, "complete", 1.0, "", {"accuracy": 1 - errors / ROWS}) for seed, errors in enumerate(second)]
        runs[missing] = Run(missing, "failed", 1.0, "burnt")
        networks.append(Network(name, "finalist", valid=0.9, runs=runs))
    finals = Finals("accuracy", True, 10, [0, 1, 2], networks, "trial 1")
    compare(finals, task, {"trial 1": [first[1], first[2]], "trial 2": [first[0], first[1]]})
    (pair,) = finals.comparisons  # seed 1 alone is common
    assert pair.difference == 0
    assert pair.interval == (0, 0)


def test_trainings_without_a_common_seed_are_compared_unpaired(task):
    runs = [Run(seed, "complete", 1.0, "", {"accuracy": 0.9}) for seed in (0, 1)]
    burnt = [Run(seed, "failed", 1.0, "burnt") for seed in (0, 1)]
    networks = [
        Network("trial 1", "finalist", valid=0.9, runs=[runs[0], burnt[1]]),
        Network("trial 2", "finalist", valid=0.9, runs=[burnt[0], runs[1]]),
    ]
    finals = Finals("accuracy", True, 10, [0, 1], networks, "trial 1")
    compare(finals, task, {"trial 1": [outputs(task, 40, 1)], "trial 2": [outputs(task, 40, 2)]})
    assert finals.comparisons[0].interval[0] < 0 < finals.comparisons[0].interval[1]


def test_intervals_hold_only_values_that_the_metric_can_take(task):
    finals = finals_of(task, {"trial 1": (0, 8)})  # 1.0 and 0.98: widened, the seeds' deviation leads beyond 1
    assert finals.best.interval[1] == 1
    assert finals.best.interval[0] < 0.98


def test_the_values_of_every_metric_are_known():
    assert set(RANGES) == set(METRICS)
    assert RANGES["average_precision"] == (0.0, 1.0)


def test_few_test_rows_are_said(task):
    few = replace(task, test=task.test.take(np.arange(5)))
    runs = [Run(0, "complete", 1.0, "", {"accuracy": 1.0})]
    finals = Finals("accuracy", True, 10, [0], [Network("trial 1", "finalist", valid=0.9, runs=runs)], "trial 1")
    compare(finals, few, {"trial 1": [outputs(task, 0)[:5]]})
    assert finals.best.interval == (1, 1)  # as if there were no doubt
    assert finals.verdict[-1].startswith("there are only 5 test rows")
    assert not any("only" in line for line in finals_of(task, {"trial 1": (20,)}).verdict)


def test_large_numbers_are_readable(task):
    best = Network("trial 1", "finalist", mean=495671612282.551, sd=15015377210.1, interval=(4e11, 6e11))
    best.runs = [Run(seed, "complete", scores={"rmse": best.mean}) for seed in (0, 1)]
    finals = Finals("rmse", False, 10, [0, 1], [best], "trial 1")
    assert sentences(finals) == [
        "trial 1: test rmse 4.9567e+11 ± 1.5015e+10 over 2 trainings (95 % between 4e+11 and 6e+11)"
    ]


def test_a_metric_that_the_test_rows_cannot_give_is_said(task):
    runs = [Run(0, "complete", 1.0, "", {"accuracy": 0.9})]  # auroc of one class is no number
    finals = Finals("auroc", True, 10, [0], [Network("trial 1", "finalist", valid=0.9, runs=runs)], "trial 1")
    compare(finals, task, {"trial 1": [outputs(task, 20)]})
    assert finals.verdict == ["auroc is no number on the test rows of this task: nothing can be compared"]
    assert scores_of_tests(finals.best, "auroc") == {"test_accuracy": 0.9}


def test_results_travel_through_json(task, tmp_path):
    assert read_finals(tmp_path) is None
    finals = finals_of(task, {"trial 3": (20, 22, 21), "trial 5": (80, 81, 83)})
    write_finals(finals, tmp_path)
    again = read_finals(tmp_path)
    assert again.best.runs == finals.best.runs
    assert again.verdict == finals.verdict
    (tmp_path / "finals.json").write_text('{"metric": "accuracy"')
    with pytest.raises(StudyError, match="run the search again to write it anew"):
        read_finals(tmp_path)


def test_a_baseline_that_breaks_a_limit_is_never_the_better_choice(task):
    wrong = {"trial 3": (80, 81, 83), "plain network": (20, 22, 21)}
    finals = finals_of(task, wrong)
    assert any("that may be the better choice" in said for said in sentences(finals))
    finals.network("plain network").breaks = ["params<=30000"]
    (said,) = [each for each in sentences(finals) if "plain network" in each]
    assert said.startswith("it is behind the plain network (")
    assert said.endswith("), which breaks params<=30000 and so is no choice here")
