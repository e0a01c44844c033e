"""Folding against the plain outline: unfolding gives back every child that was there."""

import pytest

from nasturtium.report.folding import graph_of
from nasturtium.report.outline import distinct, outline
from nasturtium.space.graph import nodes_of
from tests.report.networks import EVERY, chain, deep, stages, two_back


@pytest.mark.parametrize("name", EVERY)
def test_no_child_and_no_parameter_is_lost(name):
    root = outline(EVERY[name])
    for block, _ in distinct(root):
        items = graph_of(block).items if block.steps else []
        covered = [number for item in items for number in range(item.first, item.last + 1)]
        assert covered == list(range(len(block.steps)))
        assert not items or sum(item.cost.params for item in items) == block.cost.params
        for item in items:
            size = 1 if item.row is None else len(item.row.items)
            assert item.times * size == item.last - item.first + 1


@pytest.mark.parametrize("name", EVERY)
def test_reads_point_at_what_came_before(name):
    for block, _ in distinct(outline(EVERY[name])):
        graph = graph_of(block)
        for number, item in enumerate(graph.items):
            assert all(-len(graph.inputs) <= read.step < number for read in item.reads)
            assert all(r.step < 0 or r.output < len(graph.items[r.step].outputs) for r in item.reads)


@pytest.mark.parametrize("network", [stages(), two_back(), chain(), *deep()[:5]])
def test_leaves_are_as_many_as_in_the_graph(network):
    found = sum(times for block, times in distinct(outline(network)) if not block.steps)
    assert found == sum(node.layer is not None for node in nodes_of(network.value, network.input))


def test_rows_of_different_wiring_are_not_folded():
    (row,) = [item for item in graph_of(outline(two_back(10))).items if item.row is not None]
    assert row.times == 9  # the first cell reads one wire twice, all others two
    assert len(row.reads) == 2
