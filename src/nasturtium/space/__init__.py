"""The core: parts, signals, choices, derivation, architectures, variation, graphs and encodings. No torch."""

from nasturtium.space.architecture import Architecture, Origin
from nasturtium.space.choice import Choice, Rule, choice, floats, integers, rule, shared, subset
from nasturtium.space.derivation import Derivation, Point
from nasturtium.space.notations import Notation
from nasturtium.space.part import Cost, Layer, Part, Wiring
from nasturtium.space.signal import Signal, edges, group, image, nodes, sequence, tokens, vector
from nasturtium.space.space import Space

__all__ = [
    "Architecture",
    "Choice",
    "Cost",
    "Derivation",
    "Layer",
    "Notation",
    "Origin",
    "Part",
    "Point",
    "Rule",
    "Signal",
    "Space",
    "Wiring",
    "choice",
    "edges",
    "floats",
    "group",
    "image",
    "integers",
    "nodes",
    "rule",
    "sequence",
    "shared",
    "subset",
    "tokens",
    "vector",
]
