"""The space ``fbnet``: its notation on published rows, its blocks, the networks of the paper, and the laws."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch

from nasturtium.errors import ParseError
from nasturtium.space.signal import image
from nasturtium.spaces.fbnet import OPERATIONS, FBNetBlock, fbnet
from nasturtium.testing import check_space

ROWS = Path(__file__).resolve().parents[2] / "../shared/data/benchmarks/hw_nas_bench_fbnet/latency_help.parquet"

CHANNELS = [16] + [24] * 4 + [32] * 4 + [64] * 4 + [112] * 4 + [184] * 4 + [352]
STRIDES = [1, 2, 1, 1, 1, 2, 1, 1, 1, 2, 1, 1, 1, 1, 1, 1, 1, 2, 1, 1, 1, 1]


def block_params(name, before, after, stride):
    """Parameters of a block, from Figure 3 and Table 2 of Wu et al. 2019."""
    if name == "skip":
        return 0 if (before, stride) == (after, 1) else before * after + 2 * after
    kernel, expansion, groups = int(name[1]), int(name[4]), 2 if name.endswith("g2") else 1
    inner = before * expansion
    return before * inner // groups + inner * kernel**2 + inner * after // groups + 2 * (2 * inner + after)


def params(names, head, classes):
    total, before = 3 * 16 * 9 + 32, 16
    for name, after, stride in zip(names, CHANNELS, STRIDES, strict=True):
        total, before = total + block_params(name, before, after, stride), after
    return total + before * head + 2 * head + head * classes + classes


def test_size():
    assert fbnet().size == 9**22
    assert fbnet((1, 8, 8), 10).size == 9**22
    assert fbnet().radices == (9,) * 22


def test_parameters_of_samples_are_the_sum_over_blocks():
    space, rng = fbnet(head=1504), np.random.default_rng(0)
    for _ in range(20):
        architecture = space.sample(rng)
        names = [OPERATIONS[number] for number in json.loads(space.to_notation(architecture))]
        assert architecture.count()["params"] == params(names, 1504, 1000)


def test_the_networks_of_the_paper():
    # The paper: 4.3, 4.5 and 5.5 million parameters, 249, 295 and 375 million multiply-accumulates.
    found = {"FBNet-A": (1504, 4.3e6, 249e6), "FBNet-B": (1984, 4.5e6, 295e6), "FBNet-C": (1984, 5.5e6, 375e6)}
    for name, (head, parameters, macs) in found.items():
        space = fbnet(head=head)
        member = space.member(name)
        names = [OPERATIONS[number] for number in json.loads(space.to_notation(member))]
        assert member.count()["params"] == params(names, head, 1000)
        assert member.count()["params"] == pytest.approx(parameters, rel=0.07)
        assert member.count()["flops"] / 2 == pytest.approx(macs, rel=0.03)
    assert names[:6] == ["k3_e1", "k3_e6", "skip", "k3_e1", "k3_e1", "k5_e6"]


def test_shapes_of_table_1():
    x, shapes = image(3, 224, 224), []
    network = fbnet().member("FBNet-C").value
    for layer in network.layers[:-2]:
        x = layer.signal(x)
        shapes.append(x.shape)
    sides = [112, 112] + [56] * 4 + [28] * 4 + [14] * 8 + [7] * 6
    assert shapes == [(c, side, side) for c, side in zip([16, *CHANNELS, 1984], sides, strict=True)]


def test_strides_on_cifar_are_those_of_hw_nas_bench():
    x, sides = image(3, 32, 32), []
    space = fbnet((3, 32, 32), 100, width=1)
    for layer in space.from_notation(str([8] * 22)).value.layers[:-2]:
        x = layer.signal(x)
        sides.append(x.shape[1])
    assert sides == [32, 32] + [32] * 4 + [16] * 4 + [8] * 8 + [4] * 6
    assert x.shape == (1504, 4, 4)


def test_groups_are_mixed():
    block = FBNetBlock(groups=2)
    x = image(8, 5, 5)
    module = block.module(x).eval()
    assert sum(p.numel() for p in module.parameters()) == block.cost(x).params == block_params("k3_e1_g2", 8, 8, 1)
    given = torch.randn(1, 8, 5, 5, requires_grad=True)
    (module(given) - given)[0, 0].sum().backward()
    assert (given.grad.abs().sum(dim=(0, 2, 3)) > 0).all()  # one channel sees both groups


def test_skip_is_nothing_where_the_shape_stays():
    space = fbnet()
    layers = space.from_notation(str([8] * 22)).value.layers[1:23]
    changing = [n for n, layer in enumerate(layers) if str(layer) != "Identity()"]
    assert changing == [1, 5, 9, 13, 17, 21]
    assert str(layers[13]) == "ConvBlock(112, kernel=1)"


def test_names_are_read_too():
    space = fbnet()
    member = space.member("FBNet-A")
    numbers = json.loads(space.to_notation(member))
    names = [OPERATIONS[number] for number in numbers]
    assert space.from_notation(json.dumps(names)) == member
    ours = [f"ir_{name}".replace("ir_skip", "skip").replace("e1_g2", "s2") for name in names]
    assert "ir_k5_s2" in ours
    assert space.from_notation(json.dumps(ours)) == member
    assert space.parse(str(member)).decisions == tuple(numbers)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("k3_e1", "no list of blocks"),
        ("[1, 2]", "a list of 22 blocks, not 2"),
        ('{"a": 1}', "a list of 22 blocks"),
        (str([0] * 21 + [9]), "9 at 21 is no block"),
        (json.dumps([0] * 21 + [True]), "True at 21 is no block"),
        (json.dumps(["k3_e2"] * 22), r"unknown block 'k3_e2' at 0; did you mean 'k3_e"),
    ],
)
def test_what_cannot_be_read(text, message):
    with pytest.raises(ParseError, match=message):
        fbnet().from_notation(text)


@pytest.mark.skipif(not ROWS.exists(), reason="no table of HW-NAS-Bench here")
def test_all_published_rows_come_back():
    import polars as pl

    space = fbnet()
    rows = pl.read_parquet(ROWS, columns=["op_idx", "arch"]).rows()
    assert len(rows) == 5000
    for numbers, names in rows:
        architecture = space.from_notation(names)
        assert space.to_notation(architecture) == numbers
        assert space.from_notation(numbers) == architecture
    assert space.to_notation(space.parse(str(architecture))) == numbers


def test_samples_run_on_small_images():
    torch.manual_seed(0)
    for shape in ((1, 8, 8), (3, 32, 32), (2, 45, 61)):
        space, rng = fbnet(shape, 10), np.random.default_rng(1)
        architecture = space.sample(rng)
        model = architecture.build()
        model(torch.randn(2, *shape)).square().sum().backward()
        assert all(torch.isfinite(p.grad).all() for p in model.parameters())
        assert architecture.count()["params"] == sum(p.numel() for p in model.parameters())


def test_laws():
    check_space(fbnet((1, 8, 8), 10), seeds=1)
