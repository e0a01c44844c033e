"""Genotypes: the notation of cells that DARTS (Liu et al. 2019) began, and NASLib's compact form of it."""

from __future__ import annotations

import ast
import functools
from collections.abc import Sequence
from typing import Any, NamedTuple

from nasturtium.errors import ParseError, SpaceError, did_you_mean
from nasturtium.layers import Sequential
from nasturtium.space.architecture import Architecture
from nasturtium.space.part import Layer
from nasturtium.spaces.cell_network import CellNetwork, only_network
from nasturtium.spaces.cell_operations import OPERATIONS, operation

FIELDS = ("normal", "normal_concat", "reduce", "reduce_concat")
INPUTS = 2

COMPACT = (
    "max_pool_3x3",
    "avg_pool_3x3",
    "skip_connect",
    "sep_conv_3x3",
    "sep_conv_5x5",
    "dil_conv_3x3",
    "dil_conv_5x5",
)
"""The operations of NASLib's compact form by their numbers there (the order of NAS-Bench-301)."""

Step = tuple[str, int]


class Genotype(NamedTuple):
    """A normal and a reduction cell; ``str`` gives ``Genotype(normal=[('sep_conv_3x3', 0), ...], normal_concat=...)``.

    Attributes:
        normal: Two (operation, source) for each node; sources 0 and 1 are the inputs, 0 the older one, then the nodes.
        normal_concat: Numbers of the states that leave the normal cell.
        reduce: The same of the reduction cell.
        reduce_concat: The same of the reduction cell.
    """

    normal: tuple[Step, ...]
    normal_concat: tuple[int, ...]
    reduce: tuple[Step, ...]
    reduce_concat: tuple[int, ...]

    def __str__(self) -> str:
        shown = [f"{name}={_listed(value)}" for name, value in self._asdict().items()]
        return f"Genotype({', '.join(shown)})"

    def nodes(self, cell: str) -> list[tuple[Step, Step]]:
        """The two (operation, source) of each node of the ``normal`` or ``reduce`` cell."""
        steps = getattr(self, cell)
        return [(steps[at], steps[at + 1]) for at in range(0, len(steps), 2)]

    def ordered(self) -> Genotype:
        """The same cells with the two edges of each node in the order of their sources, as ``darts`` writes them."""
        normal, reduce = (
            tuple([step for pair in self.nodes(cell) for step in sorted(pair, key=lambda each: each[1])])
            for cell in ("normal", "reduce")
        )
        return self._replace(normal=normal, reduce=reduce)


