"""What graphs and paths hold where no cell was decided: numbers of a whole network, small containers, chains."""

import numpy as np

import nasturtium as nt
from nasturtium import predictors
from nasturtium.layers import Add, Branch, Clone, Linear, ReLU, Sequential
from nasturtium.predictors.drawn import GraphEncoder, Paths
from nasturtium.predictors.vectors import Adjacency
from nasturtium.space.decided import graph_of, template_of
from nasturtium.space.encoding import adjacency, one_hot
from nasturtium.space.graph import nodes_of
from nasturtium.spaces.nasbench201 import nasbench201
from nasturtium.spaces.nasbench_macro import nasbench_macro
from nasturtium.spaces.nasbench_mr import nasbench_mr
from nasturtium.spaces.transnas_macro import transnas_macro


def drawn(space, count, seed=0):
    rng = np.random.default_rng(seed)
    return [space.sample(rng) for _ in range(count)]


def test_where_values_of_the_whole_network_were_decided_each_decision_is_a_node():
    space = nasbench_mr()
    for architecture in drawn(space, 3):
        graph = graph_of(architecture)
        middle = range(1, len(architecture.decisions) + 1)
        last = len(middle) + 1
        assert graph.edges == tuple(sorted([*((0, node) for node in middle), *((node, last) for node in middle)]))
        assert graph.fixed == {0, last}
    first, second = drawn(space, 2)
    shared = sum(a == b for a, b in zip(first.decisions, second.decisions, strict=True))
    alike = sum(a == b for a, b in zip(graph_of(first).labels, graph_of(second).labels, strict=True))
    assert alike == shared + 2


def test_a_container_with_few_combinations_of_values_is_one_node():
    space = transnas_macro()
    for architecture in drawn(space, 5):
        modules = graph_of(architecture).labels[1:-1]
        assert len(modules) == len(architecture.decisions) - 1  # the first says how many there are
        assert all(label.startswith("TransNASModule(") and label in str(architecture) for label in modules)


def test_paths_of_chains_have_the_decisions_beside_and_those_of_cells_do_not():
    chains, cells = nasbench_macro(), nasbench201(cells=1)
    train, new = drawn(chains, 40), drawn(chains, 10, seed=1)
    paths = Paths(chains)
    paths.fit(train)
    np.testing.assert_array_equal(paths(new)[:, len(paths.columns) + 1 :], one_hot(chains, new))
    seen = [path for each in paths.paths(list({each.decisions: each for each in train}.values())) for path in each]
    assert set(paths.columns) == {path for path in seen if seen.count(path) > 1}
    plain = Paths(cells)
    plain.fit(drawn(cells, 10))
    assert plain(drawn(cells, 5)).shape == (5, len(plain.columns) + 1)


def test_paths_rank_chains():
    """Blind to what it sees a predictor would correlate with nothing: truth is the number of large kernels."""
    space = nasbench_macro()
    train, new = drawn(space, 60), drawn(space, 60, seed=1)
    predictor = predictors.make("bananas", space=space, epochs=60).fit(train, [sum(a.decisions) for a in train])
    found = predictor.predict(new)[0]
    assert np.corrcoef(found, [sum(a.decisions) for a in new])[0, 1] > 0.7


def test_adjacency_of_what_is_larger_than_all_of_the_training_set_is_cut():
    space = transnas_macro()
    ordered = sorted(drawn(space, 30), key=lambda each: len(nodes_of(each.value, each.input)))
    small, large = ordered[:3], ordered[-3:]
    encoder = Adjacency(space)
    encoder.fit(small)
    whole = adjacency(space, small)
    np.testing.assert_array_equal(encoder([*small, *large])[:3], whole)
    assert encoder(large).shape == (3, whole.shape[1])


def test_templates_and_graphs_are_found_once_for_each_space(monkeypatch):
    cells, graphs = nasbench201(cells=1), transnas_macro()
    template, architectures = template_of(cells), drawn(graphs, 3)
    expected = GraphEncoder(graphs)(architectures)

    def never(_):
        raise AssertionError("drawn again")

    monkeypatch.setattr("nasturtium.space.decided.graph_of", never)
    monkeypatch.setattr("nasturtium.predictors.drawn.graph_of", never)
    assert template_of(cells) is template
    np.testing.assert_array_equal(GraphEncoder(graphs)(architectures).adjacency, expected.adjacency)


def test_where_too_many_paths_lead_through_a_network_the_options_stand_beside():
    """Three ways in a row of three or twelve: 27 paths, or 531,441, which nobody counts."""
    for count, beside in ((3, 0), (12, 12 * 3 * 2)):
        ways = [nt.choice(Linear(8), ReLU()) for _ in range(3)]
        space = nt.Space(Sequential(*[Branch(Clone(3), *ways, join=Add())] * count), input=(8,), name=f"ways{count}")
        networks = drawn(space, 6)
        encoder = Paths(space)
        encoder.fit(networks)
        rows = encoder(networks)
        assert rows.shape[1] - len(encoder.columns) - 1 == beside
    assert not encoder.columns
    assert np.array_equal(rows[:, 1:], one_hot(space, networks))
