"""The forward of a graph as lines of Python: names for children and values, and joins written as plain expressions."""

from __future__ import annotations

import keyword
import re
from dataclasses import dataclass
from typing import Any

from nasturtium.export.structure import Graph, Leaf, Node, Step, children_of, does_nothing

LETTERS = ("x", "y", "z")
SPREAD = {"": "", "C11": "[:, :, None, None]", "1C": "[:, None]"}
"""How a vector a channel scales an image or a sequence."""
RESERVED = {"self", "torch", "nn", "F", "math", "training"}


@dataclass(frozen=True)
class Program:
    """A graph's forward.

    Attributes:
        attributes: What each child that is called is named in the source.
        inputs: Names of the arguments.
        lines: The body.
        outputs: How many tensors it returns.
    """

    attributes: dict[str, str]
    inputs: tuple[str, ...]
    lines: tuple[str, ...]
    outputs: int


def programs(root: Node, inputs: tuple[str, ...]) -> dict[int, Program]:
    """The programs of all graphs of a tree, by the ``id`` of the node; ``inputs``: what the root's are called."""
    found: dict[int, Program] = {}

    def go(node: Node, names: tuple[str, ...] | None) -> None:
        if not isinstance(node, Graph):
            for child in children_of(node):
                go(child, None)
            return
        writer = _Writer(node, names or _names([False] * len(node.inputs)))
        found[id(node)] = writer.program()
        for name, masks in writer.called.items():
            go(node.children[name], _names(masks))

    go(root, inputs)
    return found


def unique(hint: str, taken: set[str]) -> str:
    """A name that is not taken yet, and now is."""
    name, number = hint, 2
    while name in taken or keyword.iskeyword(name) or name in RESERVED:
        name, number = f"{hint}_{number}", number + 1
    taken.add(name)
    return name


def snake(name: str) -> str:
    """``ConvUnit`` as ``conv_unit``."""
    name = name.replace("LU", "lu")  # ReLU, SiLU and their kin
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", name).lower()


def _names(masks: list[bool]) -> tuple[str, ...]:
    """Names of the arguments of a graph inside another."""
    taken: set[str] = set()
    letters = iter((*LETTERS, *[f"x{number}" for number in range(4, 4 + len(masks))]))
    return tuple([unique("mask", taken) if mask else next(letters) for mask in masks])