def read_genotype(text: str) -> Genotype:
    """Read a genotype, or NASLib's compact form; nothing is evaluated.

    A name before it (``DARTS_V2 = Genotype(...)``), ranges and lists for what leaves, and nodes written as pairs of
    pairs are read too.

    Raises:
        ParseError: If the text is neither; it says what is wrong, and where.
    """
    try:
        tree: Any = ast.parse(text.strip()).body
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        raise ParseError(f"{text[:60]!r} is no genotype: {error}; write Genotype(normal=[...], ...)") from None
    tree = tree[0].value if len(tree) == 1 and isinstance(tree[0], ast.Expr | ast.Assign) else None
    if isinstance(tree, ast.Tuple | ast.List):
        return _compact(_literal(tree, "the compact form"))
    if not (isinstance(tree, ast.Call) and isinstance(tree.func, ast.Name) and tree.func.id == "Genotype"):
        raise ParseError(f"{text[:60]!r} is no genotype; write Genotype(normal=[...], normal_concat=..., reduce=...)")
    fields = dict(zip(FIELDS, tree.args, strict=False)) | {word.arg: word.value for word in tree.keywords if word.arg}
    if sorted(fields) != sorted(FIELDS):
        wrong = sorted(set(FIELDS) ^ set(fields))
        raise ParseError(f"a genotype has {', '.join(FIELDS)}, each once; wrong here: {', '.join(wrong)}")
    cells = {name: _steps(_literal(fields[name], name), name) for name in ("normal", "reduce")}
    leaving = {name: _leaving(fields[f"{name}_concat"], name, len(cells[name]) // 2) for name in cells}
    return Genotype(cells["normal"], leaving["normal"], cells["reduce"], leaving["reduce"])


def write_compact(genotype: Genotype) -> str:
    """NASLib's compact form: ((source, operation), ...) of both cells, as NAS-Bench-Suite-Zero has it.

    Raises:
        SpaceError: If an operation has no number there, or what leaves is not all nodes.
    """
    cells = []
    for cell in ("normal", "reduce"):
        steps = getattr(genotype, cell)
        for name, _ in steps:
            if name not in COMPACT:
                raise SpaceError(f"the compact form has no number for {name!r} ({', '.join(COMPACT)} have one)")
        cells.append(tuple([(source, COMPACT.index(name)) for name, source in steps]))
    return str(tuple(cells))


def genotype_of(architecture: Architecture) -> Genotype:
    """The genotype of an architecture that is a cell network.

    Raises:
        SpaceError: If it is none, or has an operation without a published name.
    """
    network = only_network(architecture.value)
    normal, reduce = _written(network, "normal"), _written(network, "reduction")
    return Genotype(normal, leaving(normal, network.normal.output), reduce, leaving(reduce, network.reduction.output))


def leaving(steps: Sequence[Step], output: str) -> tuple[int, ...]:
    """Numbers of the states that leave a cell with these steps, by the rule ``all`` or ``loose``."""
    every = range(INPUTS, INPUTS + len(steps) // 2)
    read = {source for _, source in steps}
    return tuple([number for number in every if output == "all" or number not in read])


def named(value: Any, stride: int) -> str:
    """The published name of an operation layer, whether or not its path is dropped in training.

    Raises:
        SpaceError: If it has none.
    """
    inner = value.layers[0] if isinstance(value, Sequential) else value
    names = _names(stride)
    if inner not in names:
        raise SpaceError(f"{value} is no operation of a genotype ({', '.join(OPERATIONS)})")
    return names[inner]


@functools.cache
def _names(stride: int) -> dict[Layer, str]:
    return {operation(name, stride): name for name in OPERATIONS}


def _written(network: CellNetwork, cell: str) -> tuple[Step, ...]:
    steps = []
    for node in getattr(network, cell).nodes:
        for edge in node.edges:
            stride = 2 if cell == "reduction" and edge.source < INPUTS else 1
            steps.append((named(edge.operation, stride), edge.source))
    return tuple(steps)


def _listed(value: tuple[Any, ...]) -> str:
    if value and all(type(item) is int for item in value) and value == tuple(range(value[0], value[-1] + 1)):
        return f"range({value[0]}, {value[-1] + 1})"
    return str(list(value))


def _literal(tree: ast.expr, where: str) -> Any:
    try:
        return ast.literal_eval(tree)
    except (ValueError, TypeError, SyntaxError, RecursionError, MemoryError):
        raise ParseError(f"{where} of a genotype must be a plain list, not {ast.unparse(tree)[:60]}") from None


def _steps(value: Any, where: str) -> tuple[Step, ...]:
    """The flat list of (operation, source), checked."""
    items = list(value) if isinstance(value, list | tuple) else []
    if all(isinstance(item, list | tuple) and all(isinstance(part, list | tuple) for part in item) for item in items):
        items = [step for item in items for step in item]  # nodes as pairs of pairs
    if not items or len(items) % INPUTS:
        raise ParseError(f"{where} of a genotype needs two (operation, source) for each node, not {value!r:.80}")
    for number, item in enumerate(items):
        _check(item, number, where)
    return tuple([(name, source) for name, source in items])


def _check(item: Any, number: int, where: str) -> None:
    place = f"{where}[{number}]"
    pair = isinstance(item, list | tuple) and len(item) == 2 and isinstance(item[0], str) and type(item[1]) is int
    if not pair:
        raise ParseError(f"{place} of the genotype must be an (operation, source), not {item!r:.60}")
    name, source = item
    if name not in OPERATIONS:
        known = ", ".join(OPERATIONS)
        raise ParseError(
            f"unknown operation {name!r} at {place}{did_you_mean(name, OPERATIONS)} (the operations: {known})"
        )
    states = INPUTS + number // INPUTS
    if not 0 <= source < states:
        raise ParseError(f"{place} reads state {source}; the states before it are 0 to {states - 1}")


def _leaving(tree: ast.expr, cell: str, nodes: int) -> tuple[int, ...]:
    """The numbers of a ``range(a, b)`` or a list."""
    where = f"{cell}_concat"
    value: Any = None
    if isinstance(tree, ast.Call) and isinstance(tree.func, ast.Name) and tree.func.id == "range":
        bounds = [_literal(argument, where) for argument in tree.args]
        if 1 <= len(bounds) <= 3 and all(type(bound) is int and abs(bound) < 1000 for bound in bounds):
            value = list(range(*bounds)) if len(bounds) < 3 or bounds[2] else None
    else:
        value = _literal(tree, where)
    within = isinstance(value, list | tuple) and all(type(n) is int and 0 <= n < INPUTS + nodes for n in value)
    if not within or not value:
        raise ParseError(f"{where} must be range(...) or a list of states below {INPUTS + nodes}, not {value!r:.60}")
    return tuple(sorted(set(value)))


def _compact(value: Any) -> Genotype:
    cells = []
    for where, cell in zip(("normal", "reduce"), value, strict=False):
        steps = []
        for number, item in enumerate(cell if isinstance(cell, list | tuple) else ()):
            pair = isinstance(item, list | tuple) and len(item) == 2 and all(type(part) is int for part in item)
            if not pair or not 0 <= item[1] < len(COMPACT):
                most = len(COMPACT) - 1
                raise ParseError(f"{where}[{number}] must be (source, operation 0 to {most}), not {item!r:.60}")
            steps.append((COMPACT[item[1]], item[0]))
        cells.append(_steps(steps, where))
    if len(value) != len(cells) or len(cells) != 2:
        raise ParseError(f"the compact form is a pair of cells, not {len(value)} items")
    normal, reduce = cells
    return Genotype(normal, leaving(normal, "all"), reduce, leaving(reduce, "all"))
