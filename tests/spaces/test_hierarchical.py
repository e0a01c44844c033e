"""The hierarchical spaces, against published numbers, counts by hand and brute force."""

from __future__ import annotations

import itertools
import math
import pickle
from pathlib import Path

import networkx as nx
import numpy as np
import polars as pl
import pytest
import torch

from nasturtium.errors import ParseError, SpaceError
from nasturtium.layers import Zero
from nasturtium.space import Architecture, image
from nasturtium.spaces.grammar_layers import TOPOLOGIES, GrammarReduction, GrammarTopology
from nasturtium.spaces.hierarchical import PRIMITIVES, HierarchicalMotif, hierarchical, input_reaches_output, ways
from nasturtium.spaces.hierarchical_nasbench201 import PATTERNS, hierarchical_nasbench201
from nasturtium.testing import check_space
from nasturtium.testing.laws import LAWS

DATA = Path(__file__).resolve().parents[2] / "../shared/data/benchmarks"
CELL = ((0, 1), (0, 2), (1, 2), (0, 3), (1, 3), (2, 3))


def joined(edges: list[tuple[int, int]], last: int) -> bool:
    graph = nx.DiGraph(edges)
    return graph.has_node(0) and graph.has_node(last) and nx.has_path(graph, 0, last)


PATHS = [p for p in itertools.product((0, 1), repeat=6) if joined(list(itertools.compress(CELL, p)), 3)]


def test_liu_published_cell_has_the_published_parameters():
    space = hierarchical(input=(3, 32, 32), outputs=10, channels=64, repeats=2)
    architecture = space.member("liu2018")
    assert round(architecture.count()["params"] / 1e6, 1) == 15.7
    assert input_reaches_output(architecture)


def test_liu_size_leaves_out_what_is_constant():
    space = hierarchical()
    live = sum(6 ** sum(pattern) for pattern in PATHS)
    assert ways(4, 6, 1) == live
    rng, constant, draws = np.random.default_rng(0), 0, 4000
    for _ in range(draws):  # the share of constant genotypes, drawn without our code
        motifs = [joined([edge for edge in CELL if rng.integers(7)], 3) for _ in range(6)]
        pairs = [(source, target) for target in range(5) for source in range(target)]
        taken = [int(rng.integers(7)) for _ in pairs]
        constant += not joined([p for p, k in zip(pairs, taken, strict=True) if k and motifs[k - 1]], 4)
    assert space.size < 7**46
    assert abs(constant / draws - (1 - space.size / 7**46)) < 0.003


def test_liu_motif_computes_what_it_says():
    operations = [PRIMITIVES[name] for name in ("identity", "none", "max_pool_3x3", "conv_1x1", "none", "identity")]
    module = HierarchicalMotif(tuple(operations)).module(image(4, 6, 6)).eval()
    x = torch.randn(2, 4, 6, 6)
    ones = [child for child in module.modules() if isinstance(child, torch.nn.Conv2d)]
    assert [tuple(conv.weight.shape[:2]) for conv in ones] == [(4, 8), (4, 4), (4, 12)]
    scale = 1 / math.sqrt(1 + 1e-5)
    second = scale * ones[0](torch.cat([0 * x, torch.nn.functional.max_pool2d(x, 3, 1, 1)], 1))
    last = scale * ones[2](torch.cat([torch.relu(scale * ones[1](x)), 0 * x, second], 1))
    torch.testing.assert_close(module(x), last)


def test_liu_a_motif_is_decided_once():
    space, rng = hierarchical(input=(1, 8, 8), channels=4), np.random.default_rng(0)
    assert {len(space.sample(rng).decisions) for _ in range(20)} == {46}


def test_liu_constant_genotypes_are_refused():
    space = hierarchical(input=(1, 8, 8), channels=4)
    text = str(space.member("liu2018")).replace("(5, 3, 3, 3, 1, 3, 4, 5, 5, 5)", "(5, 3, 3, 3, 1, 3, 0, 0, 0, 0)")
    assert Architecture.parse(text, input=space.input) not in space
    with pytest.raises(SpaceError, match="motif"):
        Architecture.parse(text.replace("0, 0)", "0, 7)"), input=space.input).count()


def test_liu_laws():
    check_space(hierarchical(input=(1, 8, 8), outputs=10, channels=4), seeds=3)


def grammar_size(operations: int) -> int:
    """The number of derivations of the published productions, for so many options beside zero."""
    cell = sum(operations ** sum(pattern) for pattern in PATHS)
    c = cell**2 + cell**3 + cell**3
    down = cell + cell**2 + cell
    d1 = c * c * down + c**3 * down + c * c * down * down
    d0 = c * c * cell + c**3 * cell + c * c * cell * cell
    return d1 * d1 * d0 + d0 * d1 * d1 + d1 * d1 * d0 * d0


def test_grammar_sizes():
    assert hierarchical_nasbench201().size == grammar_size(1 + 27 + 1)
    assert hierarchical_nasbench201(blocks=False).size == grammar_size(4)
    assert hierarchical_nasbench201(macro=False).size == sum(29 ** sum(pattern) for pattern in PATHS) ** 15
    assert math.floor(math.log10(grammar_size(1 + 2 * 27 + 1))) == 446  # the paper's number: blocks count twice


def test_grammar_patterns_are_those_that_lead_through():
    assert {tuple(map(int, pattern)) for pattern in PATTERNS} == set(PATHS)
    assert len(PATTERNS) == 47


