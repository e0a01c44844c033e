"""Reading a torch module as layers: its calls are traced, chains and sums are recognised, each call is read."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any

from nasturtium.errors import Mismatch, SpaceError
from nasturtium.space.infer import Signals, infer
from nasturtium.space.part import Layer
from nasturtium.spaces.outline import Branch, Chain, Leaf, Node, closed
from nasturtium.spaces.reading_modules import MODULES, Unreadable
from nasturtium.spaces.reading_operations import read_operation

Readers = Mapping[type, Callable[[Any], Layer]]
SUMS = ("add", "iadd", "add_")


def read_module(module: Any, inputs: Signals, readers: Readers) -> Chain:
    """The outline of a module.

    Args:
        module: A ``torch.nn.Module`` of modules in :data:`MODULES`, operations on tensors, and sums of two.
        inputs: The one signal it receives.
        readers: What gives the layer for a module of another class.

    Raises:
        SpaceError: If a child cannot be read; the text says which.
    """
    if len(inputs) != 1:
        raise SpaceError(f"a module is read with one input, not {len(inputs)}; write the network as layers")
    reading = _Reading(_traced(module, readers), readers)
    chain, _ = reading.chain(reading.start, reading.end, inputs)
    if not chain.items:
        raise SpaceError(f"{type(module).__name__} does nothing with its input; there is nothing to search around")
    _same_size(module, chain, inputs)
    return chain


def _traced(module: Any, readers: Readers) -> Any:
    from torch import fx

    class Tracer(fx.Tracer):
        def is_leaf_module(self, m: Any, module_qualified_name: str) -> bool:
            return type(m) in readers or super().is_leaf_module(m, module_qualified_name)

    root = module
    if Tracer().is_leaf_module(module, ""):
        from torch import nn

        root = nn.Sequential(module)
    try:
        return fx.GraphModule(root, Tracer().trace(root))
    except Exception as error:  # whatever a forward that depends on values raises
        said = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise SpaceError(
            f"cannot follow the forward of {type(module).__name__} ({said}); write the network as layers, "
            "or wrap what depends on values by nt.layers.wrap and give a reader for it"
        ) from error


def _same_size(module: Any, chain: Chain, inputs: Signals) -> None:
    """Shared weights, or weights outside of layers, would be lost without a word."""
    from nasturtium.space.infer import cost_of

    ours, theirs = cost_of(closed(chain), inputs).params, sum(each.numel() for each in module.parameters())
    if ours != theirs:
        raise SpaceError(
            f"{type(module).__name__} has {theirs} parameters, but as layers {ours}: weights that are shared, unused "
            "or used outside of known modules cannot be read; write the network as layers"
        )


class _Reading:
    """Reads a traced graph backwards from its output, so that side branches show as what a sum brings together."""

    def __init__(self, traced: Any, readers: Readers) -> None:
        self.traced, self.readers = traced, readers
        self.known: dict[Any, Any] = {}
        nodes = list(traced.graph.nodes)
        used = [node for node in nodes if node.op == "placeholder" and node.users]
        if len(used) != 1:
            raise SpaceError(f"the forward takes {len(used)} inputs that it uses; only one can be read")
        self.start, last = used[0], nodes[-1].args[0]
        if not hasattr(last, "op"):
            raise SpaceError("the forward gives several outputs; give a module with one (without auxiliary heads)")
        self.end = last
        for node in nodes:  # in their order, so that no sum has to look for where the sums before it part
            if self.is_sum(node):
                with suppress(SpaceError):  # of what the output does not need; else it is told when it is read
                    self.before(node)

    def chain(self, start: Any, end: Any, inputs: Signals) -> tuple[Chain, Signals]:
        """The calls from one node to a later one, and the signals that leave."""
        path = []
        node = end
        while node is not start:
            path.append(node)
            node = self.before(node)
        items: list[Node] = []
        signals = inputs
        for node in reversed(path):
            found, signals = self.read(node, signals)
            items += found
        return Chain(items), signals

    def before(self, node: Any) -> Any:
        """The node that everything at this one comes from: what it reads, or where the two sides of a sum part."""
        if self.is_sum(node):
            if node not in self.known:
                first, second = node.args[:2]
                passed = set(self.line(first))
                self.known[node] = next(each for each in self.line(second) if each in passed)
            return self.known[node]
        if node.op not in ("call_module", "call_function", "call_method") or not node.args:
            raise SpaceError(f"cannot read {self.place(node)}: it does not follow from the input")
        if not hasattr(node.args[0], "op"):
            raise SpaceError(f"cannot read {self.place(node)}; write the network as layers")
        return node.args[0]

    def line(self, node: Any) -> list[Any]:
        """A node and those before it, back to the input."""
        line = [node]
        while line[-1] is not self.start:
            line.append(self.before(line[-1]))
        return line

    def is_sum(self, node: Any) -> bool:
        """Whether a node adds two tensors."""
        name = node.target if isinstance(node.target, str) else getattr(node.target, "__name__", "")
        sides = [each for each in node.args[:2] if hasattr(each, "op")]
        return node.op in ("call_function", "call_method") and name in SUMS and len(sides) == 2 and not node.kwargs

    def read(self, node: Any, signals: Signals) -> tuple[list[Node], Signals]:
        """What one call, or a sum with all that it brings together, is as layers."""
        if self.is_sum(node):
            return self.sum(node, signals)
        layers = self.layers(node, signals)
        for layer in layers:
            try:
                found = infer(layer, *signals)
            except Mismatch as mismatch:
                raise SpaceError(f"cannot read {self.place(node)}: {mismatch}") from None
            signals = found if type(found) is tuple else (found,)
        return [Leaf(layer) for layer in layers], signals

    def sum(self, node: Any, signals: Signals) -> tuple[list[Node], Signals]:
        """A residual block: the longer side is its body."""
        start = self.before(node)
        sides = [self.chain(start, side, signals) for side in node.args[:2]]
        (body, left), (skip, other) = sorted(sides, key=lambda side: -_length(side[0]))
        if left[0].shape != other[0].shape:
            raise SpaceError(f"cannot read {self.place(node)}: it adds {other[0]} to {left[0]}")
        if not body.items:
            raise SpaceError(f"cannot read {self.place(node)}: it adds its input to itself")
        return [Branch(body, skip if skip.items else None)], left

    def layers(self, node: Any, signals: Signals) -> list[Layer]:
        """The layers of one call; none where it changes nothing."""
        try:
            if node.op == "call_module":
                return self.of_module(self.traced.get_submodule(node.target), signals)
            return read_operation(node, signals[0], self.of_module)
        except (Unreadable, Mismatch) as unreadable:
            raise SpaceError(f"cannot read {self.place(node)}: {unreadable}") from None

    def of_module(self, module: Any, signals: Signals) -> list[Layer]:
        """The layers of a module."""
        if type(module) in self.readers:
            made = self.readers[type(module)](module)
            if not isinstance(made, Layer):
                raise Unreadable(f"its reader gave {made!r:.60}, which is no layer")
            return [made]
        reader = MODULES.get(type(module).__name__)
        if reader is None or not type(module).__module__.startswith("torch.nn"):
            kind = type(module).__name__
            raise Unreadable(
                "a module of this class is not known; write the network as layers, or wrap the class, "
                f"Mine = nt.layers.wrap({kind}, name='Mine'), and give readers={{{kind}: lambda module: Mine(...)}}"
            )
        return reader(module, signals[0])

    def place(self, node: Any) -> str:
        """What a node is called in messages."""
        if node.op == "call_module":
            return f"the child {node.target!r} ({type(self.traced.get_submodule(node.target)).__name__})"
        if node.op == "get_attr":
            return f"the parameter {node.target!r}"
        name = node.target if isinstance(node.target, str) else getattr(node.target, "__name__", str(node.target))
        return f"the operation {name!r} in forward"


def _length(chain: Chain) -> int:
    return sum(1 + (_length(item.body) if isinstance(item, Branch) else 0) for item in chain.items)
