"""Networks of every kind the project builds: proxies have values, and padding adds nothing."""

import itertools
import math

import numpy as np
import pytest
import torch

from nasturtium import Architecture, spaces
from nasturtium.estimators.examples import example_inputs
from nasturtium.proxies import PROXIES, score
from nasturtium.space.signal import image, sequence, tokens, vector
from tests.spaces.event_inputs import events

KINDS = {
    "mlp": ("mlp", vector(6)),
    "convnet": ("convnet", image(1, 8, 8)),
    "einspace": ("einspace", image(3, 16, 16)),
    "sequencenet": ("sequencenet", sequence(20, 3)),
    "masked": ("sequencenet", sequence(None, 3, mask=True)),
    "tokens": ("sequencenet", tokens(12, 20)),
    "masked tokens": ("transformer", tokens(None, 30, mask=True)),
    "transformer": ("transformer", image(3, 8, 8)),
    "seqnas": ("seqnas", events(None, (5, 9), 2, times=True, mask=True)),
    "darts": ("darts", image(3, 8, 8)),
}
OPTIONS = {"darts": {"channels": 4, "cells": 3}}
MAY_LACK = {"nwot", "synflow", "zen", "jacob_cov", "epe_nas"}
"""What some networks rightly have no value for, such as a transformer whose codes are fewer than the rows."""


@pytest.mark.parametrize("kind", KINDS)
def test_proxies_have_values_for(kind):
    name, signal = KINDS[kind]
    space = spaces.make(name, signal, 3, **OPTIONS.get(kind, {}))
    torch.manual_seed(0)
    rng = np.random.default_rng(2)
    inputs = example_inputs(space.input, 10, length=12)
    small = (each for each in (space.sample(rng) for _ in range(100)) if each.count()["flops"] < 3e6)
    for architecture in itertools.islice(small, 2):
        found = score(architecture.build(), inputs, torch.arange(10) % 3)
        assert set(found) == set(PROXIES)
        assert set(found.reasons) <= MAY_LACK, found.reasons
        assert len(found.reasons) < 3, found.reasons
        assert all(math.isfinite(value) for proxy, value in found.items() if proxy not in found.reasons)


@pytest.mark.parametrize("kind", ["gru", "conv", "attention"])
def test_padding_adds_nothing(kind):
    body = {
        "gru": "GRU(6), Linear(20), ReLU()",
        "conv": "Conv1d(6, kernel=3), BatchNorm(), ReLU()",
        "attention": "Attention(2), Linear(20), ReLU()",
    }[kind]
    text = f"Sequential(Linear(8), {body}, GlobalPool('mean'), Linear(3))"
    torch.manual_seed(0)
    model = Architecture.parse(text, input=sequence(None, 4, mask=True)).build()
    x, y = torch.randn(6, 7, 4), torch.arange(6) % 3
    mask = torch.ones(6, 7, dtype=torch.bool)
    mask[2, 4:] = False
    longer = torch.cat([x, torch.zeros(6, 5, 4)], 1), torch.cat([mask, torch.zeros(6, 5, dtype=torch.bool)], 1)
    names = ["grad_norm", "snip", "plain", "grasp", "fisher", "nwot", "l2_norm", "params", "zico", "gradsign"]
    short, padded = score(model, (x, mask), y, names), score(model, longer, y, names)
    assert not short.reasons
    assert dict(padded) == pytest.approx(dict(short), rel=1e-4)


def test_regression_and_a_single_logit_have_their_losses():
    torch.manual_seed(0)
    model = torch.nn.Linear(4, 1)
    x, y = torch.randn(6, 4), torch.tensor([0, 1, 1, 0, 1, 0])
    slope = ((torch.sigmoid(model(x)[:, 0]) - y)[:, None] * x).mean(0)
    assert score(model, x, y, "grad_norm")["grad_norm"] == pytest.approx(float(slope.detach().norm()), rel=1e-5)
    numbers = y.float()[:, None]
    error = (2 * (model(x) - numbers) * x).mean(0)
    assert score(model, x, numbers, "grad_norm")["grad_norm"] == pytest.approx(float(error.detach().norm()), rel=1e-5)


def test_of_several_answers_the_first_is_scored():
    class Two(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.one, self.other = torch.nn.Linear(4, 3), torch.nn.Linear(4, 3)

        def forward(self, x):
            return self.one(x), self.other(x)

    model = Two()
    x, y = torch.randn(6, 4), torch.arange(6) % 3
    names = "grad_norm,snip,jacob_cov"
    assert dict(score(model, x, y, names)) == pytest.approx(dict(score(model.one, x, y, names)))
