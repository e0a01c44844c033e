"""NAS-Bench-Graph: its published keys and parameter counts, its notation, and training on a real graph."""

from __future__ import annotations

import itertools
import random
from pathlib import Path

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from nasturtium.errors import Mismatch, ParseError, SpaceError
from nasturtium.estimators.examples import example_inputs
from nasturtium.space.infer import infer
from nasturtium.space.signal import edges, nodes, sequence
from nasturtium.spaces.graph_trees import LINKS, OPERATIONS, published_key
from nasturtium.spaces.nasbench_graph import (
    SETTINGS,
    Disclose,
    GraphOperation,
    NASBenchGraphNetwork,
    nasbench_graph,
    published_parameters,
)
from nasturtium.testing import check_space

DATA = Path(__file__).resolve().parents[2] / "../shared/data"
TABLE = DATA / "benchmarks/nas_bench_graph/light.parquet"
CORA = DATA / "datasets/planetoid/cora.npz"
SIZES = {"cora": (1433, 7), "citeseer": (3703, 6), "pubmed": (500, 3), "cs": (6805, 15), "computers": (767, 10)}
"""Features and classes of the data sets."""


@pytest.fixture(scope="module")
def table():
    if not TABLE.exists():
        pytest.skip("the published table is not here")
    import polars

    return polars.read_parquet(TABLE)


def _small(count=10, mask=False, **options):
    return nasbench_graph((nodes(count, 6, mask=mask), edges(None)), 3, width=8, dropout=0.2, **options)


def _codes():
    every = itertools.product(LINKS, itertools.product(range(9), repeat=4))
    return [(links, operations) for links, operations in every if operations != (8, 8, 8, 8)]


@pytest.fixture(scope="module")
def keys():
    return {published_key(*code) for code in _codes()}


def test_size_is_that_of_all_trees_and_operations_but_skips_alone():
    assert nasbench_graph().size == 9 * 9**4 - 9 == len(_codes())
    with pytest.raises(Mismatch, match="skips alone"):
        infer(NASBenchGraphNetwork((0, 0, 1, 1), (GraphOperation("skip"),) * 4, 3), nodes(5, 6), edges())


def test_there_are_as_many_keys_as_published(keys):
    assert len(keys) == 26_206
    for number in random.Random(0).sample(sorted(keys), 500):  # a key is the key of what it names
        tree, *operations = map(int, f"{number:05d}")
        assert published_key(LINKS[tree], operations) == number


def test_keys_are_those_of_the_published_table(table, keys):
    import polars

    for name in SIZES:
        published = table.filter(polars.col("dataset") == name)["hash"].to_list()
        assert len(published) == 26_206
        assert set(published) == keys


def test_any_numbering_of_the_nodes_has_the_same_key():
    """Brute force over all 24 numbered trees: those that differ in the order of their nodes alone agree."""
    rng = random.Random(1)
    for _ in range(300):
        links = tuple(rng.randint(0, place) for place in range(4))
        operations = tuple(rng.randrange(9) for _ in range(4))
        if operations == (8, 8, 8, 8):
            continue
        order = rng.sample(range(4), 4)
        place = {0: 0} | {node + 1: at for at, node in enumerate(order, 1)}
        moved = tuple(place[links[node]] for node in order)
        if all(link <= at for at, link in enumerate(moved)):
            other = published_key(moved, tuple(operations[node] for node in order))
            assert other == published_key(links, operations)


@pytest.mark.parametrize(
    ("links", "operations", "same"),
    [
        (
            (0, 1, 2, 1),
            "gcn gin fc cheb",
            ((0, 1, 1, 2), "gcn gin cheb fc"),
        ),  # the example of its readme, whose order differs
        ((0, 1, 2, 3), "gcn skip gat fc", ((0, 1, 2, 3), "skip gcn gat fc")),
        ((0, 0, 0, 0), "skip gcn fc gat", ((0, 1, 1, 1), "skip gat gcn fc")),
        ((0, 1, 2, 2), "gin skip gcn fc", ((0, 1, 2, 2), "skip gin gcn fc")),
        ((0, 1, 2, 3), "gcn gat fc skip", ((0, 1, 2, 3), "skip gcn gat fc")),
    ],
)
def test_keys_by_hand(links, operations, same):
    numbers = [OPERATIONS.index(name) for name in operations.split()]
    tree, written = same
    digits = "".join(str(OPERATIONS.index(name)) for name in written.split())
    assert published_key(links, numbers) == int(f"{LINKS.index(tree)}{digits}")


