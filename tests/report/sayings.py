"""Summaries of layers and of members of spaces, and what they are to look like."""

import re

from nasturtium import spaces
from nasturtium.report.summary import summary
from nasturtium.space import Architecture
from nasturtium.space.graph import nodes_of


def said(layer, shape):
    return summary(Architecture(layer, input=shape))


def member(space, name):
    return summary(spaces.SPACES[space](spaces.SPACES[space].input).member(name))


def leaves(architecture):
    return [node for node in nodes_of(architecture.value, architecture.input) if node.layer is not None]


def check_english(text):
    assert len(text.split()) <= 125
    assert text.endswith(".")
    assert "  " not in text
    assert " ," not in text
    assert " ." not in text
    assert not re.search(r"[a-z]\w*\(\w*=|\b[A-Z]\w+\(", text)  # no text of a part
    assert not re.search(r"\b(a|an) (a|an|the|two)\b", text)
    assert not re.search(r"\b(?:[2-9]|\d{2,}|two|three|four|five|six|seven|eight|nine|ten) [\w-]*convolution\b", text)
    assert not re.search(r"\ba [aeio]|\ba 8|\ba 11|\ban [bcdfgjkpqtvwyz]", text)
    assert 1 <= len(re.findall(r"\.(?: [A-Z0-9]|$)", text)) <= 6
