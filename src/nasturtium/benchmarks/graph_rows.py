"""Rows of tables of NAS-Bench-101's graphs, told apart by their published hash."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache, partial

from nasturtium.benchmarks.rows import Decisions, KeyedRows
from nasturtium.errors import NasturtiumError
from nasturtium.space.space import Space
from nasturtium.spaces.graph_cells import OPERATIONS, graph_hash, specification
from nasturtium.spaces.nasbench101 import PAIRS, UNIQUE, read

NAMES = tuple(OPERATIONS)


@lru_cache(maxsize=200_000)
def key_of(decisions: Decisions) -> str:
    """The published hash of the graph with these decisions in the space ``nasbench101``."""
    links = frozenset(pair for pair, bit in zip(PAIRS, decisions[: len(PAIRS)], strict=True) if bit)
    return graph_hash(*specification(links, [NAMES[index] for index in decisions[len(PAIRS) :]]))


def from_specifications(texts: Sequence[str]) -> KeyedRows:
    """Rows of written graphs (matrix row by row, a space, operations with commas), whose hashes are computed."""
    decisions = [read(text) for text in texts]
    return KeyedRows([key_of(each) for each in decisions], key_of, decisions.__getitem__, UNIQUE)


def from_hashes(hashes: Sequence[str], texts: Sequence[str]) -> KeyedRows:
    """Rows by their published hashes, whose graphs are read when they are looked at."""
    return KeyedRows(hashes, key_of, partial(_read_at, texts), UNIQUE)


def _read_at(texts: Sequence[str], row: int) -> Decisions:
    return read(texts[row])


def readable(space: Space, text: str) -> bool:
    """Whether a written graph is in a space whose notation is that of NAS-Bench-101."""
    try:
        return space.notation is not None and space.notation.read(text) is not None
    except NasturtiumError:
        return False


def of_part(space: Space, hashes: Sequence[str], texts: Sequence[str]) -> KeyedRows:
    """Rows of a part of NAS-Bench-101 that has a space of its own with the same notation and hash."""
    return KeyedRows(hashes, partial(_key_in, space), partial(_read_in, space, texts))


def _key_in(space: Space, decisions: Decisions) -> str:
    return space.key(space.architecture(decisions))


def _read_in(space: Space, texts: Sequence[str], row: int) -> Decisions:
    return space.from_notation(texts[row]).decisions
