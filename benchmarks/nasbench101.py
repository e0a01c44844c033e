"""Counts the cells of NAS-Bench-101: graphs up to isomorphism, by Burnside's lemma, and the published hashes.

python benchmarks/nasbench101.py             # the count, in seconds
python benchmarks/nasbench101.py --hashes    # also one published hash for each class, in minutes
"""

from __future__ import annotations

import argparse
import itertools
import time

import numpy as np

from nasturtium.spaces.graph_cells import OPERATIONS, graph_hash
from nasturtium.spaces.nasbench101 import EDGES, UNIQUE, VERTICES


def graphs(count: int) -> np.ndarray:
    """Upper triangular adjacency matrices of ``count`` vertices, all on paths from the first to the last: (n, v, v)."""
    pairs = [(source, target) for source in range(count) for target in range(source + 1, count)]
    codes = np.arange(1 << len(pairs), dtype=np.uint32)
    codes = codes[np.bitwise_count(codes) <= EDGES]
    found = np.zeros((len(codes), count, count), bool)
    for bit, (source, target) in enumerate(pairs):
        found[:, source, target] = codes >> bit & 1
    read = np.all(np.any(found[:, :, 1:], 1), 1)  # every vertex but the first reads one
    reader = np.all(np.any(found[:, :-1, :], 2), 1)  # every vertex but the last is read
    kept: np.ndarray = found[read & reader]
    return kept


def classes(count: int) -> list[tuple[np.ndarray, list[tuple[int, ...]]]]:
    """One graph of each isomorphism class of unlabelled graphs, with its automorphisms."""
    every = graphs(count)
    weights = 1 << np.arange(count * count, dtype=np.uint64).reshape(count, count)
    orders = [(0, *inner, count - 1) for inner in itertools.permutations(range(1, count - 1))]
    codes = np.stack([(every[:, order][:, :, order] * weights).sum((1, 2)) for order in orders])
    own, (_, chosen) = codes[0], np.unique(codes.min(0), return_index=True)
    return [
        (every[number], [order for order, code in zip(orders, codes[:, number], strict=True) if code == own[number]])
        for number in chosen
    ]


def labelled(automorphisms: list[tuple[int, ...]]) -> int:
    """Labellings of the inner vertices up to automorphism: the mean of 3^cycles (Burnside)."""
    fixed: int = sum(len(OPERATIONS) ** _cycles(order[1:-1]) for order in automorphisms)
    return fixed // len(automorphisms)


def _cycles(order: tuple[int, ...]) -> int:
    left, found = set(order), 0
    while left:
        found, vertex = found + 1, min(left)
        while vertex in left:
            left.remove(vertex)
            vertex = order[vertex - 1]
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--hashes", action="store_true", help="compute the published hash of every class")
    options = parser.parse_args()
    start, total, hashes = time.process_time(), 0, set()
    for count in range(2, VERTICES + 1):
        found = classes(count)
        cells = sum(labelled(automorphisms) for _, automorphisms in found)
        total += cells
        print(f"{count} vertices: {len(found):6,} graphs, {cells:8,} cells")
        if options.hashes:
            for matrix, _ in found:
                rows = matrix.astype(int).tolist()
                for labels in itertools.product(OPERATIONS, repeat=count - 2):
                    hashes.add(graph_hash(rows, ["input", *labels, "output"]))
    print(f"{total:,} cells up to isomorphism (published: {UNIQUE:,}), {time.process_time() - start:.1f} s of CPU time")
    if options.hashes:
        print(f"{len(hashes):,} published hashes")
    assert total == UNIQUE
    assert not options.hashes or len(hashes) == UNIQUE


if __name__ == "__main__":
    main()
