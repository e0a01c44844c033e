"""Architectures as arrays for predictors: one-hot, adjacency and operations, paths, tokens."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

from nasturtium.errors import SpaceError, did_you_mean
from nasturtium.space.architecture import Architecture
from nasturtium.space.choice import Choice
from nasturtium.space.decided import PATHS, graph_of, routes
from nasturtium.space.graph import Node, hash_of, nodes_of
from nasturtium.space.infer import joined, path_address
from nasturtium.space.part import Part, is_layer
from nasturtium.space.sharing import choices_in
from nasturtium.space.wiring import Path, slot_key

if TYPE_CHECKING:
    import numpy

    from nasturtium.space.space import Space


def encode(
    space: Space, architectures: Sequence[Architecture], encoding: str = "one_hot", **options: Any
) -> numpy.ndarray:
    """Encode architectures of a space as rows of numbers.

    Args:
        space: The space they belong to.
        architectures: n of them.
        encoding: One of ``one_hot`` (option taken at each choice; zeros where a choice is not reached),
            ``adjacency`` (upper triangle of the graph of leaves and one-hot operations; ``size`` nodes),
            ``path`` (which sequences of operations lead from input to output, Ying et al. 2019 and White et al. 2021,
            arXiv:1910.11858; hashed to ``size`` columns, only paths of at most ``longest`` operations if given),
            ``tokens`` (the option taken at each decision as a number from 1, in order of derivation, padded by 0).
        options: Of the encoding: ``size``, ``longest``.

    Returns:
        Array (n, d) of float32, or of int64 for tokens.

    Raises:
        SpaceError: If the encoding is unknown, or not possible for this space.
    """
    if encoding not in ENCODINGS:
        raise SpaceError(
            f"unknown encoding {encoding!r}{did_you_mean(encoding, ENCODINGS)}; known: {sorted(ENCODINGS)}"
        )
    return ENCODINGS[encoding](space, [space.adopt(architecture) for architecture in architectures], **options)


def choice_table(space: Space) -> dict[str, int]:
    """Every choice of a finite space by its place, with its number of options.

    Raises:
        SpaceError: If the space is recursive, so that there is no such table.
    """
    return {place: len(choice.options) for place, choice in choices_at(space).items()}


_CHOICES: WeakKeyDictionary[Space, dict[str, Choice]] = WeakKeyDictionary()
"""The choices of the spaces there are: some have ten thousands, and rows are made again and again."""


def choices_at(space: Space) -> dict[str, Choice]:
    """Every choice of a finite space by its place; where several stand, that with the most options. Found once.

    Raises:
        SpaceError: If the space is recursive, so that there is no such table.
    """
    if space.recursive:
        raise SpaceError(f"{space.name!r} is recursive and has no fixed choices; encode it as 'tokens'")
    if space not in _CHOICES:
        found: dict[str, Choice] = {}
        for place, choice in _places(space.root, ""):
            if place not in found or len(choice.options) > len(found[place].options):
                found[place] = choice
        _CHOICES[space] = found
    return _CHOICES[space]


def _places(part: Part, address: str) -> Iterator[tuple[str, Choice]]:
    for name in part.fields:
        yield from _places_in(part, part.__dict__[name], (name,), address)


def _places_in(part: Part, value: Any, path: Path, address: str, nested: str = "") -> Iterator[tuple[str, Choice]]:
    """The choices in a value that stands at ``path`` of a part; values are named by path, layers by slot.

    ``nested`` names the options that led to a choice which is itself an option at the same path.
    """
    if is_layer(value):
        yield from _layer_places(value, joined(address, slot_key(part, path)))
    elif isinstance(value, Choice):
        place = path_address(address, path) + nested
        yield place, value
        for index, option in enumerate(value.options):
            yield from _places_in(part, option, path, address, f"{nested}#{index}")
    elif isinstance(value, tuple):
        for index, item in enumerate(value):
            yield from _places_in(part, item, (*path, index), address)
    elif isinstance(value, Part) and value.is_open:
        for name in value.fields:
            yield from _places_in(part, value.__dict__[name], (*path, name), address)


def _layer_places(value: Any, address: str) -> Iterator[tuple[str, Choice]]:
    if isinstance(value, Choice):
        yield address, value
        for index, option in enumerate(value.options):
            yield from _layer_places(option, value.inside(address, index))
    elif value.is_open:
        yield from _places(value, address)


def one_hot(space: Space, architectures: Sequence[Architecture]) -> numpy.ndarray:
    """One column for each option of each choice; (n, sum of options)."""
    import numpy

    if space.radices is not None:
        offsets = numpy.concatenate([[0], numpy.cumsum(space.radices)])
        rows = numpy.zeros((len(architectures), int(offsets[-1])), numpy.float32)
        taken = numpy.array([a.decisions for a in architectures], numpy.int64).reshape(
            len(architectures), len(space.radices)
        )
        numpy.put_along_axis(rows, taken + offsets[:-1], 1.0, axis=1)
        return rows
    columns: dict[str, int] = {}
    width = 0
    for place, options in choice_table(space).items():
        columns[place] = width
        width += options
    rows = numpy.zeros((len(architectures), width), numpy.float32)
    for row, architecture in zip(rows, architectures, strict=True):
        for step in architecture.steps:
            row[columns[step.point.place] + step.taken] = 1.0
    return rows


def adjacency(space: Space, architectures: Sequence[Architecture], size: int | None = None) -> numpy.ndarray:
    """Upper triangle of the adjacency matrix and one-hot operations, (n, size (size - 1) / 2 + size * operations).

    Nodes stand in the order signals reach them. ``size`` is the number of nodes, that of the largest if not given.
    """
    import numpy

    graphs = [nodes_of(architecture.value, architecture.input) for architecture in architectures]
    largest = max((len(graph) for graph in graphs), default=0)
    size = largest if size is None else size
    if size < largest:
        raise SpaceError(f"an architecture has {largest} nodes, more than size={size}")
    kinds = {kind: index for index, kind in enumerate(_kinds(space))}
    upper = numpy.triu_indices(size, 1)
    rows = numpy.zeros((len(graphs), len(upper[0]) + size * len(kinds)), numpy.float32)
    for row, graph in zip(rows, graphs, strict=True):
        matrix = numpy.zeros((size, size), numpy.float32)
        operations = numpy.zeros((size, len(kinds)), numpy.float32)
        for number, node in enumerate(graph):
            operations[number, kinds.get(_kind(node), kinds["other"])] = 1.0
            for source, _ in node.inputs:
                matrix[source, number] += 1.0
        row[: len(upper[0])] = matrix[upper]
        row[len(upper[0]) :] = operations.ravel()
    return rows


def _kinds(space: Space) -> list[str]:
    """The tags of all parts a space can hold; what its wirings make on the fly besides is ``other``."""
    found: set[str] = set()
    seen: set[int] = set()
    pending: list[Any] = [space.root]
    while pending:
        value = pending.pop()
        if id(value) in seen:
            continue
        seen.add(id(value))
        if isinstance(value, Choice):
            pending.extend(value.options)
        elif isinstance(value, tuple):
            pending.extend(value)
        elif isinstance(value, Part):
            found.add(type(value).__name__)
            pending.extend(value.values)
    return ["input", "output", "other", *sorted(found)]


def _kind(node: Node) -> str:
    if node.layer is None:
        return "output" if node.label == "output" else "input"
    return type(node.layer).__name__


def path(
    space: Space, architectures: Sequence[Architecture], size: int = 1024, longest: int | None = None
) -> numpy.ndarray:
    """Which sequences of operations lead from an input to the output; (n, size), hashed by blake2b.

    Paths run through the graph of what was decided (see :mod:`nasturtium.space.decided`), so those through a cell count
    once.

    Raises:
        SpaceError: If more than ``PATHS`` lead through a network.
    """
    import numpy

    rows = numpy.zeros((len(architectures), size), numpy.float32)
    for row, architecture in zip(rows, architectures, strict=True):
        graph = graph_of(architecture)
        found = routes(graph, longest)
        if found is None:
            raise SpaceError(f"more than {PATHS} paths lead through the network; use another encoding")
        for operations in {tuple([graph.labels[node] for node in route]) for route in found}:
            row[hash_of(operations) % size] = 1.0
    return rows


def tokens(space: Space, architectures: Sequence[Architecture], size: int | None = None) -> numpy.ndarray:
    """The option taken at each decision as a number from 1 (unique to its choice), padded by 0 or cut; (n, size)."""
    import numpy

    offsets = token_offsets(space)
    rows = [[offsets[step.point.choice] + step.taken + 1 for step in a.steps] for a in architectures]
    width = max((len(row) for row in rows), default=0) if size is None else size
    result = numpy.zeros((len(rows), width), numpy.int64)
    for line, row in zip(result, rows, strict=True):
        line[: len(row[:width])] = row[:width]
    return result


def token_offsets(space: Space) -> dict[Choice, int]:
    """Where the numbers of each choice begin, in the order the choices stand in the space."""
    found: dict[Choice, int] = {}
    total = 0
    for choice in choices_in(space.root):
        found[choice] = total
        total += len(choice.options)
    return found


ENCODINGS: dict[str, Callable[..., numpy.ndarray]] = {
    "one_hot": one_hot,
    "adjacency": adjacency,
    "path": path,
    "tokens": tokens,
}
