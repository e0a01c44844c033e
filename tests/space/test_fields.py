"""What may stand in a field is checked where a user writes it, and said in words."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from torch import nn

from nasturtium import Space, choice, rule
from nasturtium import layers as L
from nasturtium.errors import SpaceError
from nasturtium.space.fields import kinds_of
from nasturtium.space.infer import infer
from nasturtium.space.part import Part
from nasturtium.space.signal import image, vector


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda: L.Conv2d(4, kernel="a"), "Conv2d: kernel must be a whole number or a tuple, not 'a'"),
        (lambda: L.Conv2d(4, kernel=2.5), "kernel must be a whole number or a tuple, not 2.5"),
        (lambda: L.Conv2d(4, kernel=choice(3, "a")), "kernel must be a whole number or a tuple, not 'a'"),
        (lambda: L.Conv2d(4, kernel=choice(3, choice(5, "a"))), "kernel must be a whole number or a tuple, not 'a'"),
        (lambda: L.Conv2d(4, padding="same"), "padding must be a whole number or None, not 'same'"),
        (lambda: L.Conv2d(4, bias="no"), "bias must be True or False, not 'no'"),
        (lambda: L.MaxPool("a"), "MaxPool: kernel must be a whole number"),
        (lambda: L.Dropout("a"), "Dropout: rate must be a number, not 'a'"),
        (lambda: L.FeedForward("a"), "ratio must be a number"),
        (lambda: L.Concat("a"), "axis must be a whole number or None"),
        (lambda: L.Permute(1), "axes must be a tuple, not 1"),
        (lambda: L.Activation(3), "name must be a text, not 3"),
        (lambda: L.Activation(L.ReLU), "name must be a text, not the class ReLU"),
        (lambda: L.Repeat("a", L.ReLU()), "count must be a whole number from 1, not 'a'"),
        (lambda: L.Repeat(-1, L.ReLU()), "count must be a whole number from 1, not -1"),
        (lambda: L.Repeat(2, 3, 4), "Repeat: child 0 is 3, which is no layer"),
        (lambda: L.Sequential(1, L.ReLU()), "Sequential: child 0 is 1, which is no layer"),
        (lambda: L.Sequential(L.Linear(2), L.ReLU), r"child 1 is the class ReLU; write ReLU\(\), with brackets"),
        (lambda: L.Branch(L.Clone(2), L.Linear), r"child 0 is the class Linear; write Linear\(...\), with"),
        (lambda: L.Sequential(nn.ReLU()), "child 0 is a torch module, ReLU; nt.layers.wrap"),
        (lambda: infer(L.Residual(L.ReLU), vector(3)), r"Residual: body is the class ReLU; write ReLU\(\)"),
        (lambda: choice(L.ReLU, L.GELU), r"an option is the class ReLU; write ReLU\(\), with brackets"),
        (lambda: choice(nn.ReLU(), nn.GELU()), "an option is a torch module"),
        (lambda: L.Cell((L.Edge(0, L.ReLU()),)), r"Cell: nodes must be a tuple of Node, such as \(Node\(...\),\)"),
        (lambda: L.Node(L.Edge(0, L.ReLU())), "Node: edges must be a tuple of Edge"),
    ],
)
def test_values_of_another_kind_are_refused_in_words(make, said):
    with pytest.raises(SpaceError, match=said):
        make()


def test_what_is_no_layer_is_refused_while_deriving():
    space = Space(L.Sequential(L.Linear(choice(2, 3)), L.Residual(3)), input=(3,), name="wrong")
    with pytest.raises(SpaceError, match="3, which is no layer"):
        space.sample(np.random.default_rng(0))


def test_what_fits_is_taken():
    assert infer(L.Conv2d(4, kernel=(3, 1)), image(3, 8, 8)).shape == (4, 8, 8)
    assert infer(L.Conv2d(4, kernel=np.int64(3)), image(3, 8, 8)).shape == (4, 8, 8)
    assert infer(L.FeedForward(2), vector(3)) == infer(L.FeedForward(np.float64(0.5)), vector(3)) == vector(3)
    assert L.Repeat(np.int64(2), L.ReLU()) == L.Repeat(2, L.ReLU())
    assert L.Conv2d(lambda_width()).is_open
    assert L.Repeat(choice(1, 2), L.Linear(3)).is_open
    L.Conv2d(rule("width", lambda width: choice(4, 8)))


def lambda_width():
    return choice(4, lambda x: 2 * x.channels)


def test_options_of_one_type_do_not_speak_for_those_of_others():
    L.MaxPool(choice(2, 3))
    with pytest.raises(SpaceError, match="not 'b'"):
        L.MaxPool(choice(2, "b"))
    L.Dropout(0.5)
    with pytest.raises(SpaceError, match="rate must be a number, not None"):
        L.Dropout(None)


def test_annotations_that_name_more_are_not_checked():
    class Free(Part):
        one: Any
        other: list[int]
        third: int

    assert Free(3, 4, 5).third == 5
    with pytest.raises(SpaceError, match="Free: third must be a whole number, not 'x'"):
        Free(3, 4, "x")

    class Freer(Free):
        third: Any

    assert Freer(3, 4, "x").third == "x"


@pytest.mark.parametrize(
    ("annotation", "types"),
    [
        ("int", {int}), (int, {int}), (int | None, {int, type(None)}), ("float", {int, float}), (Any, None),
        ("tuple[int, ...]", {tuple}), (tuple[int, ...], {tuple}), ("int | list[int]", None), ("ClassVar[int]", None),
    ],
)  # fmt: skip
def test_kinds_of_annotations(annotation, types):
    assert kinds_of(annotation) == (None if types is None else frozenset(types))
