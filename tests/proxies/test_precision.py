"""Proxies have values where the device has no double precision, the same as on the CPU."""

from __future__ import annotations

import copy

import pytest
import torch
from torch import nn

from nasturtium import Architecture
from nasturtium.proxies import PROXIES, score
from nasturtium.proxies.precision import _has_double
from nasturtium.space.signal import sequence, tokens
from tests.proxies.lacking import DEVICE, Lacking


@pytest.fixture
def device():
    _has_double.cache_clear()
    with Lacking():
        yield DEVICE
    _has_double.cache_clear()


class Scale(nn.Module):
    """Keeps a plain tensor, which ``nn.Module.to`` leaves where it is."""

    def __init__(self):
        super().__init__()
        self.scale = torch.full((4, 1, 1), 2.0)

    def forward(self, x):
        return x * self.scale


def network():
    torch.manual_seed(0)
    body = [nn.Conv2d(2, 4, 3), nn.BatchNorm2d(4), nn.ReLU(), Scale(), nn.Conv2d(4, 8, 3), nn.BatchNorm2d(8), nn.ReLU()]
    return nn.Sequential(*body, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(8, 3))


def batch():
    generator = torch.Generator().manual_seed(1)
    return torch.randn(6, 2, 8, 8, generator=generator), torch.arange(6) % 3


def test_the_device_is_played_as_it_is(device):
    there = torch.ones(3).to(device)
    assert there.device == device
    assert float(there.sum()) == 3.0
    with pytest.raises(TypeError, match="doesn't support float64"):
        there.double()
    with pytest.raises(RuntimeError, match="same device"):
        there + torch.ones(3)


MASKED = "Sequential(Linear(8), Conv1d(16, kernel=3), BatchNorm(), ReLU(), GlobalPool('mean'), Linear(3))"
EMBEDDED = "Sequential(Embedding(8), Linear(16), ReLU(), GlobalPool('mean'), Linear(3))"


def masked():
    x, mask = torch.randn(6, 7, 4, generator=torch.Generator().manual_seed(1)), torch.ones(6, 7, dtype=torch.bool)
    mask[::2, 4:] = False
    return Architecture.parse(MASKED, input=sequence(None, 4, mask=True)).build(), (x, mask)


def embedded():
    words = torch.randint(0, 20, (6, 7), generator=torch.Generator().manual_seed(1))
    return Architecture.parse(EMBEDDED, input=tokens(7, 20)).build(), (words,)


@pytest.mark.parametrize("make", [masked, embedded])
def test_padding_and_tokens_too(make, device):
    torch.manual_seed(0)
    model, inputs = make()
    targets = torch.arange(6) % 3
    here = score(model, inputs, targets)
    there = score(copy.deepcopy(model).to(device), [each.to(device) for each in inputs], targets.to(device))
    assert there.reasons == here.reasons
    assert dict(there) == pytest.approx(dict(here), rel=1e-5, nan_ok=True)
    assert len(here.reasons) < 3


@pytest.mark.parametrize("name", PROXIES)
def test_a_device_without_double_precision_gives_the_scores_of_the_cpu(name, device):
    model, (inputs, targets) = network(), batch()
    here = score(model, inputs, targets, name)
    model = copy.deepcopy(model).to(device)
    model[3].scale = model[3].scale.to(device)
    there = score(model, inputs.to(device), targets.to(device), name)
    assert there.reasons == here.reasons == {}
    assert there[name] == pytest.approx(here[name], rel=1e-5)
