"""The space ``mobilenet_v3``: the tables of the paper row by row, its size, small images, and the laws."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from nasturtium.errors import Mismatch, SpaceError
from nasturtium.layers import Identity, Repeat, Sequential
from nasturtium.space.signal import image, vector
from nasturtium.spaces.inverted import InvertedResidual, SqueezeExcite, divisible, strides
from nasturtium.spaces.mobilenet_v3 import mobilenet_v3
from nasturtium.testing import check_space

# Tables 1 and 2 of Howard et al. 2019, written out again: input side, kernel, exp size, out, SE, NL, stride.
LARGE = """
112 3 16 16 - RE 1
112 3 64 24 - RE 2
56 3 72 24 - RE 1
56 5 72 40 SE RE 2
28 5 120 40 SE RE 1
28 5 120 40 SE RE 1
28 3 240 80 - HS 2
14 3 200 80 - HS 1
14 3 184 80 - HS 1
14 3 184 80 - HS 1
14 3 480 112 SE HS 1
14 3 672 112 SE HS 1
14 5 672 160 SE HS 2
7 5 960 160 SE HS 1
7 5 960 160 SE HS 1
"""
SMALL = """
112 3 16 16 SE RE 2
56 3 72 24 - RE 2
28 3 88 24 - RE 1
28 5 96 40 SE HS 2
14 5 240 40 SE HS 1
14 5 240 40 SE HS 1
14 5 120 48 SE HS 1
14 5 144 48 SE HS 1
14 5 288 96 SE HS 2
7 5 576 96 SE HS 1
7 5 576 96 SE HS 1
"""
NETWORKS = {
    "MobileNetV3-Large": (LARGE, 960, 1280, 5_483_032, 219e6),
    "MobileNetV3-Small": (SMALL, 576, 1024, 2_542_856, 56e6),
}
SQUEEZED = {16: 8, 72: 24, 96: 24, 120: 32, 144: 40, 240: 64, 288: 72, 480: 120, 576: 144, 672: 168, 960: 240}


def rows(table):
    for line in table.split("\n"):
        if line:
            side, kernel, inner, leaving, squeeze, activation, stride = line.split()
            yield int(side), int(kernel), int(inner), int(leaving), squeeze == "SE", activation, int(stride)


def blocks(layer):
    """The inverted residuals of a network in order."""
    if isinstance(layer, InvertedResidual):
        return [layer]
    if isinstance(layer, Sequential):
        return [block for inner in layer.layers for block in blocks(inner)]
    return [layer.bodies[i % len(layer.bodies)] for i in range(layer.count)] if isinstance(layer, Repeat) else []


def by_hand(table, last, hidden, classes):
    """Parameters and multiply-accumulates, summed over the rows."""
    params, macs, before = 3 * 16 * 9 + 32, 112 * 112 * 3 * 16 * 9, 16
    for side, kernel, inner, leaving, squeeze, _, stride in rows(table):
        places = (side // stride) ** 2
        if inner != before:
            params += before * inner + 2 * inner
            macs += side**2 * before * inner
        params += inner * kernel**2 + 2 * inner
        macs += places * inner * kernel**2
        if squeeze:
            small = SQUEEZED[inner]
            params += inner * small + small + small * inner + inner
            macs += 2 * inner * small
        params += inner * leaving + 2 * leaving
        macs += places * inner * leaving
        before = leaving
    params += before * last + 2 * last + last * hidden + hidden + hidden * classes + classes
    return params, macs + 49 * before * last + last * hidden + hidden * classes


@pytest.mark.parametrize("name", NETWORKS)
def test_the_published_networks_cost_what_the_tables_say(name):
    table, last, hidden, published, multiplications = NETWORKS[name]
    cost = mobilenet_v3().member(name).count()
    params, macs = by_hand(table, last, hidden, 1000)
    assert cost == {"params": params, "flops": 2 * macs}
    assert params == published
    assert macs == pytest.approx(multiplications, rel=0.015)


@pytest.mark.parametrize("name", NETWORKS)
def test_every_row_of_the_tables(name):
    network = mobilenet_v3().member(name).value
    found = blocks(network)
    table = list(rows(NETWORKS[name][0]))
    assert len(found) == len(table)
    x = network.layers[0].signal(image(3, 224, 224))
    assert x.shape == (16, 112, 112)
    assert network.layers[0].activation == "hardswish"
    for block, (side, kernel, inner, leaving, squeeze, activation, stride) in zip(found, table, strict=True):
        assert x.shape[1:] == (side, side)
        module = block.module(x)
        depthwise = next(m for m in module.modules() if isinstance(m, nn.Conv2d) and m.groups > 1)
        assert (depthwise.in_channels, depthwise.kernel_size, depthwise.stride) == (inner, (kernel,) * 2, (stride,) * 2)
        kinds = [type(m) for m in module.modules()]
        assert (nn.Hardsigmoid in kinds) == squeeze
        assert (nn.Hardswish in kinds) == (activation == "HS")
        with torch.no_grad():
            x = image(*module(torch.zeros(2, *x.shape)).shape[1:])
        assert x.shape == (leaving, -(-side // stride), -(-side // stride))
    assert x.shape == (found[-1].channels or leaving, 7, 7)


def test_the_published_networks_are_inside_and_can_be_changed_anywhere():
    space, rng = mobilenet_v3(), np.random.default_rng(0)
    for name in NETWORKS:
        member = space.member(name)
        assert space.replay(space.decisions(member)).value == member.value
        assert space.parse(str(member)) == member
        changed = {mutant.origin.changed[0] for mutant in (space.mutate(member, rng) for _ in range(150))}
        assert {address.split(".")[0].split("#")[0] for address in changed} >= {"0", "1", "2", "3", "4", "5", "6", "7"}


def test_blocks_keep_their_decisions_when_their_stage_changes():
    space = mobilenet_v3(width=1)
    member = space.member("MobileNetV3-Large")
    ways = [found for found in space.neighbours(member) if found.origin.changed[0] == "6"]
    assert len(ways) == 1  # squeezing or not
    assert ways[0].origin.redrawn == ()
    assert str(ways[0]).count("kernel=5") == str(member).count("kernel=5")


def test_a_member_runs_as_torch_counts_it():
    model = mobilenet_v3().member("MobileNetV3-Small").build().eval()
    assert sum(p.numel() for p in model.parameters()) == 2_542_856
    with torch.no_grad():
        assert model(torch.randn(1, 3, 224, 224)).shape == (1, 1000)


def test_size():
    block = 3 * 7
    stage = 4 * (block + block**2 + block**3) * block  # squeezing and activation; two to four blocks
    assert mobilenet_v3().size == 2 * (3 * 2 * 4) * (2 * stage) * (3 * stage) * (1 + 3 * stage) * (4 * stage) ** 2 * 2
    shallow = 4 * block**2
    small = mobilenet_v3((1, 8, 8), 10, depth=2)  # at a quarter of the width some widths round to the same
    assert small.size == (3 * 4) * shallow * (2 * shallow) * (1 + 2 * shallow) * (2 * shallow) * (4 * shallow) * 2


def test_squeezed_widths():
    assert {inner: divisible(inner // 4) for inner in SQUEEZED} == SQUEEZED
    x = image(72, 5, 5)
    assert sum(p.numel() for p in SqueezeExcite().module(x).parameters()) == SqueezeExcite().cost(x).params == 3552


def test_small_images_drop_the_first_strides():
    assert strides(image(3, 224, 224), 5) == (2, 2, 2, 2, 2)
    assert strides(image(3, 32, 32), 5) == (1, 1, 2, 2, 2)
    assert strides(image(1, 8, 8), 5) == (1, 1, 1, 1, 2)
    assert strides(image(1, 3, 9), 5) == (1, 1, 1, 1, 1)
    small = mobilenet_v3((3, 32, 32), 10, width=1)
    for name, (*_, params, _) in NETWORKS.items():
        hidden = NETWORKS[name][2]
        assert small.member(name).count()["params"] == params - 990 * (hidden + 1)
    assert not mobilenet_v3((3, 32, 32), 10).members


@pytest.mark.parametrize("shape", [(1, 8, 8), (3, 32, 32), (2, 45, 61)])
def test_samples_run_on_small_images(shape):
    space, rng = mobilenet_v3(shape, 10), np.random.default_rng(0)
    torch.manual_seed(0)
    for _ in range(2):
        architecture = space.sample(rng)
        model = architecture.build()
        model(torch.randn(2, *shape)).square().sum().backward()
        assert all(torch.isfinite(p.grad).all() for p in model.parameters())
        assert architecture.count()["params"] == sum(p.numel() for p in model.parameters())
        feature = [b for layer in architecture.value.layers if not isinstance(layer, Identity) for b in blocks(layer)]
        x = architecture.value.layers[0].signal(image(*shape))
        for block in feature:
            x = block.signal(x)
        assert min(x.shape[1:]) >= 4


def test_options_are_checked():
    with pytest.raises(SpaceError, match="depth must be at least 2, not 1"):
        mobilenet_v3(depth=1)
    with pytest.raises(SpaceError, match="width must be a positive factor, not -1"):
        mobilenet_v3(width=-1)
    with pytest.raises(SpaceError, match=r"expansion from 1, not 0\.5"):
        InvertedResidual(expansion=0.5).signal(image(8, 4, 4))
    with pytest.raises(Mismatch):
        InvertedResidual().signal(vector(8))


def test_laws():
    check_space(mobilenet_v3((1, 8, 8), 10, depth=2), seeds=1)
