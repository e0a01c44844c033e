"""The CIFAR-10 table: every public cell builds, and has the parameters that others count for it."""

from __future__ import annotations

import pytest
import torch

from nasturtium.errors import SpaceError
from nasturtium.spaces.cifar_cells import CIFAR_CELLS, MISSING
from nasturtium.spaces.cifar_networks import cifar_network, cifar_row, cifar_space

COUNTED = {
    "DARTS (second order)": 3.35,
    "NASNet-A": 3.83,
    "SNAS (mild)": 2.66,
    "GDAS": 3.36,
    "P-DARTS": 3.43,
    "PC-DARTS": 3.63,
    "SGAS (Cri.1)": 3.80,
    "SGAS (Cri.2)": 4.09,
    "DARTS+PT (seed 0)": 2.85,
    "DARTS+PT (seed 1)": 3.05,
    "DARTS+PT (seed 2)": 2.66,
    "DARTS+PT (seed 3)": 3.33,
}
"""Millions, as public code that builds them with 20 cells of 36 channels notes them."""


@pytest.mark.parametrize("name", COUNTED)
def test_parameters_are_those_that_public_code_counts(name):
    assert abs(cifar_row(name).params - COUNTED[name]) < 0.0101


@pytest.mark.parametrize("name", CIFAR_CELLS)
def test_every_network_builds_and_is_counted_right(name):
    network = cifar_network(name, channels=4, cells=5, auxiliary=True, input=(3, 16, 16))
    model = network.build()
    assert network.count()["params"] == sum(p.numel() for p in model.parameters())
    assert [out.shape for out in model(torch.randn(2, 3, 16, 16))] == [(2, 10), (2, 10)]


@pytest.mark.parametrize("name", CIFAR_CELLS)
def test_every_network_is_a_member_of_its_space(name):
    space = cifar_space(name)
    member = space.member(name)
    assert member in space
    assert space.read(space.to_notation(member)) == member
    assert space.read(name) == member


def test_published_figures_are_near_where_the_skeleton_is_the_same():
    for name, cell in CIFAR_CELLS.items():
        if cell.space == "darts":
            assert abs(cifar_row(name).difference) < 0.25, name


def test_the_table_names_what_is_missing():
    assert not set(MISSING) & set(CIFAR_CELLS)
    with pytest.raises(SpaceError, match="not public"):
        cifar_network("ProxylessNAS")
    with pytest.raises(SpaceError, match="did you mean 'P-DARTS'"):
        cifar_network("P-DART")
