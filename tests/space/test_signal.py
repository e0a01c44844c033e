"""Signals: the ways to write them, what they say and what they refuse."""

import pytest

from nasturtium.errors import Mismatch
from nasturtium.space import Signal, group, image, sequence, tokens, vector
from nasturtium.space.signal import as_signals


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (4, vector(4)),
        ((4,), vector(4)),
        ((96, 32), sequence(96, 32)),
        ((None, 32), sequence(None, 32)),
        ((3, 32, 16), image(3, 32, 16)),
        ([3, 32, 16], image(3, 32, 16)),
        (tokens(8, 100), tokens(8, 100)),
    ],
)
def test_inputs_may_be_written_short(value, expected):
    assert as_signals(value) == (expected,)


def test_several_inputs():
    assert as_signals([vector(3), image(1, 2, 2)]) == (vector(3), image(1, 2, 2))


@pytest.mark.parametrize(
    "value", [0, -1, True, (), (1, 2, 3, 4), (0, 3), (3, None), (None,), "3", 3.0, (3.5,), None, ("a",)]
)
def test_other_inputs_are_refused(value):
    with pytest.raises(Mismatch, match="cannot read"):
        as_signals(value)


@pytest.mark.parametrize(
    ("signal", "channels", "length", "text"),
    [
        (vector(5), 5, None, "vector 5"),
        (sequence(7, 5, mask=True), 5, 7, "sequence 7x5 masked"),
        (sequence(None, 5), 5, None, "sequence ?x5"),
        (image(5, 2, 3), 5, None, "image 5x2x3"),
        (Signal("nodes", (None, 5)), 5, None, "nodes ?x5"),
    ],
)
def test_channels_and_text(signal, channels, length, text):
    assert signal.channels == channels
    assert str(signal) == text
    assert signal.with_channels(9).channels == 9
    if signal.kind == "sequence":
        assert signal.length == length


def test_what_has_no_channels_or_length():
    with pytest.raises(Mismatch, match="has no channels"):
        _ = tokens(4, 10).channels
    with pytest.raises(Mismatch, match="has no channels"):
        _ = group(a=vector(3)).channels
    with pytest.raises(Mismatch, match="no length"):
        _ = vector(3).length
    with pytest.raises(Mismatch, match="not known"):
        _ = Signal("vector", (None,)).channels


def test_groups():
    both = group(query=vector(3), memory=sequence(4, 5))
    assert both.member("memory") == sequence(4, 5)
    assert str(both) == "group(query=vector 3, memory=sequence 4x5)"
    with pytest.raises(Mismatch, match="no signal 'other'"):
        both.member("other")
