"""Graphs, Weisfeiler-Lehman features, distances and graph networks against networkx, brute force and differences."""

import itertools

import networkx
import numpy as np
import pytest
import torch

from nasturtium.predictors.distances import STRUCTURE, distances, edit, shapes, transport
from nasturtium.predictors.drawn import GraphEncoder, Paths
from nasturtium.predictors.graph_modules import READERS
from nasturtium.predictors.graph_networks import GraphNetwork, line
from nasturtium.predictors.graphs import Graphs
from nasturtium.predictors.structured import WeisfeilerLehman, counted, refinements
from nasturtium.predictors.vectors import Tokens
from nasturtium.space.decided import graph_of, template_of
from nasturtium.space.encoding import tokens
from nasturtium.spaces.darts import darts
from nasturtium.spaces.nasbench101 import nasbench101
from nasturtium.spaces.nasbench201 import nasbench201
from tests.predictors.common import small_space
from tests.skeletons.small import toy_grammar


def random_graphs(count, seed=0, largest=6, labels=3):
    """Random graphs as arrays; node 0 is fed by nothing, every other by some node before it."""
    rng = np.random.default_rng(seed)
    found = Graphs(
        np.full((count, largest), -1), np.full((count, largest), -1), np.zeros((count, largest, largest), np.float32),
        np.zeros((count, 0), np.float32),
    )  # fmt: skip
    for n in range(count):
        size = int(rng.integers(2, largest + 1))
        found.labels[n, :size] = found.kinds[n, :size] = rng.integers(labels, size=size)
        for target in range(1, size):
            sources = np.flatnonzero(rng.random(target) < 0.5)
            found.adjacency[n, sources if len(sources) else rng.integers(target), target] = 1.0
    return found


def as_networkx(graphs, n):
    size = int((graphs.labels[n] >= 0).sum())
    graph = networkx.DiGraph()
    graph.add_nodes_from((k, {"label": str(graphs.labels[n, k])}) for k in range(size))
    graph.add_edges_from(np.argwhere(graphs.adjacency[n, :size, :size] > 0).tolist())
    return graph


def test_the_cell_of_nasbench201_is_drawn_once():
    space = nasbench201()
    graph = graph_of(space.architecture((0, 1, 2, 3, 4, 1)))
    kernels = [label for number, label in enumerate(graph.labels) if number not in graph.fixed]
    assert kernels == [
        "Zero()", "Identity()", "ReluConvNorm()", "ReluConvNorm(kernel=3)", "AvgPool(3, stride=1)", "Identity()",
    ]  # fmt: skip
    assert [label for number, label in enumerate(graph.labels) if number in graph.fixed] == [
        "input 0", "Add()", "Add()", "output",
    ]  # fmt: skip
    paths = Paths(space).paths([space.architecture((3, 3, 3, 3, 3, 3))])[0]
    assert {len(path) for path in paths} == {1, 2, 3}
    every = Paths(space)
    rng = np.random.default_rng(0)
    sampled = [space.sample(rng) for _ in range(3000)]
    every.fit(sampled)
    assert len(every.columns) == 155  # 5 + 25 + 125 paths, as published (White et al. 2021)
    sums = every(sampled).sum(1)
    assert sums.max() == 4
    assert len(Paths(space, longest=1).paths(sampled[:1])[0]) == 1


@pytest.mark.parametrize("space", [nasbench201(), small_space()], ids=lambda space: space.name)
def test_templates_give_what_the_wiring_gives(space):
    template = template_of(space)
    rng = np.random.default_rng(1)
    for _ in range(30):
        architecture = space.sample(rng)
        assert template.graph(architecture.decisions) == graph_of(architecture)


def test_tokens_of_product_spaces_are_those_of_the_steps():
    space, rng = nasbench201(), np.random.default_rng(0)
    sampled = [space.sample(rng) for _ in range(20)]
    encoder = Tokens(space)
    encoder.fit(sampled)
    np.testing.assert_array_equal(encoder(sampled), tokens(space, sampled))


def test_spaces_whose_edges_are_decided_have_no_template():
    assert template_of(nasbench101()) is None
    assert template_of(darts()) is None
    assert template_of(toy_grammar()) is None


def test_graphs_of_nasbench101_are_its_published_cells():
    space = nasbench101()
    rng = np.random.default_rng(0)
    for _ in range(10):
        architecture = space.sample(rng)
        graph = graph_of(architecture)
        labels = [label for n, label in enumerate(graph.labels) if n not in graph.fixed]
        drawn = networkx.DiGraph(list(graph.edges))
        assert networkx.is_directed_acyclic_graph(drawn)
        assert all(a < b for a, b in graph.edges)
        assert labels


