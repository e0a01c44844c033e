"""Metrics against scikit-learn, and at the edges where scikit-learn raises."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
from sklearn import metrics as reference

from nasturtium.errors import TaskError
from nasturtium.tasks import METRICS, evaluate_metrics, load
from nasturtium.tasks.metrics import log_softmax, metrics_for


@pytest.fixture
def classification(blobs):
    return load(blobs)


@pytest.fixture
def regression(generator):
    x = generator.normal(size=(80, 3))
    return load((x, 1000 + 50 * x[:, 0] + generator.normal(size=80)))


def names(kind):
    return [name for name, metric in METRICS.items() if kind in metric.kinds]


@pytest.mark.parametrize("classes", [2, 3, 7])
@pytest.mark.parametrize("ties", [False, True])
def test_classification_metrics_equal_scikit_learn(classification, classes, ties):
    generator = np.random.default_rng(classes)
    logits = generator.normal(size=(300, classes))
    logits = np.round(logits) if ties else logits
    truth = generator.choice(classes, size=300, p=generator.dirichlet(np.ones(classes)) * 0.7 + 0.3 / classes)
    ours = evaluate_metrics(names("classification"), logits, truth, classification)
    probabilities = np.exp(log_softmax(logits))
    predicted = logits.argmax(axis=1)
    scored = probabilities[:, 1] if classes == 2 else probabilities
    expected = {
        "accuracy": reference.accuracy_score(truth, predicted),
        "balanced_accuracy": reference.balanced_accuracy_score(truth, predicted),
        "f1": reference.f1_score(truth, predicted, average="macro"),
        "log_loss": reference.log_loss(truth, probabilities, labels=range(classes)),
        "auroc": reference.roc_auc_score(truth, scored, multi_class="ovr", labels=range(classes)),
        "average_precision": reference.average_precision_score(
            truth if classes == 2 else np.eye(classes)[truth], scored, average="macro"
        ),
    }
    assert ours == pytest.approx(expected, abs=1e-9)


def test_auroc_is_the_share_of_ordered_pairs(classification, generator):
    scores, truth = np.round(generator.normal(size=60), 1), np.arange(60) % 2
    pairs = [(a > b) + (a == b) / 2 for a in scores[truth == 1] for b in scores[truth == 0]]
    logits = np.stack((np.zeros(60), scores), axis=1)
    assert evaluate_metrics(["auroc"], logits, truth, classification)["auroc"] == pytest.approx(np.mean(pairs))


def test_one_column_is_the_logit_of_the_second_class(classification, generator):
    logit, truth = generator.normal(size=(50, 1)), np.arange(50) % 2
    both = np.concatenate((np.zeros((50, 1)), logit), axis=1)
    every = names("classification")
    one, two = (evaluate_metrics(every, outputs, truth, classification) for outputs in (logit, both))
    assert one == pytest.approx(two)
    assert one["accuracy"] == ((logit[:, 0] > 0) == truth).mean()


def test_regression_metrics_equal_scikit_learn_in_the_targets_unit(regression, generator):
    outputs, truth = generator.normal(size=(40, 1)), regression.train.targets[:40]
    ours = evaluate_metrics(names("regression"), outputs, truth, regression)
    mean, std = regression.preprocessing.target.mean[0], regression.preprocessing.target.std[0]
    predicted, right = outputs * std + mean, truth.astype(float) * std + mean
    expected = {
        "rmse": reference.root_mean_squared_error(right, predicted),
        "mae": reference.mean_absolute_error(right, predicted),
        "r2": reference.r2_score(right, predicted),
    }
    assert ours == pytest.approx(expected, rel=1e-6)
    assert ours["rmse"] > 20


def test_flat_and_column_targets_score_alike(regression, generator):
    outputs, truth = generator.normal(size=(30, 1)), generator.normal(size=(30, 1))
    column = evaluate_metrics(["rmse", "r2"], outputs, truth, regression)
    assert evaluate_metrics(["rmse", "r2"], outputs[:, 0], truth[:, 0], regression) == column


def test_several_targets_are_averaged_as_scikit_learn_does(generator):
    x = generator.normal(size=(80, 3))
    task = load((x, x[:, :2] * [1, 100] + generator.normal(size=(80, 2))))
    assert task.outputs == 2
    outputs, truth = generator.normal(size=(56, 2)), task.train.targets
    ours = evaluate_metrics(["rmse", "mae", "r2"], outputs, truth, task)
    right, predicted = task.in_units(truth), task.in_units(outputs)
    assert ours["rmse"] == pytest.approx(reference.root_mean_squared_error(right, predicted))
    assert ours["mae"] == pytest.approx(reference.mean_absolute_error(right, predicted))
    assert ours["r2"] == pytest.approx(reference.r2_score(right, predicted))


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_outputs_that_are_not_finite_give_nan(classification, regression, bad):
    logits = np.zeros((5, 3))
    logits[2, 1] = bad
    scores = evaluate_metrics(names("classification"), logits, np.arange(5) % 3, classification)
    assert all(np.isnan(value) for value in scores.values())
    assert len(scores) == len(names("classification"))
    scores = evaluate_metrics(names("regression"), logits[:, :1] + bad, np.zeros(5), regression)
    assert all(np.isnan(value) for value in scores.values())


def test_no_rows_and_huge_outputs_raise_nothing(classification, regression):
    assert np.isnan(evaluate_metrics(["accuracy"], np.zeros((0, 3)), np.zeros(0, int), classification)["accuracy"])
    huge = np.array([[1e308, -1e308, 0.0]] * 4)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        scores = evaluate_metrics(names("classification"), huge, np.array([0, 0, 1, 2]), classification)
        evaluate_metrics(names("regression"), huge[:, :1], np.zeros(4), regression)
    assert scores["accuracy"] == 0.5


def test_one_class_only_and_absent_classes(classification):
    logits = np.array([[0.1, 0.0], [0.3, 0.2], [0.0, 1.0]])
    scores = evaluate_metrics(["auroc", "balanced_accuracy"], logits, np.zeros(3, int), classification)
    assert np.isnan(scores["auroc"])
    assert scores["balanced_accuracy"] == pytest.approx(2 / 3)
    three = np.eye(3)[[0, 1, 1, 0]]
    assert evaluate_metrics(["auroc"], three, np.array([0, 1, 1, 0]), classification)["auroc"] == 1


def test_r2_of_constant_targets_and_single_rows(regression):
    assert evaluate_metrics(["r2"], np.zeros(3), np.zeros(3), regression)["r2"] == 1
    assert reference.r2_score(np.zeros(3), np.zeros(3)) == 1
    assert reference.r2_score(np.zeros(3), np.ones(3)) == 0
    assert evaluate_metrics(["r2"], np.ones(3), np.zeros(3), regression)["r2"] == 0
    assert np.isnan(evaluate_metrics(["r2"], np.zeros(1), np.zeros(1), regression)["r2"])


def test_wrong_metrics_and_lengths_are_named(classification, regression):
    with pytest.raises(TaskError, match=r"unknown metric 'acuracy'; known: accuracy, .*; did you mean 'accuracy'"):
        evaluate_metrics(["acuracy"], np.zeros((1, 3)), np.zeros(1), classification)
    with pytest.raises(TaskError, match="metric 'accuracy' is not for regression; use one of rmse, mae, r2"):
        evaluate_metrics(["accuracy"], np.zeros(1), np.zeros(1), regression)
    with pytest.raises(TaskError, match="3 outputs, but 2 targets"):
        evaluate_metrics(["accuracy"], np.zeros((3, 3)), np.zeros(2), classification)
    with pytest.raises(TaskError, match="targets hold class 5, but the outputs have 3 columns"):
        evaluate_metrics(["accuracy"], np.zeros((2, 3)), np.array([0, 5]), classification)


def test_the_primary_metric_comes_first():
    assert metrics_for("classification")[0] == "accuracy"
    assert metrics_for("classification", "auroc")[0] == "auroc"
    assert set(metrics_for("regression", "r2")) == {"rmse", "mae", "r2"}
    assert {name for name, metric in METRICS.items() if not metric.maximise} == {"log_loss", "rmse", "mae"}


def test_average_precision_without_a_positive_row_is_not_known(classification):
    scores = evaluate_metrics(["average_precision"], np.zeros((4, 2)), np.zeros(4, int), classification)
    assert np.isnan(scores["average_precision"])
    halves = evaluate_metrics(["average_precision"], np.zeros((4, 2)), np.array([0, 1, 0, 1]), classification)
    assert halves["average_precision"] == 0.5, "equal scores are one step"
