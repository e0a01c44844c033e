"""An architecture as a tree of text: containers with what is in them, repeats and what occurs again folded."""

from __future__ import annotations

from collections import Counter
from typing import NamedTuple

from nasturtium.report.folding import Graph, Item, graph_of
from nasturtium.report.outline import Block, Source, outline
from nasturtium.report.wording import layer_text, share_text
from nasturtium.space.architecture import Architecture

WIDEST = 72
"""The columns of numbers begin at most so far to the right (longer lines push them)."""


class Line(NamedTuple):
    """One line of a tree: what stands left, the signal that leaves, parameters and their share."""

    text: str
    signal: str = ""
    params: str = ""
    share: str = ""


def tree(architecture: Architecture) -> str:
    """An architecture as a tree of text.

    A line shows a layer, the signal that leaves it, its parameters and their share of the whole. Children stand in
    the order signals reach them; if they are no chain, each has a number and shows what it reads (``<- 0, 2``, where
    ``in`` is the container's input). Equal children in a row are written once, with the parameters of all of them
    and below what is in one (``x5``). A container that has been shown (``#1``) is not shown again (``as #1``).

    Raises:
        SpaceError: If the architecture is no network, or its input is not known.

    >>> from nasturtium.layers import Linear, ReLU, Sequential
    >>> print(tree(Architecture(Sequential(Linear(8), ReLU(), Linear(2)), input=(4,))))
    Sequential    vector 2  58  100%
    ├─ Linear(8)  vector 8  40   69%
    ├─ ReLU       vector 8
    └─ Linear(2)  vector 2  18   31%
    58 parameters, 96 FLOPs, input vector 4, output vector 2
    """
    root = outline(architecture)
    writer = _Writer(root)
    writer.block("", "", root, Item(root, (), root.outputs, root.cost, 0, 0), note="")
    return "\n".join([*_columns(writer.lines), root.total])


def _columns(lines: list[Line]) -> list[str]:
    left = min(WIDEST, max(len(line.text) for line in lines))
    signal, params = (max(len(line[column]) for line in lines) for column in (1, 2))
    return [
        f"{text:<{left}}  {out:<{signal}}  {count:>{params}}  {share:>4}".rstrip() for text, out, count, share in lines
    ]


class _Writer:
    def __init__(self, root: Block) -> None:
        self.whole = root.cost.params
        self.graphs: dict[int, Graph] = {}
        self.lines: list[Line] = []
        self.shown: dict[int, int] = {}
        self.again = _occur_again(root)
        self.numbers: dict[int, int] = {}

    def graph(self, block: Block) -> Graph:
        """The children of a container with repeats folded."""
        return self.graphs.setdefault(id(block), graph_of(block))

    def block(self, before: str, branch: str, block: Block, item: Item, note: str) -> None:
        """Write a layer, and what is in it unless that was written before."""
        known = block.key in self.numbers
        mark = ""
        if block.steps and block.key in self.again:
            number = self.numbers.setdefault(block.key, len(self.numbers) + 1)
            mark = f"  (as #{number})" if known else f"  #{number}"
        self.line(f"{before}{branch}{layer_text(block.part)}{_times(item)}{mark}{note}", item)
        if block.steps and not known:
            self.children(before + _under(branch), self.graph(block), chain=block.is_chain)

    def children(self, before: str, graph: Graph, chain: bool) -> None:
        """Write the items of a container or of a row that repeats."""
        last = len(graph.items) - 1
        plain = chain or _is_chain(graph)
        for number, item in enumerate(graph.items):
            branch = "└─ " if number == last else "├─ "
            label, note = ("", "") if plain else (f"{_span(item)} ", _reads(graph, item))
            if item.row is None and item.block is not None:
                self.block(before, branch + label, item.block, item, note)
            elif item.row is not None:
                self.line(f"{before}{branch}{label}{item.times} times in turn{note}", item)
                self.children(before + _under(branch + label), item.row, chain=False)
        if graph.items and not plain and [source.step for source in graph.returns] != [last]:
            self.lines.append(Line(f"{before}   out <- {_names(graph, graph.returns)}"))

    def line(self, text: str, item: Item) -> None:
        """Write a line with its numbers."""
        params = item.cost.params
        numbers = (f"{params:,}", share_text(params, self.whole)) if params else ("", "")
        self.lines.append(Line(text, _signals(item), *numbers))


def _signals(item: Item) -> str:
    texts = [str(signal) for signal in item.outputs]
    return f"{len(texts)} of {texts[0]}" if len(texts) > 1 and len(set(texts)) == 1 else " and ".join(texts)


def _occur_again(root: Block) -> set[int]:
    """The keys of containers that are met more than once where each distinct one is gone through once."""
    met: Counter[int] = Counter()

    def descend(block: Block) -> None:
        met[block.key] += 1
        if met[block.key] == 1 and block.steps:
            rows(graph_of(block))

    def rows(found: Graph) -> None:
        for item in found.items:
            if item.row is not None:
                rows(item.row)
            elif item.block is not None:
                descend(item.block)

    descend(root)
    return {key for key, times in met.items() if times > 1}


def _is_chain(graph: Graph) -> bool:
    """Whether each item reads the one before alone."""
    return all(
        {source.step for source in item.reads} == {number - 1} and item.row is None
        for number, item in enumerate(graph.items)
    ) and {source.step for source in graph.returns} == {len(graph.items) - 1}


def _times(item: Item) -> str:
    if item.times == 1:
        return ""
    return f" x{item.times} side by side" if item.beside else f" x{item.times}"


def _under(branch: str) -> str:
    """What stands below a branch, for the lines of its children."""
    return "".join("│" if character == "├" else " " for character in branch[:3])


def _span(item: Item) -> str:
    return str(item.first) if item.first == item.last else f"{item.first}-{item.last}"


def _reads(graph: Graph, item: Item) -> str:
    return f"  <- {_names(graph, item.reads)}" if item.reads else ""


def _names(graph: Graph, sources: tuple[Source, ...]) -> str:
    names = []
    for source in dict.fromkeys(sources):
        if source.step < 0:
            names.append("in" if len(graph.inputs) == 1 else f"in {-1 - source.step}")
            continue
        item = graph.items[source.step]
        if item.lags:
            names.append(f"{_span(item)}" + (" (last but one)" if item.lags[source.output] else ""))
        else:
            names.append(str(item.last) if len(item.outputs) == 1 else f"{item.last}.{source.output}")
    return ", ".join(dict.fromkeys(names))
