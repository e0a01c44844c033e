"""Trees of four operations, as NAS-Bench-Graph writes them, numbers them and holds them equal (Qin et al. 2022)."""

from __future__ import annotations

import itertools
import re
from collections.abc import Sequence
from functools import cache

from nasturtium.errors import ParseError, did_you_mean
from nasturtium.space.architecture import Architecture

LINKS = (
    (0, 0, 0, 0), (0, 0, 0, 1), (0, 0, 1, 1), (0, 0, 1, 2), (0, 0, 1, 3),
    (0, 1, 1, 1), (0, 1, 1, 2), (0, 1, 2, 2), (0, 1, 2, 3),
)  # fmt: skip
"""The nine trees in their published order: what each of the four nodes reads, 0 the input, 1 to 4 a node."""

OPERATIONS = ("gat", "gcn", "gin", "cheb", "sage", "arma", "graph", "fc", "skip")
"""All operations in their published order; ``fc`` is a linear map of each node, ``skip`` does nothing."""

MEMBERS = {
    name: f"Arch([0, 1, 2, 3], ['skip', 'skip', '{operation}', '{operation}'])"
    for name, operation in {"GCN": "gcn", "GAT": "gat", "GIN": "gin", "k-GNN": "graph", "GraphSAGE": "sage"}.items()
}
"""The two-layer networks of one kind that the paper compares with."""

Numbered = tuple[tuple[int, ...], tuple[int, ...]]
"""Links, and the numbers of the operations."""


def write(architecture: Architecture) -> str:
    """The architecture in the words of the published code."""
    network = architecture.value
    return f"Arch({list(network.links)}, {[each.operation for each in network.operations]})"


def read(text: str) -> tuple[int, ...]:
    """The decisions of an architecture in the published notation, or of its published key.

    Raises:
        ParseError: If it is neither.
    """
    if re.fullmatch(r"[0-8]{1,5}", text.strip()):
        digits = tuple(map(int, text.strip().zfill(5)))
        if digits[1:] != (8, 8, 8, 8):
            return digits
    found = re.fullmatch(r"\s*(?:Arch\()?\s*\[([^]]*)\]\s*,?\s*\[([^]]*)\]\s*\)?\s*", text)
    example = "Arch([0, 1, 2, 1], ['gcn', 'gin', 'fc', 'cheb'])"
    if found is None:
        raise ParseError(f"{text[:80]!r} is no network of NAS-Bench-Graph; write {example}, or its hash")
    links = tuple(int(link) if link.strip().isdecimal() else -1 for link in found[1].split(","))
    if len(links) != 4 or any(not 0 <= link <= place for place, link in enumerate(links)):
        raise ParseError(f"links [{found[1]}]: each of four nodes reads 0 (the input) or an earlier node; {example}")
    names = [name.strip().strip("'\"") for name in found[2].split(",")]
    for name in names:
        if name not in OPERATIONS:
            known = ", ".join(OPERATIONS)
            raise ParseError(f"unknown operation {name!r}{did_you_mean(name, OPERATIONS)}; there are {known}")
    if len(names) != 4 or set(names) == {"skip"}:
        raise ParseError(f"[{found[2]}] are not four operations of which one is no skip: {example}")
    operations = tuple(map(OPERATIONS.index, names))
    if links not in LINKS:
        links, operations = _least(links, operations)
    return (LINKS.index(links), *operations)


def key(architecture: Architecture) -> str:
    """The published key (``valid_hash``): a digit for the tree and one for each operation, as a number."""
    tree, *operations = architecture.decisions
    return str(published_key(LINKS[tree], operations))


def published_key(links: Sequence[int], operations: Sequence[int]) -> int:
    """The published key of links and numbers of operations (in ``OPERATIONS``), as any user may write them.

    Skips that are read, that read the input, or that alone read what they read, stand at its beginning instead.
    """
    skip, sources, kept = OPERATIONS.index("skip"), list(links), [0, 1, 2, 3]
    for node in range(4):
        read = [other for other in kept if sources[other] == node + 1]
        alone = all(sources[other] != sources[node] for other in kept if other != node)
        if operations[node] == skip and (read or alone or sources[node] == 0):
            kept.remove(node)
            for other in read:
                sources[other] = sources[node]
    front = 4 - len(kept)
    number = {0: front} | {node + 1: place for place, node in enumerate(kept, front + 1)}
    moved = (*range(front), *[number[sources[node]] for node in kept])
    tree, taken = _least(moved, (skip,) * front + tuple(operations[node] for node in kept))
    return int("".join(map(str, (LINKS.index(tree), *taken))))


def _least(links: tuple[int, ...], operations: tuple[int, ...]) -> Numbered:
    """The smallest links, and then operations, of all orders of the nodes in which none reads a later one."""
    tree, orders = _orders(links)
    return tree, min(tuple([operations[node] for node in order]) for order in orders)


@cache
def _orders(links: tuple[int, ...]) -> tuple[tuple[int, ...], tuple[tuple[int, ...], ...]]:
    """The smallest links that an order of the nodes gives, and the orders that give them."""
    found: dict[tuple[int, ...], list[tuple[int, ...]]] = {}
    for order in itertools.permutations(range(4)):
        number = {0: 0} | {node + 1: place for place, node in enumerate(order, 1)}
        renumbered = tuple([number[links[node]] for node in order])
        if all(link <= place for place, link in enumerate(renumbered)):
            found.setdefault(renumbered, []).append(order)
    tree = min(found)
    return tree, tuple(found[tree])
