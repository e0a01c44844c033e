"""What a drawing shows where: which containers are boxes, frames, or panels of their own with a letter."""

from __future__ import annotations

from collections import Counter
from typing import NamedTuple

from nasturtium.report.folding import Graph, Item, graph_of
from nasturtium.report.outline import Block, distinct
from nasturtium.report.wording import layer_text, letter
from nasturtium.space.signal import Signal

STACK = 8
"""A chain of at most so many simple layers is one box with a line for each."""

FRAME = 16
"""A container of at most so many boxes is drawn inside the one around it, where it stands there alone."""

TIGHT = 4
"""The same in a network of more than ``CROWDED`` boxes, whose cells become panels."""

CROWDED = 90
"""So many boxes in one panel are too many to be read."""

WHOLE = 60
"""The same for what stands directly in the network."""

SMALL = 3
"""A chain of at most so many boxes is laid open however often it occurs."""


class Panel(NamedTuple):
    """A container that is drawn once.

    Attributes:
        letter: What boxes elsewhere call it.
        block: Its first occurrence.
        times: How often it stands in the network.
        params: Parameters of all its occurrences.
        signals: What leaves it, over all occurrences.
        variants: How many different ones share its drawing, which then has the values of the first.
    """

    letter: str
    block: Block
    times: int
    params: int
    signals: tuple[Signal, ...]
    variants: int


class Scene:
    """Decides how each block of an outline is shown, and gives letters to those that become panels."""

    def __init__(self, root: Block) -> None:
        self.root = root
        self.every = list(distinct(root))
        self.uses, self.beside = _uses(root)
        self.graphs: dict[int, Graph] = {}
        self.weights: dict[int, int] = {}
        self.letters: dict[tuple[str, int], Panel] = {}
        self.waiting: list[Panel] = []
        self.frame = FRAME
        if root.steps and self.weight(root) > CROWDED:
            self.frame = TIGHT
            self.graphs.clear()
            self.weights.clear()

    def graph(self, block: Block) -> Graph:
        """The items of a container as they are drawn."""
        if id(block) not in self.graphs:
            self.graphs[id(block)] = graph_of(block, self.opens)
        return self.graphs[id(block)]

    def look(self, block: Block) -> str:
        """How a block is shown inside another: ``box``, ``stack``, ``open``, ``frame`` or ``panel``."""
        if not block.steps:
            return "box"
        uses = self.uses[identity(block)]
        if block.is_named and uses > 1:
            return "panel"
        if block.is_chain and self.lines(block):
            return "stack"
        if block.is_chain and not block.is_named and block.key not in self.beside:
            return "open" if uses == 1 or self.weight(block) <= SMALL else "panel"
        return "frame" if uses == 1 and self.weight(block) <= self._room(block) else "panel"

    def opens(self, block: Block) -> bool:
        """Whether the children of a block are shown in its place."""
        return self.look(block) == "open"

    def _room(self, block: Block) -> int:
        return WHOLE if any(step.block is block for step in self.root.steps) else self.frame

    def weight(self, block: Block) -> int:
        """How many boxes a container takes where it is drawn."""
        if id(block) not in self.weights:
            self.weights[id(block)] = self._weight(self.graph(block))
        return self.weights[id(block)]

    def _weight(self, graph: Graph) -> int:
        total = 0
        for item in graph.items:
            if item.row is not None:
                total += self._weight(item.row)
            elif item.block is not None:
                total += self.weight(item.block) if self.look(item.block) == "frame" else 1
        return total

    def lines(self, block: Block) -> list[str]:
        """The lines of a chain of simple layers; none where it is no such chain or too long."""
        if not block.is_chain:
            return []
        found: list[str] = []
        for item in graph_of(block).items:
            inner = [layer_text(item.block.part)] if item.block and not item.block.steps else []
            if item.block and item.block.steps and not (item.block.is_named and self.uses[identity(item.block)] > 1):
                inner = self.lines(item.block)
            if not inner or (item.times > 1 and len(inner) > 1):
                return []
            found += [f"{inner[0]} ×{item.times}"] if item.times > 1 else inner
        return found if len(found) <= STACK else []

    def panel(self, block: Block) -> Panel:
        """The panel that a block refers to; a new one waits to be drawn."""
        key = identity(block)
        if key not in self.letters:
            alike = [(other, times) for other, times in self.every if identity(other) == key]
            signals = dict.fromkeys(signal for other, _ in alike for signal in other.outputs)
            panel = Panel(
                letter(len(self.letters)),
                block,
                sum(times for _, times in alike),
                sum(other.cost.params * times for other, times in alike),
                tuple(signals),
                len({(other.key, layer_text(other.part)) for other, _ in alike}),
            )
            self.letters[key] = panel
            self.waiting.append(panel)
        return self.letters[key]


def identity(block: Block) -> tuple[str, int]:
    """What blocks that are drawn once share: their pattern if their fields say all of them, else their layers."""
    return ("pattern", block.pattern) if block.is_named else ("key", block.key)


def _uses(root: Block) -> tuple[Counter[tuple[str, int]], set[int]]:
    """How often blocks occur where each container that is drawn once is gone through once, repeats folded.

    Also the keys of those of which several stand side by side.
    """
    met: Counter[tuple[str, int]] = Counter()
    beside: set[int] = set()

    def descend(block: Block) -> None:
        met[identity(block)] += 1
        if block.steps and met[identity(block)] == 1:
            rows(graph_of(block).items)

    def rows(items: list[Item]) -> None:
        for item in items:
            if item.row is not None:
                rows(item.row.items)
            elif item.block is not None:
                if item.beside:
                    beside.add(item.block.key)
                descend(item.block)

    descend(root)
    return met, beside
