"""Texts: exact both ways, short, and never executed."""

import contextlib
import math
import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nasturtium.errors import ParseError
from nasturtium.layers import Add, Branch, Clone, Conv2d, Dropout, Identity, Linear, ReLU, Repeat, Residual, Sequential
from nasturtium.space import Architecture, Part
from nasturtium.space.text import LONGEST, from_text, to_text


class Odd(Part):
    """A field for anything, and fields with defaults of every kind."""

    value: object
    again: object = None
    number: float = 0.5
    pair: tuple = (1, 2)


class Several(Part):
    """A field with a default before a variadic one, and one after it."""

    variadic = "items"
    head: int = 0
    items: tuple = ()
    tail: str = "t"

    def __init__(self, head=0, *items, tail="t"):
        self.__dict__.update(head=head, items=items, tail=tail)


plain = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False)
    | st.text(alphabet=st.characters(exclude_categories=("Cs",))),
    lambda inner: (
        st.lists(inner, max_size=3).map(tuple) | st.builds(Odd, inner, inner) | st.builds(Several, st.integers())
    ),
    max_leaves=8,
)


@settings(max_examples=150, deadline=None)
@given(value=plain, again=plain)
def test_round_trip(value, again):
    part = Odd(value, again)
    read = from_text(str(part))
    assert read == part
    assert str(read) == str(part)
    assert hash(read) == hash(part)


@pytest.mark.parametrize(
    ("part", "text"),
    [
        (Linear(8), "Linear(8)"),
        (Odd(-1, again=-2.5), "Odd(-1, again=-2.5)"),
        (Odd(math.inf, again=-math.inf), "Odd(inf, again=-inf)"),
        (Odd(((1, (2,)), ())), "Odd(((1, (2,)), ()))"),
        (Odd('it\'s "so"\n\\'), "Odd('it\\'s \"so\"\\n\\\\')"),
        (Odd(1e400, pair=(1, 2)), "Odd(inf)"),
        (Odd(None, None, 0.5), "Odd(None)"),
        (Odd(1, number=1), "Odd(1, number=1)"),
        (Odd(1, pair=(1, True)), "Odd(1, pair=(1, True))"),
        (Odd(1, pair=(1.0, 2)), "Odd(1, pair=(1.0, 2))"),
        (Odd(-0.0), "Odd(0.0)"),
        (Several(0, 5), "Several(0, 5)"),
        (Several(), "Several(0)"),
        (Several(3, tail="x"), "Several(3, tail='x')"),
        (Repeat(2, ReLU(), ReLU()), "Repeat(2, ReLU())"),
        (Branch(Clone(2), ReLU(), Identity(), join=Add()), "Branch(Clone(), ReLU(), Identity())"),
    ],
)
def test_known_texts(part, text):
    assert str(part) == text
    assert from_text(text) == part


def test_defaults_may_be_written_and_are_left_out():
    assert str(from_text("Odd(1, again=None, number=0.5, pair=(1, 2))")) == "Odd(1)"
    assert from_text("Odd(value=1)") == Odd(1)
    assert from_text("Odd([1, [2, 3]])") == Odd((1, (2, 3)))
    assert from_text(" Sequential( Linear( 8 ),\n ReLU() ) ") == Sequential(Linear(8), ReLU())


def test_numbers_of_numpy_are_written_as_numbers():
    assert str(Odd(np.float64(0.25), np.int64(3))) == "Odd(0.25, again=3)"
    assert Odd(np.float64(0.25), np.int64(3)) == Odd(0.25, 3) == from_text(str(Odd(np.float32(0.25), np.int8(3))))
    assert to_text(np.bool_(True)) == "True"


def test_texts_tell_types_apart():
    ones = [Odd(1), Odd(1.0), Odd(True), Odd((1,)), Odd((1.0,)), Odd("1")]
    assert len({str(one) for one in ones}) == len(set(ones)) == len(ones)


def test_nan_comes_back():
    read = from_text(str(Odd(math.nan)))
    assert math.isnan(read.value)
    assert read == from_text("Odd(nan)")


