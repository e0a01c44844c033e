"""Training: it learns, repeats exactly, stops when told, and says what goes wrong."""

from __future__ import annotations

import pickle
from dataclasses import replace

import numpy as np
import pytest
import torch

from nasturtium import tasks
from nasturtium.errors import Mismatch, TrainingError
from nasturtium.estimators import Augmentation, Recipe, Training
from nasturtium.layers import (
    GRU,
    Attention,
    Dropout,
    Embedding,
    Flatten,
    GlobalPool,
    LayerNorm,
    Linear,
    ReLU,
    Residual,
    Sequential,
)
from nasturtium.space import Architecture


def test_digits_are_learned_and_the_curve_is_complete(digits, convnet, notes):
    report = notes()
    scores = Training(digits).evaluate(convnet, 8, report)
    assert scores["accuracy"] > 0.9
    assert set(scores) == {*digits.metrics, "valid_loss"}
    assert [point["step"] for point in report.curve] == list(range(1, 9))
    assert report.curve[-1]["train_loss"] < report.curve[0]["train_loss"]
    assert {name: report.curve[-1][name] for name in scores} == scores
    assert scores["valid_loss"] == pytest.approx(scores["log_loss"], rel=1e-4)


def test_no_batch_of_a_single_row_where_there_are_others(blobs, mlp, notes):
    odd = replace(blobs, train=blobs.train.take(np.arange(33)))
    report = notes()
    Training(odd, Recipe(batch_size=2)).evaluate(mlp, 2, report)  # batch normalisation refuses a single row
    assert np.isfinite(report.curve[-1]["train_loss"])


def test_the_loss_of_an_epoch_is_the_mean_over_its_rows(blobs, notes):
    odd = replace(blobs, train=blobs.train.take(np.arange(150)))
    network = Architecture(Sequential(Linear(3)), input=(2,))
    losses = []
    for size in (100, 150):  # batches of 100 and 50 rows, and one of all
        report = notes()
        Training(odd, Recipe(batch_size=size, learning_rate=1e-12)).evaluate(network, 1, report)
        losses.append(report.curve[0]["train_loss"])
    assert losses[0] == pytest.approx(losses[1], rel=1e-5)


def test_regression_is_scored_in_its_own_unit(line, notes):
    network = Architecture(Sequential(Linear(16), ReLU(), Linear(1)), input=(4,))
    scores = Training(line).evaluate(network, 40, notes())
    assert scores["r2"] > 0.95
    spread = line.in_units(line.valid.targets).std()
    assert scores["rmse"] == pytest.approx(spread * np.sqrt(1 - scores["r2"]), rel=1e-3)


def test_as_good_as_the_perceptron_of_scikit_learn(notes):
    from sklearn.datasets import load_wine
    from sklearn.neural_network import MLPClassifier

    ours, theirs = [], []
    for seed in range(3):
        task = tasks.load(load_wine(return_X_y=True), seed=seed)
        network = Architecture(Sequential(Linear(32), ReLU(), Linear(3)), input=task.inputs)
        ours.append(Training(task).evaluate(network, 30, notes(seed))["accuracy"])
        reference = MLPClassifier((32,), random_state=seed, max_iter=500)
        reference.fit(task.train.inputs[0], task.train.targets)
        theirs.append(reference.score(task.valid.inputs[0], task.valid.targets))
    assert np.mean(ours) >= np.mean(theirs) - 0.02


def test_same_seed_same_scores_and_random_state_is_left_alone(digits, convnet, notes):
    recipe = Recipe(augmentation=Augmentation(shift=1, rotate=5.0, cutout=2), mixup=0.2, ema=0.9)
    training = Training(digits, recipe)
    torch.manual_seed(1)
    state = torch.get_rng_state()
    first = notes(seed=5)
    training.evaluate(convnet, 2, first)
    assert torch.equal(torch.get_rng_state(), state)
    torch.manual_seed(2)
    again, other = notes(seed=5), notes(seed=6)
    Training(digits, recipe).evaluate(convnet, 2, again)
    training.evaluate(convnet, 2, other)
    assert first.curve == again.curve
    assert first.curve != other.curve


def test_stops_when_told(blobs, mlp, notes):
    report = notes(stop_after=3)
    scores = Training(blobs).evaluate(mlp, 50, report)
    assert len(report.curve) == 3
    assert scores["accuracy"] == report.curve[-1]["accuracy"]


def test_a_fraction_of_an_epoch(blobs, mlp, notes):
    report = notes()
    Training(blobs, Recipe(batch_size=16)).evaluate(mlp, 1.5, report)
    assert [point["step"] for point in report.curve] == [1, 2]


def test_a_loss_that_is_not_finite_is_named(line, notes):
    network = Architecture(Sequential(Linear(16), ReLU(), Linear(1)), input=(4,))
    recipe = Recipe("sgd", learning_rate=1e6, clip=None, batch_size=32, schedule="constant", warmup=0.0)
    with pytest.raises(TrainingError, match=r"the loss is (nan|inf) in epoch 1, step \d+ of 45.*learning rate"):
        Training(line, recipe).evaluate(network, 5, notes())


