"""NAS-Bench-NLP: the published table's recipes and parameter counts, torch's own cells, and brute force."""

from __future__ import annotations

import itertools
import json
import pickle

import networkx
import numpy as np
import pytest
import torch

from nasturtium.errors import ParseError, SpaceError
from nasturtium.space.signal import sequence, tokens
from nasturtium.spaces.nasbench_nlp import cell_of, nasbench_nlp, sound, valid
from nasturtium.spaces.recipe import read_recipe, write_recipe
from nasturtium.testing import check_space
from tests.spaces.data import rows_of

WORDS = 33_278  # of WikiText-2


@pytest.fixture(scope="module", name="table")
def _table():
    return rows_of("nas_bench_nlp/wikitext2_logs.parquet", "recepie", "num_params")


def _graph(text):
    """A recipe as a graph without names, but for the input and the states."""
    graph, recipe = networkx.DiGraph(), json.loads(text)
    for name, node in recipe.items():
        graph.add_node(name, label=(node["op"], name if name.startswith("h_new_") and name[6:].isdigit() else ""))
    for name, node in recipe.items():
        for port, source in enumerate(node["input"]):
            if source not in recipe:
                graph.add_node(source, label=(source, ""))
            graph.add_edge(source, name, port=port if node["op"] == "blend" else 0)
    return graph


def _same(first, second):
    def alike(one, other):
        return one == other

    return networkx.is_isomorphic(_graph(first), _graph(second), alike, alike)


def test_every_recipe_of_the_table_comes_back(table):
    space = nasbench_nlp(sequence(None, 8), 2)
    recipes = sorted({recipe for recipe, _ in table})
    assert len(recipes) == 291
    for recipe in recipes:
        architecture = space.from_notation(recipe)
        assert architecture in space
        assert _same(space.to_notation(architecture), recipe)


def test_every_parameter_count_of_the_table_is_met(table):
    options = {"embedding": 400, "hidden": (600, 600, 400), "head": "steps", "limit": None}
    space = nasbench_nlp(tokens(None, WORDS), WORDS, **options)
    assert len(table) == 345
    for recipe, params in table:
        tied = 400 * WORDS  # our output layer has weights of its own
        assert space.from_notation(recipe).count()["params"] - tied == params


def _cell(name, channels=5, hidden=7):
    space = nasbench_nlp(sequence(6, channels), 2, hidden=(hidden,), limit=None)
    recurrence = next(layer for layer in space.member(name).value.layers if type(layer).__name__ == "Recurrence")
    return recurrence.module(space.input[0])


def _copy(module, weights):
    """Weights (of a step, of the state, constant) in the order of the linear nodes."""
    linears = [each for each in module.modules() if isinstance(each, torch.nn.Linear)]
    assert len(linears) == len(weights)
    with torch.no_grad():
        for linear, (parts, bias) in zip(linears, weights, strict=True):
            linear.weight.copy_(torch.cat(parts, 1))
            linear.bias.copy_(bias)


def _stepped(cell, x, states):
    left = []
    for step in x.unbind(1):
        made = cell(step, states)
        states = made
        left.append(made[0] if isinstance(made, tuple) else made)
    return torch.stack(left, 1)


def test_rnn_is_that_of_torch():
    torch.manual_seed(0)
    theirs, ours, x = torch.nn.RNNCell(5, 7), _cell("rnn"), torch.randn(3, 6, 5)
    _copy(ours, [((theirs.weight_ih, theirs.weight_hh), theirs.bias_ih + theirs.bias_hh)])
    assert torch.allclose(ours(x), _stepped(theirs, x, torch.zeros(3, 7)), atol=1e-6)


def test_lstm_is_that_of_torch():
    torch.manual_seed(0)
    theirs, ours, x = torch.nn.LSTMCell(5, 7), _cell("lstm"), torch.randn(3, 6, 5)
    gates = zip(
        theirs.weight_ih.chunk(4), theirs.weight_hh.chunk(4), (theirs.bias_ih + theirs.bias_hh).chunk(4), strict=True
    )
    _copy(ours, [((w, u), b) for w, u, b in gates])  # both in the order i, f, g, o
    zeros = torch.zeros(3, 7)
    assert torch.allclose(ours(x), _stepped(theirs, x, (zeros, zeros)), atol=1e-6)


