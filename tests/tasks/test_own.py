"""Metrics, losses and objectives of the user's own, against scikit-learn and torch."""

from __future__ import annotations

import functools
import math

import numpy as np
import pytest
import torch
from sklearn import metrics as sklearn_metrics

from nasturtium.errors import ObjectiveError, TaskError, TrainingError
from nasturtium.estimators.fit import make_loss
from nasturtium.objective import Goal
from nasturtium.sameness import identity
from nasturtium.tasks import Combined, Metric, evaluate_metrics, load


def matthews(predicted, targets):
    return sklearn_metrics.matthews_corrcoef(targets, predicted)


def brier(log_probabilities, targets):
    hits = np.eye(log_probabilities.shape[1])[targets]
    return ((np.exp(log_probabilities) - hits) ** 2).sum(axis=1).mean()


def worst(predictions, targets):
    return np.abs(predictions - targets).max()


def test_scores_are_those_of_the_functions(blobs, generator):
    task = load(blobs, metric=Metric(matthews, maximise=True, takes="classes"), metrics=[Metric(brier, maximise=False)])
    assert task.metric == task.metrics[0] == "matthews"
    assert task.metrics[-1] == "brier"
    assert "accuracy" in task.metrics
    assert task.objective == "max:matthews"
    logits, targets = generator.normal(size=(50, 3)), generator.integers(0, 3, 50)
    scores = evaluate_metrics(task.metrics, logits, targets, task)
    assert scores["matthews"] == pytest.approx(sklearn_metrics.matthews_corrcoef(targets, logits.argmax(1)))
    p = torch.softmax(torch.tensor(logits), 1).numpy()
    assert scores["brier"] == pytest.approx(((p - np.eye(3)[targets]) ** 2).sum(1).mean())
    assert Goal.of(task.metric, known=task.directions).objectives[0].maximise
    assert not Goal.of("brier", known=task.directions).objectives[0].maximise


def test_regression_is_scored_in_its_own_unit(generator):
    x = generator.normal(size=(100, 3))
    task = load((x, 1000 + 50 * x[:, 0]), metric=Metric(worst, maximise=False))
    outputs = task.test.targets + 0.1
    std = float((1000 + 50 * x[:, 0]).std())
    found = evaluate_metrics(("worst",), outputs, task.test.targets, task)["worst"]
    assert found == pytest.approx(0.1 * task.preprocessing.target.std[0], rel=1e-4)
    assert 0.05 * std < found < 0.2 * std


def test_own_metric_may_be_named_among_others(blobs):
    task = load(blobs, metric="brier", metrics=[Metric(brier, maximise=False)])
    assert task.metric == "brier"
    assert load(task, metric="accuracy").metrics[0] == "accuracy"
    assert "brier" in load(task, metric="accuracy").metrics


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"metric": matthews}, r"nt.tasks.Metric\(matthews, maximise=True\)"),
        ({"metric": 3}, "3 is no metric"),
        ({"metric": "matthew"}, "unknown metric 'matthew'"),
        ({"metric": Metric(brier, True, name="accuracy")}, "'accuracy' already"),
        ({"metric": Metric(brier, True, name="error")}, "of 'error' less is better"),
        ({"metric": Metric(lambda p, t: 0.0, True)}, "cannot be called '<lambda>'"),
        ({"metric": Metric(brier, True, kinds=("regression",))}, "is for regression"),
        ({"metrics": [Metric(brier, False), Metric(worst, False, name="brier")]}, "same name"),
        ({"loss": torch.nn.MSELoss}, r"give MSELoss\(\)"),
        ({"loss": "mae"}, "unknown loss 'mae'"),
    ],
)
def test_what_cannot_be_used_is_named(blobs, options, said):
    with pytest.raises(TaskError, match=said):
        load(blobs, **options)


def test_a_metric_that_gives_no_number_says_so(blobs):
    task = load(blobs, metrics=[Metric(lambda p, t: None, maximise=True, name="none")])
    with pytest.raises(TaskError, match="metric 'none' gave None"):
        evaluate_metrics(("none",), np.zeros((4, 3)), np.zeros(4, int), task)
    with pytest.raises(TaskError, match="'outputs' or 'classes'"):
        Metric(brier, maximise=True, takes="labels")


def test_a_study_knows_metrics_and_losses_by_their_source(blobs):
    def one(outputs, targets):
        return torch.nn.functional.cross_entropy(outputs, targets)

    def other(outputs, targets):
        return torch.nn.functional.cross_entropy(outputs, targets) * 2

    prints = {load(blobs, **each).fingerprint for each in ({}, {"loss": one}, {"loss": other})}
    assert len(prints) == 3
    assert load(blobs).custom == {}
    task = load(blobs, loss=one, metrics=[Metric(brier, maximise=False)])
    assert set(task.custom) == {"loss", "metric brier"}
    assert task.fingerprint == load(blobs, loss=one, metrics=[Metric(brier, maximise=False)]).fingerprint
    assert identity(torch.nn.HuberLoss(delta=2.0)) != identity(torch.nn.HuberLoss())
    assert identity(functools.partial(one, targets=1)) != identity(functools.partial(one, targets=2))


def test_own_losses_are_taken_as_they_are(generator):
    outputs = torch.tensor(generator.normal(size=(8, 2)), dtype=torch.float64)
    numbers = torch.tensor(generator.normal(size=(8, 2)), dtype=torch.float32)
    found = make_loss(torch.nn.HuberLoss(delta=0.3), 0.5)(outputs, numbers)
    torch.testing.assert_close(found, torch.nn.functional.huber_loss(outputs.float(), numbers, delta=0.3))
    flat = make_loss(lambda o, t: (o - t).abs().mean(), 0.0)(outputs[:, :1], numbers[:, 0])
    torch.testing.assert_close(flat, (outputs[:, 0].float() - numbers[:, 0]).abs().mean())
    classes = torch.arange(8) % 2
    own = make_loss(torch.nn.NLLLoss(), 0.0)(torch.log_softmax(outputs, 1), classes)
    torch.testing.assert_close(own, make_loss("cross_entropy", 0.0)(outputs, classes))
    with pytest.raises(TrainingError, match=r"shape \(8,\).*one number"):
        make_loss(torch.nn.CrossEntropyLoss(reduction="none"), 0.0)(outputs, classes)
    with pytest.raises(TrainingError, match=r"the loss gave 3\.0"):
        make_loss(lambda o, t: 3.0, 0.0)(outputs, classes)


def test_combined_objectives_order_trials_by_their_value():
    def value(scores):
        return scores["accuracy"] - 0.1 * math.log10(scores["params"])

    goal = Goal.of(Combined("accuracy", value))
    small, large = {"accuracy": 0.90, "params": 1e3}, {"accuracy": 0.95, "params": 1e6}
    assert goal.losses(small) < goal.losses(large)
    assert goal.losses(small)[1] == pytest.approx(-(0.9 - 0.3))
    assert goal.missing({"params": 3.0}) == ["accuracy"]
    less = Goal.of(Combined("accuracy", value, maximise=False))
    assert less.losses(large) < less.losses(small)
    assert [str(each) for each in goal.objectives] == ["max:accuracy"]
    with pytest.raises(ObjectiveError, match="asks for 'params'; scores given: accuracy"):
        goal.losses({"accuracy": 1.0})
    with pytest.raises(ObjectiveError, match="needs a function"):
        Combined("accuracy", 3)
