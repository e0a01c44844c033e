"""The canonical form against graph isomorphism as networkx finds it."""

import itertools

import networkx
import numpy as np
import pytest

from nasturtium.layers import (
    Add,
    Branch,
    Clone,
    Concat,
    Conv2d,
    GlobalPool,
    Identity,
    Linear,
    ReLU,
    Residual,
    Sequential,
)
from nasturtium.space import Architecture, Layer, image, vector
from nasturtium.space.graph import canonical, lower, without
from nasturtium.spaces.nasbench101 import PAIRS, nasbench101
from tests.space.toys import Minus, Plus, Same, Two


class Splits(Layer):
    """Gives its input twice; the two outputs are told apart."""

    def signal(self, x):
        return x, x


class Wires(Layer):
    """Any graph: for each node an operation and the (node, output) pairs it reads; -1 and -2 are the inputs."""

    operations: tuple
    reads: tuple
    out: tuple

    def wire(self, *inputs):
        values = {-1 - index: (wire,) for index, wire in enumerate(inputs)}
        for number, (operation, reads) in enumerate(zip(self.operations, self.reads, strict=True)):
            left = yield operation, *[values[node][output] for node, output in reads]
            values[number] = left if type(left) is tuple else (left,)
        return (yield Minus(), *[values[node][0] for node in self.out])


def random_wires(rng, nodes, inputs=1):
    """A random graph with few kinds of nodes, so that many look alike."""
    operations, reads, outputs = [], [], dict.fromkeys(range(-inputs, 0), 1)
    for number in range(nodes):
        operation = (Same(0), Same(1), Plus(), Minus(), Splits())[rng.integers(5)]
        count = 1 if isinstance(operation, (Same, Splits)) else int(rng.integers(1, 4))
        sources = [int(source) for source in rng.integers(-inputs, number, count)]
        reads.append(tuple((source, int(rng.integers(outputs[source]))) for source in sources))
        operations.append(operation)
        outputs[number] = 2 if isinstance(operation, Splits) else 1
    return Wires(tuple(operations), tuple(reads), tuple(int(n) for n in rng.integers(nodes - 2, nodes, 2)))


def shuffled(wires, rng):
    """The same graph with its nodes in another order and the operands of sums permuted."""
    count = len(wires.operations)
    order, place, pending = [], {}, set(range(count))
    while pending:
        ready = [n for n in pending if all(source < 0 or source in place for source, _ in wires.reads[n])]
        number = ready[rng.integers(len(ready))]
        place[number] = len(order)
        order.append(number)
        pending.remove(number)
    reads = []
    for number in order:
        read = [(place.get(source, source), output) for source, output in wires.reads[number]]
        if isinstance(wires.operations[number], Plus) and type(wires.operations[number]) is Plus:
            rng.shuffle(read)
        reads.append(tuple((int(source), int(output)) for source, output in read))
    operations = tuple(wires.operations[number] for number in order)
    return Wires(operations, tuple(reads), tuple(place[number] for number in wires.out))


def isomorphic(one, other, inputs):
    """Whether networkx finds the graphs alike: labels, operands and outputs match; what is not read is gone."""
    graphs = []
    for part in (one, other):
        graph = lower(part, inputs)
        output = max(graph)
        keep = networkx.ancestors(graph, output) | {output} | {n for n in graph if graph.nodes[n]["layer"] is None}
        graph = graph.subgraph(keep).copy()
        for _, data in graph.nodes(data=True):
            mark = data["name"] if data["layer"] is None else ""
            data["mark"] = (data["label"], mark)
        for _, target, data in graph.edges(data=True):
            layer = graph.nodes[target]["layer"]
            data["mark"] = (-1 if layer is not None and layer.commutative else data["port"], data["output"])
        graphs.append(graph)

    def same_edges(some, others):
        return sorted(data["mark"] for data in some.values()) == sorted(data["mark"] for data in others.values())

    return networkx.is_isomorphic(*graphs, node_match=lambda a, b: a["mark"] == b["mark"], edge_match=same_edges)


