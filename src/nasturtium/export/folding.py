"""Blocks that are alike become one class: what differs among them becomes its arguments."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable
from dataclasses import dataclass, field
from typing import Any

from nasturtium.export.program import Program, snake, unique
from nasturtium.export.structure import Chain, Graph, Leaf, Node, children_of, is_plain

MOST = 10
"""Arguments that a class of ours may have; blocks that differ in more have classes of their own."""


@dataclass
class Parameter:
    """An argument of a template: its name, its type as text, and the places of the values it stands for."""

    name: str
    kind: str
    places: list[int]


@dataclass(eq=False)
class Template:
    """A class of the source.

    Attributes:
        node: One of the blocks that it stands for.
        name: Of the class.
        parameters: What differs among the blocks.
    """

    node: Chain | Graph
    name: str = ""
    parameters: list[Parameter] = field(default_factory=list)


class Folding:
    """Finds the classes of a tree.

    Attributes:
        templates: In the order in which they are to be defined.
        of: The template of a node, by the ``id`` of the node.
    """

    def __init__(self, root: Node, programs: dict[int, Program]) -> None:
        self.programs = programs
        self.templates: list[Template] = []
        self.of: dict[int, Template] = {}
        self._literals: dict[int, list[tuple[str, Any]]] = {}
        self._skeletons: dict[int, Hashable] = {}
        levels: dict[int, list[Node]] = defaultdict(list)
        _height(root, levels)
        for height in sorted(levels):
            self._fold([node for node in levels[height] if _can_be_class(node) and node is not root])
        if isinstance(root, (Chain, Graph)):
            self._add([root])

    def literals(self, node: Node) -> list[tuple[str, Any]]:
        """The (names of arguments and) plain values in the construction of a node, in order."""
        if id(node) not in self._literals:
            found: list[tuple[str, Any]] = []
            if isinstance(node, Leaf):
                for argument in node.arguments:
                    found += self._within(argument.value, argument.keyword or "value")
            else:
                for child in self.constructed(node):
                    found += self.literals(child)
            self._literals[id(node)] = found
        return self._literals[id(node)]

    def constructed(self, node: Node) -> list[Node]:
        """The children that the source constructs: joins that are written as expressions are none."""
        if isinstance(node, Graph):
            return [node.children[name] for name in self.programs[id(node)].attributes]
        return children_of(node)

    def _within(self, value: Any, name: str) -> list[tuple[str, Any]]:
        if isinstance(value, Node):
            return self.literals(value)
        if holds_nodes(value):
            return [pair for item in value for pair in self._within(item, name)]
        return [(name, value)]

    def skeleton(self, node: Node) -> Hashable:
        """What two blocks must have in common to be of one class: all but the plain values."""
        if id(node) in self.of:
            return id(self.of[id(node)])
        if id(node) not in self._skeletons:
            inside = tuple([self.skeleton(child) for child in self.constructed(node)])
            if isinstance(node, Leaf):
                shape = tuple([(argument.keyword, _shape(argument.value)) for argument in node.arguments])
                self._skeletons[id(node)] = (type(node.module), shape, inside)
            else:
                program = self.programs.get(id(node))
                text = None if program is None else (*program.inputs, *program.attributes.values(), *program.lines)
                self._skeletons[id(node)] = (type(node), type(node.layer).__name__, text, inside)
        return self._skeletons[id(node)]

    def _fold(self, nodes: list[Node]) -> None:
        groups: dict[Hashable, list[Node]] = defaultdict(list)
        for node in nodes:
            groups[self.skeleton(node)].append(node)
        for group in groups.values():
            if isinstance(group[0], Graph) or len(group) > 1:
                self._add(group)

    def _add(self, group: list[Node]) -> None:
        """Make templates of blocks with equal skeletons: one, or one for each set of values if too many differ."""
        values = [self.literals(node) for node in group]
        parameters = _parameters(values)
        if len(parameters) > MOST:
            same: dict[str, list[Node]] = defaultdict(list)
            for node, held in zip(group, values, strict=True):
                same[repr(held)].append(node)
            for nodes in same.values():
                if isinstance(nodes[0], Graph) or len(nodes) > 1:
                    self._template(nodes, [])
        else:
            self._template(group, parameters)

    def _template(self, nodes: list[Node], parameters: list[Parameter]) -> None:
        first = nodes[0]
        if isinstance(first, (Chain, Graph)):
            template = Template(first, parameters=parameters)
            self.templates.append(template)
            self.of |= {id(node): template for node in nodes}

    def name(self, taken: set[str]) -> None:
        """Give every template a name that is not taken."""
        for template in self.templates:
            layer = template.node.layer
            plain = layer is None or (isinstance(template.node, Chain) and is_plain(template.node))
            hint = "Block" if plain or type(layer).__name__ in ("Sequential", "Repeat") else type(layer).__name__
            hint = "Network" if template is self.templates[-1] else hint
            template.name = unique(hint, taken).replace("_", "")
            taken.add(template.name)


def holds_nodes(value: Any) -> bool:
    """Whether a value is a list with nodes."""
    return isinstance(value, list) and any(isinstance(item, Node) for item in value)


def _shape(value: Any) -> Hashable:
    if isinstance(value, Node):
        return "node"
    return tuple([_shape(item) for item in value]) if holds_nodes(value) else "value"


def _can_be_class(node: Node) -> bool:
    return isinstance(node, Graph) or (isinstance(node, Chain) and not is_plain(node))


def _height(node: Node, levels: dict[int, list[Node]]) -> int:
    height = 1 + max((_height(child, levels) for child in children_of(node)), default=0)
    levels[height].append(node)
    return height


def _parameters(values: list[list[tuple[str, Any]]]) -> list[Parameter]:
    """The places where the values of alike blocks differ; places that always agree are one parameter."""
    found: dict[tuple[str, ...], Parameter] = {}
    taken: set[str] = set()
    for place, (name, _) in enumerate(values[0]):
        column = [held[place][1] for held in values]
        key = tuple([repr(value) for value in column])
        if len(set(key)) == 1:
            continue
        if key not in found:
            found[key] = Parameter(unique(snake(name), taken), _kind(column), [])
        found[key].places.append(place)
    return list(found.values())


def _kind(column: list[Any]) -> str:
    """The type of a parameter as text."""
    names = {"None" if value is None else type(value).__name__ for value in column}
    names = {"tuple[int, ...]" if name in ("tuple", "list") else name for name in names}
    return " | ".join(sorted(names, key=lambda name: (name == "None", name)))
