"""The space ``resnet``: published parameter counts, CIFAR networks by hand, shortcuts, and the laws."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from nasturtium.errors import Mismatch, SpaceError
from nasturtium.space.signal import image
from nasturtium.spaces.resnet import BasicBlock, BottleneckBlock, ResNetStem, Shortcut, resnet
from nasturtium.testing import check_space

PUBLISHED = {
    "ResNet-18": (11_689_512, 1.8e9),
    "ResNet-34": (21_797_672, 3.6e9),
    "ResNet-50": (25_557_032, 3.8e9),
    "ResNet-101": (44_549_160, 7.6e9),
    "ResNet-152": (60_192_808, 11.3e9),
}
# Table 6 of He et al. 2016: 0.27, 0.46, 0.66, 0.85 and 1.7 million.
CIFAR = {"ResNet-20": 0.27, "ResNet-32": 0.46, "ResNet-44": 0.66, "ResNet-56": 0.85, "ResNet-110": 1.7}


def cifar_params(layers):
    """A network of 6n + 2 layers with option A: convolutions, two numbers a channel for each norm, the last layer."""
    blocks = (layers - 2) // 6
    total, before = 3 * 16 * 9 + 32, 16
    for width in (16, 32, 64):
        for _ in range(blocks):
            total += 9 * before * width + 9 * width * width + 4 * width
            before = width
    return total + 650


def test_published_parameters():
    space = resnet()
    assert list(space.members) == list(PUBLISHED)
    for name, (params, flops) in PUBLISHED.items():
        cost = space.member(name).count()
        assert cost["params"] == params
        assert cost["flops"] / 2 == pytest.approx(flops, rel=0.09)  # the paper strides earlier in bottlenecks


def test_cifar_networks():
    space = resnet((3, 32, 32), 10)
    assert list(space.members) == list(CIFAR)
    for name, millions in CIFAR.items():
        params = space.member(name).count()["params"]
        assert params == cifar_params(int(name.split("-")[1]))
        assert params / 1e6 == pytest.approx(millions, rel=0.02)
    assert space.member("ResNet-20").count()["params"] == 269_722


def test_members_are_inside_and_can_be_changed():
    rng = np.random.default_rng(0)
    for space in (resnet(), resnet((3, 32, 32), 10)):
        for name in space.members:
            member = space.member(name)
            assert space.replay(member.decisions).value == member.value
            assert space.mutate(member, rng) in space


def test_shapes_of_table_1():
    for name, channels in (("ResNet-34", (64, 64, 128, 256, 512)), ("ResNet-152", (64, 256, 512, 1024, 2048))):
        x, shapes = image(3, 224, 224), []
        for layer in resnet().member(name).value.layers[:5]:
            x = layer.signal(x)
            shapes.append(x.shape)
        sides = (56, 56, 28, 14, 7)
        assert shapes == [(c, side, side) for c, side in zip(channels, sides, strict=True)]


def test_a_block_against_one_written_by_hand():
    torch.manual_seed(0)
    block = BasicBlock(16, 2, "padding").module(image(8, 7, 7)).eval()
    first, second = [m for m in block.modules() if isinstance(m, torch.nn.Conv2d)]
    x = torch.randn(2, 8, 7, 7)
    conv = torch.nn.functional.conv2d
    scale = (1 + 1e-5) ** -0.5  # the norms are as they begin
    y = conv(torch.relu(scale * conv(x, first.weight, stride=2, padding=1)), second.weight, padding=1) * scale
    shortcut = torch.cat([x[:, :, ::2, ::2], torch.zeros(2, 8, 4, 4)], 1)
    assert torch.allclose(block(x), torch.relu(y + shortcut), atol=1e-5)


def test_shortcuts():
    x = image(16, 8, 8)
    assert Shortcut(16).cost(x).params == 0
    assert Shortcut(32, 2).cost(x).params == 16 * 32 + 64
    assert Shortcut(64, 2, "padding").cost(x).params == 0
    assert Shortcut(64, 2, "padding").signal(x).shape == (64, 4, 4)
    assert Shortcut(16, 2, "padding").signal(x).shape == (16, 4, 4)
    with pytest.raises(Mismatch, match="16 channels to 24"):
        Shortcut(24, 1, "padding").signal(x)
    with pytest.raises(SpaceError, match="kind of shortcut"):
        Shortcut(24, 1, "pading").signal(x)


def test_costs_are_those_of_the_modules():
    x = image(16, 9, 9)
    for layer in (BottleneckBlock(64, 2), BasicBlock(32), ResNetStem(8, "deep"), ResNetStem(8), ResNetStem(8, "small")):
        assert layer.cost(x).params == sum(p.numel() for p in layer.module(x).parameters())


def test_size():
    assert resnet().size == 2 * 4 * 2 * 2 * (3 * 5 * 7 * 3)
    assert resnet((3, 32, 32), 10).size == 4 * 2 * 2 * 7**3
    assert resnet((1, 8, 8), 10).size == 4 * 2 * 2 * 4**3
    assert resnet((1, 8, 8), 10, depth=1).size == 4 * 2 * 2
    assert resnet((3, 64, 64), 10, layout="imagenet", depth=2).size == 2 * 4 * 2 * 2 * 2**4


def test_layouts():
    assert list(resnet((3, 64, 64), 200, layout="imagenet").members) == list(PUBLISHED)
    assert list(resnet((1, 8, 8), 10).members) == ["ResNet-20", "ResNet-32"]
    with pytest.raises(SpaceError, match="layout must be 'imagenet' or 'cifar', not 'big'"):
        resnet(layout="big")


def test_samples_run_on_small_images():
    torch.manual_seed(0)
    space, rng = resnet((1, 8, 8), 10), np.random.default_rng(0)
    for _ in range(12):
        architecture = space.sample(rng)
        model = architecture.build()
        model(torch.randn(4, 1, 8, 8)).square().sum().backward()
        assert all(torch.isfinite(p.grad).all() for p in model.parameters())
        assert architecture.count()["params"] == sum(p.numel() for p in model.parameters())


def test_laws():
    check_space(resnet((1, 8, 8), 10, depth=2), seeds=2)
