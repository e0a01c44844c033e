"""Architectures as small graphs of what was decided: repeated cells once, fixed layers with one input left out."""

from __future__ import annotations

import re
import sys
from collections.abc import Sequence
from functools import lru_cache
from typing import Any, NamedTuple
from weakref import WeakKeyDictionary

from nasturtium.errors import SpaceError
from nasturtium.space.architecture import Architecture
from nasturtium.space.infer import Namer, infer, joined
from nasturtium.space.part import Layer, Slot, is_container
from nasturtium.space.signal import Signal
from nasturtium.space.space import Space
from nasturtium.space.wiring import run_wiring

PATHS = 100_000
"""How many paths through an architecture are followed."""

LABELS = 16
"""A container with decided values is one node where these have at most so many combinations, and so many labels."""

PROBES = 8
"""How many random architectures a template is checked on before it is trusted."""


class Graph(NamedTuple):
    """A small directed acyclic graph.

    Attributes:
        labels: Of each node, in an order that follows the edges.
        edges: (source, target), sorted.
        fixed: Nodes at which nothing was decided: inputs, the output, joins.
    """

    labels: tuple[str, ...]
    edges: tuple[tuple[int, int], ...]
    fixed: frozenset[int]


class Tap(NamedTuple):
    """A wire while a graph is drawn: its signal, and the node it comes from."""

    signal: Signal
    node: int


def graph_of(architecture: Architecture) -> Graph:
    """What was decided as a graph.

    Nodes are layers that stand at a decision, inside a decided option, or in a container with a decided value; a
    container in which nothing was decided, or only one of a few combinations of its own values, is one node, labelled
    by its text. Fixed layers with one input are left out, and so is every further visit of a child that was visited
    before (the copies of a cell). Where all that was decided are values of the whole network, each decision is a node
    that the input feeds and that feeds the output: such a network's layers say little of what was decided.

    Raises:
        SpaceError: If the architecture is no layer.
    """
    steps = architecture.steps
    own = steps and all(step.point.part is not None and not step.point.here.address for step in steps)
    if own and architecture.space is not None and isinstance(architecture.space.root, Layer):
        return _starred(architecture)
    if not isinstance(architecture.value, Layer):
        raise SpaceError(f"{architecture} is no network, so it has no graph; use the encoding 'one_hot' or 'counts'")
    drawing = _Drawing(architecture)
    inputs = tuple(Tap(signal, drawing.add(f"input {i}", ())) for i, signal in enumerate(architecture.input))
    found = drawing.visit(architecture.value, inputs, "")
    drawing.add("output", (found,) if isinstance(found, Tap) else found)
    return drawing.pruned()


def _starred(architecture: Architecture) -> Graph:
    """Every decision between the input and the output."""
    labels = [f"{step.point.place}({step.taken})" for step in architecture.steps]
    last = len(labels) + 1
    edges = [*((0, node) for node in range(1, last)), *((node, last) for node in range(1, last))]
    every = tuple([sys.intern(label) for label in ("input 0", *labels, "output")])
    return Graph(every, tuple(sorted(edges)), frozenset((0, last)))


class _Drawing:
    """Collects nodes while the wiring runs."""

    def __init__(self, architecture: Architecture) -> None:
        layers, owners = set[str](), dict[str, int]()
        for step in architecture.steps:
            if step.point.part is None:
                layers.add(cleaned(step.point.place))
            else:
                owner = cleaned(step.point.here.address)
                owners[owner] = owners.get(owner, 1) * len(step.point.choice.options)
        self.decided = layers | set(owners)
        around = {address[:end] for address in self.decided for end in _ends(address)}
        self.inner = around | {owner for owner, count in owners.items() if count > LABELS}
        self.labels: list[str] = []
        self.edges: list[tuple[int, int]] = []
        self.fixed: set[int] = set()

    def add(self, label: str, wires: Sequence[Tap], fixed: bool = True) -> int:
        number = len(self.labels)
        if fixed:
            self.fixed.add(number)
        self.labels.append(label)
        self.edges.extend((wire.node, number) for wire in wires)
        return number

    def visit(self, layer: Any, wires: tuple[Tap, ...], address: str) -> Any:
        """The wire that leaves a layer, inside which nodes are added where something was decided."""
        if is_container(layer) and (address in self.inner or (not address and self.decided)):
            names = Namer(layer)
            seen: set[str] = set()

            def inside(child: Any, *reaching: Tap) -> Any:
                key = names(child)
                part = child.part if type(child) is Slot else child
                if type(child) is Slot:
                    if child.key in seen:
                        return self.passed(part, reaching, reaching[-1].node)
                    seen.add(child.key)
                return self.visit(part, reaching, joined(address, key))

            return run_wiring(layer, wires, inside)
        fixed = not any(address[:end] in self.decided for end in (*_ends(address), len(address)))
        left_out = fixed and len(wires) == 1
        return self.passed(layer, wires, wires[0].node if left_out else self.add(str(layer), wires, fixed))

    def passed(self, layer: Any, wires: tuple[Tap, ...], node: int) -> Any:
        """The wire that leaves a closed layer, said to come from ``node``."""
        out = infer(layer, *[wire.signal for wire in wires])
        return Tap(out, node) if isinstance(out, Signal) else tuple([Tap(signal, node) for signal in out])

    def pruned(self) -> Graph:
        """Only what leads to the output, and the inputs."""
        wanted = {len(self.labels) - 1}
        for source, target in sorted(self.edges, key=lambda edge: -edge[1]):
            if target in wanted:
                wanted.add(source)
        kept = [n for n, label in enumerate(self.labels) if n in wanted or label.startswith("input ")]
        place = {number: index for index, number in enumerate(kept)}
        edges = sorted((place[a], place[b]) for a, b in self.edges if a in place and b in place)
        fixed = frozenset(place[number] for number in self.fixed if number in place)
        labels = tuple([sys.intern(self.labels[number]) for number in kept])  # many graphs are kept, few labels differ
        return Graph(labels, tuple(sorted(set(edges))), fixed)