@pytest.mark.parametrize(
    "error", [MemoryError(), RuntimeError("DefaultCPUAllocator: can't allocate memory"), torch.OutOfMemoryError()]
)
def test_out_of_memory_is_one_line(blobs, mlp, notes, monkeypatch, error):
    def raising(*_):
        raise error

    monkeypatch.setattr("nasturtium.estimators.fit.Fit.run_epoch", raising)
    with pytest.raises(TrainingError, match="out of memory with batches of 17 rows"):
        Training(blobs, Recipe(batch_size=17)).evaluate(mlp, 1, notes())


def test_other_errors_are_not_taken_for_it(blobs, mlp, notes, monkeypatch):
    def raising(*_):
        raise RuntimeError("a bug")

    monkeypatch.setattr("nasturtium.estimators.fit.Fit.run_epoch", raising)
    with pytest.raises(RuntimeError, match="a bug"):
        Training(blobs).evaluate(mlp, 1, notes())


def test_what_does_not_fit_the_task_is_refused(blobs, digits, mlp, notes):
    with pytest.raises(TrainingError, match=r"asks for 3 outputs; end it with Linear\(3\)"):
        Training(blobs).evaluate(Architecture(Linear(4), input=(2,)), 1, notes())
    with pytest.raises(Mismatch):
        Training(digits).evaluate(mlp, 1, notes())
    with pytest.raises(TrainingError, match="a budget of 0 epochs"):
        Training(blobs).evaluate(mlp, 0, notes())
    with pytest.raises(TrainingError, match="no validation rows"):
        Training(blobs.merged()).evaluate(mlp, 1, notes())
    with pytest.raises(TrainingError, match="cannot use the device 'cuda:77'"):
        Training(blobs, device="cuda:77").evaluate(mlp, 1, notes())


def test_tokens_cannot_be_mixed_but_are_learned(notes):
    rng = np.random.default_rng(0)
    x = rng.integers(1, 6, (300, 7))
    task = tasks.load((x, (x == 2).sum(1) > 1), layout="tokens")
    block = Residual(Sequential(LayerNorm(), Attention(2)))
    network = Sequential(Embedding(16), block, GlobalPool("mean"), Linear(16), ReLU(), Linear(2))
    architecture = Architecture(network, input=task.inputs)
    with pytest.raises(TrainingError, match=r"mixup=0\.2 cannot mix tokens"):
        Training(task, Recipe(mixup=0.2)).evaluate(architecture, 1, notes())
    assert Training(task).evaluate(architecture, 25, notes())["accuracy"] > 0.9


def test_a_recurrent_network_learns_to_look_back(notes):
    rng = np.random.default_rng(0)
    x = rng.normal(size=(600, 5, 2))
    task = tasks.load((x, (x[:, 1, 0] > 0).astype(int)), layout="sequence")
    network = Architecture(Sequential(GRU(16), GlobalPool("last"), Linear(2)), input=task.inputs)
    assert Training(task).evaluate(network, 30, notes())["accuracy"] > 0.85


def test_final_training_and_its_test_scores(blobs, mlp):
    training = Training(blobs)
    model = training.fit_final(mlp, None, 20, seed=1)
    assert not model.training
    tested = training.test(model)
    with torch.no_grad():
        outputs = model(torch.from_numpy(blobs.test.inputs[0]))
    assert np.array_equal(tested.outputs, outputs.numpy())
    right = (outputs.argmax(1).numpy() == blobs.test.targets).mean()
    assert tested.scores["accuracy"] == pytest.approx(right)
    assert tested.scores["accuracy"] > 0.9
    again = training.fit_final(mlp, blobs.merged(), 20, seed=1)
    for ours, theirs in zip(again.parameters(), model.parameters(), strict=True):
        assert torch.equal(ours, theirs)


def test_final_training_sees_the_validation_rows(blobs, mlp):
    few = Training(blobs).fit_final(mlp, blobs, 1, seed=0)
    all_rows = Training(blobs).fit_final(mlp, None, 1, seed=0)
    assert not torch.equal(next(few.parameters()), next(all_rows.parameters()))


def test_travels_to_workers_without_its_tensors(blobs, mlp, notes):
    training = Training(blobs)
    expected = training.evaluate(mlp, 2, notes())
    copied = pickle.loads(pickle.dumps(training))  # noqa: S301
    assert copied._placed is None
    assert copied.evaluate(mlp, 2, notes()) == expected


def test_bf16_learns_what_fp32_learns(digits, notes):
    network = Architecture(Sequential(Flatten(), Linear(32), ReLU(), Dropout(0.1), Linear(10)), input=(1, 8, 8))
    accuracies = [
        Training(digits, Recipe(precision=precision)).evaluate(network, 10, notes())["accuracy"]
        for precision in ("fp32", "bf16")
    ]
    assert min(accuracies) > 0.9
    assert abs(accuracies[0] - accuracies[1]) < 0.03
