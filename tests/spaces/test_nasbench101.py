"""NAS-Bench-101 and 1Shot1 against published hashes and parameter counts, and brute force."""

from __future__ import annotations

import itertools
import json

import networkx
import numpy as np
import pytest

from nasturtium.errors import ParseError, SpaceError
from nasturtium.spaces.graph_cells import OPERATIONS, graph_hash, pruned, vertex_widths
from nasturtium.spaces.nasbench1shot1 import nasbench1shot1
from nasturtium.spaces.nasbench101 import nasbench101
from tests.spaces.data import rows_of

LABELS = {-1: "input", 0: "conv3x3-bn-relu", 1: "conv1x1-bn-relu", 2: "maxpool3x3", -2: "output"}


def test_hashes_and_parameters_of_published_records():
    rows = rows_of("ec_nas_nb101space/trainings.parquet", "hash", "adjacency", "labels", "params")
    space, unique = nasbench101(), {row[0]: row[1:] for row in rows if row[1] is not None}
    assert len(unique) == 2_532
    for known, (matrix, labels, params) in sorted(unique.items())[::5]:
        bits = "".join(str(bit) for row in json.loads(matrix) for bit in row)
        text = f"{bits} {','.join(LABELS[label] for label in json.loads(labels))}"
        architecture = space.from_notation(text)
        assert space.key(architecture) == known
        assert architecture.count()["params"] == params


def test_hashes_tell_just_the_isomorphic_graphs_apart():
    pairs = list(itertools.combinations(range(5), 2))
    seen: dict[str, list[networkx.DiGraph]] = {}
    for bits in itertools.product((0, 1), repeat=len(pairs)):
        links = frozenset(pair for pair, bit in zip(pairs, bits, strict=True) if bit)
        if len(links) > 9 or pruned(links, 4) != links or {v for link in links for v in link} != set(range(5)):
            continue
        matrix = [[int((s, t) in links) for t in range(5)] for s in range(5)]
        for names in itertools.product(OPERATIONS, repeat=3):
            labels = ["input", *names, "output"]
            graph = networkx.DiGraph(sorted(links))
            networkx.set_node_attributes(graph, dict(enumerate(labels)), "label")
            seen.setdefault(graph_hash(matrix, labels), []).append(graph)
    assert len(seen) == 2_441  # the published 2,532 cells of at most five vertices less the 91 of at most four
    alike = networkx.algorithms.isomorphism.categorical_node_match("label", None)
    for graphs in list(seen.values())[::40]:
        assert all(networkx.is_isomorphic(graphs[0], graph, node_match=alike) for graph in graphs)


def test_pruning_and_the_channel_rule_by_hand():
    assert pruned({(0, 1), (1, 3), (2, 3), (0, 2), (1, 4)}, 5) == frozenset()
    links = frozenset({(0, 1), (0, 2), (1, 3), (2, 5), (3, 5), (1, 5)})
    assert pruned(links | {(0, 4)}, 5) == links
    # three vertices share 128 channels, the first two get one more
    assert vertex_widths(links, 5, 128) == {5: 128, 1: 43, 2: 43, 3: 42, 4: 0}
    assert vertex_widths(frozenset({(0, 1), (1, 2), (2, 3)}), 3, 64) == {3: 64, 2: 64, 1: 64}


def test_samples_keep_the_limits_and_come_back():
    space, rng = nasbench101(), np.random.default_rng(0)
    assert space.size == 423_624
    for _ in range(60):
        architecture = space.sample(rng)
        text = space.to_notation(architecture)
        again = space.from_notation(text)
        assert 1 <= text.split()[0].count("1") <= 9
        assert space.to_notation(again) == text
        assert space.key(again) == space.key(architecture)
        assert again.canonical == architecture.canonical


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("0100 input,output,output", "must be input, some of"),
        ("010 input,output", "is no adjacency matrix of 2 vertices"),
        ("0010 input,output", "is not upper triangular"),
        ("010001000 input,conv7,output", "must be input, some of"),
    ],
)
def test_records_that_are_none(text, what):
    with pytest.raises(ParseError, match=what):
        nasbench101().from_notation(text)


@pytest.mark.parametrize(("subspace", "size"), [(1, 14_580), (2, 29_160), (3, 1_312_200)])
def test_1shot1_is_a_part_of_101(subspace, size):
    space, whole, rng = nasbench1shot1(subspace=subspace), nasbench101(), np.random.default_rng(0)
    assert space.size == size
    for _ in range(40):
        architecture = space.sample(rng)
        text = space.to_notation(architecture)
        assert space.to_notation(space.from_notation(text)) == text
        same = whole.from_notation(text)
        assert whole.key(same) == space.key(architecture)
        assert same.canonical == architecture.canonical
        assert same.count() == architecture.count()


def test_1shot1_has_three_parts_only():
    with pytest.raises(SpaceError, match="subspace must be 1, 2 or 3, not 4"):
        nasbench1shot1(subspace=4)
    with pytest.raises(SpaceError, match="is not in this sub-space"):
        nasbench1shot1().from_notation("0100 input,output")