def cleaned(address: str) -> str:
    """An address in the space as it reads in the closed network."""
    return re.sub(r"#\d*", "", address)


def _ends(address: str) -> list[int]:
    """Where the addresses of the parts around an address end."""
    return [match.start() for match in re.finditer(r"[.]", address)]


class Template(NamedTuple):
    """A graph that has the same edges for every architecture of a space.

    Attributes:
        base: The graph of the architecture whose decisions are all 0.
        places: For each decision, the nodes whose label it sets and the labels for each of its options.
    """

    base: Graph
    places: tuple[tuple[tuple[int, tuple[str, ...]], ...], ...]

    def graph(self, decisions: Sequence[int]) -> Graph:
        """The graph of an architecture with these decisions."""
        labels = list(self.base.labels)
        for taken, nodes in zip(decisions, self.places, strict=True):
            for node, options in nodes:
                labels[node] = options[taken]
        return self.base._replace(labels=tuple(labels))


_TEMPLATES: WeakKeyDictionary[Space, Template | None] = WeakKeyDictionary()
"""The templates of the spaces there are: a search makes a predictor for every fit."""


def template_of(space: Space) -> Template | None:
    """The template of a space, if it has one; then graphs need no wiring to be run. Found once for each space."""
    if space not in _TEMPLATES:
        _TEMPLATES[space] = _template(space)
    return _TEMPLATES[space]


def _template(space: Space) -> Template | None:
    """Every option of every decision is tried once from the architecture of zeros, then random architectures: a wiring
    whose edges depend on two decisions together, and rarely, would not be noticed.
    """
    radices = space.radices
    if radices is None or sum(radices) > 1000 or not isinstance(space.root, Layer):
        return None
    zeros = (0,) * len(radices)
    base = graph_of(space.architecture(zeros))
    places: list[tuple[tuple[int, tuple[str, ...]], ...]] = []
    for number, options in enumerate(radices):
        graphs = [graph_of(space.architecture((*zeros[:number], o, *zeros[number + 1 :]))) for o in range(options)]
        if any(graph[1:] != base[1:] or len(graph.labels) != len(base.labels) for graph in graphs):
            return None
        columns = enumerate(zip(*[graph.labels for graph in graphs], strict=True))
        places.append(tuple((node, labels) for node, labels in columns if len(set(labels)) > 1))
    import numpy

    found = Template(base, tuple(places))
    rng = numpy.random.default_rng(0)
    for _ in range(PROBES):
        decisions = [int(rng.integers(options)) for options in radices]
        if found.graph(decisions) != graph_of(space.architecture(decisions)):
            return None
    return found


def routes(graph: Graph, longest: int | None) -> Sequence[tuple[int, ...]] | None:
    """The decided nodes of every path from an input to the output that has at most ``longest``; None if too many."""
    inputs = tuple([node for node, label in enumerate(graph.labels) if label.startswith("input ")])
    return _routes_of(len(graph.labels), graph.edges, graph.fixed, inputs, longest)


@lru_cache(maxsize=1 << 12)
def _routes_of(
    size: int, edges: tuple[tuple[int, int], ...], fixed: frozenset[int], inputs: tuple[int, ...], longest: int | None
) -> tuple[tuple[int, ...], ...] | None:
    """The same for a graph without labels, of which a space has few."""
    leading: list[list[tuple[int, ...]]] = [[] for _ in range(size)]
    for node in range(size):
        sources = sorted({source for source, target in edges if target == node})
        before = [()] if node in inputs else [route for source in sources for route in leading[source]]
        routes = before if node in fixed else [(*route, node) for route in before]
        leading[node] = [route for route in routes if longest is None or len(route) <= longest]
        if len(leading[node]) > PATHS:
            return None
    return tuple(leading[-1])