@pytest.mark.parametrize("depth", [100, 190])
def test_deep_nesting(depth):
    part = ReLU()
    for _ in range(depth):
        part = Residual(part)
    assert from_text(str(part)) == part


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("Conv2D(3)", "did you mean 'Conv2d'"),
        ("Sequential(Linear(8), Relu())", "unknown layer 'Relu' at Sequential[1]; did you mean 'ReLU'"),
        ("Linear(8, bais=True)", "Linear has no field 'bais'; did you mean 'bias'"),
        ("Residual(body=Linear(8, bais=True))", "at Residual.body; did you mean 'bias'"),
        ("Zzzzzzz()", "unknown layer 'Zzzzzzz'"),
    ],
)
def test_misspelt_names_get_a_hint(text, hint):
    with pytest.raises(ParseError, match=re.escape(hint)):
        from_text(text)


executed = []
"""What a hostile text would change."""

HOSTILE = [
    "__import__('os').system('true')",
    "executed.append(1)",
    "Linear(executed.append(1))",
    "Linear((lambda: 8)())",
    "Linear([x for x in (1, 2)])",
    "Linear(8).__class__",
    "Linear(8)(3)",
    "Linear(*(8,))",
    "Linear(**{'channels': 8})",
    "Linear(8, out=8, out=9)",
    "Linear(8 if True else 9)",
    "Linear(2 ** 10 ** 10)",
    "Linear(f'{executed}')",
    "Linear(8, x:=9)",
    "Linear({1: 2})",
    "Linear({1, 2})",
    "Linear(b'8')",
    "Linear(1j)",
    "Linear(...)",
    "Linear(not 1)",
    "Linear(-True)",
    "Linear(-'8')",
    "Linear(~8)",
    "Linear(__builtins__)",
    "Linear(8); Linear(9)",
    "Linear(8)\nLinear(9)",
    "x = Linear(8)",
    "await Linear(8)",
    "Linear(8",
    "",
    "   ",
    "\0",
    "Linear(8)\0",
    "\ud800",
    "Part()",
    "Layer()",
    "object()",
    "Repeat(3, ReLU(), Identity())",
    "Repeat('3', ReLU(), Identity())",
    "Linear()",
    "Linear(1, 2, 3, 4, 5, 6, 7)",
    "Branch(Clone(2))",
    "(" * 100_000,
    "(" * 150 + ")" * 150 + "(",
    "-" * 1_500 + "1",
    "-" * 100_000 + "1",
    "+".join("1" * 3_000),
    "+".join("1" * 900),
    "Residual(" * 5_000,
    "[" * 199 + "]" * 199 + "+1",
    "Linear(" + "9" * 5_000 + ")",
    "a." * 3_000 + "b",
    "Linear" + "(8)" * 2_000,
    "Linear(8)" + " " * LONGEST,
]


@pytest.mark.parametrize("text", HOSTILE, ids=lambda text: ascii(text[:30]))
def test_hostile_text_is_refused_and_never_executed(text):
    with pytest.raises(ParseError) as caught:
        Architecture.parse(text)
    assert not executed
    assert len(str(caught.value)) < 500


@settings(max_examples=200, deadline=None)
@given(text=st.text(alphabet="Linear(8),=[]-'\"x1.0 Sequential*{}:", max_size=40))
def test_any_text_is_read_or_refused(text):
    with contextlib.suppress(ParseError):
        read = from_text(text)
        assert to_text(from_text(to_text(read))) == to_text(read)


@pytest.mark.parametrize("value", [None, 5, b"Linear(8)", ["Linear(8)"]])
def test_only_text_is_read(value):
    with pytest.raises(ParseError, match="from text"):
        from_text(value)


def test_open_or_plain_values_are_no_architectures():
    with pytest.raises(ParseError, match="a value, not an architecture"):
        Architecture.parse("(1, 2)")


def test_network_texts():
    net = Sequential(Conv2d(16, kernel=5), Residual(Sequential(Dropout(0.3), ReLU())), Linear(3))
    assert str(net) == "Sequential(Conv2d(16, kernel=5), Residual(Sequential(Dropout(0.3), ReLU())), Linear(3))"
    assert from_text(str(net)) == net