def test_keys_equal_those_of_the_published_package():
    package = pytest.importorskip("nas_bench_graph")
    for links, operations in random.Random(2).sample(_codes(), 2000):
        theirs = package.Arch(list(links), [OPERATIONS[number] for number in operations]).valid_hash()
        assert published_key(links, operations) == theirs


@pytest.mark.parametrize("name", SIZES)
def test_parameters_are_the_published_ones(table, name):
    """Every eighth row here; that all rows agree was checked once."""
    import polars

    features, classes = SIZES[name]
    space = nasbench_graph((nodes(None, features), edges(None)), classes, **SETTINGS[name])
    rows = table.filter(polars.col("dataset") == name).gather_every(8)
    for number, millions in zip(rows["hash"], rows["para"], strict=True):
        assert published_parameters(space.from_notation(str(number))) == round(millions * 1e6)


def test_parameters_by_hand():
    """Two graph convolutions on Cora: 0.502535 million in the published table, with two idle normalisations."""
    network = nasbench_graph().member("GCN")
    convolutions = (1433 * 256 + 256) + (256 * 256 + 256)
    head = (256 * 256 + 256) + (256 * 7 + 7)
    assert network.count()["params"] == convolutions + 2 * 256 + head
    assert published_parameters(network) == 502_535 == network.count()["params"] + 3 * 2 * 256
    assert sum(parameter.numel() for parameter in network.build().parameters()) == network.count()["params"]


def test_members_are_two_layers_of_one_kind():
    space = nasbench_graph()
    published = {"GCN": 502_535, "GAT": 503_559, "GIN": 502_535, "k-GNN": 934_919, "GraphSAGE": 934_919}
    assert {name: published_parameters(space.member(name)) for name in space.members} == published
    assert space.key(space.member("GraphSAGE")) == "88844"


def test_laws():
    for seed_options in ({}, {"before": True, "after": False}):
        check_space(_small(**seed_options), seeds=2)
    check_space(_small(count=None, mask=True), seeds=2)


def test_notation_round_trip():
    space, rng = nasbench_graph(), np.random.default_rng(0)
    for _ in range(100):
        architecture = space.sample(rng)
        text = space.to_notation(architecture)
        assert space.from_notation(text) == architecture
        assert space.from_notation(text.removeprefix("Arch(").removesuffix(")").replace("], [", "] [")) == architecture
        assert space.key(space.from_notation(space.key(architecture))) == space.key(architecture)
    assert space.to_notation(space.member("GAT")) == "Arch([0, 1, 2, 3], ['skip', 'skip', 'gat', 'gat'])"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("Arch([0, 1, 2], ['gcn', 'gin', 'fc'])", "each of four nodes"),
        ("Arch([0, 2, 1, 1], ['gcn', 'gin', 'fc', 'fc'])", "an earlier node"),
        ("Arch([0, 1, 1, 1], ['gcm', 'gin', 'fc', 'fc'])", r"unknown operation 'gcm'; did you mean 'gcn'\?"),
        ("Arch([0, 1, 1, 1], ['gcn', 'gin', 'fc'])", "are not four operations"),
        ("Arch([0, 1, 1, 1], ['skip', 'skip', 'skip', 'skip'])", "one is no skip"),
        ("gcn gin", "is no network of NAS-Bench-Graph"),
        ("18888", "is no network of NAS-Bench-Graph"),
    ],
)
def test_what_cannot_be_read(text, message):
    with pytest.raises(ParseError, match=message):
        nasbench_graph().from_notation(text)