def test_gru_is_that_of_torch():
    torch.manual_seed(0)
    theirs, ours, x = torch.nn.GRUCell(5, 7), _cell("gru"), torch.randn(3, 6, 5)
    (wr, wz, wn), (ur, uz, un) = theirs.weight_ih.chunk(3), theirs.weight_hh.chunk(3)
    (ar, az, an), (br, bz, bn) = theirs.bias_ih.chunk(3), theirs.bias_hh.chunk(3)
    order = {"r": ((wr, ur), ar + br), "z": ((wz, uz), az + bz), "x": ((wn,), an), "h": ((un,), bn)}
    cell = cell_of(nasbench_nlp(sequence(6, 5), 2).member("gru"))
    linear = [node.inputs for node in cell.nodes if node.operation == "linear"]
    names = ["x" if read == (0,) else "h" if read == (1,) else "" for read in linear]
    first, second = (place for place, name in enumerate(names) if not name)
    gate = next(node for node in cell.nodes if node.operation == "blend").inputs[0] - 2
    gates = [place for place, node in enumerate(cell.nodes) if node.operation == "linear" and len(node.inputs) == 2]
    names[first], names[second] = ("z", "r") if gates[0] == gate else ("r", "z")
    _copy(ours, [order[name] for name in names])
    assert torch.allclose(ours(x), _stepped(theirs, x, torch.zeros(3, 7)), atol=1e-6)


def test_costs_are_those_that_torch_counts():
    from torch.utils.flop_counter import FlopCounterMode

    space, rng = nasbench_nlp(tokens(9, 20), 3, embedding=6, hidden=(8, 4)), np.random.default_rng(0)
    for _ in range(10):
        architecture = space.sample(rng)
        model = architecture.build()
        with FlopCounterMode(display=False) as counter, torch.no_grad():
            model(torch.zeros(1, 9, dtype=torch.int64))
        cost = architecture.count()
        assert cost["flops"] == counter.get_total_flops()
        assert cost["params"] == sum(parameter.numel() for parameter in model.parameters())


def _allowed(cell):
    """The rules of the public generator, by a walk of its own over the recipe."""
    recipe, states = json.loads(write_recipe(cell)), range(len(cell.states))
    pending, seen = [f"h_new_{state}" for state in states], set()
    while pending:
        name = pending.pop()
        if name not in seen:
            seen.add(name)
            pending += recipe[name]["input"] if name in recipe else ()
    for state in states:
        node = recipe[f"h_new_{state}"]
        read = node["input"][:1] if node["op"] == "blend" else node["input"]
        if any(name.startswith("h_prev") for name in read):
            return False
    return seen >= {"x", *(f"h_prev_{state}" for state in states)}


@pytest.mark.parametrize(("nodes", "states"), [(1, 1), (2, 1), (2, 2)])
def test_the_size_is_that_of_brute_force(nodes, states):
    space = nasbench_nlp(sequence(4, 3), 2, nodes=nodes, states=states)
    cells = [cell_of(architecture) for architecture in space.enumerate()]
    assert len(set(cells)) == len(cells) == space.size
    assert all(_allowed(cell) for cell in cells)
    every = [cell_of(space.finished(leaf)) for leaf in space.leaves()]
    assert sum(_allowed(cell) for cell in every) == len(cells)
    assert space.size == sum(valid(n, s) for s in range(1, states + 1) for n in range(s, nodes + 1))


def test_small_cells_are_counted_by_hand():
    assert valid(1, 1) == 3  # a linear map of input and state behind which stands an activation


def test_samples_follow_the_published_weights():
    space, rng = nasbench_nlp(sequence(4, 3), 2), np.random.default_rng(0)
    space.where = ()
    nodes = [node for _ in range(150) for node in cell_of(space.sample(rng)).nodes[4:]]
    share = {name: sum(node.operation == name for node in nodes) / len(nodes) for name in ("linear", "blend", "sum")}
    assert share["linear"] == pytest.approx(3 / 6.5, abs=0.05)
    assert share["blend"] == pytest.approx(1 / 6.5, abs=0.04)
    two = [len(node.inputs) == 2 for node in nodes if node.operation == "linear"]
    assert np.mean(two) == pytest.approx(4 / 5.25, abs=0.06)


