"""Random generators are as they were, those of devices that are not in use too."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from nasturtium import Architecture
from nasturtium.proxies import score, scorer
from nasturtium.proxies.generators import own_numbers
from nasturtium.tasks import load
from nasturtium.testing.running import run_once

NET = "Sequential(ConvBlock(4), GlobalPool(), Linear(10))"


@pytest.fixture
def seeded(monkeypatch):
    """Whether the generators of all CUDA devices were seeded; where there is none that waits until they are used."""
    met = []
    for name in ("manual_seed", "manual_seed_all"):
        monkeypatch.setattr(torch.cuda, name, lambda seed: met.append(seed))
    return met


def test_what_is_drawn_follows_from_the_seed_and_nothing_is_moved(seeded):
    before = torch.get_rng_state()
    with own_numbers(3):
        drawn = torch.randn(4)
    assert torch.equal(torch.get_rng_state(), before)
    assert not seeded
    torch.manual_seed(3)
    assert torch.equal(torch.randn(4), drawn)
    assert seeded  # torch.manual_seed does it


def test_scores_on_the_cpu_leave_the_generators_of_devices_alone(seeded):
    score(nn.Sequential(nn.Linear(5, 4), nn.ReLU(), nn.Linear(4, 3)), torch.randn(8, 5), torch.arange(8) % 3)
    architecture = Architecture.parse(NET, input=(1, 8, 8))
    scorer(load("digits"), "nwot", rows=12)(architecture)
    run_once(architecture, 2, 0)
    assert not seeded


@pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no CUDA device")
def test_the_generator_of_a_device_in_use_comes_back():
    torch.cuda.init()
    before = torch.cuda.get_rng_state()
    with own_numbers(3):
        drawn = torch.randn(4, device="cuda")
    assert torch.equal(torch.cuda.get_rng_state(), before)
    with own_numbers(3):
        assert torch.equal(torch.randn(4, device="cuda"), drawn)