class _Writer:
    """Writes the program of one graph."""

    def __init__(self, graph: Graph, inputs: tuple[str, ...]) -> None:
        from torch import nn

        self.graph, self.inputs = graph, inputs
        self.reserved = set(dir(nn.Module))
        self.taken = set(inputs)
        self.names = dict(zip(graph.inputs, inputs, strict=True))
        self.masks = {value for value, name in self.names.items() if name.startswith("mask")}
        self.same = {value: value for value in graph.inputs}
        self.called: dict[str, list[bool]] = {}
        self.attributes: dict[str, str] = {}

    def program(self) -> Program:
        steps = [step for step in self.graph.steps if not self._is_alias(step)]
        steps = [(name, tuple([self._value(s) for s in sources]), targets) for name, sources, targets in steps]
        results = [self._value(value) for value in self.graph.outputs]
        self.last = {value: index for index, (_, sources, _) in enumerate(steps) for value in sources}
        self.last |= dict.fromkeys(results, len(steps))
        self.order = {value: index for index, value in enumerate(self.graph.inputs)}
        lines = [self._line(index, *step) for index, step in enumerate(steps)]
        left = ", ".join(self.names[value] for value in results)
        if lines and lines[-1].startswith(f"{left} = "):
            lines[-1] = "return " + lines[-1].removeprefix(f"{left} = ")
        else:
            lines.append(f"return {left}")
        return Program(self.attributes, self.inputs, tuple(lines), len(results))

    def _value(self, value: int) -> int:
        return self.same.get(value, value)

    def _is_alias(self, step: Step) -> bool:
        """Whether a step only hands its values on; they then are the same values under other numbers."""
        name, sources, targets = step
        left = handed_on(self.graph.children[name], sources, len(targets))
        if left is None:
            return False
        self.same |= {target: self._value(source) for target, source in zip(targets, left, strict=True)}
        return True

    def _line(self, index: int, name: str, sources: tuple[int, ...], targets: tuple[int, ...]) -> str:
        child = self.graph.children[name]
        given = [self.names[source] for source in sources]
        text = join = joined(child, given)
        hint = self._attribute(name, child) if text is None else self._plain(name, child)
        if text is None:
            self.called[name] = [source in self.masks for source in sources]
            text = f"self.{hint}({', '.join(given)})"
        masked = len(targets) == 2 and any(source in self.masks for source in sources)
        free = [] if re.match(r"node\d", hint) else self._free(index, sources[:1] if join is None else sources)
        for place, target in enumerate(targets):
            self.order[target] = len(self.order)
            is_mask = masked and place == 1
            if is_mask:
                self.masks.add(target)
                free = self._free(index, sources)
            again = next((source for source in free if (source in self.masks) == is_mask), None)
            self.names[target] = unique("mask" if is_mask else hint, self.taken) if again is None else self.names[again]
            free = []
        return f"{', '.join(self.names[target] for target in targets)} = {text}"

    def _free(self, index: int, sources: tuple[int, ...]) -> list[int]:
        """The values that nothing reads after this step, the oldest first: their names can be used again."""
        dying = [source for source in dict.fromkeys(sources) if self.last[source] == index]
        return sorted(dying, key=lambda source: self.order[source])

    def _attribute(self, name: str, child: Node) -> str:
        hint = self._plain(name, child)
        self.attributes[name] = unique(hint, self.reserved)
        return self.attributes[name]

    def _plain(self, name: str, child: Node) -> str:
        """A name for a child as Python wants it, from the name it has in the network."""
        kind = type(child.layer if child.layer is not None else child.module).__name__
        if edge := re.fullmatch(r"nodes_(\d+)_edges_(\d+)_operation", name):
            return f"node{edge[1]}_edge{edge[2]}"
        if node := re.fullmatch(r"nodes_(\d+)_(join|operation)", name):
            return f"node{node[1]}" if node[2] == "join" else f"node{node[1]}_operation"
        if not name[0].isalpha() or re.sub(r"_\d+$", "", name) == kind.lower():
            return snake(kind)
        return re.sub(r"\W", "_", name)


def handed_on(child: Node, sources: tuple[int, ...], targets: int) -> tuple[int, ...] | None:
    """The values that leave a child if it only hands values on, else None."""
    from nasturtium.modules import Clone
    from nasturtium.modules.events import FirstInput, Members

    module: Any = child.module
    kind = type(module)
    if len(sources) == targets == 1 and does_nothing(child):
        return sources
    if not isinstance(child, Leaf):
        return None
    if kind is Clone and len(sources) * module.count == targets:
        return sources * int(module.count)
    if kind is Members and len(sources) == targets:
        return sources
    return sources[:1] if kind is FirstInput and targets == 1 else None


def joined(child: Node, given: list[str]) -> str | None:
    """The join of several values as an expression, if the child is a plain one."""
    from nasturtium.modules import Add, Concat, Mean, Multiply

    module: Any = child.module
    kind = type(module)
    if kind is Add:
        return " + ".join(given)
    if kind is Mean:
        return f"({' + '.join(given)}) / {len(given)}"
    if kind is Concat:
        return f"torch.cat(({', '.join(given)}), {module.axis})"
    if kind is Multiply:
        factors = [name + SPREAD.get(_spread(shape), "?") for name, shape in zip(given, module.shapes, strict=True)]
        return None if any("?" in factor for factor in factors) else " * ".join(factors)
    return None


def _spread(shape: tuple[int, ...] | None) -> str:
    """Where the channels are in the shape that a vector takes before it is multiplied."""
    return "" if shape is None else "".join("C" if size != 1 else "1" for size in shape)
