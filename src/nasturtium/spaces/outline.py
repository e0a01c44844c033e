"""The outline of a closed network: chains, residual blocks and repeated blocks, as ``around`` opens them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from nasturtium.layers import (
    GRU,
    LSTM,
    Conv1d,
    Conv2d,
    ConvBlock,
    Embedding,
    Linear,
    Repeat,
    Residual,
    SeparableConv1d,
    SeparableConv2d,
    Sequential,
)
from nasturtium.layers.activation import Activation, _Named
from nasturtium.space.infer import Signals, infer
from nasturtium.space.part import Layer

WIDTHS: dict[type[Layer], str] = {
    Conv1d: "channels", Conv2d: "channels", ConvBlock: "channels", SeparableConv1d: "channels",
    SeparableConv2d: "channels", Linear: "out", Embedding: "dim", GRU: "hidden", LSTM: "hidden",
}  # fmt: skip
"""The layers that set how many channels leave, and the field that does."""


@dataclass(eq=False)
class Leaf:
    """One layer."""

    layer: Layer


@dataclass(eq=False)
class Chain:
    """One after another."""

    items: list[Node]


@dataclass(eq=False)
class Branch:
    """A body and what is added to its output: its input, or what a skip makes of it."""

    body: Chain
    skip: Chain | None


@dataclass(eq=False)
class Copies:
    """The same block several times."""

    count: int
    body: Chain


Node = Leaf | Chain | Branch | Copies
Change = Callable[[Leaf], Any]


def rendered(node: Node, leaf: Change, copies: Callable[[Copies, Any], Any]) -> Any:
    """The part that an outline stands for, with ``leaf`` and ``copies`` saying what becomes of each."""
    if isinstance(node, Leaf):
        return leaf(node)
    if isinstance(node, Copies):
        return copies(node, rendered(node.body, leaf, copies))
    if isinstance(node, Branch):
        skip = None if node.skip is None else rendered(node.skip, leaf, copies)
        return Residual(rendered(node.body, leaf, copies), skip)
    made = [rendered(item, leaf, copies) for item in node.items]
    return made[0] if len(made) == 1 else Sequential(*made)


def leaves(node: Node) -> Iterator[Leaf]:
    """The layers of an outline in order."""
    if isinstance(node, Leaf):
        yield node
    elif isinstance(node, Chain):
        for item in node.items:
            yield from leaves(item)
    else:
        yield from leaves(node.body)
        if isinstance(node, Branch) and node.skip is not None:
            yield from leaves(node.skip)


def closed(node: Node) -> Any:
    """The closed part."""
    return rendered(node, lambda leaf: leaf.layer, lambda copies, body: Repeat(copies.count, body))


def outline(part: Any) -> Chain:
    """The outline of a closed part; what is no chain, repeat or residual block stays a leaf.

    Repeats are written out: :func:`folded` finds them again.
    """
    if isinstance(part, Sequential):
        return Chain([item for layer in part.layers for item in outline(layer).items])
    if isinstance(part, Repeat):
        bodies = [part.bodies[index % len(part.bodies)] for index in range(part.count)]
        return Chain([item for layer in bodies for item in outline(layer).items])
    if isinstance(part, Residual):
        return Chain([Branch(outline(part.body), None if part.skip is None else outline(part.skip))])
    return Chain([Leaf(part)])


def folded(chain: Chain, inputs: Signals) -> Chain:
    """The same chain with equal blocks that follow each other, and leave what reaches them, as copies of one.

    A first block that changes the signal stays by itself, so that all copies are of one shape.

    Raises:
        Mismatch: If a layer cannot work on what reaches it.
    """
    states = [inputs]
    for item in chain.items:
        if isinstance(item, Branch):
            item.body = folded(item.body, states[-1])
            item.skip = None if item.skip is None else folded(item.skip, states[-1][:1])
        found = infer(closed(item), *states[-1])
        states.append(found if type(found) is tuple else (found,))
    return Chain(_folded(chain.items, states))


def _folded(items: list[Node], states: list[Signals]) -> list[Node]:
    """Fold the run that covers most; of equal ones that with the shortest block."""
    covered, period, start, count = _longest(items, states)
    if not covered:
        return _single(items, states)
    end = start + covered
    block = Copies(count, Chain(items[start : start + period]))
    return [*_folded(items[:start], states[: start + 1]), block, *_folded(items[end:], states[end:])]


def _single(items: list[Node], states: list[Signals]) -> list[Node]:
    """Residual blocks that leave the signal as it is, with the activation behind them, as one copy of a block."""
    made: list[Node] = []
    for index, item in enumerate(items):
        before = items[index - 1] if index else None
        if isinstance(item, Branch) and item.skip is None and states[index] == states[index + 1]:
            after = items[index + 1] if index + 1 < len(items) else None
            block = [item, after] if _activates(after) else [item]
            made.append(Copies(1, Chain([each for each in block if each is not None])))
        elif not (_activates(item) and made and isinstance(made[-1], Copies) and made[-1].body.items[0] is before):
            made.append(item)
    return made


def _activates(item: Node | None) -> bool:
    return isinstance(item, Leaf) and isinstance(item.layer, (_Named, Activation))


def _longest(items: list[Node], states: list[Signals]) -> tuple[int, int, int, int]:
    """Places covered, period, start and number of the copies of one shape."""
    parts = [closed(item) for item in items]
    best = (0, 0, 0, 0)
    for start, item in enumerate(items):
        if not _begins(item):
            continue
        for period in range(1, (len(items) - start) // 2 + 1):
            count, first = _copies(parts, start, period), start
            if count > 1 and states[first] != states[first + period]:
                count, first = count - 1, start + period
            steady = states[first] == states[first + period]
            alone = first == start and count == 1
            if steady and not alone and (count * period, -period) > (best[0], -best[1]):
                best = count * period, period, first, count
    return best


def _begins(item: Node) -> bool:
    """Whether a block may begin with it: otherwise a run would begin in the middle of one."""
    return isinstance(item, Branch) or (isinstance(item, Leaf) and type(item.layer) in WIDTHS)


def _copies(parts: list[Any], start: int, period: int) -> int:
    count, block = 1, parts[start : start + period]
    while parts[start + count * period : start + (count + 1) * period] == block:
        count += 1
    return count