def test_other_inputs_and_options_are_refused():
    for input in ((16, 3), sequence(5, 3), (edges(), nodes(4, 2)), (nodes(4, 2), nodes(4, 2))):
        with pytest.raises(SpaceError, match="takes nodes and edges"):
            nasbench_graph(input)
    with pytest.raises(SpaceError, match="divisible by 4, not 10"):
        nasbench_graph(width=10)
    with pytest.raises(SpaceError, match="dropout must be a number from 0 and below 1, not 1"):
        nasbench_graph(dropout=1)
    with pytest.raises(SpaceError, match="outputs must be"):
        nasbench_graph(outputs=0)
    with pytest.raises(SpaceError, match=r"unknown operation 'gatt'; did you mean 'gat'\?"):
        infer(GraphOperation("gatt"), nodes(4, 2), edges())
    with pytest.raises(SpaceError, match="operation 1 reads 1; it can read 0 to 0"):
        infer(NASBenchGraphNetwork((1, 0), (GraphOperation("gcn"),) * 2, 3), nodes(4, 2), edges())
    with pytest.raises(Mismatch, match="Disclose works on group"):
        infer(Disclose(), nodes(4, 2))
    assert nasbench_graph(nodes(5, 4)).input == (nodes(5, 4), edges(None))


@pytest.mark.parametrize("before", [False, True])
def test_network_is_that_of_the_published_code(before):
    """A network with a branch and both kinds of skip, put together by hand from its own layers."""
    space = _small(before=before)
    network = space.from_notation("Arch([0, 1, 2, 2], ['skip', 'gat', 'skip', 'fc'])").build().eval()
    x, edge = torch.randn(1, 10, 6), torch.randint(0, 10, (1, 2, 30))
    first, second, third, fourth = (getattr(network, f"operations_{number}") for number in range(4))
    linears = [module for name, module in network.named_children() if name.startswith("linear")]
    state = x
    if before:
        state = linears.pop(0)(state)
        state = torch.relu(first.batchnorm(state))
        state = torch.relu(second.batchnorm(state))
    attended = second.gatconv(state, edge)
    skipped = torch.relu(third.batchnorm(attended))
    mapped = fourth.linear(torch.relu(fourth.batchnorm(attended)))
    joined = torch.relu(torch.cat((skipped, mapped), -1))
    torch.testing.assert_close(network(x, edge), linears[1](linears[0](joined)))


def test_made_up_graphs_run():
    for count in (5, None):
        space = _small(count=count)
        made = example_inputs(space.input, 3)
        out = space.sample(np.random.default_rng(0)).build()(*made)
        assert made[1].shape == (3, 2, 64)
        assert out.shape == (*made[0].shape[:2], 3) == (3, count or 64, 3)


def test_wide_features_are_no_hidden_state():
    """Features as wide as the network are still bare features: not normalised, never part of the output."""
    space = nasbench_graph((nodes(None, 8), edges(None)), 3, width=8)
    assert space.size == 59_040
    alone = space.from_notation("Arch([0, 0, 0, 0], ['skip', 'gcn', 'skip', 'skip'])")
    assert alone.count() == space.from_notation("Arch([0, 1, 2, 3], ['skip', 'skip', 'skip', 'gcn'])").count()


def test_a_sample_learns_cora():
    if not CORA.exists():
        pytest.skip("the data set is not here")
    data = np.load(CORA)
    x = torch.zeros(2708, 1433)
    x[np.repeat(np.arange(2708), np.diff(data["x_indptr"])), data["x_indices"]] = 1
    x = (x / x.sum(1, keepdim=True).clamp(min=1)).unsqueeze(0)
    once = torch.from_numpy(data["edges"]).long().T
    edge = torch.cat((once, once.flip(0)), 1).unsqueeze(0)
    y, train, test = (torch.from_numpy(data[name]).long() for name in ("y", "train", "test"))
    space = nasbench_graph((nodes(2708, 1433), edges(edge.shape[-1])), 7, width=64)
    torch.manual_seed(0)
    model = space.sample(np.random.default_rng(2)).build()
    optimizer = torch.optim.Adam(model.parameters(), lr=0.01, weight_decay=5e-4)
    for _ in range(25):
        optimizer.zero_grad()
        F.cross_entropy(model(x, edge)[0, train], y[train]).backward()
        optimizer.step()
    with torch.no_grad():
        accuracy = (model.eval()(x, edge)[0, test].argmax(1) == y[test]).float().mean()
    assert accuracy > 0.5  # the largest class holds 30 %
