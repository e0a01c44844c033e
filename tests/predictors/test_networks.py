"""Batched networks against networks trained one by one by torch, and samplers against a known posterior."""

import numpy as np
import pytest
import torch
from torch import nn

from nasturtium.predictors.bases import DNGO
from nasturtium.predictors.linear import BayesianLinear
from nasturtium.predictors.mlp import Ensemble
from nasturtium.predictors.networks import Adam, Networks, train
from nasturtium.predictors.sampled import Sampler

RNG = np.random.default_rng(0)
X = torch.from_numpy(RNG.normal(size=(50, 6)).astype(np.float32))
Y = torch.from_numpy(RNG.normal(size=50).astype(np.float32))


def alone(networks, member):
    """One of the networks as torch's own modules."""
    layers = []
    for number, (weight, bias) in enumerate(networks.weights):
        linear = nn.Linear(weight.shape[1], weight.shape[2])
        linear.weight.data, linear.bias.data = weight[member].T.clone(), bias[member, 0].clone()
        last = number + 1 == len(networks.weights)
        layers += [linear] if last else [linear, nn.ReLU() if networks.activation == "relu" else nn.Tanh()]
    return nn.Sequential(*layers)


@pytest.mark.parametrize("activation", ["relu", "tanh"])
@pytest.mark.parametrize("loss", ["mae", "mse"])
def test_networks_trained_as_one_are_those_trained_alone(activation, loss):
    networks = Networks(3, (6, 20, 20, 20), activation, seed=1)
    modules = [alone(networks, member) for member in range(3)]
    shares = torch.ones(3, 50)
    shares[2, 10:20] = 0.0  # the third shall not see these rows
    train(networks, X, Y, shares, epochs=4, batch=16, loss=loss, adam=Adam(epsilon=1e-3), seed=5)
    generator = torch.Generator().manual_seed(5)
    optimisers = [torch.optim.Adam(module.parameters(), 0.01, (0.9, 0.99), 1e-3) for module in modules]
    for _ in range(4):
        orders = torch.rand(3, 50, generator=generator).argsort(1)
        for begin in range(0, 50, 16):
            for member, (module, adam) in enumerate(zip(modules, optimisers, strict=True)):
                part = orders[member, begin : begin + 16]
                part = part[shares[member, part] > 0]
                off = module(X[part])[:, 0] - Y[part]
                adam.zero_grad()
                (off.abs() if loss == "mae" else off**2).mean().backward()
                adam.step()
    expected = torch.stack([module(X)[:, 0] for module in modules]).detach()
    torch.testing.assert_close(networks.outputs(X), expected, rtol=1e-3, atol=1e-4)


def test_mean_and_spread_are_those_of_the_members():
    ensemble = Ensemble(members=4, layers=2, epochs=3, holding_out=False)
    ensemble.fit(X.numpy(), Y.numpy())
    outputs = torch.stack([alone(ensemble.networks, m)(X)[:, 0] for m in range(4)]).detach().numpy()
    mean, std = ensemble.predict(X.numpy())
    np.testing.assert_allclose(mean, outputs.mean(0), rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(std, outputs.std(0, ddof=1), rtol=1e-3, atol=1e-6)
    assert ensemble.held_out() is None


def test_held_out_rows_are_not_seen():
    one, other = Ensemble(members=2, epochs=5), Ensemble(members=2, epochs=5)
    one.fit(X.numpy(), Y.numpy())
    held = np.flatnonzero(np.isin(Y.numpy(), one.held_out()[2]))
    assert len(held) == 10
    changed = Y.numpy().copy()
    changed[held] += 3.0
    other.fit(X.numpy(), changed)
    np.testing.assert_array_equal(one.held_out()[0], other.held_out()[0])
    assert not np.array_equal(one.predict(X.numpy())[0], other.predict(X.numpy())[0])


def test_good_rows_weigh_more_in_the_relative_loss():
    ensemble = Ensemble(loss="mape")
    shares = ensemble._shares(torch.tensor([-1.0, 0.0, 2.0]))[0]
    torch.testing.assert_close(shares, torch.tensor([1 / 3.1, 1 / 2.1, 1 / 0.1]))
    assert Ensemble(loss="mape", maximise=False)._shares(torch.tensor([-1.0, 2.0]))[0].argmax() == 0


def test_the_network_of_dngo_gives_the_columns_of_the_regression():
    model = DNGO(epochs=5)
    model.fit(X.numpy(), Y.double().numpy())
    basis = alone(model.networks, 0)[:-1](X).detach().double().numpy()
    linear = BayesianLinear()
    linear.fit(basis, Y.double().numpy())
    np.testing.assert_allclose(model.predict(X.numpy()), linear.predict(basis), rtol=1e-3, atol=1e-4)


def test_the_sampler_draws_from_a_known_normal_distribution():
    generator = torch.Generator().manual_seed(0)
    chains, scale = 500, torch.tensor([0.5, 2.0])
    values = torch.randn(2 * chains, generator=generator)
    sampler = Sampler(values, 0.03, 0.05, generator)
    variance = scale.repeat_interleave(chains) ** 2
    drawn = []
    for step in range(3000):
        noise = torch.randn(2 * chains, generator=generator)
        sampler.step((values - 1.0) / variance + 0.1 * noise, step < 1000)
        if step >= 1500 and step % 50 == 0:
            drawn.append(values.clone())
    found = torch.stack(drawn).view(-1, 2, chains).transpose(0, 1).reshape(2, -1)
    np.testing.assert_allclose(found.mean(1), [1.0, 1.0], atol=0.15)
    np.testing.assert_allclose(found.std(1), scale, rtol=0.2)
