"""The classes of a network as text: constructors, forwards, and calls broken where a line would be too long."""

from __future__ import annotations

import inspect
import json
import math
import textwrap
from typing import TYPE_CHECKING, Any

from nasturtium.errors import NasturtiumError
from nasturtium.export.folding import Folding, Template, holds_nodes
from nasturtium.export.structure import Chain, Leaf, Node

if TYPE_CHECKING:
    from nasturtium.export.carrying import Carrier

WIDTH = 114
INDENT = "    "
Item = str | tuple[str, list[Any], str]
"""A text, or (what opens, items, what closes)."""


class Renderer:
    """Writes the source of a folded tree.

    Args:
        folding: The classes, named.
        carrier: Knows what the classes of leaves are called in the source.
        comments: What stands behind the item of a node, by the ``id`` of the node.
    """

    def __init__(self, folding: Folding, carrier: Carrier, comments: dict[int, str] | None = None) -> None:
        self.folding, self.carrier = folding, carrier
        self.comments = comments or {}

    def source(self, template: Template) -> str:
        """One class."""
        node, values = template.node, self._values(template)
        base = "nn.Sequential" if isinstance(node, Chain) else "nn.Module"
        lines = [f"class {template.name}({base}):", *_docstring(template), ""]
        given = ["self", *(f"{parameter.name}: {parameter.kind}" for parameter in template.parameters)]
        lines += layout(("def __init__(", given, ")"), 1, after=" -> None:")
        if isinstance(node, Chain):
            return "\n".join([*lines, *layout(("super().__init__(", self._row(node, values), ")"), 2)])
        lines.append(f"{INDENT * 2}super().__init__()")
        program, start = self.folding.programs[id(node)], 0
        for name, attribute in program.attributes.items():
            child = node.children[name]
            size = len(self.folding.literals(child))
            item = self.item(child, values[start : start + size])
            lines += layout(item, 2, f"self.{attribute} = ", self._comment(child))
            start += size
        inputs = "".join(f", {name}: Tensor" for name in program.inputs)
        returned = "Tensor" if program.outputs == 1 else "tuple[Tensor, ...]"
        lines += ["", f"{INDENT}def forward(self{inputs}) -> {returned}:"]
        return "\n".join([*lines, *(f"{INDENT * 2}{line}" for line in program.lines)])

    def _values(self, template: Template) -> list[str]:
        """The texts of all plain values inside a class: its parameters' names, literals for the others."""
        texts = [literal(value, name) for name, value in self.folding.literals(template.node)]
        for parameter in template.parameters:
            for place in parameter.places:
                texts[place] = parameter.name
        return texts

    def item(self, node: Node, values: list[str]) -> Item:
        """The construction of a node; ``values``: the texts of its plain values."""
        template = self.folding.of.get(id(node))
        if template is not None:
            return f"{template.name}(", [values[p.places[0]] for p in template.parameters], ")"
        if isinstance(node, Chain):
            return ("nn.Sequential(", self._row(node, values), ")") if node.children else "nn.Identity()"
        if not isinstance(node, Leaf):
            raise NasturtiumError(f"a {type(node).__name__} without a class cannot be written")
        return f"{self.carrier.called(type(node.module))}(", self._arguments(node, values), ")"

    def _arguments(self, leaf: Leaf, values: list[str]) -> list[Item]:
        items: list[Item] = []
        rest = list(values)
        for argument in leaf.arguments:
            text = self._value(argument.value, rest)
            positional = argument.positional
            if not positional and isinstance(text, str) and text == _default(argument.default):
                continue
            items.append(text if positional else _prefixed(f"{argument.keyword}=", text))
        return items

    def _value(self, value: Any, rest: list[str]) -> Item:
        """The text of a value; takes what it needs from the front of ``rest``."""
        if isinstance(value, Node):
            size = len(self.folding.literals(value))
            taken, rest[:] = rest[:size], rest[size:]
            return self.item(value, taken)
        if holds_nodes(value):
            return "[", [self._value(item, rest) for item in value], "]"
        return rest.pop(0)

    def _row(self, chain: Chain, values: list[str]) -> list[Item]:
        """The items of a sequence; from three equal ones in a row on, one comprehension."""
        items: list[tuple[Item, str]] = []
        start = 0
        for child in chain.children:
            size = len(self.folding.literals(child))
            items.append((self.item(child, values[start : start + size]), self._comment(child)))
            start += size
        row: list[Item] = []
        while items:
            same = next((k for k, pair in enumerate(items) if pair[0] != items[0][0]), len(items))
            if same >= 3:
                row.append(_commented(_wrapped("*[", items[0][0], f" for _ in range({same})]"), items[same - 1][1]))
            else:
                row += [_commented(*pair) for pair in items[:same]]
            items = items[same:]
        return row

    def _comment(self, node: Node) -> str:
        return self.comments.get(id(node), "")


