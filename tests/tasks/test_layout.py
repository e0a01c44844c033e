"""What an array is taken for, and how it is arranged."""

from __future__ import annotations

import numpy as np
import pytest

from nasturtium.errors import TaskError
from nasturtium.tasks.layout import Layout, arrange, check_inputs, choose_layout


@pytest.mark.parametrize(
    ("shape", "kind", "layout", "expected", "arranged"),
    [
        ((9,), "float32", None, ("vector", ""), (9, 1)),
        ((9, 5), "float64", None, ("vector", ""), (9, 5)),
        ((9, 24), "uint8", None, ("vector", ""), (9, 24)),
        ((9, 24), "uint8", "tokens", ("tokens", ""), (9, 24)),
        ((9, 24), "float32", "sequence", ("sequence", ""), (9, 24, 1)),
        ((9, 64), "uint8", "image", ("image", "flat"), (9, 1, 8, 8)),
        ((9, 7, 5), "uint8", None, ("image", "none"), (9, 1, 7, 5)),
        ((9, 7, 5), "bool", None, ("image", "none"), (9, 1, 7, 5)),
        ((9, 7, 5), "float32", None, ("sequence", ""), (9, 7, 5)),
        ((9, 7, 5), "int64", None, ("sequence", ""), (9, 7, 5)),
        ((9, 7, 5), "float32", "image", ("image", "none"), (9, 1, 7, 5)),
        ((9, 7, 5), "uint8", "sequence", ("sequence", ""), (9, 7, 5)),
        ((9, 7, 5), "float32", "vector", ("vector", ""), (9, 35)),
        ((9, 7, 5, 3), "uint8", None, ("image", "last"), (9, 3, 7, 5)),
        ((9, 3, 7, 5), "uint8", None, ("image", "first"), (9, 3, 7, 5)),
        ((9, 4, 4, 3), "uint8", None, ("image", "last"), (9, 3, 4, 4)),
        ((9, 3, 4, 4), "uint8", None, ("image", "first"), (9, 3, 4, 4)),
        ((9, 8, 7, 6), "float32", None, ("image", "first"), (9, 8, 7, 6)),
        ((9, 8, 8, 6), "float32", None, ("image", "last"), (9, 6, 8, 8)),
        ((9, 8, 8, 8), "float32", None, ("image", "first"), (9, 8, 8, 8)),
        ((9, 3, 7, 5), "uint8", "channels_last", ("image", "last"), (9, 5, 3, 7)),
        ((9, 7, 5, 3), "uint8", "channels_first", ("image", "first"), (9, 7, 5, 3)),
    ],
)
def test_the_rule_and_how_to_force_it(shape, kind, layout, expected, arranged):
    raw = np.arange(np.prod(shape)).reshape(shape).astype(kind)
    chosen = choose_layout(raw, layout, "x")
    assert tuple(chosen) == expected
    values, mask = arrange(raw, chosen)
    assert values.shape == arranged
    assert mask is None
    assert np.sort(values, axis=None).tolist() == np.sort(raw, axis=None).tolist()


def test_channels_that_come_last_are_moved_first():
    raw = np.random.default_rng(0).integers(0, 255, size=(2, 6, 5, 3), dtype=np.uint8)
    values, _ = arrange(raw, Layout("image", "last"))
    assert all((values[:, c] == raw[..., c]).all() for c in range(3))


def test_rows_of_unequal_length_are_padded_under_a_mask():
    rows = [np.array([[1.0, 2], [3, 4], [5, 6]]), np.array([[7.0, 8]])]
    raw = check_inputs(rows, "x")
    values, mask = arrange(raw, choose_layout(raw, None, "x"))
    assert values.tolist() == [[[1, 2], [3, 4], [5, 6]], [[7, 8], [0, 0], [0, 0]]]
    assert mask.tolist() == [[True, True, True], [True, False, False]]


