"""Encodings against arrays written by hand, in finite, conditional and recursive spaces."""

import itertools

import numpy as np
import pytest

from nasturtium.errors import SpaceError
from nasturtium.layers import Sequential, repeat
from nasturtium.space import Part, Space, choice, shared
from nasturtium.space.encoding import ENCODINGS, adjacency, choice_table, encode, token_offsets
from nasturtium.spaces.nasbench201 import nasbench201
from tests.skeletons.small import recipe_space, toy_grammar
from tests.space.toys import Plus, Same, Times, Two


def test_one_hot_of_a_product():
    space = Space(Sequential(Times(choice(1, 2, 3)), Same(choice(0, 1))), input=1)
    rows = encode(space, [space.architecture((0, 1)), space.architecture((2, 0))])
    np.testing.assert_array_equal(rows, [[1, 0, 0, 0, 1], [0, 0, 1, 1, 0]])
    assert rows.dtype == np.float32
    assert encode(space, []).shape == (0, 5)


def test_one_hot_of_a_conditional_space_leaves_what_is_not_reached_empty():
    space = Space(Sequential(choice(Times(choice(1, 2)), Same(choice(0, 1, 2))), Same(choice(5, 6))), input=1)
    assert choice_table(space) == {"0": 2, "0#0.factor": 2, "0#1.label": 3, "1.label": 2}
    rows = encode(space, [space.parse("Sequential(Times(2), Same(5))"), space.parse("Sequential(Same(1), Same(6))")])
    np.testing.assert_array_equal(rows, [[1, 0, 0, 1, 0, 0, 0, 1, 0], [0, 1, 0, 0, 0, 1, 0, 0, 1]])


def test_one_hot_of_nested_values_is_one_to_one():
    nested = choice(choice(1, 2), choice(3, 4), (choice(5, 6), choice(7, 8)))
    space = Space(Same(nested), input=1)
    assert choice_table(space) == {"label": 3, "label#0": 2, "label#1": 2, "label[0]": 2, "label[1]": 2}
    every = list(space.enumerate())
    assert len({tuple(row) for row in encode(space, every)}) == len(every) == 8


class Setup(Part):
    optimiser: object


@pytest.mark.parametrize(
    "space",
    [
        recipe_space(),
        Space(Sequential(repeat(Same(choice(0, 1)), choice(1, 2, 3)), Times(choice(1, 2))), input=1),
        Space(Sequential(*[Times(shared("factor", choice(1, 2, 3), whole=True))] * 2, Same(choice(0, 1))), input=1),
        Space(Setup(choice(Same(choice(0, 1)), Same(choice(2, 3, 4)), choice(Same(choice(5, 6))))), name="values"),
    ],
    ids=lambda space: space.name,
)
@pytest.mark.parametrize("encoding", ["one_hot", "tokens"])
def test_encodings_of_decisions_are_one_to_one(space, encoding):
    every = list(space.enumerate())
    rows = encode(space, every, encoding)
    assert len({tuple(row) for row in rows}) == len(every)
    if encoding == "one_hot":
        sums = np.array([len(architecture.decisions) for architecture in every])
        np.testing.assert_array_equal(rows.sum(1), sums)


def test_tokens_are_padded_cut_and_unique_to_their_choice():
    space = Space(Sequential(choice(Times(choice(1, 2)), Same()), Same(choice(5, 6))), input=1)
    every = [space.parse("Sequential(Times(2), Same(6))"), space.parse("Sequential(Same(), Same(5))")]
    np.testing.assert_array_equal(encode(space, every, "tokens"), [[1, 4, 6], [2, 5, 0]])
    np.testing.assert_array_equal(encode(space, every, "tokens", size=5), [[1, 4, 6, 0, 0], [2, 5, 0, 0, 0]])
    np.testing.assert_array_equal(encode(space, every, "tokens", size=2), [[1, 4], [2, 5]])
    assert encode(space, every, "tokens").dtype == np.int64
    assert encode(space, [], "tokens").shape == (0, 0)


def test_tokens_of_grammars():
    space, rng = toy_grammar(), np.random.default_rng(0)
    sampled = [space.sample(rng) for _ in range(50)]
    rows = encode(space, sampled, "tokens")
    assert rows.shape == (50, max(len(a.decisions) for a in sampled))
    assert ((rows > 0).sum(1) == [len(a.decisions) for a in sampled]).all()
    total = sum(len(found.options) for found in token_offsets(space))
    assert rows.max() <= total
    assert len({tuple(row) for row in rows}) == len({a.decisions for a in sampled})