def literal(value: Any, name: str = "value") -> str:
    """A plain value as Python source.

    Raises:
        NasturtiumError: If it is none.
    """
    import torch

    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False)
    if value is None or isinstance(value, (bool, int)):
        return repr(value)
    if isinstance(value, float):
        return repr(value) if math.isfinite(value) else f'float("{value}")'
    if isinstance(value, (list, tuple)):
        inner = ", ".join(literal(item, name) for item in value)
        comma = "," if isinstance(value, tuple) and len(value) == 1 else ""
        return f"({inner}{comma})" if isinstance(value, tuple) else f"[{inner}]"
    if isinstance(value, dict):
        return "{" + ", ".join(f"{literal(k, name)}: {literal(v, name)}" for k, v in value.items()) + "}"
    if isinstance(value, (torch.dtype, torch.device)):
        return str(value) if isinstance(value, torch.dtype) else f'torch.device("{value}")'
    called = getattr(value, "__name__", "")
    if called and getattr(torch.nn, called, None) is value:
        return f"nn.{called}"
    if called and getattr(torch.nn.functional, called, None) is value:
        return f"torch.nn.functional.{called}"
    raise NasturtiumError(
        f"cannot write the argument {name} = {value!r} of a module as source; give numbers, text or modules, "
        "or export to .pt2 or .onnx"
    )


def layout(item: Item, level: int, before: str = "", comment: str = "", after: str = "") -> list[str]:
    """The lines of an item: on one line if it fits, else with its items on lines of their own."""
    indent = INDENT * level
    behind = f"  # {comment}" if comment else ""
    line = f"{indent}{before}{flat(item)}{after}"
    if isinstance(item, str) or not item[1] or (len(line) <= WIDTH and not _broken(item)):
        return [line + behind]
    opening, items, closing = item
    lines = [f"{indent}{before}{opening}"]
    one = f"{indent}{INDENT}{', '.join(map(flat, items))}"
    if all(isinstance(inner, str) for inner in items) and len(one) <= WIDTH:
        return [*lines, one, f"{indent}{closing}{after}{behind}"]
    for inner in items:
        text, said = (inner[1][0], inner[2]) if _is_commented(inner) else (inner, "")
        lines += layout(text, level + 1, comment=said, after=",")
    return [*lines, f"{indent}{closing}{after}{behind}"]


def flat(item: Item) -> str:
    """An item on one line."""
    if isinstance(item, str):
        return item
    if _is_commented(item):
        return flat(item[1][0])
    return item[0] + ", ".join(flat(inner) for inner in item[1]) + item[2]


def _broken(item: Item) -> bool:
    """Whether some item has a comment, which must end a line."""
    return not isinstance(item, str) and (_is_commented(item) or any(_broken(inner) for inner in item[1]))


def _commented(item: Item, comment: str) -> Item:
    return ("#", [item], comment) if comment else item


def _is_commented(item: Item) -> bool:
    return not isinstance(item, str) and item[0] == "#"


def _prefixed(text: str, item: Item) -> Item:
    return text + item if isinstance(item, str) else (text + item[0], item[1], item[2])


def _wrapped(before: str, item: Item, after: str) -> Item:
    return before + item + after if isinstance(item, str) else (before + item[0], item[1], item[2] + after)


def _default(value: Any) -> str | None:
    try:
        return None if value is inspect.Parameter.empty else literal(value)
    except NasturtiumError:
        return None


def _docstring(template: Template) -> list[str]:
    """What the layer says of itself."""
    layer = template.node.layer
    text = (inspect.getdoc(type(layer)) or "").split("\n\n")[0].replace("\n", " ") if layer is not None else ""
    if template.name == "Network":
        text = "The network."
    elif not text or type(layer).__name__ in ("Sequential", "Repeat"):
        return []
    return textwrap.wrap(f'"""{text}"""', WIDTH + 6, initial_indent=INDENT, subsequent_indent=INDENT)