def test_refined_labels_split_nodes_as_networkx_does():
    graphs = random_graphs(60)
    both_ways = graphs._replace(adjacency=np.maximum(graphs.adjacency, graphs.adjacency.transpose(0, 2, 1)))
    refined = refinements(both_ways, 3)  # networkx's directed hashes have changed; its undirected ones have not
    ours, theirs = {}, {}
    for n in range(60):
        hashes = networkx.weisfeiler_lehman_subgraph_hashes(
            as_networkx(graphs, n).to_undirected(), node_attr="label", iterations=3, include_initial_labels=True
        )
        for node, found in hashes.items():
            for depth in range(4):
                ours.setdefault((depth, int(refined[depth][n, node])), set()).add((depth, n, node))
                theirs.setdefault((depth, found[depth]), set()).add((depth, n, node))
    assert sorted(map(sorted, ours.values())) == sorted(map(sorted, theirs.values()))


def unfolded(graph, node, depth):
    """A node with all that feeds it, as text."""
    before = sorted(unfolded(graph, source, depth - 1) for source in graph.predecessors(node)) if depth else []
    return f"{graph.nodes[node]['label']}({','.join(before)})"


def test_the_weisfeiler_lehman_kernel_is_the_product_of_counts_of_unfolded_nodes():
    graphs = random_graphs(15, seed=2)
    kernel = WeisfeilerLehman()
    kernel.choose(2)
    bags = []
    for n in range(15):
        graph = as_networkx(graphs, n)
        bags.append([f"{depth}:{unfolded(graph, node, depth)}" for node in graph for depth in range(3)])
    keys = sorted(set(itertools.chain(*bags)))
    counts = np.array([[bag.count(key) for key in keys] for bag in bags], float)
    counts /= np.linalg.norm(counts, axis=1)[:, None]
    np.testing.assert_allclose(kernel.covariance(np.zeros(1), kernel.prepared(graphs)), counts @ counts.T, atol=1e-12)
    new, old = graphs.rows(slice(0, 5)), graphs.rows(slice(5, 15))
    np.testing.assert_allclose(kernel.between(np.zeros(1), new, old)[0], (counts @ counts.T)[:5, 5:], atol=1e-12)
    assert counted(refinements(new, 0), new, np.array([7], np.uint64))[0].sum() == 0


def levenshtein(a, b):
    """By recursion over all alignments."""
    if not a or not b:
        return len(a) + len(b)
    return min(levenshtein(a[1:], b) + 1, levenshtein(a, b[1:]) + 1, levenshtein(a[1:], b[1:]) + (a[0] != b[0]))


def matched(costs, alone):
    """The cheapest matching of rows and columns by trying all; what has no partner costs ``alone``."""
    rows, columns = costs.shape
    best = alone * (rows + columns)
    for size in range(1, min(rows, columns) + 1):
        for some in itertools.combinations(range(rows), size):
            for others in itertools.permutations(range(columns), size):
                best = min(best, costs[list(some), list(others)].sum() + alone * (rows + columns - 2 * size))
    return best


def test_the_edit_distance_by_brute_force():
    graphs = random_graphs(12, seed=3, largest=5)
    found = edit(graphs, graphs)
    kinds, index = shapes(graphs)
    for n, m in itertools.product(range(12), repeat=2):
        a, b = (list(row[row >= 0]) for row in (graphs.labels[n], graphs.labels[m]))
        one, other = kinds[index[n]].skips, kinds[index[m]].skips
        costs = np.zeros((len(one), len(other)))
        for i, (start, end) in enumerate(one):
            for j, (begin, stop) in enumerate(other):
                apart = abs(start - begin) + abs((end - start) - (stop - begin))
                costs[i, j] = apart / (max(start, begin) + max(end - start, stop - begin))
        assert found[n, m] == pytest.approx(levenshtein(a, b) + matched(costs, 1.0))


def lengths(graph, node, first):
    """Shortest, longest and random-walk length from the first nodes to a node, by networkx and recursion."""
    before = list(graph.predecessors(node))
    if not before:
        return np.zeros(3)
    several = np.array([lengths(graph, source, first) for source in before])
    return 1 + np.array([several[:, 0].min(), several[:, 1].max(), several[:, 2].mean()])


def test_the_transport_distance_by_brute_force():
    graphs = random_graphs(10, seed=4, largest=4)
    found = transport(graphs, graphs)
    for n, m in itertools.product(range(10), repeat=2):
        one, other = as_networkx(graphs, n), as_networkx(graphs, m)
        places = [
            [np.concatenate([lengths(g, k, 0), lengths(g.reverse(), k, 0)]) for k in sorted(g)] for g in (one, other)
        ]
        costs = np.array(
            [
                [
                    (graphs.labels[n, i] != graphs.labels[m, j]) + STRUCTURE * np.abs(p - q).mean()
                    for j, q in enumerate(places[1])
                ]
                for i, p in enumerate(places[0])
            ]
        )
        assert found[n, m] == pytest.approx(matched(costs, 1.0))