def test_grammar_draws_zero_as_the_reference_does():
    """Edge by edge: zero is one of five productions, and is not among them where the rest would not lead through."""
    space, rng = (
        hierarchical_nasbench201(input=(1, 8, 8), macro=False, blocks=False, channels=2),
        np.random.default_rng(0),
    )
    drawn = np.zeros(6)
    for _ in range(150):
        network = space.sample(rng).value.layers[1]
        for found in cells(network):
            drawn += [edge == Zero() for edge in found.edges]
    expected, draws = np.zeros(6), 20_000
    for _ in range(draws):
        left = [True] * 6
        for edge in range(6):
            rest = [pair for index, pair in enumerate(CELL) if left[index] and index != edge]
            left[edge] = not joined(rest, 3) or bool(rng.integers(5))
        expected += [not each for each in left]
    assert np.abs(drawn / (150 * 15) - expected / draws).max() < 0.035


def cells(part):
    if isinstance(part, GrammarTopology):
        return [cell for edge in part.edges for cell in cells(edge)]
    return [] if isinstance(part, GrammarReduction) else [part]


@pytest.mark.parametrize("name", TOPOLOGIES)
def test_grammar_topology_sums_at_its_nodes(name):
    edges = TOPOLOGIES[name]
    module = GrammarTopology(name, *[PRIMITIVES["conv_1x1"]] * len(edges)).module(image(3, 4, 4))
    convolutions = [child for child in module.children() if isinstance(child, torch.nn.Sequential)]
    x = torch.randn(5, 3, 4, 4)
    nodes = {0: x}
    for (source, target), convolution in zip(edges, convolutions, strict=True):
        nodes[target] = nodes.get(target, 0) + convolution(nodes[source])
    torch.testing.assert_close(module(x), nodes[max(nodes)])


@pytest.mark.parametrize("blocks", [True, False])
def test_grammar_members_are_networks_of_nasbench201(blocks):
    path = DATA / "nats_tss/nats_tss.parquet"
    if not path.exists():
        pytest.skip("needs nats_tss")
    table = pl.read_parquet(path)
    published = {
        "resnet": "|nor_conv_3x3~0|+|none~0|nor_conv_3x3~1|+|skip_connect~0|none~1|skip_connect~2|",
        "nasbench201_best": "|nor_conv_3x3~0|+|nor_conv_3x3~0|nor_conv_3x3~1|"
        "+|skip_connect~0|nor_conv_3x3~1|nor_conv_3x3~2|",
    }
    space = hierarchical_nasbench201(blocks=blocks)
    for name, code in published.items():
        row = table.filter(pl.col("arch") == code)
        assert space.member(name).count()["params"] == round(row["cifar10.params_m_listed"][0] * 1e6), name


@pytest.mark.parametrize("options", [{}, {"macro": False}, {"blocks": False}])
def test_grammar_notation_leads_back(options):
    space, rng = hierarchical_nasbench201(input=(1, 8, 8), channels=2, **options), np.random.default_rng(0)
    for _ in range(5):
        architecture = space.sample(rng)
        text = space.to_notation(architecture)
        assert text.startswith("(D2 Linear")
        assert space.from_notation(text) == architecture


def test_grammar_notation_says_what_is_wrong():
    space = hierarchical_nasbench201(input=(1, 8, 8))
    text = space.to_notation(space.member("resnet"))
    cell = text[text.index("(CELL") : text.index("(CELL") + 400].split(" (CELL")[0]
    for wrong, message in (
        (text[:-1], "never closed"),
        (text + ")", "closes nothing"),
        ("", "no derivation"),
        (text.replace("D2", "D3"), "expected"),
        (text.replace("(NORM batch)", "(NORM group)", 1), "no production"),
        (text.replace(cell, "(CELL Cell" + " (OPS zero)" * 6 + ")", 1), "cut through"),
        ("(" * 5000 + ")" * 5000, "nests"),
        ("()", "expected"),
        ("(D2 (()) x)", "no production"),
    ):
        with pytest.raises(ParseError, match=message):
            space.from_notation(wrong)


@pytest.mark.parametrize("make", [hierarchical, hierarchical_nasbench201])
def test_travels_to_workers(make):
    space = make(input=(1, 8, 8), outputs=10)
    again = pickle.loads(pickle.dumps(space))  # noqa: S301 - our own
    architecture = space.sample(np.random.default_rng(0))
    assert again.architecture(architecture.decisions) == architecture
    assert again.size == space.size


def test_grammar_a_cell_keeps_its_operations_when_an_edge_goes():
    space, rng = hierarchical_nasbench201(input=(1, 8, 8), channels=2, macro=False), np.random.default_rng(0)
    parent = space.sample(rng)
    names = {step.point.address: step.point.choice.name for step in parent.steps}
    changed = 0
    for _ in range(300):
        child = space.mutate(parent, rng)
        if names[child.origin.changed[0]] != "CELL":
            continue
        changed += 1
        for before, after in zip(cells(parent.value.layers[1]), cells(child.value.layers[1]), strict=True):
            both = [(b, a) for b, a in zip(before.edges, after.edges, strict=True) if Zero() not in (a, b)]
            assert all(b == a for b, a in both)
    assert changed > 5


def test_grammar_laws():
    check_space(hierarchical_nasbench201(input=(1, 8, 8), outputs=10, channels=2, macro=False, blocks=False), seeds=1)
    space = hierarchical_nasbench201(input=(1, 8, 8), outputs=10, channels=2)
    for name, law in LAWS.items():
        if name != "follows_weights":  # draws hundreds; held above on the fixed plan, where a draw is smaller
            law(space, 0)
