"""Draws 10,000 architectures of each space, published or skeleton; counts what is invalid, times sample and mutate."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np

from nasturtium import Space, spaces
from nasturtium.cli.listing import size_text
from nasturtium.errors import NasturtiumError
from nasturtium.space.infer import infer
from nasturtium.space.part import is_open

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

ROW = "{:<26}{:>12}{:>10}{:>12}{:>12}{:>12}{:>12}"


def invalid(space: Space, count: int) -> tuple[int, float, list[int]]:
    """How many of so many samples are open, do not infer or break a constraint; mean milliseconds; decisions."""
    rng = np.random.default_rng(0)
    bad, spent, sizes = 0, 0.0, []
    for _ in range(count):
        begun = time.process_time()
        architecture = space.sample(rng)
        value, decisions = architecture.value, architecture.decisions
        spent += time.process_time() - begun
        sizes.append(len(decisions))
        try:
            infer(value, *architecture.input)
            bad += is_open(value) or not space.admits(architecture)
        except NasturtiumError:
            bad += 1
    return bad, spent / count * 1e3, sizes


def mutations(space: Space, count: int) -> tuple[int, float]:
    """How many of so many mutations equal their parent; mean milliseconds."""
    rng = np.random.default_rng(1)
    parents = [space.sample(rng) for _ in range(100)]
    for parent in parents:
        _ = parent.value, parent.steps
    same, spent = 0, 0.0
    for number in range(count):
        parent = parents[number % len(parents)]
        begun = time.process_time()
        child = space.mutate(parent, rng)
        _ = child.value
        spent += time.process_time() - begun
        same += child.value == parent.value
    return same, spent / count * 1e3


def main(count: int, names: list[str]) -> None:
    """Print one row a space."""
    from tests.skeletons import small

    makers: dict[str, Callable[[], Space]] = {
        name: partial(row.function, input=row.input, outputs=10) for name, row in spaces.SPACES.items()
    }
    makers["toy_grammar"] = small.toy_grammar
    print(ROW.format("space", "size", "invalid", "sample ms", "decisions", "no-ops", "mutate ms"))
    for name in names or makers:
        space = makers[name]()
        bad, sample_ms, sizes = invalid(space, count)
        same, mutate_ms = mutations(space, count // 10)
        cells = size_text(space.size), bad, f"{sample_ms:.3f}", f"{np.mean(sizes):.1f}", same, f"{mutate_ms:.3f}"
        print(ROW.format(name, *cells), flush=True)


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 10_000, sys.argv[2:])
