"""What the spaces hold: networks that run, learn and cost what is said, and vary within their space."""

from __future__ import annotations

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from nasturtium.space.architecture import Architecture
from nasturtium.spaces import make
from nasturtium.tasks import Batches, load


def _rng(seed=0):
    return np.random.default_rng(seed)


def _check(architecture, tensors, outputs):
    """Forward, backward, and the number of parameters against the module's own."""
    module = architecture.build()
    y = module(*tensors)
    assert y.shape == (len(tensors[0]), outputs)
    assert architecture.output.shape == (outputs,)
    assert torch.isfinite(y).all()
    y.square().sum().backward()
    for name, parameter in module.named_parameters():
        assert parameter.grad is not None, f"{name} takes no part in {architecture}"
        assert torch.isfinite(parameter.grad).all()
    assert architecture.count()["params"] == sum(p.numel() for p in module.parameters())


def test_three_hundred_samples_run_and_learn(small, inputs_of):
    name, input = small
    space, rng = make(name, input, 3), _rng()
    torch.manual_seed(0)
    tensors = inputs_of(input)
    seen = set()
    for _ in range(300):
        architecture = space.sample(rng)
        seen.add(architecture)
        _check(architecture, tensors, 3)
    assert len(seen) > 250


def test_every_input_that_is_taken(case, inputs_of):
    name, input = case
    space, rng = make(name, input, 5), _rng(1)
    torch.manual_seed(0)
    for _ in range(2 if np.prod([s or 1 for s in space.input[0].shape]) > 10_000 else 6):
        _check(space.sample(rng), inputs_of(input), 5)


def test_text_and_decisions_come_back(case):
    name, input = case
    space, rng = make(name, input, 5), _rng(2)
    for _ in range(15):
        architecture = space.sample(rng)
        again = space.parse(str(architecture))
        assert again == architecture
        assert again.decisions == architecture.decisions
        assert Architecture.from_json(architecture.to_json(), space=make(name, input, 5)) == architecture


def test_mutants_and_children_stay_in_the_space(small, inputs_of):
    name, input = small
    space, rng = make(name, input, 3), _rng(3)
    for _ in range(40):
        first, second = space.sample(rng), space.sample(rng)
        mutant, child = space.mutate(first, rng), space.cross(first, second, rng)
        assert mutant != first
        assert str(mutant) != str(first)
        assert mutant in space
        assert child in space
        for architecture in (mutant, child):
            assert architecture.output.shape == (3,)
    _check(mutant, inputs_of(input), 3)
    _check(child, inputs_of(input), 3)


def test_neighbours_are_other_members(small):
    name, input = small
    space = make(name, input, 3)
    architecture = space.sample(_rng(4))
    found = list(space.neighbours(architecture, _rng(5), limit=25))
    assert len(found) == 25
    assert len(set(found)) == len(found)
    assert architecture not in found
    assert all(neighbour in space for neighbour in found)


@pytest.mark.parametrize("name", ["convnet", "multibranch"])
def test_a_larger_width_and_depth_hold_larger_networks(name):
    def largest(**options):
        space, rng = make(name, (3, 32, 32), 10, **options), _rng(6)
        return max(space.sample(rng).count()["params"] for _ in range(60))

    assert largest(width=4.0) > 8 * largest()
    assert largest(width=0.5) < largest() / 2


@pytest.mark.parametrize("name", ["mlp", "convnet", "multibranch"])
def test_first_samples_learn_digits(name):
    task = load("digits")
    space, rng = make(name, task.inputs, task.outputs), _rng(7)
    scores = []
    for _ in range(3):
        torch.manual_seed(0)
        scores.append(_accuracy_after(space.sample(rng).build(), task, epochs=4))
    assert np.median(scores) > 0.93


def _accuracy_after(model, task, epochs):
    train = Batches(task.train, 64, shuffle_seed=0, drop_last=True)
    optimizer = torch.optim.AdamW(model.parameters(), lr=5e-3, weight_decay=0.05)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 5e-3, total_steps=epochs * len(train))
    for _ in range(epochs):
        for (x,), target in train:
            optimizer.zero_grad()
            F.cross_entropy(model(x), target).backward()
            optimizer.step()
            schedule.step()
    model.eval()
    with torch.no_grad():
        ((x,), target) = next(iter(Batches(task.valid, len(task.valid))))
        return (model(x).argmax(1) == target).float().mean().item()
