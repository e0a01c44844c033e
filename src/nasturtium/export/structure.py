"""A network as a tree of what its source will say: leaves, chains (run in a row) and graphs (run by a program)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from nasturtium.errors import NasturtiumError
from nasturtium.export.recording import Argument, Record

if TYPE_CHECKING:
    from torch import nn

Step = tuple[str, tuple[int, ...], tuple[int, ...]]


@dataclass(eq=False)
class Node:
    """Something that is constructed in the source.

    Attributes:
        module: The module of the recorded network that it stands for.
        layer: The layer that the module was built for, if one was.
    """

    module: nn.Module
    layer: Any


@dataclass(eq=False)
class Leaf(Node):
    """A module written as a call of its class; arguments that are modules are nodes."""

    arguments: tuple[Argument, ...] = ()


@dataclass(eq=False)
class Chain(Node):
    """Modules in a row, each with one tensor in and one out."""

    children: list[Node] = field(default_factory=list)


@dataclass(eq=False)
class Graph(Node):
    """Modules run by a program on numbered values (see ``nasturtium.modules.Wired``)."""

    children: dict[str, Node] = field(default_factory=dict)
    steps: tuple[Step, ...] = ()
    inputs: tuple[int, ...] = ()
    outputs: tuple[int, ...] = ()


def structure(record: Record) -> Node:
    """The tree of a recorded network, without what does nothing; of several outputs the first alone remains.

    Raises:
        NasturtiumError: If it holds a module that was not constructed while it was built.
    """
    from torch import nn

    from nasturtium.modules import Wired

    def node(module: nn.Module) -> Node:
        layer = record.layers.get(id(module))
        if type(module) is nn.Sequential:
            return _chain(module, layer, [node(child) for child in module.children()])
        if type(module) is Wired:
            children = {name: node(child) for name, child in module.named_children()}
            return _pruned(Graph(module, layer, children, module.steps, module.inputs, module.outputs))
        if id(module) not in record.constructions:
            raise NasturtiumError(
                f"cannot write source for {type(module).__name__}: it was not constructed by its layer while the "
                "network was built; construct it there, or export to .pt2 or .onnx"
            )
        given = record.constructions[id(module)]
        return Leaf(module, layer, tuple([replace(argument, value=inside(argument.value)) for argument in given]))

    def inside(value: Any) -> Any:
        if isinstance(value, nn.Module):
            return node(value)
        if isinstance(value, (list, tuple)) and any(isinstance(item, nn.Module) for item in value):
            return [inside(item) for item in value]
        return value

    root = node(record.model)
    if isinstance(root, Graph) and len(root.outputs) > 1:
        root = _pruned(Graph(root.module, root.layer, root.children, root.steps, root.inputs, root.outputs[:1]))
    return root


def does_nothing(node: Node) -> bool:
    """Whether a node with one tensor in hands it on as it is."""
    from torch import nn

    from nasturtium.modules import Add, Concat, Mean

    if isinstance(node, Chain):
        return not node.children
    module = node.module
    return type(module) in (nn.Identity, Add, Concat, Mean) or (isinstance(module, nn.Dropout) and module.p == 0)


def _chain(module: nn.Module, layer: Any, children: list[Node]) -> Node:
    """Nested rows of layers that are nothing but rows become one."""
    flat: list[Node] = []
    for child in children:
        if isinstance(child, Chain) and is_plain(child):
            flat += child.children
        elif not does_nothing(child):
            flat.append(child)
    return flat[0] if len(flat) == 1 else Chain(module, layer, flat)


def is_plain(chain: Chain) -> bool:
    """Whether a chain is a mere row of layers, which needs no name."""
    return chain.layer is None or type(chain.layer).__name__ in ("Sequential", "Repeat")


def _pruned(graph: Graph) -> Graph:
    """Without steps that nothing reads."""
    wanted, steps = set(graph.outputs), []
    for step in reversed(graph.steps):
        if wanted & set(step[2]):
            wanted |= set(step[1])
            steps.append(step)
    steps.reverse()
    kept = {name for name, _, _ in steps}
    children = {name: child for name, child in graph.children.items() if name in kept}
    return Graph(graph.module, graph.layer, children, tuple(steps), graph.inputs, graph.outputs)


def inner_nodes(leaf: Leaf) -> Iterator[Node]:
    """The nodes among the arguments of a leaf."""
    for argument in leaf.arguments:
        values = argument.value if isinstance(argument.value, list) else [argument.value]
        yield from (value for value in values if isinstance(value, Node))


def children_of(node: Node) -> list[Node]:
    """The nodes right inside a node, in the order of the source."""
    if isinstance(node, Chain):
        return node.children
    if isinstance(node, Graph):
        return list(node.children.values())
    return list(inner_nodes(node)) if isinstance(node, Leaf) else []
