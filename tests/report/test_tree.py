"""Trees of text: what stands in them, in which order, and what is folded."""

import re
import time

import numpy as np
import pytest

from nasturtium.errors import SpaceError
from nasturtium.layers import GRU, GlobalPool, Sequential
from nasturtium.report.tree import tree
from nasturtium.space import Architecture
from nasturtium.space.graph import nodes_of
from nasturtium.space.signal import sequence
from tests.report.networks import EVERY, chain, deep, residuals, several_inputs, stages, two_back
from tests.skeletons.small import recipe_space


@pytest.mark.parametrize("name", EVERY)
def test_every_class_of_leaf_and_the_totals_are_there(name):
    network = EVERY[name]
    text, counted = tree(network), network.count()
    leaves = {type(node.layer).__name__ for node in nodes_of(network.value, network.input) if node.layer is not None}
    assert leaves <= set(re.findall(r"\w+", text))
    total = text.splitlines()[-1]
    assert total.startswith(f"{counted['params']:,} parameters, {counted['flops']:,} FLOPs, input {network.input[0]}")
    assert tree(network) == text


def test_a_chain_by_hand():
    assert tree(chain()).splitlines() == [
        "Sequential     vector 3     251  100%",
        "├─ Conv2d(8)   image 8x8x8  224   89%",
        "├─ ReLU        image 8x8x8",
        "├─ GlobalPool  vector 8",
        "└─ Linear(3)   vector 3      27   11%",
        "251 parameters, 27,696 FLOPs, input image 3x8x8, output vector 3",
    ]


def test_what_is_no_chain_says_what_it_reads():
    lines = tree(residuals()).splitlines()
    assert any("1 Conv2d(8, kernel=1, stride=2, bias=False)  <- in" in line for line in lines)
    assert any("3 Add  <- 0, 2" in line for line in lines)
    both = tree(several_inputs()).splitlines()
    assert any("2 Sequential  (as #1)  <- in 1" in line for line in both)
    assert any(line.strip() == "out <- 1, 2" for line in both)


def test_a_cell_visited_fifteen_times_is_written_once():
    lines = tree(stages()).splitlines()
    cells = [line for line in lines if "CellOfSix x5" in line]
    assert len(cells) == 3
    assert "#1" in cells[0]
    assert all("(as #1)" in line for line in cells[1:])
    children = [line for line in lines if re.search(r"│ +[├└]─ \d+ .*<-", line)]
    assert sum("Add" in line for line in children) == 3 + 2  # the nodes of the one cell, and two residuals
    assert any("8 Add  <- 4, 5, 7" in line or "8 Add  <- 5, 6, 7" in line for line in lines)


def test_the_numbers_of_a_repeat_are_of_all_copies():
    (line,) = [line for line in tree(EVERY["repeats"]).splitlines() if "Sequential x20" in line]
    assert "12,640" in line  # 20 (8 * 8 * 9 + 8 of the convolution, 3 * 16 of the normalisations)
    assert 20 * (8 * 8 * 9 + 8 + 3 * 16) == 12_640


def test_rows_that_read_the_two_before_fold():
    short, long = (tree(two_back(cells)).splitlines() for cells in (12, 40))
    assert len(short) == len(long)
    (row,) = [line for line in long if "times in turn" in line]
    assert re.search(r"3\d times in turn  <- ", row)


def test_networks_of_thousands_of_layers_stay_readable():
    longest, largest = 0, 0
    for network in deep():
        begun = time.process_time()
        longest = max(longest, len(tree(network).splitlines()))
        assert time.process_time() - begun < 1
        largest = max(largest, len(nodes_of(network.value, network.input)))
    assert largest > 1000
    assert longest < 250


def test_what_is_no_network_is_refused():
    with pytest.raises(SpaceError, match="no layer"):
        tree(recipe_space().sample(np.random.default_rng(0)))


def test_flops_of_sequences_of_unknown_length_are_said_to_be_of_one_step():
    network = Architecture(Sequential(GRU(4), GlobalPool()), input=sequence(None, 2))
    flops = network.count()["flops"]
    assert tree(network).splitlines()[-1].endswith(f" {flops:,} FLOPs of one step, input sequence ?x2, output vector 4")