@pytest.mark.parametrize("kind", ["edit", "transport"])
def test_distances_are_metrics(kind):
    graphs = random_graphs(25, seed=5)
    found = distances(kind, graphs, graphs)
    np.testing.assert_allclose(np.diag(found), 0.0, atol=1e-6)
    np.testing.assert_allclose(found, found.T, atol=1e-6)
    assert (found >= -1e-9).all()
    slack = found[:, :, None] + found[None, :, :] - found[:, None, :]
    assert (slack > -1e-5).all()  # d(i, j) + d(j, k) - d(i, k)


@pytest.mark.parametrize("kind", READERS)
def test_gradients_of_graph_networks_by_finite_differences(kind):
    graphs = random_graphs(5, seed=6)
    module = READERS[kind](2, 3, 3, 4, 2, seed=1).double()
    network = GraphNetwork(kind)
    network.labels = network.kinds = 3
    batch = network.tensors(graphs)
    batch = batch._replace(**{k: getattr(batch, k).double() for k in ("valid", "adjacency", "extra")})
    targets = torch.linspace(-1, 1, 5, dtype=torch.double)
    shares = torch.ones(2, 5, dtype=torch.double)

    def loss():
        return network.losses(module(batch), targets, shares).sum()

    slopes = torch.autograd.grad(loss(), list(module.parameters()))
    rng = np.random.default_rng(0)
    for parameter, slope in zip(module.parameters(), slopes, strict=True):
        flat = parameter.data.view(-1)
        for place in rng.integers(len(flat), size=3):
            value = float(flat[place])
            ends = []
            for step in (1e-6, -1e-6):
                flat[place] = value + step
                ends.append(float(loss().detach()))
            flat[place] = value
            assert float(slope.reshape(-1)[place]) == pytest.approx((ends[0] - ends[1]) / 2e-6, rel=1e-4, abs=1e-6)


def test_a_graph_convolution_by_hand():
    module = READERS["gcn"](1, 2, 2, 2, 1, seed=0)
    nodes = torch.tensor([[[[1.0, 0.0], [0.0, 1.0]]]])
    graphs = random_graphs(1, largest=2)
    network = GraphNetwork()
    network.labels = network.kinds = 3
    batch = network.tensors(graphs)  # two nodes, an edge from the first to the second
    first, second = module.forwards[0][0], module.backwards[0][0]
    along = torch.tensor([[0.5, 0.5], [0.0, 1.0]])
    against = torch.tensor([[1.0, 0.0], [0.5, 0.5]])
    expected = 0.5 * (torch.relu(along @ first) + torch.relu(against @ second)).mean(0)
    torch.testing.assert_close(module.states(nodes, batch)[0, 0], expected)


@pytest.mark.parametrize("kind", READERS)
def test_padding_changes_nothing(kind):
    graphs = random_graphs(8, seed=7, largest=5)
    wider = Graphs(
        np.pad(graphs.labels, ((0, 0), (0, 3)), constant_values=-1),
        np.pad(graphs.kinds, ((0, 0), (0, 3)), constant_values=-1),
        np.pad(graphs.adjacency, ((0, 0), (0, 3), (0, 3))),
        graphs.extra,
    )
    network = GraphNetwork(kind, members=1, epochs=2)
    network.fit(graphs, np.linspace(-1, 1, 8))
    np.testing.assert_allclose(network.predict(graphs)[0], network.predict(wider)[0], atol=1e-5)
    np.testing.assert_allclose(edit(graphs, graphs), edit(graphs, wider))
    np.testing.assert_allclose(transport(graphs, graphs), transport(graphs, wider))


def test_the_ranking_loss_by_hand():
    network = GraphNetwork(loss="ranking", margin=0.1)
    outputs = torch.tensor([[0.0, 1.0, 0.95]])
    found = network.losses(outputs, torch.tensor([0.0, 1.0, 2.0]), torch.ones(1, 3))
    # pairs (better, worse): (1, 0) and (2, 0) are apart; (2, 1) is 0.05 the wrong way round
    torch.testing.assert_close(found, torch.tensor([0.15 / 3]))
    np.testing.assert_allclose(line(np.array([1.0, 2.0, 3.0]), np.array([3.0, 5.0, 7.0])), [2.0, 1.0])
    np.testing.assert_allclose(line(np.ones(3), np.array([3.0, 5.0, 7.0])), [0.0, 5.0])


def test_unknown_labels_are_read_as_unknown():
    space = small_space()
    encoder = GraphEncoder(space)
    known = [space.architecture((0, 0, 0, 0))] * 4
    network = GraphNetwork(members=1, epochs=1)
    network.fit(encoder(known), np.zeros(4))
    mean, _ = network.predict(encoder([space.architecture((3, 2, 3, 2))]))
    assert np.isfinite(mean).all()
