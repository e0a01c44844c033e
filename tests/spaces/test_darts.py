"""The space of DARTS: sizes and parameters as published, operations against modules written down with torch."""

from __future__ import annotations

import itertools
import math
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from nasturtium.errors import ParseError, SpaceError
from nasturtium.space import Architecture
from nasturtium.spaces.cell_network import CellNetwork, reduction_places
from nasturtium.spaces.cell_operations import (
    OPERATIONS,
    DilConv,
    FactorizedConv,
    FactorizedReduce,
    ReluConvNorm,
    SepConv,
    operation,
)
from nasturtium.spaces.darts import compact, darts
from nasturtium.spaces.genotype import COMPACT, read_genotype, write_compact
from nasturtium.testing import check_space

TABLE = Path(__file__).resolve().parents[2] / "../shared/data/benchmarks/nas_bench_suite_zero/zc_union.parquet"


def conv(before, after, kernel, stride=1, dilation=1, groups=1):
    padding = dilation * (kernel // 2)
    return nn.Conv2d(before, after, kernel, stride, padding, dilation, groups, bias=False)


def separable(channels, kernel, stride, dilation=1):
    depthwise = conv(channels, channels, kernel, stride, dilation, channels)
    return nn.ReLU(), depthwise, conv(channels, channels, 1), nn.BatchNorm2d(channels)


class Halving(nn.Module):
    """As the public code has it, for even sizes."""

    def __init__(self, channels):
        super().__init__()
        self.one, self.other = (nn.Conv2d(channels, channels // 2, 1, stride=2, bias=False) for _ in range(2))
        self.norm = nn.BatchNorm2d(channels)

    def forward(self, x):
        x = x.relu()
        return self.norm(torch.cat([self.one(x), self.other(x[:, :, 1:, 1:])], 1))


def rectangular(channels, length, stride):
    along = nn.Conv2d(channels, channels, (1, length), (1, stride), (0, length // 2), bias=False)
    down = nn.Conv2d(channels, channels, (length, 1), (stride, 1), (length // 2, 0), bias=False)
    return nn.Sequential(nn.ReLU(), along, down, nn.BatchNorm2d(channels))


REFERENCES = {
    "max_pool_3x3": lambda c, s: nn.MaxPool2d(3, s, 1),
    "avg_pool_3x3": lambda c, s: nn.AvgPool2d(3, s, 1, count_include_pad=False),
    "skip_connect": lambda c, s: nn.Identity() if s == 1 else Halving(c),
    "sep_conv_3x3": lambda c, s: nn.Sequential(*separable(c, 3, s), *separable(c, 3, 1)),
    "sep_conv_7x7": lambda c, s: nn.Sequential(*separable(c, 7, s), *separable(c, 7, 1)),
    "dil_conv_3x3": lambda c, s: nn.Sequential(*separable(c, 3, s, 2)),
    "dil_conv_5x5": lambda c, s: nn.Sequential(*separable(c, 5, s, 2)),
    "conv_7x1_1x7": lambda c, s: rectangular(c, 7, s),
    "conv_3x3": lambda c, s: nn.Sequential(nn.ReLU(), conv(c, c, 3, s), nn.BatchNorm2d(c)),
    "max_pool_5x5": lambda c, s: nn.MaxPool2d(5, s, 2),
}


@pytest.mark.parametrize(("name", "stride"), [*itertools.product(REFERENCES, (1, 2))])
def test_operations_compute_what_the_reference_does(name, stride):
    theirs, layer = REFERENCES[name](6, stride), Architecture(operation(name, stride), input=(6, 10, 8))
    ours = layer.build()
    assert [p.shape for p in ours.parameters()] == [p.shape for p in theirs.parameters()]
    with torch.no_grad():
        for mine, other in zip(ours.parameters(), theirs.parameters(), strict=True):
            mine.copy_(other)
    x = torch.randn(3, 6, 10, 8)
    torch.testing.assert_close(ours(x), theirs(x))
    assert layer.count()["params"] == sum(p.numel() for p in theirs.parameters())


@pytest.mark.parametrize(
    "layer", [SepConv(5, 2), DilConv(3), ReluConvNorm(7, 3, 2), FactorizedReduce(10), FactorizedConv()]
)
def test_costs_are_those_that_torch_counts(layer):
    architecture = Architecture(layer, input=(6, 9, 7))
    module = architecture.build()
    with FlopCounterMode(display=False) as counter:
        out = module(torch.randn(1, 6, 9, 7))
    assert architecture.count()["flops"] == counter.get_total_flops()
    assert out.shape[1:] == architecture.output.shape


@pytest.mark.parametrize("name", OPERATIONS)
@pytest.mark.parametrize("size", [(1, 1), (5, 7), (8, 8)])
def test_strided_operations_agree_on_every_size(name, size):
    architecture = Architecture(operation(name, 2, drop_path=0.3), input=(4, *size))
    assert architecture.output.shape == (4, *[-(-side // 2) for side in size])
    assert architecture.build()(torch.randn(2, 4, *size)).shape[1:] == architecture.output.shape


def test_the_halving_of_odd_sizes_reads_zeros_past_the_edge():
    ours = Architecture(FactorizedReduce(), input=(2, 5, 5)).build()
    x = torch.randn(2, 2, 5, 5)
    even = torch.nn.functional.pad(x, (0, 1, 0, 1))
    torch.testing.assert_close(ours(x), ours(even))


def test_sizes_are_the_published_ones():
    pairs = math.prod(math.comb(states, 2) for states in (2, 3, 4, 5))
    assert darts().size == (pairs * 7**8) ** 2 == 1076746950455072400
    assert darts(none=True).size == (180 * 8**8) ** 2
    assert darts(nodes=1, cells=3).size == 7**4 == sum(1 for _ in darts(nodes=1, cells=3).enumerate())


def test_the_network_of_the_paper_has_its_parameters():
    """The second-order network counted by hand: 20 cells of 36 channels."""

    def sep(k, c):
        return 2 * (k * k * c + c * c + 2 * c)

    def dil(k, c):
        return k * k * c + c * c + 2 * c

    total, before, last, width = 3 * 108 * 9 + 2 * 108, 108, 108, 36
    for number in range(20):
        reduces = number in (6, 13)
        width *= 2 if reduces else 1
        total += before * width + 2 * width + last * width + 2 * width
        if not reduces:  # the reduction cell pools, and its skip connections read nodes
            total += 5 * sep(3, width) + dil(3, width)
        before, last = last, 4 * width
    total += last * 10 + 10
    ours = darts(channels=36, cells=20).member("DARTS (second order)")
    assert ours.count()["params"] == total == 3_349_342


def by_hand(text, inputs, outputs, channels=32):
    """Parameters of a row of NASLib, whose norms inside operations learn nothing."""
    cells, total = read_genotype(text), inputs * 9 * 3 * channels + 6 * channels
    before = last = 3 * channels
    width = channels
    for number in range(8):
        reduces = number in (2, 5)
        width *= 2 if reduces else 1
        total += before * width + 2 * width + last * width + 2 * width
        for name, source in cells.reduce if reduces else cells.normal:
            if "conv" in name:
                kernel = int(name[-1])
                total += (1 + name.startswith("sep")) * (kernel**2 * width + width**2)
            elif name == "skip_connect" and reduces and source < 2:
                total += width**2
        before, last = last, 4 * width
    return total + outputs * last + outputs


def test_parameters_of_nas_bench_301_are_ours_without_the_learned_scales():
    if not TABLE.exists():
        pytest.skip("the tables of NAS-Bench-Suite-Zero are not here")
    import polars

    rows = polars.read_parquet(TABLE, columns=["space", "dataset", "arch", "params"])
    rows = rows.filter(polars.col("space") == "nasbench301").drop_nulls("params")
    assert len(rows) > 1_000
    for number, (_, dataset, text, params) in enumerate(rows.iter_rows()):
        inputs, outputs = {"ninapro": (1, 18), "scifar100": (3, 100), "cifar10": (3, 10)}[dataset]
        assert by_hand(text, inputs, outputs) == round(params * 1e6), text
        if number % 100 == 0:
            network = darts((inputs, 32, 32), outputs, channels=32).from_notation(text)
            norms = [m for n, m in network.build().named_modules() if isinstance(m, nn.BatchNorm2d) and "nodes" in n]
            assert compact(network) == write_compact(read_genotype(text).ordered())
            assert network.count()["params"] - sum(2 * norm.num_features for norm in norms) == round(params * 1e6)


def test_notation_leads_back():
    for options in ({}, {"none": True}, {"cells": 3}, {"nodes": 3, "drop_path": 0.1}):
        space = darts((3, 16, 16), **options)
        for seed in range(10):
            architecture = space.sample(np.random.default_rng(seed))
            again = space.from_notation(space.to_notation(architecture))
            assert again == architecture
            assert again.decisions == space.decisions(str(architecture))


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (("'dil_conv_3x3', 2", "'sep_conv_7x7', 2"), "node 3 of normal takes 'sep_conv_7x7'"),
        (("'dil_conv_3x3', 2", "'dil_conv_3x3', 0"), "node 3 of normal reads state 0 twice"),
        ((", ('skip_connect', 0), ('dil_conv_3x3', 2)", ""), "the normal cell has 3 nodes"),
        (("normal_concat=range(2, 6)", "normal_concat=[4, 5]"), "here all nodes leave"),
    ],
)
def test_genotypes_of_other_spaces_are_refused(change, said):
    space = darts()
    text = space.to_notation(space.member("DARTS (second order)"))
    if "3 nodes" in said:
        text = text.replace("normal_concat=range(2, 6)", "normal_concat=range(2, 5)")
    with pytest.raises(ParseError, match=said):
        space.from_notation(text.replace(*change))


def test_what_cannot_be_used_is_said():
    for options in ({"input": (5,)}, {"cells": 0}, {"channels": True}, {"nodes": 0}):
        with pytest.raises(SpaceError):
            darts(**options)
    with pytest.raises(SpaceError, match="did you mean 'sep_conv_3x3'"):
        operation("sepconv_3x3")


def test_reductions_stand_at_a_third_and_two_thirds():
    assert [reduction_places(cells) for cells in (1, 2, 3, 8, 14, 20)] == [
        (0,),
        (0, 1),
        (1, 2),
        (2, 5),
        (4, 9),
        (6, 13),
    ]


@pytest.mark.parametrize("size", [(1, 8, 8), (3, 9, 13), (3, 96, 97)])
def test_networks_learn_at_every_size_and_the_auxiliary_head_adapts(size):
    architecture = darts(size, 4, channels=4, cells=4, auxiliary=True, drop_path=0.2).sample(np.random.default_rng(1))
    model = architecture.build()
    out, auxiliary = model(torch.randn(2, *size))
    assert out.shape == auxiliary.shape == (2, 4)
    (out.sum() + auxiliary.sum()).backward()
    assert all(p.grad is not None and torch.isfinite(p.grad).all() for p in model.parameters())
    assert architecture.count()["params"] == sum(p.numel() for p in model.parameters())


def test_the_auxiliary_head_is_that_of_the_paper():
    plain, headed = (
        darts(channels=36, cells=20, auxiliary=a).member("PC-DARTS").count()["params"] for a in (False, True)
    )
    assert headed - plain == 576 * 128 + 256 + 128 * 768 * 4 + 2 * 768 + 768 * 10 + 10


def test_large_images_get_the_stem_of_imagenet():
    architecture = darts((3, 224, 224), 1000, channels=48, cells=14).member("DARTS (second order)")
    assert architecture.value.stem == "large"
    assert architecture.count()["params"] == 4_718_752  # 4.7 M in the paper


def test_cells_share_decisions_not_weights():
    architecture = darts((1, 8, 8), channels=4, cells=5).sample(np.random.default_rng(0))
    assert isinstance(architecture.value, CellNetwork)
    assert len(architecture.decisions) == 2 * (4 + 8)
    assert len({id(p) for p in architecture.build().parameters()}) == len(list(architecture.build().parameters()))
    assert set(COMPACT) < set(OPERATIONS)


def test_laws():
    check_space(darts((3, 8, 8), channels=4, cells=3, nodes=2), seeds=3)
    check_space(darts((1, 8, 8), none=True, channels=4, cells=3), seeds=1)