@pytest.mark.parametrize("nodes", [3, 4, 7])
def test_canonical_agrees_with_isomorphism(nodes):
    rng = np.random.default_rng(nodes)
    inputs = (vector(4),)
    parts = [random_wires(rng, nodes) for _ in range(45)]
    parts += [shuffled(part, rng) for part in parts[:20]]
    alike = 0
    for one, other in itertools.combinations(parts, 2):
        if len(one.operations) != len(other.operations):
            continue
        equal = canonical(one, inputs) == canonical(other, inputs)
        assert equal == isomorphic(one, other, inputs), (one, other)
        alike += equal
    assert alike >= 20


@pytest.mark.parametrize("seed", range(10))
def test_larger_graphs_in_another_order_are_the_same(seed):
    rng = np.random.default_rng(seed)
    inputs = (vector(4), vector(4))
    part = random_wires(rng, 40, inputs=2)
    assert canonical(part, inputs) == canonical(shuffled(part, rng), inputs)
    assert isomorphic(part, shuffled(part, rng), inputs)


def test_alike_nodes_that_no_refinement_tells_apart():
    # Two rings of three and one of six sums: every node reads two alike nodes, so that refinement sees no difference.
    def rings(*lengths):
        operations, reads = [Same(0)] * 6, [((-1, 0),)] * 6
        start = 0
        for length in lengths:
            for step in range(length):
                reads.append(((start + step, 0), (start + (step + 1) % length, 0)))
                operations.append(Plus())
            start += length
        reads.append(tuple((6 + index, 0) for index in range(6)))
        return Wires((*operations, Plus()), tuple(reads), (12, 12))

    inputs = (vector(4),)
    assert canonical(rings(6), inputs) != canonical(rings(3, 3), inputs)
    assert not isomorphic(rings(6), rings(3, 3), inputs)
    for seed in range(5):
        rng = np.random.default_rng(seed)
        assert canonical(rings(3, 3), inputs) == canonical(shuffled(rings(3, 3), rng), inputs)
        assert canonical(rings(6), inputs) == canonical(shuffled(rings(6), rng), inputs)


def test_a_sample_of_nasbench101_agrees_with_isomorphism():
    space, rng = nasbench101(), np.random.default_rng(0)
    cells = []
    while len(cells) < 40:
        cell = space.sample(rng).value.layers[0].cell
        cells += [Architecture(each, input=(128, 32, 32)) for each in (cell, permuted(cell, rng))]
    alike = 0
    for one, other in itertools.combinations(cells, 2):
        equal = one.canonical == other.canonical
        assert equal == isomorphic(one.value, other.value, one.input), (one, other)
        alike += equal
    assert alike >= 15


def permuted(inner, rng):
    """The cell with two of its vertices in another order, where no edge between them forbids it."""
    edges = {pair for pair, bit in zip(PAIRS, inner.edges, strict=True) if bit}
    free = [vertex for vertex in range(1, 5) if (vertex, vertex + 1) not in edges]
    if not free:
        return inner
    vertex = int(rng.choice(free))
    swap = {vertex: vertex + 1, vertex + 1: vertex}
    moved = {tuple(sorted((swap.get(s, s), swap.get(t, t)))) for s, t in edges}
    operations = list(inner.operations)
    operations[vertex - 1], operations[vertex] = operations[vertex], operations[vertex - 1]
    return inner.with_values({"edges": tuple(int(pair in moved) for pair in PAIRS), "operations": tuple(operations)})


def network(body):
    return Architecture(Sequential(body, GlobalPool("mean"), Linear(2)), input=(4, 8, 8))


CONV = Conv2d(4, kernel=3)


class Reused(Layer):
    """The same layer on one input twice, or its result used twice; weights are never shared."""

    layer: Layer
    twice: bool = True

    def wire(self, x):
        one = yield self.layer, x
        other = (yield self.layer, x) if self.twice else one
        return (yield Add(), one, other)


