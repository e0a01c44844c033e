"""The space of NASNet and its kin: sizes, free inputs, loose ends, members and notation."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from nasturtium.errors import ParseError, SpaceError
from nasturtium.spaces.genotype import read_genotype
from nasturtium.spaces.nasnet import OPERATION_SETS, nasnet
from nasturtium.testing import check_space

COUNTS = {"nasnet": 13, "amoebanet": 8, "pnas": 8, "enas": 5, "every": 17}


@pytest.mark.parametrize(("operations", "count"), COUNTS.items())
def test_operations_and_sizes(operations, count):
    assert len(set(OPERATION_SETS[operations])) == len(OPERATION_SETS[operations]) == count
    space = nasnet(operations=operations)
    cell = math.prod((states * count) ** 2 for states in (2, 3, 4, 5, 6))
    assert space.size == cell**2
    if operations == "pnas":
        assert f"{cell:.1e}" == "5.6e+14"  # as Liu et al. 2018 say


def test_the_declared_size_is_that_of_the_enumeration():
    space = nasnet((1, 8, 8), operations="enas", nodes=1, cells=3)
    every = [architecture.decisions for architecture in space.enumerate()]
    assert len(set(every)) == len(every) == space.size == (4 * 25) ** 2


def test_cells_may_differ_in_size_and_read_a_state_twice():
    space = nasnet((1, 8, 8), nodes=(2, 3), operations="enas", channels=4, cells=3)
    text = (
        "Genotype(normal=[('skip_connect', 0), ('skip_connect', 0), ('sep_conv_3x3', 2), ('avg_pool_3x3', 1)], "
        "normal_concat=[3], reduce=[('max_pool_3x3', 0), ('max_pool_3x3', 1), ('skip_connect', 0), "
        "('sep_conv_5x5', 1), ('skip_connect', 3), ('skip_connect', 3)], reduce_concat=[2, 4])"
    )
    architecture = space.from_notation(text)
    assert read_genotype(space.to_notation(architecture)) == read_genotype(text)
    assert architecture.build()(torch.randn(2, 1, 8, 8)).shape == (2, 10)


def test_loose_ends_leave_and_all_nodes_where_asked_for():
    for output, width in (("loose", 2), ("all", 3)):
        space = nasnet((1, 8, 8), nodes=3, output=output, operations="nasnet", channels=4, cells=3)
        concat = "[3, 4]" if output == "loose" else "[2, 3, 4]"
        steps = "[('conv_1x1', 0), ('conv_1x1', 1), ('conv_1x1', 0), ('conv_1x1', 2), ('conv_1x1', 1), ('conv_1x1', 1)]"
        network = space.from_notation(f"Genotype({steps}, {concat}, {steps}, {concat})")
        linear = [m for m in network.build().modules() if isinstance(m, torch.nn.Linear)][-1]
        assert linear.in_features == 16 * width


@pytest.mark.parametrize("operations", OPERATION_SETS)
def test_members_lead_back(operations):
    space = nasnet((3, 32, 32), operations=operations)
    assert space.members
    for name in space.members:
        architecture = space.member(name)
        assert space.decisions(str(architecture)) == architecture.decisions
        assert read_genotype(space.to_notation(architecture)) == read_genotype(space.members[name])


def test_members_are_found_where_they_belong():
    assert set(nasnet().members) == {"NASNet-A", "AmoebaNet-A", "ENAS", "NAONet-WS"}
    assert set(nasnet(operations="pnas").members) == {"PNAS"}
    assert {"AmoebaNet-B", "NAONet"} < set(nasnet(operations="every").members)
    assert set(nasnet(nodes=4, output="all").members) == {"NASP"}


@pytest.mark.parametrize("join", ["add", "concat", "choice"])
def test_joins_run(join):
    space = nasnet((2, 9, 7), operations="every", channels=4, cells=3, join=join, auxiliary=True, drop_path=0.1)
    for seed in range(3):
        architecture = space.sample(np.random.default_rng(seed))
        model = architecture.build()
        outs = model(torch.randn(2, 2, 9, 7))
        assert [out.shape for out in outs] == [(2, 10), (2, 10)]
        assert architecture.count()["params"] == sum(p.numel() for p in model.parameters())
        assert ("ConcatBack" in str(architecture)) == (join == "concat") or join == "choice"
        if join != "choice":
            assert space.from_notation(space.to_notation(architecture)) == architecture


def test_what_does_not_fit_is_refused():
    space = nasnet(operations="enas")
    text = space.members["ENAS"]
    for changed, said in (
        (text.replace("avg_pool_3x3", "conv_1x1"), "not among the operations"),
        (text.replace("reduce_concat=[2, 3, 6]", "reduce_concat=[6]"), r"\[2, 3, 6\] leave this cell"),
        (
            text.replace("('sep_conv_3x3', 5), ('sep_conv_5x5', 0)], reduce_concat=[2, 3, 6]", "], reduce_concat=[2]"),
            "4 nodes",
        ),
    ):
        with pytest.raises(ParseError, match=said):
            space.from_notation(changed)
    for options in (
        {"operations": "nasnett"},
        {"join": "mean"},
        {"output": "last"},
        {"nodes": (1, 2, 3)},
        {"nodes": 0},
    ):
        with pytest.raises(SpaceError):
            nasnet(**options)


def test_laws():
    check_space(nasnet((1, 8, 8), operations="enas", nodes=1, channels=4, cells=3), seeds=2)
