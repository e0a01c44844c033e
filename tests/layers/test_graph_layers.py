"""Graph layers against the formulas of their papers, computed by hand with dense adjacency matrices."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode

from nasturtium import Space, choice
from nasturtium import layers as L
from nasturtium.errors import Mismatch, SpaceError
from nasturtium.layers.graph import ARMAConv, ChebConv, GATConv, GCNConv, GINConv, GraphConv, SAGEConv
from nasturtium.space.architecture import from_json_signal, to_json_signal
from nasturtium.space.infer import cost_of, infer
from nasturtium.space.signal import as_signals, edges, nodes, sequence
from nasturtium.space.text import from_text

LAYERS = [
    GCNConv(6),
    GATConv(6),
    GATConv(6, heads=3),
    GATConv(6, heads=2, average=True),
    SAGEConv(6),
    GraphConv(6),
    GINConv(6),
    GINConv(6, hidden=5, learned=True),
    ChebConv(6),
    ChebConv(6, order=1),
    ChebConv(6, order=4),
    ARMAConv(6),
    ARMAConv(6, stacks=2, layers=3, activation="tanh"),
]

COUNT, CHANNELS = 7, 4
PAIRS = [(0, 1), (1, 0), (1, 2), (2, 1), (3, 1), (1, 3), (3, 4), (4, 3), (0, 3), (2, 2), (4, 3), (5, 0)]
"""Directed edges: one twice, a self-loop, two that go one way; nothing leads to nodes 5 and 6."""


@pytest.fixture(params=LAYERS, ids=str)
def layer(request):
    return request.param


def _tensor(pairs):
    return torch.tensor(pairs).T.unsqueeze(0)  # (1, 2, E)


def _module(layer, channels=CHANNELS, dtype=torch.float64):
    torch.manual_seed(0)
    module = layer.module(nodes(COUNT, channels), edges(None)).to(dtype)
    for parameter in module.parameters():  # biases and epsilon start at zero, where they would prove nothing
        torch.nn.init.normal_(parameter)
    return module


def _x(batch=1, count=COUNT, channels=CHANNELS):
    return torch.randn(batch, count, channels, dtype=torch.float64, generator=torch.Generator().manual_seed(1))


def _adjacency(loops=True):
    """Row t, column s: how many edges lead from s to t."""
    matrix = torch.zeros(COUNT, COUNT, dtype=torch.float64)
    for source, target in PAIRS:
        if loops or source != target:
            matrix[target, source] += 1
    return matrix


def _normalised(matrix):
    degree = matrix.sum(1)
    root = torch.tensor([0.0 if d == 0 else d.item() ** -0.5 for d in degree], dtype=torch.float64)
    return torch.diag(root) @ matrix @ torch.diag(root)


def _by_hand(layer, module, x):
    adjacency, bare = _adjacency(), _adjacency(loops=False)
    if isinstance(layer, GCNConv):
        return _normalised(bare + torch.eye(COUNT)) @ x @ module.linear.weight.T + module.bias
    if isinstance(layer, SAGEConv):
        mean = adjacency / adjacency.sum(1, keepdim=True).clamp(min=1)
        return module.itself(x) + mean @ x @ module.neighbours.weight.T
    if isinstance(layer, GraphConv):
        return module.itself(x) + adjacency @ x @ module.neighbours.weight.T
    if isinstance(layer, GINConv):
        epsilon = module.epsilon.item() if layer.learned else 0.0
        out = module.first((1 + epsilon) * x + adjacency @ x)
        return out if layer.hidden is None else module.second(torch.relu(out))
    if isinstance(layer, ChebConv):
        laplacian = torch.eye(COUNT) - _normalised(bare)
        scaled = 2 * laplacian / 2.0 - torch.eye(COUNT)
        terms = [torch.eye(COUNT, dtype=torch.float64), scaled]
        while len(terms) < layer.order:
            terms.append(2 * scaled @ terms[-1] - terms[-2])
        weights = module.linear.weight.view(layer.order, 6, CHANNELS)
        return sum(terms[k] @ x @ weights[k].T for k in range(layer.order)) + module.bias
    return _arma(layer, module, x, adjacency) if isinstance(layer, ARMAConv) else _attention(layer, module, x, bare)


def _arma(layer, module, x, adjacency):
    activation = {"relu": torch.relu, "tanh": torch.tanh}[layer.activation]
    stacks = []
    for k in range(layer.stacks):
        rows = slice(6 * k, 6 * k + 6)
        state = x
        for step, root in enumerate(module.roots):
            weight = module.first.weight[rows].T if step == 0 else module.later[step - 1][k]
            state = activation(_normalised(adjacency) @ state @ weight + x @ root.weight[rows].T + root.bias[rows])
        stacks.append(state)
    return torch.stack(stacks).mean(0)


def _attention(layer, module, x, bare):
    width = 6 if layer.average else 6 // layer.heads
    heads = []
    for head in range(layer.heads):
        h = x @ module.linear.weight[width * head : width * (head + 1)].T
        out = torch.zeros(COUNT, width, dtype=torch.float64)
        for target in range(COUNT):
            senders = [s for s in range(COUNT) for _ in range(int(bare[target, s]))] + [target]
            scores = [
                torch.dot(module.sender[head], h[s]) + torch.dot(module.receiver[head], h[target]) for s in senders
            ]
            weights = torch.softmax(torch.stack([s if s > 0 else 0.2 * s for s in scores]), 0)
            out[target] = sum(w * h[s] for w, s in zip(weights, senders, strict=True))
        heads.append(out)
    return (torch.stack(heads).mean(0) if layer.average else torch.cat(heads, 1)) + module.bias


def test_layer_computes_the_formula_of_its_paper(layer):
    module, x = _module(layer), _x()
    torch.testing.assert_close(module(x, _tensor(PAIRS))[0], _by_hand(layer, module, x[0]))


def test_gradients_are_those_of_differences(layer):
    module, x = _module(layer), _x().requires_grad_()
    assert torch.autograd.gradcheck(lambda values: module(values, _tensor(PAIRS)), x)
    module(x, _tensor(PAIRS)).square().sum().backward()
    assert all(parameter.grad is not None and parameter.grad.abs().sum() > 0 for parameter in module.parameters())


def test_order_of_nodes_and_edges_is_nothing(layer):
    module, x = _module(layer), _x()
    generator = torch.Generator().manual_seed(2)
    order = torch.randperm(COUNT, generator=generator)
    place = torch.argsort(order)
    moved = place[_tensor(PAIRS)][:, :, torch.randperm(len(PAIRS), generator=generator)]
    torch.testing.assert_close(module(x[:, order], moved), module(x, _tensor(PAIRS))[:, order])


def test_graphs_of_a_batch_do_not_meet(layer):
    """A batch of padded graphs gives for each what it gives alone, whatever stands in the padding."""
    module, x = _module(layer), _x(batch=2)
    few = [(0, 1), (1, 0), (2, 1)]
    padded = torch.cat((_tensor(few), torch.full((1, 2, len(PAIRS) - len(few)), -1)), 2)
    x[1, 3:] = 1e6
    both = module(x, torch.cat((_tensor(PAIRS), padded)))
    torch.testing.assert_close(both[0], module(x[:1], _tensor(PAIRS))[0])
    torch.testing.assert_close(both[1, :3], module(x[1:, :3], _tensor(few))[0])
    alone = module(x[:1], torch.full((1, 2, 0), -1))
    torch.testing.assert_close(module(x[:1], torch.full((1, 2, 5), -1)), alone)


def test_cost_equals_parameters_and_torch_counter(layer):
    signals = (nodes(COUNT, CHANNELS), edges(len(PAIRS)))
    module = L.build(layer, *signals)
    cost = cost_of(layer, signals)
    assert cost.params == sum(parameter.numel() for parameter in module.parameters())
    with FlopCounterMode(display=False) as counter:
        module.to("meta")(torch.randn(1, COUNT, CHANNELS, device="meta"), _tensor(PAIRS).to("meta"))
    assert cost.flops == counter.get_total_flops() > 0


def test_masks_pass_around_graph_layers(layer):
    signals = (nodes(None, CHANNELS, mask=True), edges())
    assert infer(layer, *signals) == nodes(None, 6, mask=True)
    module = L.build(layer, *signals)
    mask = torch.tensor([[True, True, False]])
    out, kept = module(torch.randn(1, 3, CHANNELS), mask, _tensor([(0, 1), (1, 0)]))
    assert out.shape == (1, 3, 6)
    assert kept is mask


def test_text_round_trip(layer):
    assert from_text(str(layer)) == layer


def test_attention_stays_finite_for_large_scores():
    module = _module(GATConv(6, heads=2), dtype=torch.float32)
    x = 1e4 * _x().float().requires_grad_()
    out = module(x, _tensor(PAIRS))
    out.sum().backward()
    assert torch.isfinite(out).all()
    assert all(torch.isfinite(parameter.grad).all() for parameter in module.parameters())


def test_dropped_attention_keeps_its_mean():
    module = _module(GATConv(6, heads=2, dropout=0.5))
    x, edge = _x(), _tensor(PAIRS)
    torch.manual_seed(0)
    samples = torch.stack([module.train()(x, edge).detach() for _ in range(2000)])
    deviation = (samples.mean(0) - module.eval()(x, edge)).abs() / (samples.std(0) / 2000**0.5)
    assert deviation.max() < 5
    assert not torch.equal(module.train()(x, edge), module.eval()(x, edge))


def test_refusals_say_what_would_do():
    with pytest.raises(Mismatch, match="GCNConv takes nodes and edges, not nodes 7x4"):
        infer(GCNConv(6), nodes(7, 4))
    with pytest.raises(Mismatch, match="SAGEConv takes nodes and edges, not sequence 7x4 and edges 3"):
        infer(SAGEConv(6), sequence(7, 4), edges(3))
    with pytest.raises(Mismatch, match="GATConv: 4 heads do not divide 6 channels"):
        infer(GATConv(6, heads=4), nodes(7, 4), edges())
    space = Space(GATConv(choice(16, 24), heads=choice(4, 3)), input=(nodes(7, 4), edges()), name="heads")
    assert {str(each) for each in space.enumerate()} == {
        "GATConv(16, heads=4)", "GATConv(24, heads=4)", "GATConv(24, heads=3)"
    }  # fmt: skip
    assert space.size == 3
    assert space.sample(np.random.default_rng(0)) in space
    with pytest.raises(SpaceError, match="ChebConv: order must be a whole number from 1, not 0"):
        infer(ChebConv(6, order=0), nodes(7, 4), edges())
    with pytest.raises(SpaceError, match=r"no activation 'rellu'; did you mean 'relu'\?"):
        infer(ARMAConv(6, activation="rellu"), nodes(7, 4), edges())


def test_signals_of_graphs():
    graph = (nodes(None, 5), edges(None))
    assert as_signals(graph) == graph
    assert as_signals(list(graph)) == graph
    assert [str(signal) for signal in graph] == ["nodes ?x5", "edges ?"]
    for signal in (*graph, nodes(3, 2, mask=True), edges(8)):
        assert from_json_signal(to_json_signal(signal)) == signal
    with pytest.raises(Mismatch, match="edges 4 has no channels"):
        _ = edges(4).channels
