"""The space ``hierarchical_nasbench201``: a grammar from the network down to the convolution (Schrodi et al. 2023)."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator
from functools import partial
from typing import Any

from nasturtium.errors import ParseError
from nasturtium.layers import (
    AvgPool,
    BatchNorm,
    Conv2d,
    GlobalPool,
    GroupNorm,
    Identity,
    Linear,
    ReLU,
    Sequential,
    Zero,
)
from nasturtium.space.architecture import Architecture
from nasturtium.space.choice import Choice, Rule, choice
from nasturtium.space.notations import Notation
from nasturtium.space.part import Layer
from nasturtium.space.space import Space
from nasturtium.spaces.grammar_layers import (
    TOPOLOGIES,
    GrammarBlock,
    GrammarCell,
    GrammarInstanceNorm,
    GrammarReduction,
    GrammarTopology,
)
from nasturtium.spaces.inputs import one_input, positive

Grammar = dict[str, tuple[tuple[str, ...], ...]]

MACRO: Grammar = {
    "D2": (("Linear3", "D1", "D1", "D0"), ("Linear3", "D0", "D1", "D1"), ("Linear4", "D1", "D1", "D0", "D0")),
    "D1": (("Linear3", "C", "C", "DOWN"), ("Linear4", "C", "C", "C", "DOWN"), ("Residual3", "C", "C", "DOWN", "DOWN")),
    "D0": (("Linear3", "C", "C", "CELL"), ("Linear4", "C", "C", "C", "CELL"), ("Residual3", "C", "C", "CELL", "CELL")),
    "DOWN": (
        ("Linear2", "CELL", "resBlock"),
        ("Linear3", "CELL", "CELL", "resBlock"),
        ("Residual2", "CELL", "resBlock", "resBlock"),
    ),
    "C": (("Linear2", "CELL", "CELL"), ("Linear3", "CELL", "CELL", "CELL"), ("Residual2", "CELL", "CELL", "CELL")),
}
"""The productions above the cell: a topology and what stands on its edges."""

ACTIVATIONS = ("relu", "hardswish", "mish")
CONVOLUTIONS: dict[str, Layer] = {
    "conv3x3o": Conv2d(bias=False),
    "conv1x1o": Conv2d(kernel=1, bias=False),
    "dconv3x3o": Conv2d(groups="depthwise", bias=False),
}
NORMS: dict[str, Layer] = {"batch": BatchNorm(), "instance": GrammarInstanceNorm(), "layer": GroupNorm(1)}
"""What a block is made of, by the terminals of the grammar."""

PLAIN: dict[str, Layer] = {
    "id": Identity(),
    "conv3x3": Sequential(ReLU(), Conv2d(bias=False), BatchNorm()),
    "conv1x1": Sequential(ReLU(), Conv2d(kernel=1, bias=False), BatchNorm()),
    "avg_pool": AvgPool(3, stride=1),
}
"""The operations of NAS-Bench-201 beside zero, by the terminals of the grammar."""

BLOCKS: Grammar = {
    "OPS": (("id",), ("Linear1", "CONVBLOCK"), ("avg_pool",)),
    "CONVBLOCK": (("Linear3", "ACT", "CONV", "NORM"),),
    "ACT": tuple([(name,) for name in ACTIVATIONS]),
    "CONV": tuple([(name,) for name in CONVOLUTIONS]),
    "NORM": tuple([(name,) for name in NORMS]),
}
"""The productions below the cell, beside that of zero, which the cell decides on."""

DEEPEST = 10
"""More brackets than this are never open at once in a derivation."""

ZERO = 1 / 5
"""How likely zero is on an edge where it may stand: one of five productions."""

MEMBERS = {"resnet": "303101", "nasbench201_best": "333133"}
"""Cells of NAS-Bench-201 by digits for the edges: the ResNet that its paper compares with, and its best on CIFAR-10."""


SIZE = int(
    "6997023323344949136756792892541530485044960707205669786695392520835453298684546349572293930739813781"
    "1271791098927140609452155245040542183736198802429345932542106836702580255002977475783441983063514036"
    "8445702859657145599863178960930176628854921439868819135860704717938414786682472057007032349656799020"
    "3805778332371047145685806885538064589395055343147501219194862841159566267523"
)
"""Number of derivations of the whole space, about 10^375.8, as it follows from counting the productions."""


def hierarchical_nasbench201(
    input: Any = (3, 32, 32), outputs: int = 10, *, channels: int = 16, macro: bool = True, blocks: bool = True
) -> Space:
    """Hierarchical NAS-Bench-201 (Schrodi et al. 2023): a context-free grammar over whole networks.

    The productions of the public code: ``D2`` puts two ``D1`` (which halve the side and double the channels) and one or
    two ``D0`` in a row, these put ``C`` and cells in a row or around each other, ``C`` two or three cells. Each cell is
    one of NAS-Bench-201 whose six edges hold zero, id, avg_pool or a block of activation (relu, hardswish, mish),
    convolution (3x3, 1x1, depthwise 3x3) and normalisation (batch, instance, layer). All decide on their own. As in the
    public code no cell is cut through by zeros. Stem, reduction and head are those of NAS-Bench-201.

    The public grammar lists the production of a block twice. That doubles its weight, which is so here too, and lets
    the paper count about 10^446 derivations; the different ones, which are counted here, are about 10^376 (29 options
    beside zero on each edge of up to 42 cells, instead of 56).

    Notation: the derivation, ``(D2 Linear3 (D1 Linear3 (C Linear2 (CELL Cell (OPS id) ...``.

    Layer normalisation scales each channel, not each number, so that it does not depend on the size of the image.

    Args:
        input: (channels, height, width), or an image signal.
        outputs: Numbers that leave.
        channels: Channels behind the stem.
        macro: Whether the productions above the cell are open; if not, all is in a row as in NAS-Bench-201, fifteen
            cells, still each with decisions of its own.
        blocks: Whether the operations are blocks; if not, they are those of NAS-Bench-201. (With both off and one cell
            for all it is the space ``nasbench201``, the paper's cell-based one.)

    Raises:
        SpaceError: If the input is no image, or an option cannot be used.

    >>> len(str(hierarchical_nasbench201().size))
    376
    """
    signal = one_input("hierarchical_nasbench201", input, "image")
    positive("hierarchical_nasbench201", outputs=outputs, channels=channels)
    above: Grammar = {symbol: found if macro else found[:1] for symbol, found in MACRO.items()}
    grammar = {**above, **(BLOCKS if blocks else {"OPS": tuple([(name,) for name in PLAIN])})}
    parts: dict[str, Any] = {"CELL": _cell(blocks), "resBlock": GrammarReduction()}
    for symbol, productions in reversed(above.items()):
        options = [GrammarTopology(name, *(parts[each] for each in inside)) for name, *inside in productions]
        parts[symbol] = _rule(symbol, choice(*options)) if macro else options[0]
    stem = Sequential(Conv2d(channels, bias=False), BatchNorm())
    return Space(
        Sequential(stem, parts["D2"], BatchNorm(), ReLU(), GlobalPool(), Linear(outputs)),
        input=signal,
        name="hierarchical_nasbench201",
        notation=Notation(partial(_write, grammar=grammar), partial(_read, grammar=grammar)),
        members={name: _in_a_row(code, blocks) for name, code in MEMBERS.items()},
    )


def _cell(blocks: bool) -> Rule:
    """A cell that no zeros cut through: first which edges hold something, then what."""
    block = GrammarBlock(choice(*ACTIVATIONS), choice(*CONVOLUTIONS.values()), choice(*NORMS.values()))
    if blocks:
        operation = choice(Identity(), block, AvgPool(3, stride=1), weights=(1, 2, 1), name="OPS")
    else:
        operation = choice(*PLAIN.values(), name="OPS")
    cells = [GrammarCell(tuple([operation if holds else Zero() for holds in pattern])) for pattern in PATTERNS]
    found = _rule("CELL", Choice(cells, [_chance(pattern) for pattern in PATTERNS]))
    found.transparent = True  # what an edge holds stays when another one comes or goes
    return found


def _rule(symbol: str, productions: Choice) -> Rule:
    return Rule(symbol, lambda _: productions)


def _connected(pattern: tuple[bool, ...]) -> bool:
    """Whether edges that hold something lead through a cell."""
    reached = {0}
    for (source, target), holds in zip(TOPOLOGIES["Cell"], pattern, strict=True):
        if holds and source in reached:
            reached.add(target)
    return 3 in reached


PATTERNS = tuple([pattern for pattern in itertools.product((True, False), repeat=6) if _connected(pattern)])
"""Which edges of a cell can hold something: the 47 ways that lead through it."""


def _chance(pattern: tuple[bool, ...]) -> float:
    """How likely a pattern is if edge after edge holds zero by chance, where the rest still leads through."""
    chance = 1.0
    for edge, holds in enumerate(pattern):
        without = pattern[:edge] + (False,) + (True,) * (5 - edge)
        if _connected(without):
            chance *= 1 - ZERO if holds else ZERO
    return chance


def _write(architecture: Architecture, grammar: Grammar) -> str:
    return _written("D2", grammar, iter(architecture.decisions))


def _read(text: str, grammar: Grammar) -> tuple[int, ...]:
    return tuple(_taken(_tree(text), "D2", grammar))


def _written(symbol: str, grammar: Grammar, decisions: Iterator[int]) -> str:
    """The derivation of a symbol by the next of the decisions."""
    if symbol == "CELL":
        pattern = PATTERNS[next(decisions)]
        inside = [_written("OPS", grammar, decisions) if holds else "(OPS zero)" for holds in pattern]
        return f"(CELL Cell {' '.join(inside)})"
    if symbol not in grammar:
        return symbol
    options = grammar[symbol]
    production = options[next(decisions) if len(options) > 1 else 0]
    return f"({symbol} {' '.join([_written(each, grammar, decisions) for each in production])})"


def _tree(text: str) -> Any:
    """The nested lists that a text in brackets stands for."""
    open_lists: list[list[Any]] = [[]]
    for place in re.finditer(r"[()]|[^\s()]+", text):
        if len(open_lists) > DEEPEST:
            raise ParseError(
                f"more than {DEEPEST} brackets are open at place {place.start()}; no derivation nests so deep"
            )
        if place[0] == "(":
            open_lists.append([])
        elif place[0] != ")":
            open_lists[-1].append(place[0])
        elif len(open_lists) > 1:
            closed = open_lists.pop()
            open_lists[-1].append(closed)
        else:
            raise ParseError(f"the bracket at place {place.start()} closes nothing; leave it out")
    if len(open_lists) > 1:
        raise ParseError(f"{len(open_lists) - 1} brackets are never closed at the end of {text[-40:]!r}")
    if len(open_lists[0]) != 1:
        raise ParseError(f"{text[:40]!r} is no derivation; one begins with (D2")
    return open_lists[0][0]


def _taken(tree: Any, symbol: str, grammar: Grammar) -> Iterator[int]:
    """The decisions of a derivation, in order."""
    if not isinstance(tree, list) or tree[:1] != [symbol]:
        raise ParseError(f"expected ({symbol} ...), not {str(tree)[:60]}")
    items = tree[1:]
    found = tuple([item if isinstance(item, str) else str(item[0]) if item else "" for item in items])
    options = (("Cell",) + ("OPS",) * 6,) if symbol == "CELL" else grammar[symbol]
    if found not in options:
        known = " | ".join([" ".join(option) for option in options])
        raise ParseError(f"({symbol} {' '.join(found)[:60]}) is no production; there are {known}")
    pattern = tuple([item != ["OPS", "zero"] for item in items[1:]])
    if symbol == "CELL" and pattern not in PATTERNS:
        raise ParseError("zeros cut through a cell; an edge that leads through it must hold something else")
    if symbol == "CELL":
        yield PATTERNS.index(pattern)
    elif len(options) > 1:
        yield options.index(found)
    for item in items:
        if isinstance(item, list) and item != ["OPS", "zero"]:
            yield from _taken(item, item[0], grammar)


def _in_a_row(digits: str, blocks: bool) -> str:
    """The derivation of NAS-Bench-201's network with a cell given by digits: 0 zero, 1 id, 2 1x1, 3 3x3, 4 pooling."""
    made = ["zero", "id", "conv1x1", "conv3x3", "avg_pool"]
    if blocks:
        for index in (2, 3):
            made[index] = f"Linear1 (CONVBLOCK Linear3 (ACT relu) (CONV {made[index]}o) (NORM batch))"
    cell = f"(CELL Cell {' '.join([f'(OPS {made[int(digit)]})' for digit in digits])})"
    pair = f"(C Linear2 {cell} {cell})"
    halving = f"(D1 Linear3 {pair} {pair} (DOWN Linear2 {cell} resBlock))"
    return f"(D2 Linear3 {halving} {halving} (D0 Linear3 {pair} {pair} {cell}))"