def test_grammars_have_no_fixed_choices():
    with pytest.raises(SpaceError, match="encode it as 'tokens'"):
        encode(toy_grammar(), [], "one_hot")


def diamond():
    """Input, two paths of one or two layers, their sum, output."""
    space = Space(Two(choice(Same(0), Sequential(Same(0), Same(1))), Times(choice(1, 1.0))), input=2)
    return space, space.architecture((0, 0)), space.architecture((1, 0))


def test_adjacency_by_hand():
    space, short, long = diamond()
    rows = encode(space, [short, long], "adjacency")
    kinds = ["input", "output", "other", "Plus", "Same", "Sequential", "Times", "Two"]
    for row, edges, names in (
        (rows[0], [(0, 1), (0, 2), (1, 3), (2, 3), (3, 4)], ["input", "Same", "Times", "Plus", "output"]),
        (
            rows[1],
            [(0, 1), (1, 2), (0, 3), (2, 4), (3, 4), (4, 5)],
            ["input", "Same", "Same", "Times", "Plus", "output"],
        ),
    ):
        upper = [float((a, b) in edges) for a, b in itertools.combinations(range(6), 2)]
        operations = [float(i < len(names) and names[i] == kind) for i in range(6) for kind in kinds]
        np.testing.assert_array_equal(row, upper + operations)
    assert encode(space, [short], "adjacency", size=9).shape == (1, 9 * 8 // 2 + 9 * len(kinds))
    with pytest.raises(SpaceError, match="has 6 nodes, more than size=5"):
        encode(space, [long], "adjacency", size=5)


def test_adjacency_counts_edges_that_run_twice():
    space = Space(Two(Sequential(), Sequential(), choice(Plus())), input=2)
    (row,) = adjacency(space, [space.architecture((0,))])
    assert row[0] == 2.0


def test_paths_of_nasbench201_are_those_of_its_paper():
    # White et al. 2021: sequences of one to three of five operations, 5 + 25 + 125; four paths lead through a cell
    space, rng = nasbench201(), np.random.default_rng(0)
    drawn = [space.sample(rng) for _ in range(400)]
    rows = encode(space, drawn, "path", size=1 << 16)
    assert rows.any(0).sum() <= 155
    for architecture, row in zip(drawn[:50], rows, strict=False):
        six = [architecture.decisions[k] for k in range(6)]  # edges 0-1, 0-2, 1-2, 0-3, 1-3, 2-3 of the cell
        into = {(a, b): six[k] for k, (a, b) in enumerate(EDGES)}
        expected = {
            tuple(into[edge] for edge in itertools.pairwise(route))
            for route in ((0, 3), (0, 1, 3), (0, 2, 3), (0, 1, 2, 3))
        }
        assert row.sum() == len(expected)
        short = {route for route in expected if len(route) <= 2}
        assert encode(space, [architecture], "path", size=1 << 16, longest=2).sum() == len(short)


EDGES = ((0, 1), (0, 2), (1, 2), (0, 3), (1, 3), (2, 3))


def test_path_encoding():
    space, short, long = diamond()
    rows = encode(space, [short, long], "path", size=4096)
    assert rows.shape == (2, 4096)
    np.testing.assert_array_equal(rows.sum(1), [2, 2])  # one path by each side
    assert (rows[0] * rows[1]).sum() == 1  # and the one over Times is the same


def test_too_many_paths_are_refused():
    sides = [Two(choice(Same(0), Same(1)), choice(Same(2), Same(3))) for _ in range(20)]
    space = Space(Sequential(*sides), input=1)
    with pytest.raises(SpaceError, match="another encoding"):
        encode(space, [space.architecture((0,) * 40)], "path")


def test_unknown_encodings_get_a_hint():
    space = nasbench201()
    with pytest.raises(SpaceError, match="did you mean 'one_hot'"):
        encode(space, [], "onehot")
    assert sorted(ENCODINGS) == ["adjacency", "one_hot", "path", "tokens"]


def test_architectures_of_another_space_object_are_adopted():
    one, other = nasbench201(), nasbench201()
    architecture = one.sample(np.random.default_rng(0))
    np.testing.assert_array_equal(encode(other, [architecture]), encode(one, [architecture]))
    with pytest.raises(SpaceError, match="is not in the space"):
        encode(Space(Times(choice(1, 2)), input=1), [architecture])
