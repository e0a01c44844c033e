"""Schedules, optimisers and the moving average against torch's own and against plain loops."""

from __future__ import annotations

import math

import pytest
import torch
from torch import nn

from nasturtium.estimators import Recipe
from nasturtium.estimators.optimise import Average, make_optimiser, momentum, rate, set_rates
from nasturtium.modules.state_space import DiagonalStateSpace


def test_one_cycle_is_that_of_torch():
    recipe, steps = Recipe(learning_rate=0.1, warmup=0.3), 50
    model = nn.Linear(1, 1)
    optimiser = torch.optim.AdamW(model.parameters(), lr=0.1)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, 0.1, total_steps=steps, final_div_factor=1e4 / 25)
    for step in range(steps):
        group = optimiser.param_groups[0]
        # torch places the peak at 0.3 * 50 - 1 = step 14, we at step 15: one step of phase on the way up.
        if step > 15:
            ours = 0.1 * rate(recipe, step, steps)
            assert ours == pytest.approx(group["lr"], rel=0.06, abs=2e-4)
            assert momentum(recipe, step, steps) == pytest.approx(group["betas"][0], abs=5e-3)
        optimiser.step()
        schedule.step()
    assert rate(recipe, 0, steps) == pytest.approx(1 / 25)
    assert rate(recipe, 15, steps) == pytest.approx(1.0)
    assert rate(recipe, steps - 1, steps) == pytest.approx(1e-4)


def test_cosine_with_warm_up_by_its_formula():
    recipe = Recipe(schedule="cosine", warmup=0.1)
    assert [rate(recipe, step, 40) for step in range(4)] == [0.25, 0.5, 0.75, 1.0]
    for step in range(4, 40):
        assert rate(recipe, step, 40) == pytest.approx((1 + math.cos(math.pi * (step - 4) / 36)) / 2)


def test_constant_stays():
    assert {rate(Recipe(schedule="constant", warmup=0.0), step, 10) for step in range(10)} == {1.0}


@pytest.mark.parametrize("schedule", ["one_cycle", "cosine", "constant"])
def test_every_rate_is_a_share(schedule):
    for steps in (1, 2, 3, 17):
        for warmup in (0.0, 0.3, 1.0):
            recipe = Recipe(schedule=schedule, warmup=warmup)
            assert all(0 <= rate(recipe, step, steps) <= 1 for step in range(steps))


@pytest.mark.parametrize("name", ["adamw", "sgd"])
def test_a_step_is_that_of_torch_without_decay_of_norms_and_biases(name):
    torch.manual_seed(0)
    model = nn.Sequential(nn.Conv2d(2, 3, 3), nn.ReLU(), nn.BatchNorm2d(3), nn.Flatten(), nn.Linear(3, 2))
    model = model.to(memory_format=torch.channels_last)
    twin = nn.Sequential(nn.Conv2d(2, 3, 3), nn.ReLU(), nn.BatchNorm2d(3), nn.Flatten(), nn.Linear(3, 2))
    twin.load_state_dict(model.state_dict())
    decayed = [twin[0].weight, twin[4].weight]
    others = [twin[0].bias, twin[2].weight, twin[2].bias, twin[4].bias]
    groups = [{"params": decayed, "weight_decay": 0.5}, {"params": others, "weight_decay": 0.0}]
    if name == "sgd":
        expected = torch.optim.SGD(groups, 0.1, 0.9, nesterov=True, foreach=False)
    else:
        expected = torch.optim.AdamW(groups, 0.1, foreach=False)
    optimiser = make_optimiser(model, Recipe(name, weight_decay=0.5))
    for group in optimiser.param_groups:
        group["lr"] = 0.1
    x = torch.randn(5, 2, 3, 3)
    for _ in range(4):
        for net, stepper in ((model, optimiser), (twin, expected)):
            stepper.zero_grad()
            net(x).square().sum().backward()
            stepper.step()
    for ours, theirs in zip(model.parameters(), twin.parameters(), strict=True):
        torch.testing.assert_close(ours, theirs)


def test_rates_reach_the_optimiser():
    recipe = Recipe("sgd", learning_rate=0.2)
    optimiser = make_optimiser(nn.Linear(2, 2), recipe)
    set_rates(optimiser, recipe, 5, 20)
    assert [group["lr"] for group in optimiser.param_groups] == pytest.approx([0.2, 0.2])
    assert optimiser.param_groups[0]["momentum"] == pytest.approx(0.85)


@pytest.mark.parametrize("fastest", [0.02, 0.0005])
def test_dynamics_of_state_space_layers_learn_slowly_and_do_not_decay(fastest):
    layer = DiagonalStateSpace(4, states=3)
    model = nn.Sequential(nn.Linear(4, 4), layer)
    recipe = Recipe(learning_rate=fastest, weight_decay=0.1)
    optimiser = make_optimiser(model, recipe)
    set_rates(optimiser, recipe, 5, 20)
    of = {id(p): group for group in optimiser.param_groups for p in group["params"]}
    assert len(of) == len(list(model.parameters()))
    share = rate(recipe, 5, 20)
    for dynamics in (layer.steps, layer.decay, layer.frequency):
        assert of[id(dynamics)]["weight_decay"] == 0
        assert of[id(dynamics)]["lr"] == pytest.approx(min(fastest, 0.001) * share)
    assert of[id(layer.weight)]["weight_decay"] == of[id(model[0].weight)]["weight_decay"] == 0.1
    assert of[id(layer.skip)]["lr"] == of[id(model[0].weight)]["lr"] == pytest.approx(fastest * share)


def test_average_by_its_formula():
    model = nn.BatchNorm1d(2)
    average = Average(model, 0.9)
    expected = model.weight.detach().clone()
    counted = model.num_batches_tracked
    for step in range(30):
        with torch.no_grad():
            model.weight += torch.randn(2)
        average.update(step)
        decay = min(0.9, (1 + step) / (10 + step))
        expected = decay * expected + (1 - decay) * model.weight.detach()
    live = model.weight.detach().clone()
    average.swap()
    torch.testing.assert_close(model.weight.detach(), expected)
    assert model.num_batches_tracked is counted
    average.swap()
    torch.testing.assert_close(model.weight.detach(), live)
