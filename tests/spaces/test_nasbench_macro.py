"""NAS-Bench-Macro: every number of its published table follows from the cost rules."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode

from nasturtium.errors import ParseError, SpaceError
from nasturtium.layers import Sequential
from nasturtium.space import Space
from nasturtium.spaces.nasbench_macro import nasbench_macro, published_flops
from nasturtium.testing import check_space

TABLE = Path(__file__).resolve().parents[2] / "../shared/data/benchmarks/nas_bench_macro/cifar10.parquet"
needs_table = pytest.mark.skipif(not TABLE.exists(), reason="the published table is not here")


@pytest.fixture(scope="module")
def rows():
    import polars

    return polars.read_parquet(TABLE).rows(named=True)


def test_size():
    assert nasbench_macro().size == 3**8 == 6561


@needs_table
def test_every_published_parameter_and_flop(rows):
    space = nasbench_macro()
    assert len({row["arch"] for row in rows}) == space.size
    for row in rows:
        architecture = space.from_notation(row["arch"])
        assert space.to_notation(architecture) == row["arch"]
        assert architecture.count()["params"] == row["params"]
        assert published_flops(architecture) == row["flops"]


@needs_table
def test_networks_with_one_key_were_trained_once(rows):
    space, accuracies = nasbench_macro(), {}
    for row in rows:
        key = space.key(space.from_notation(row["arch"]))
        accuracies.setdefault(key, set()).add((row["test_acc_0"], row["test_acc_1"], row["test_acc_2"]))
    assert len(accuracies) == 3969 == 3 * 3 * (3 * 7) ** 2
    assert all(len(found) == 1 for found in accuracies.values())


def test_the_key_and_the_canonical_form_agree():
    space = nasbench_macro(input=(1, 8, 8), channels=4, features=8)
    moved, same, other = (space.from_notation(text) for text in ("10201012", "10210012", "10021012"))
    assert space.key(moved) == "10210012" == space.key(same)
    assert moved.canonical == same.canonical
    assert space.key(other) == "10021012"
    assert other.canonical != same.canonical


def test_module_agrees_with_the_costs():
    space = nasbench_macro()
    for text in ("22212220", "00000000", "01201201"):
        architecture = space.from_notation(text)
        module = architecture.build()
        cost = architecture.count()
        assert sum(p.numel() for p in module.parameters()) == cost["params"]
        with FlopCounterMode(display=False) as counter:
            module.to("meta").eval()(torch.empty(1, 3, 32, 32, device="meta"))
        assert counter.get_total_flops() == cost["flops"]


def test_blocks_keep_their_input_only_where_the_stride_is_one():
    space = nasbench_macro(input=(3, 16, 16), channels=4)
    joins = [
        str(data["layer"]) for _, data in space.from_notation("11111111").graph().nodes(data=True) if data["layer"]
    ]
    assert joins.count("Add()") == 5
    assert "Identity()" not in joins


@pytest.mark.parametrize("text", ["2221222", "222122203", "22212223", "", "abcdefgh"])
def test_what_is_no_network_is_refused(text):
    with pytest.raises(ParseError, match="eight digits"):
        nasbench_macro().from_notation(text)


def test_wrong_options_are_refused():
    with pytest.raises(SpaceError, match="takes one image"):
        nasbench_macro(input=(32, 3))
    with pytest.raises(SpaceError, match="features must be"):
        nasbench_macro(features=0)


def test_members():
    space = nasbench_macro()
    assert space.to_notation(space.member("best CIFAR-10 test")) == "22212220"
    assert space.member("identities").count()["params"] == 387_882


@pytest.mark.parametrize("shape", [(1, 8, 8), (3, 13, 9)])
def test_trains_on_small_images(shape):
    space = nasbench_macro(input=shape, outputs=7)
    module = space.sample(np.random.default_rng(0)).build()
    y = module(torch.randn(4, *shape))
    assert y.shape == (4, 7)
    y.square().sum().backward()
    assert all(torch.isfinite(p.grad).all() for p in module.parameters())


def test_laws():
    whole = nasbench_macro(input=(1, 8, 8), channels=2, features=8)
    check_space(whole, seeds=2)
    few = Sequential(*whole.root.layers[:3], *whole.root.layers[-3:])
    check_space(Space(few, input=(1, 8, 8), name="two layers"), seeds=2)
