"""Lowering to a graph of leaves, and a canonical form that is equal for graphs that are the same."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from functools import lru_cache, partial
from typing import TYPE_CHECKING, Any, NamedTuple

from nasturtium.space.infer import Namer, Signals, infer, joined
from nasturtium.space.part import Layer, Slot, is_container
from nasturtium.space.signal import Signal
from nasturtium.space.wiring import run_wiring

if TYPE_CHECKING:
    import networkx

SEARCHED = 64
"""How many ways of breaking ties between alike nodes are compared; beyond it the first is taken."""


class Tap(NamedTuple):
    """A wire while a graph is drawn: its signal, and the node and output it comes from."""

    signal: Signal
    node: int
    output: int


class Node:
    """One leaf of a network: what it is, and the (node, output) pairs it reads, in the order of its operands."""

    __slots__ = ("commutative", "inputs", "label", "layer", "name", "signals")

    def __init__(
        self, label: str, name: str, layer: Layer | None, inputs: list[tuple[int, int]], signals: Signals
    ) -> None:
        self.label = label
        self.name = name
        self.layer = layer
        self.inputs = inputs
        self.signals = signals
        self.commutative = layer is not None and layer.commutative


Simplification = Callable[[list[Node]], list[Node]]


def nodes_of(part: Layer, inputs: Signals) -> list[Node]:
    """The leaves of a closed part in the order signals reach them, between input nodes and one output node."""
    nodes = [Node(f"input {i}: {signal}", f"input_{i}", None, [], (signal,)) for i, signal in enumerate(inputs)]

    def descend(inner: Layer, wires: tuple[Tap, ...], name: str) -> Any:
        names = Namer(inner)

        def visit(child: Any, *reaching: Tap) -> Any:
            key = names(child)
            layer = child.part if type(child) is Slot else child
            if is_container(layer):
                return descend(layer, reaching, joined(name, key))
            return leaf(layer, reaching, joined(name, key))

        return run_wiring(inner, wires, visit)

    def leaf(layer: Layer, wires: tuple[Tap, ...], name: str) -> Any:
        out = infer(layer, *[wire.signal for wire in wires])
        signals = (out,) if isinstance(out, Signal) else out
        nodes.append(Node(str(layer), name, layer, [(w.node, w.output) for w in wires], signals))
        taps = tuple([Tap(signal, len(nodes) - 1, index) for index, signal in enumerate(signals)])
        return taps[0] if isinstance(out, Signal) else taps

    taps = tuple([Tap(signal, index, 0) for index, signal in enumerate(inputs)])
    found = descend(part, taps, "") if is_container(part) else leaf(part, taps, "")
    outs = (found,) if isinstance(found, Tap) else found
    nodes.append(Node("output", "output", None, [(t.node, t.output) for t in outs], tuple([t.signal for t in outs])))
    return nodes


def lower(part: Layer, inputs: Signals) -> networkx.MultiDiGraph:
    """The leaves as a graph.

    Nodes carry ``name`` (the address), ``layer`` (None for inputs and the output), ``label`` and ``signals``; edges
    carry ``port`` (which operand they are) and ``output`` (which output of a split they come from).
    """
    import networkx

    graph = networkx.MultiDiGraph()
    nodes = nodes_of(part, inputs)
    for number, node in enumerate(nodes):
        graph.add_node(number, name=node.name, layer=node.layer, label=node.label, signals=node.signals)
    for number, node in enumerate(nodes):
        for port, (source, output) in enumerate(node.inputs):
            graph.add_edge(source, number, port=port, output=output)
    return graph


def without(*tags: str) -> Simplification:
    """A simplification that takes layers with these tags out where they have one input (identities, clones)."""
    return partial(_without, tags)


def _without(tags: tuple[str, ...], nodes: list[Node]) -> list[Node]:
    through: dict[tuple[int, int], tuple[int, int]] = {}
    for number, node in enumerate(nodes):
        node.inputs = [through.get(source, source) for source in node.inputs]
        if type(node.layer).__name__ in tags and len(node.inputs) == 1:
            through |= {(number, output): node.inputs[0] for output in range(len(node.signals))}
    return nodes


def canonical(part: Layer, inputs: Signals, simplify: Sequence[Simplification] = ()) -> str:
    """A digest of the graph, equal for graphs that are isomorphic after the simplifications.

    Nodes keep their layer (and thus its sizes), edges their operand; the operands of commutative layers are in no
    order; what does not lead to the output does not count. Colour refinement along the wires in both directions,
    then individualisation where alike nodes remain (McKay & Piperno 2014, arXiv:1301.1493), of which at most
    ``SEARCHED`` branches are compared: enough unless a network holds many alike sub-graphs that are not symmetric.
    Fields of the part that are no layers of the graph and yet matter (``beside``: a training recipe) count as text.
    """
    nodes = nodes_of(part, inputs)
    for rewrite in simplify:
        nodes = rewrite(nodes)
    certificate = _Certificate(_reachable(nodes)).smallest()
    certificate += "".join(f"\n{name}={getattr(part, name)}" for name in part.beside)
    return hashlib.sha256(certificate.encode()).hexdigest()[:16]


def _reachable(nodes: list[Node]) -> list[Node]:
    """Only what leads to the output, renumbered, in the same order; inputs stay."""
    wanted = {len(nodes) - 1}
    for number in range(len(nodes) - 1, -1, -1):
        if number in wanted:
            wanted.update(source for source, _ in nodes[number].inputs)
    kept = [number for number, node in enumerate(nodes) if number in wanted or node.layer is None]
    place = {number: index for index, number in enumerate(kept)}
    result = []
    for number in kept:
        node = nodes[number]
        sources = [(place[source], output) for source, output in node.inputs]
        result.append(Node(node.label, node.name, node.layer, sources, node.signals))
    return result


class _Certificate:
    """Writes a graph down in an order that does not depend on how it was given."""

    def __init__(self, nodes: list[Node]) -> None:
        self.nodes = nodes
        self.readers: list[list[tuple[int, int, int]]] = [[] for _ in nodes]
        for number, node in enumerate(nodes):
            for port, (source, output) in enumerate(node.inputs):
                self.readers[source].append((number, -1 if node.commutative else port, output))
        self.order = range(len(nodes))  # nodes come in the order signals reach them
        self.searched = 0

    def smallest(self) -> str:
        return self._search(self._refined([hash_of(node.label) for node in self.nodes]))

    def _refined(self, colours: list[int]) -> list[int]:
        classes = len(set(colours))
        while True:
            for number in self.order:
                node = self.nodes[number]
                read = [mixed(colours[source], output) for source, output in node.inputs]
                if node.commutative:
                    read.sort()
                colours[number] = mixed(colours[number], *read)
            for number in reversed(self.order):
                readers = [mixed(colours[reader], port, output) for reader, port, output in self.readers[number]]
                readers.sort()
                colours[number] = mixed(colours[number], *readers)
            found = len(set(colours))
            if found in (classes, len(colours)):
                return colours
            classes = found

    def _search(self, colours: list[int]) -> str:
        alike: dict[int, list[int]] = {}
        for number, colour in enumerate(colours):
            alike.setdefault(colour, []).append(number)
        ties = {colour: numbers for colour, numbers in alike.items() if len(numbers) > 1}
        if not ties:
            self.searched += 1
            return self._written(colours)
        candidates = ties[min(ties, key=lambda colour: (len(ties[colour]), colour))]
        best = ""
        for number in candidates:
            if best and self.searched >= SEARCHED:
                break
            marked = list(colours)
            marked[number] = mixed(colours[number], 1)
            written = self._search(self._refined(marked))
            best = min(best, written) if best else written
        return best

    def _written(self, colours: list[int]) -> str:
        place = {number: index for index, number in enumerate(sorted(range(len(colours)), key=colours.__getitem__))}
        lines = []
        for number in sorted(place, key=place.__getitem__):
            node = self.nodes[number]
            read = [(place[source], output) for source, output in node.inputs]
            lines.append(f"{node.label}<-{sorted(read) if node.commutative else read}")
        return "\n".join(lines)


def mixed(colour: int, *others: int) -> int:
    """A colour that depends on all given ones in order; the same in every process and version."""
    for other in others:
        colour = ((colour ^ (other + 1)) * 0x9E3779B97F4A7C15) & 0xFFFFFFFFFFFFFFFF
        colour ^= colour >> 29
    return (colour * 0xBF58476D1CE4E5B9 + 1) & 0xFFFFFFFFFFFFFFFF


@lru_cache(maxsize=1 << 14)
def hash_of(value: object) -> int:
    """A number from a value, the same in every process."""
    return int.from_bytes(hashlib.blake2b(repr(value).encode(), digest_size=8).digest())
