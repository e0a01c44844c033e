"""The space ``densenet``: published parameter counts, networks by hand, and the laws."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from nasturtium.errors import SpaceError
from nasturtium.space.signal import image
from nasturtium.spaces.densenet import DenseLayer, DenseStem, DenseTransition, densenet
from nasturtium.testing import check_space

IMAGENET = {
    "DenseNet-121": 7_978_856,
    "DenseNet-169": 14_149_480,
    "DenseNet-201": 20_013_928,
    "DenseNet-161": 28_681_000,
}


def cifar_params(layers, growth, bottleneck=True, compression=0.5, classes=10):
    """Parameters of a network of three equal blocks: convolutions, and two numbers a channel for each norm."""
    total, channels = 3 * 2 * growth * 9, 2 * growth
    for block in range(3):
        for _ in range(layers):
            if bottleneck:
                total += 2 * channels + channels * 4 * growth + 8 * growth + 4 * growth * growth * 9
            else:
                total += 2 * channels + channels * growth * 9
            channels += growth
        if block < 2:
            leaving = int(channels * compression)
            total, channels = total + 2 * channels + channels * leaving, leaving
    return total + 2 * channels + channels * classes + classes


def test_published_networks_for_cifar():
    # Table 2 of Huang et al. 2017: 0.8 and 25.6 million parameters.
    space = densenet()
    for name, layers, growth, millions in (("DenseNet-BC-100-12", 16, 12, 0.8), ("DenseNet-BC-190-40", 31, 40, 25.6)):
        params = space.member(name).count()["params"]
        assert params == cifar_params(layers, growth)
        assert round(params / 1e6, 1) == millions
        assert int(name.split("-")[2]) == 3 * 2 * layers + 4  # with stem, two transitions and the last layer


def test_published_networks_for_imagenet():
    space = densenet((3, 224, 224), 1000)
    assert {name: space.member(name).count()["params"] for name in space.members} == IMAGENET
    x, sides = image(3, 224, 224), []
    for layer in space.member("DenseNet-121").value.layers[:8]:
        x = layer.signal(x)
        sides.append(x.shape)
    assert sides[0] == (64, 56, 56)
    assert sides[1::2] == [(256, 56, 56), (512, 28, 28), (1024, 14, 14), (1024, 7, 7)]


def test_networks_without_bottleneck_or_compression():
    space, rng, kinds = densenet((3, 32, 32), 10, depth=4), np.random.default_rng(0), set()
    for _ in range(60):
        architecture = space.sample(rng)
        stem, *_ = layers = architecture.value.layers
        first, second, third = layers[1:6:2]
        if first.depth == second.depth == third.depth:
            kind = (first.bottleneck, layers[2].compression)
            kinds.add(kind)
            assert architecture.count()["params"] == cifar_params(first.depth, stem.growth, *kind)
    assert len(kinds) == 4


def test_members_are_inside_and_can_be_changed():
    space, rng = densenet(), np.random.default_rng(0)
    for name in space.members:
        member = space.member(name)
        assert space.replay(member.decisions).value == member.value
        assert space.mutate(member, rng) in space


def test_what_comes_in_is_kept_and_joined_by_what_is_new():
    module = DenseLayer(5).module(image(7, 4, 4))
    x = torch.randn(2, 7, 4, 4)
    y = module(x)
    assert y.shape == (2, 12, 4, 4)
    assert torch.equal(y[:, :7], x)


def test_costs_are_those_of_the_modules():
    x = image(9, 12, 12)
    for layer in (DenseLayer(4), DenseLayer(4, False), DenseTransition(), DenseStem(6), DenseStem(6, "large")):
        assert layer.cost(x).params == sum(p.numel() for p in layer.module(x).parameters())
    assert DenseTransition().signal(x).shape == (4, 6, 6)
    with pytest.raises(SpaceError, match="compression above 0"):
        DenseTransition(0.0).signal(x)


def test_size():
    assert densenet().size == 6 * 2 * 2 * 8**3
    assert densenet((1, 8, 8), 10).size == 6 * 2 * 2 * 4**3
    assert densenet((3, 224, 224), 1000).size == 4 * 2 * 2 * (3 * 3 * 6 * 5)


def test_options_are_checked():
    assert list(densenet((1, 8, 8), 10).members) == []
    with pytest.raises(SpaceError, match="depth must be at least 2, not 1"):
        densenet(depth=1)
    with pytest.raises(SpaceError, match="layout must be 'imagenet' or 'cifar', not 'tiny'"):
        densenet(layout="tiny")


def test_samples_run_on_small_images():
    torch.manual_seed(0)
    space, rng = densenet((1, 8, 8), 10), np.random.default_rng(0)
    for _ in range(6):
        architecture = space.sample(rng)
        model = architecture.build()
        model(torch.randn(4, 1, 8, 8)).square().sum().backward()
        assert all(torch.isfinite(p.grad).all() for p in model.parameters())
        assert architecture.count()["params"] == sum(p.numel() for p in model.parameters())


def test_laws():
    check_space(densenet((1, 8, 8), 10, depth=4), seeds=1)
