"""Recipes: values, choices, text, and what is chosen for a task."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch.utils.data import TensorDataset

from nasturtium import tasks
from nasturtium.errors import SpaceError, TrainingError
from nasturtium.estimators import Augmentation, Recipe, Trained, Training, default_recipe
from nasturtium.estimators.defaults import smoothness
from nasturtium.layers import Linear, Sequential
from nasturtium.space import Architecture, Space, choice, floats


def test_a_recipe_with_choices_is_a_space():
    root = Recipe(choice("adamw", "sgd"), floats(1e-4, 1e-1, log=True, steps=4), batch_size=choice(16, 32))
    space = Space(root)
    assert space.size == 2 * 4 * 2
    architecture = space.sample(np.random.default_rng(0))
    assert Architecture.parse(str(architecture)) == architecture
    architecture.value.check()


def test_network_and_recipe_are_searched_together(blobs, notes):
    recipe = Recipe(learning_rate=choice(0.001, 0.01), augmentation=Augmentation(shift=choice(0, 1)))
    space = Space(Trained(Sequential(Linear(choice(4, 8)), Linear(3)), recipe), input=(2,))
    assert space.size == 8
    architecture = space.sample(np.random.default_rng(1))
    assert architecture.count() == {"params": _params(architecture), "flops": _flops(architecture)}
    scores = Training(blobs).evaluate(architecture, 2, notes())
    assert 0 <= scores["accuracy"] <= 1


def _params(architecture):
    return sum(parameter.numel() for parameter in architecture.build().parameters())


def _flops(architecture):
    width = architecture.value.network.layers[0].out
    return 2 * (2 * width + width * 3)


def test_the_recipe_of_the_architecture_is_the_one_used(blobs, notes):
    network = Sequential(Linear(8), Linear(3))
    frozen = Trained(network, Recipe(learning_rate=1e-9, ema=0.0, warmup=0.0))
    free = Architecture(Trained(network, Recipe(learning_rate=0.05)), input=(2,))
    still = notes()
    Training(blobs).evaluate(Architecture(frozen, input=(2,)), 4, still)
    assert still.curve[0]["valid_loss"] == pytest.approx(still.curve[-1]["valid_loss"], abs=1e-4)
    assert Training(blobs).evaluate(free, 4, notes())["valid_loss"] < still.curve[0]["valid_loss"] / 2


@pytest.mark.parametrize(
    ("recipe", "words"),
    [
        (Recipe("adam"), "unknown optimiser 'adam'.*adamw"),
        (Recipe(schedule="onecycle"), "did you mean 'one_cycle'"),
        (Recipe(learning_rate=-1.0), "learning_rate is -1.0"),
        (Recipe(ema=1.0), "ema is 1.0"),
        (Recipe(learning_rate=float("nan")), "learning_rate is nan"),
        (Recipe(augmentation=Augmentation(shift=-1)), "shift is -1"),
        (Recipe(learning_rate=choice(0.1, 0.2)), "choices left open"),
        (Recipe(augmentation=None), r"augmentation is None in a recipe; use Augmentation\(\), which changes nothing"),
    ],
)
def test_what_cannot_be_used_is_named(blobs, recipe, words):
    with pytest.raises(TrainingError, match=words):
        Training(blobs, recipe)


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("learning_rate", "1e-3", "learning_rate must be a number, not '1e-3'"),
        ("learning_rate", choice(0.1, "0.2"), "learning_rate must be a number, not '0.2'"),
        ("batch_size", None, "batch_size must be a whole number, not None"),
        ("batch_size", 12.5, "batch_size must be a whole number, not 12.5"),
        ("clip", "1", "clip must be a number or None, not '1'"),
        ("weight_decay", True, "weight_decay must be a number, not True"),
    ],
)
def test_a_value_of_the_wrong_type_is_named_where_it_is_written(field, value, words):
    with pytest.raises(SpaceError, match=words):
        Recipe(**{field: value})


def test_smoothness_tells_pictures_from_letters():
    rng = np.random.default_rng(0)
    letters = np.eye(24)[rng.integers(0, 24, (200, 24))][:, None]  # (N, 1, 24, 24): one-hot words
    steps = np.cumsum(np.cumsum(rng.normal(size=(200, 1, 24, 24)), 2), 3)
    assert abs(smoothness(letters)) < 0.1
    assert smoothness(steps) > 0.8
    assert smoothness(np.ones((4, 1, 8, 8))) == 0.0


def test_only_pictures_are_augmented_by_default(digits, blobs):
    assert default_recipe(digits).augmentation.rotate > 0
    assert default_recipe(blobs).augmentation == Augmentation()
    rng = np.random.default_rng(0)
    words = tasks.load((np.eye(12)[rng.integers(0, 12, (60, 12))][:, None], np.arange(60) % 3), layout="channels_first")
    assert default_recipe(words).augmentation == Augmentation()


def test_images_from_files_are_looked_at_too(digits):
    split = digits.train
    lazy = tasks.Split(
        (), split.targets, TensorDataset(torch.from_numpy(split.inputs[0]), torch.from_numpy(split.targets))
    )
    assert default_recipe(replace(digits, train=lazy)) == default_recipe(digits)


def test_log_loss_is_not_sacrificed_to_smoothing(digits):
    assert default_recipe(digits).label_smoothing > 0
    assert default_recipe(replace(digits, metric="log_loss")).label_smoothing == 0.0


def test_networks_with_other_recipes_are_other_architectures():
    one, other = (Architecture(Trained(Linear(2), Recipe(learning_rate=rate)), input=(3,)) for rate in (0.01, 0.02))
    assert one.canonical != other.canonical
    assert one.canonical == Architecture(Trained(Linear(2), Recipe(learning_rate=0.01)), input=(3,)).canonical