def test_samples_use_what_they_are_given():
    space, rng = nasbench_nlp(sequence(4, 3), 2), np.random.default_rng(1)
    for _ in range(40):
        architecture = space.sample(rng)
        assert sound(architecture)
        assert _allowed(cell_of(architecture))
        recipe = space.to_notation(architecture)
        assert space.from_notation(recipe).canonical == architecture.canonical
        assert _same(space.to_notation(space.from_notation(recipe)), recipe)


def test_names_and_order_of_nodes_do_not_matter():
    space = nasbench_nlp(sequence(4, 3), 2)
    recipe = json.loads(space.to_notation(space.member("lstm")))
    for order in itertools.islice(itertools.permutations(recipe), 0, 400, 57):
        other = space.from_notation(json.dumps({name: recipe[name] for name in order}))
        assert other.canonical == space.member("lstm").canonical
    assert space.member("lstm").canonical != space.member("lstm_published").canonical


def test_laws():
    check_space(nasbench_nlp(tokens(8, 11), 3, nodes=8, embedding=4, hidden=(6,)), seeds=3)
    masked = sequence(None, 3, mask=True)
    check_space(nasbench_nlp(masked, 3, nodes=5, states=2, hidden=(6, 4), head="steps"), seeds=2)
    check_space(nasbench_nlp(masked, 3, nodes=2, states=1, hidden=(4,), head="mean"), seeds=2)


def test_padding_changes_nothing():
    torch.manual_seed(0)
    space, rng = nasbench_nlp(sequence(None, 3, mask=True), 2, nodes=8, hidden=(6, 5)), np.random.default_rng(0)
    for _ in range(5):
        model = space.sample(rng).build().eval()
        x = torch.randn(2, 9, 3)
        mask = torch.arange(9)[None] < torch.tensor([[9], [6]])
        short = model(x[1:, :6], mask[1:, :6])
        assert torch.allclose(model(x, mask)[1:], short, atol=1e-5)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("{", "is JSON"),
        ("[]", "JSON object"),
        ('{"h_new_0": {"op": "linear"}}', 'needs "op" and "input"'),
        ('{"h_new_0": {"op": "liner", "input": ["x"]}}', "did you mean 'linear'"),
        ('{"h_new_0": {"op": "blend", "input": ["x", "h_prev_0"]}}', "takes 3 different inputs"),
        ('{"a": {"op": "linear", "input": ["x"]}}', "no new state"),
        ('{"h_new_1": {"op": "linear", "input": ["x"]}}', "no h_new_0"),
        ('{"h_new_0": {"op": "linear", "input": ["x", "b"]}}', "'b', which is no node"),
        ('{"h_new_0": {"op": "linear", "input": ["x", "h_new_0"]}}', "in a circle"),
    ],
)
def test_what_is_no_recipe(text, why):
    with pytest.raises(ParseError, match=why):
        read_recipe(text)


def test_a_cell_that_ignores_its_input_is_not_in_the_space():
    space = nasbench_nlp(sequence(4, 3), 2)
    architecture = space.from_notation('{"h_new_0": {"op": "linear", "input": ["h_prev_0"]}}')
    assert architecture not in space
    assert write_recipe(cell_of(architecture)) == '{"h_new_0": {"op": "linear", "input": ["h_prev_0"]}}'


def test_the_space_travels_to_other_processes():
    space = nasbench_nlp(sequence(4, 3), 2, nodes=6)
    there = pickle.loads(pickle.dumps(space))  # noqa: S301 - our own bytes
    architecture = space.sample(np.random.default_rng(0))
    assert there.fingerprint == space.fingerprint
    assert there.from_notation(space.to_notation(architecture)).canonical == architecture.canonical


def test_what_cannot_be_used():
    with pytest.raises(SpaceError, match="takes one sequence or tokens"):
        nasbench_nlp((1, 8, 8))
    with pytest.raises(SpaceError, match="1 to 3 states"):
        nasbench_nlp(states=4)
    with pytest.raises(SpaceError, match="head"):
        nasbench_nlp(head="max")
