"""Checkpoints: an interrupted training resumed is the uninterrupted one; a longer one continues."""

from __future__ import annotations

import pytest
import torch
from safetensors.torch import load_file

from nasturtium.errors import TrainingError
from nasturtium.estimators import Augmentation, Recipe, Training
from nasturtium.estimators.checkpoint import NAME
from nasturtium.layers import Linear
from nasturtium.space import Architecture

RECIPES = [
    Recipe(augmentation=Augmentation(shift=1, flip=True), ema=0.95, mixup=0.1),
    Recipe("sgd", learning_rate=0.05, schedule="cosine", precision="bf16"),
]


@pytest.mark.parametrize("recipe", RECIPES)
def test_interrupted_and_resumed_is_uninterrupted(tmp_path, digits, convnet, notes, recipe):
    training = Training(digits, recipe, checkpoint_seconds=0.0)
    whole = notes(seed=3, folder=tmp_path / "whole")
    expected = training.evaluate(convnet, 4, whole)
    with pytest.raises(KeyboardInterrupt):
        training.evaluate(convnet, 4, notes(seed=3, folder=tmp_path / "cut", crash_after=3))
    resumed = notes(seed=3, folder=tmp_path / "cut")
    assert Training(digits, recipe).evaluate(convnet, 4, resumed) == expected
    assert resumed.curve == whole.curve
    one, other = (load_file(tmp_path / name / NAME) for name in ("whole", "cut"))
    assert one.keys() == other.keys()
    assert all(torch.equal(one[name], other[name]) for name in one)


def test_a_finished_trial_is_not_trained_again(tmp_path, blobs, mlp, notes, monkeypatch):
    training = Training(blobs)
    first, second = notes(folder=tmp_path), notes(folder=tmp_path)
    expected = training.evaluate(mlp, 3, first)
    monkeypatch.setattr("nasturtium.estimators.fit.Fit.run_epoch", None)
    assert training.evaluate(mlp, 3, second) == expected
    assert second.curve == first.curve


def test_another_seed_or_budget_in_the_folder_starts_afresh(tmp_path, blobs, mlp, notes):
    training = Training(blobs)
    training.evaluate(mlp, 3, notes(folder=tmp_path))
    longer = notes(folder=tmp_path)
    training.evaluate(mlp, 5, longer)
    assert [point["step"] for point in longer.curve] == [1, 2, 3, 4, 5]


def test_a_longer_budget_continues(tmp_path, digits, convnet, notes):
    training = Training(digits)
    short = notes(folder=tmp_path / "short")
    training.evaluate(convnet, 3, short)
    longer = notes(seed=9, folder=tmp_path / "longer", previous=tmp_path / "short")
    training.evaluate(convnet, 6, longer)
    assert [point["step"] for point in longer.curve] == [4, 5, 6]
    afresh = notes(seed=9)
    training.evaluate(convnet, 6, afresh)
    assert longer.curve[0]["train_loss"] < afresh.curve[0]["train_loss"] - 0.5
    assert longer.curve[0]["accuracy"] > afresh.curve[0]["accuracy"]


def test_nothing_is_left_to_train_when_the_earlier_trial_was_longer(tmp_path, blobs, mlp, notes):
    training = Training(blobs)
    expected = training.evaluate(mlp, 5, notes(folder=tmp_path / "long"))
    report = notes(previous=tmp_path / "long")
    assert training.evaluate(mlp, 4, report) == expected
    assert report.curve == []


def test_without_an_earlier_checkpoint_it_starts_afresh(tmp_path, blobs, mlp, notes):
    report = notes(previous=tmp_path / "gone")
    Training(blobs).evaluate(mlp, 2, report)
    assert [point["step"] for point in report.curve] == [1, 2]


def test_another_architecture_cannot_be_continued(tmp_path, blobs, mlp, notes):
    training = Training(blobs)
    training.evaluate(mlp, 1, notes(folder=tmp_path))
    with pytest.raises(TrainingError, match="is of another architecture, so it cannot be continued"):
        training.evaluate(Architecture(Linear(3), input=(2,)), 2, notes(previous=tmp_path))


def test_a_broken_file_is_named(tmp_path, blobs, mlp, notes):
    (tmp_path / NAME).write_bytes(b"\x80\x04not safetensors")
    with pytest.raises(TrainingError, match=r"checkpoint\.safetensors is not a checkpoint"):
        Training(blobs).evaluate(mlp, 1, notes(folder=tmp_path))


def test_checkpoints_can_be_left_out_and_drafts_are_not_left(tmp_path, blobs, mlp, notes):
    Training(blobs, checkpoints=False).evaluate(mlp, 1, notes(folder=tmp_path))
    assert list(tmp_path.iterdir()) == []
    Training(blobs).evaluate(mlp, 1, notes(folder=tmp_path))
    assert [path.name for path in tmp_path.iterdir()] == [NAME]