def test_unequal_rows_of_integers_are_tokens_and_of_floats_one_channel():
    words = check_inputs([[4, 2], [1], [3, 3, 3]], "x")
    assert choose_layout(words, None, "x").kind == "tokens"
    values, mask = arrange(words, Layout("tokens"))
    assert values.tolist() == [[4, 2, 0], [1, 0, 0], [3, 3, 3]]
    assert mask.sum(axis=1).tolist() == [2, 1, 3]
    waves = check_inputs([[0.5, 1.5], [2.5]], "x")
    assert choose_layout(waves, None, "x").kind == "sequence"
    assert arrange(waves, Layout("sequence"))[0].tolist() == [[[0.5], [1.5]], [[2.5], [0.0]]]


def test_object_arrays_are_lists_of_rows():
    raw = np.empty(2, dtype=object)
    raw[0], raw[1] = np.zeros((3, 2)), np.ones((1, 2))
    assert [len(row) for row in check_inputs(raw, "x")] == [3, 1]


def test_sequences_that_end_in_nan_are_shorter():
    raw = np.arange(12.0).reshape(2, 3, 2)
    raw[1, 1:] = np.nan
    values, mask = arrange(raw, Layout("sequence"))
    assert mask.tolist() == [[True] * 3, [True, False, False]]
    assert values[1].tolist() == [[6, 7], [0, 0], [0, 0]]
    raw[0, 0] = np.nan
    values, mask = arrange(raw, Layout("sequence"))
    assert mask[0].all(), "a gap at the start is missing data, not an end"
    assert np.isnan(values[0, 0]).all()


@pytest.mark.parametrize(
    ("raw", "line"),
    [
        ([np.zeros((3, 2)), np.zeros((3, 4))], r"x is ragged: row 1 has shape \(3, 4\), row 0 \(3, 2\)"),
        ([np.zeros((5, 4, 3)), np.zeros((6, 4, 3))], "x is ragged: row 0 has shape"),
        ([[[1, 2], [3]], [[1, 2], [3, 4]]], "x is ragged within a row"),
        ([np.zeros((2, 2)), np.zeros((0, 2))], "x has an empty sequence at row 1"),
        (np.zeros((0, 4)), "x has no rows"),
        ([], "x has no rows"),
        (np.zeros((4, 0)), "x has rows without values"),
        (3.0, "x is a single value"),
        (np.array([["a", "b"]]), "x is of type <U1, not of numbers"),
        (np.array([[1.0, np.inf], [-np.inf, 2]]), r"x has 2 infinite values \(first at index \(0, 1\)\)"),
        ([np.array([1.0]), np.array([1.0, np.inf])], "x has 1 infinite values"),
        (np.zeros((2, 2), dtype=complex), "x is of type complex128"),
    ],
)
def test_inputs_that_cannot_be_used_are_named(raw, line):
    with pytest.raises(TaskError, match=line):
        check_inputs(raw, "x")


@pytest.mark.parametrize(
    ("shape", "layout", "line"),
    [
        ((5, 4), "imge", "unknown layout 'imge'; known: .*; did you mean 'image'"),
        ((5, 5), "image", r"x has shape \(5, 5\); images are"),
        ((5, 5), "channels_last", r"x has shape \(5, 5\); images are"),
        ((5, 4), "tokens", r"x has shape \(5, 4\) of float64, which cannot be read as tokens"),
        ((5, 4, 3, 2), "sequence", "cannot be read as sequence"),
        ((5, 4, 3, 2, 2), None, "an array of 5 dimensions"),
    ],
)
def test_layouts_that_do_not_suit_are_named(shape, layout, line):
    with pytest.raises(TaskError, match=line):
        choose_layout(np.zeros(shape), layout, "x")


def test_unequal_rows_cannot_be_forced_to_a_vector():
    with pytest.raises(TaskError, match="x has rows of unequal length, which cannot be read as vector"):
        choose_layout([np.zeros(2), np.zeros(3)], "vector", "x")
