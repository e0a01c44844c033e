"""Recipes of NAS-Bench-NLP: recurrent cells as JSON, each node with its operation and inputs, read and written."""

from __future__ import annotations

import json
from typing import Any, NamedTuple

from nasturtium.errors import ParseError, SpaceError, did_you_mean
from nasturtium.layers.recurrence import OPERATIONS, RecurrentCell, RecurrentNode, live

JOINS = {"linear": "linear", "blend": "blend", "elementwise_prod": "prod", "elementwise_sum": "sum"}
ACTIVATIONS = {"activation_tanh": "tanh", "activation_sigm": "sigmoid", "activation_leaky_relu": "leaky_relu"}
WRITTEN = {ours: theirs for theirs, ours in (JOINS | ACTIVATIONS).items()}


def compact(**nodes: str) -> str:
    """A recipe from nodes written as operation and inputs: ``compact(f="linear x h_prev_0", ...)``."""
    words = {name: node.split() for name, node in nodes.items()}
    return json.dumps({name: {"op": each[0], "input": each[1:]} for name, each in words.items()})


class Entry(NamedTuple):
    """A node of a recipe in our words; ``inputs`` are names."""

    operation: str
    inputs: tuple[str, ...]
    activation: str


def write_recipe(cell: RecurrentCell) -> str:
    """The recipe of a cell; a linear map with an activation is two nodes, what leads to no state is left out.

    Raises:
        SpaceError: If an activation has no name in recipes.
    """
    first, read = 1 + len(cell.states), live(cell)
    names = {0: "x"} | {1 + number: f"h_prev_{number}" for number in range(len(cell.states))}
    states = {first + node: f"h_new_{number}" for number, node in enumerate(cell.states)}
    recipe: dict[str, dict[str, Any]] = {}
    for number, node in enumerate(cell.nodes, first):
        if number not in read:
            continue
        inputs = [names[each] for each in node.inputs]
        operations = [] if node.operation == "activation" else [WRITTEN[node.operation]]
        operations += [] if node.activation == "identity" else [_activation(node.activation)]
        for place, operation in enumerate(operations):
            last = place == len(operations) - 1
            name = states[number] if last and number in states else f"node_{len(recipe)}"
            recipe[name] = {"op": operation, "input": inputs}
            inputs, names[number] = [name], name
    return json.dumps(recipe)


def _activation(name: str) -> str:
    if name not in WRITTEN:
        raise SpaceError(f"recipes have no activation {name!r}; there are {', '.join(ACTIVATIONS.values())}")
    return WRITTEN[name]


def read_recipe(text: str) -> RecurrentCell:
    """The cell of a recipe; an activation that alone reads a linear node becomes one node with it.

    Raises:
        ParseError: If the text is no recipe, with the node at fault.
    """
    entries = _entries(text)
    states = [name for name in entries if name.startswith("h_new_") and name[6:].isdigit()]
    given = ["x", *[f"h_prev_{number}" for number in range(len(states))]]
    for number in range(len(states)):
        if f"h_new_{number}" not in states:
            raise ParseError(f"the recipe has {len(states)} new states, but no h_new_{number}: {', '.join(states)}")
    if not states:
        raise ParseError("the recipe has no new state: one node must be called h_new_0")
    entries = _merged(entries, states)
    order = _ordered(entries, given)
    place = {name: number for number, name in enumerate([*given, *order])}
    nodes = [_node(entries[name], place) for name in order]
    return RecurrentCell(tuple(nodes), tuple([order.index(f"h_new_{number}") for number in range(len(states))]))


def _node(entry: Entry, place: dict[str, int]) -> RecurrentNode:
    numbers = [place[name] for name in entry.inputs]
    ordered = entry.operation in ("blend", "activation")
    return RecurrentNode(entry.operation, tuple(numbers if ordered else sorted(numbers)), entry.activation)


def _entries(text: str) -> dict[str, Entry]:
    try:
        recipe = json.loads(text)
    except ValueError as error:
        raise ParseError(f"a recipe is JSON, node -> {{op, input}}: {error}") from None
    if not isinstance(recipe, dict) or not recipe:
        raise ParseError(f"a recipe is a JSON object, node -> {{op, input}}, not {text[:60]!r}")
    return {name: _entry(name, node) for name, node in recipe.items()}


def _entry(name: str, node: Any) -> Entry:
    inputs = node.get("input") if isinstance(node, dict) else None
    if not isinstance(inputs, list) or not inputs or not all(isinstance(each, str) for each in inputs):
        raise ParseError(f'node {name!r} needs "op" and "input", a list of names, not {str(node)[:60]}')
    operation = str(node.get("op"))
    if operation not in JOINS and operation not in ACTIVATIONS:
        known = [*JOINS, *ACTIVATIONS]
        raise ParseError(f"node {name!r} has unknown op {operation!r}{did_you_mean(operation, known)}: {known}")
    made = Entry(JOINS.get(operation, "activation"), tuple(inputs), ACTIVATIONS.get(operation, "identity"))
    wanted = OPERATIONS[made.operation] or len(inputs)
    if len(inputs) != wanted or len(set(inputs)) != wanted:
        raise ParseError(f"node {name!r}: {operation} takes {wanted} different inputs, not {inputs}")
    return made


def _merged(entries: dict[str, Entry], states: list[str]) -> dict[str, Entry]:
    """Linear nodes that only an activation reads, taken together with it."""
    readers: dict[str, list[str]] = {}
    for name, entry in entries.items():
        for source in entry.inputs:
            readers.setdefault(source, []).append(name)
    merged = dict(entries)
    for name, entry in entries.items():
        source = entry.inputs[0]
        alone = readers[source] == [name] and source not in states
        if entry.operation == "activation" and alone and source in entries and entries[source].operation == "linear":
            merged[name] = entries[source]._replace(activation=entry.activation)
            del merged[source]
    return merged


def _ordered(entries: dict[str, Entry], given: list[str]) -> list[str]:
    """The nodes so that each comes after what it reads."""
    known, left, order = set(given), list(entries), []
    while left:
        ready = next((name for name in left if known.issuperset(entries[name].inputs)), None)
        if ready is None:
            lost = next((each for name in left for each in entries[name].inputs if each not in {*known, *left}), None)
            why = f"they read {lost!r}, which is no node" if lost else "they read each other in a circle"
            raise ParseError(f"the nodes {', '.join(left)} cannot be ordered: {why} (given are {', '.join(given)})")
        left.remove(ready)
        known.add(ready)
        order.append(ready)
    return order