def test_two_layers_on_one_input_are_not_one_layer_used_twice():
    two, one = network(Reused(CONV)), network(Reused(CONV, twice=False))
    assert two.canonical != one.canonical
    assert not isomorphic(two.value, one.value, two.input)


def test_permuted_branches_of_a_sum_are_the_same():
    assert network(Two(CONV, ReLU())).canonical == network(Two(ReLU(), CONV)).canonical
    assert network(Two(CONV, ReLU(), Concat())).canonical != network(Two(ReLU(), CONV, Concat())).canonical
    assert network(Two(CONV, ReLU(), Minus())).canonical != network(Two(ReLU(), CONV, Minus())).canonical


def test_how_the_parts_are_nested_does_not_matter():
    flat = network(Sequential(CONV, ReLU(), CONV))
    assert flat.canonical == network(Sequential(Sequential(CONV), Sequential(ReLU(), Sequential(CONV)))).canonical
    assert flat.hash != network(Sequential(Sequential(CONV), ReLU(), CONV)).hash
    assert network(Residual(CONV)).canonical == network(Two(CONV, Sequential(), Add())).canonical


def test_sizes_and_inputs_count():
    assert network(Conv2d(4)).canonical != network(Conv2d(8)).canonical
    value = Sequential(GlobalPool("mean"), Linear(2))
    assert Architecture(value, input=(4, 8, 8)).canonical != Architecture(value, input=(4, 8, 4)).canonical


def test_inputs_are_told_apart():
    inputs = (vector(4), vector(4))
    first = Wires((Same(1), Plus()), (((-1, 0),), ((0, 0), (-2, 0))), (1, 1))
    second = Wires((Same(1), Plus()), (((-2, 0),), ((0, 0), (-1, 0))), (1, 1))
    assert canonical(first, inputs) != canonical(second, inputs)


def test_what_does_not_reach_the_output_does_not_count():
    used = Wires((Same(1),), (((-1, 0),),), (0, 0))
    more = Wires((Same(2), Same(1)), (((-1, 0),), ((-1, 0),)), (1, 1))
    assert canonical(used, (vector(4),)) == canonical(more, (vector(4),))


def test_simplifications():
    plain, padded = Sequential(CONV, ReLU()), Sequential(Identity(), CONV, Identity(), Identity(), ReLU())
    inputs = (image(4, 8, 8),)
    assert canonical(plain, inputs) != canonical(padded, inputs)
    assert canonical(plain, inputs, (without("Identity"),)) == canonical(padded, inputs, (without("Identity"),))
    one, other = Branch(Clone(2), CONV, ReLU()), Branch(Clone(2), ReLU(), CONV)
    clones = (without("Clone"),)
    assert (
        canonical(one, inputs, clones)
        == canonical(other, inputs, clones)
        == canonical(Two(CONV, ReLU(), Add()), inputs)
    )


def test_the_graph_of_a_network():
    graph = Architecture(Sequential(Two(CONV, Sequential(), Concat()), ReLU()), input=(4, 8, 8)).graph()
    assert [graph.nodes[n]["name"] for n in graph] == ["input_0", "0.left", "0.join", "1", "output"]
    assert graph.nodes[2]["signals"] == (image(8, 8, 8),)
    assert graph.nodes[1]["layer"] == CONV
    edges = {(a, b, d["port"], d["output"]) for a, b, d in graph.edges(data=True)}
    assert edges == {(0, 1, 0, 0), (1, 2, 0, 0), (0, 2, 1, 0), (2, 3, 0, 0), (3, 4, 0, 0)}
    split = lower(Wires((Splits(), Minus()), (((-1, 0),), ((0, 1), (0, 0))), (1, 1)), (vector(3),))
    assert sorted(d["output"] for _, _, d in split.out_edges(1, data=True)) == [0, 1]
