"""Exports a trained network of each space to each format and compares them with it on 100 rows of real data.

    python benchmarks/exports.py [SPACE ...] [--formats .py .onnx .pt2] [--seed 0] [--steps 20]

Images are handwritten digits, sequences their rows (cut after the last that is not blank where there is a mask), tokens
the letters of this project's README, graphs the neighbourhoods of the characters of Les Miserables and of the members
of the karate club.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

from nasturtium import spaces
from nasturtium.errors import NasturtiumError
from nasturtium.export import Trained, export
from nasturtium.export.exporting import FORMATS
from nasturtium.space import Architecture, Signal
from nasturtium.space.signal import edges, image, nodes, sequence, tokens, vector

Arrays = tuple[np.ndarray[Any, Any], ...]

ROWS = 100
NODES, LINKS = 40, 600
SMALL: dict[str, dict[str, Any]] = {
    "seqnas": {"numeric_embedding": 3, "hidden": 4},
    "einspace": {"nodes": 300, "limits": {"params": 1e6, "flops": 1e8, "activations": 1e6}},
    "darts": {"channels": 4, "cells": 3},
    "nasnet": {"channels": 4, "cells": 3},
    "hierarchical": {"channels": 4},
    "hierarchical_nasbench201": {"channels": 2, "macro": False, "blocks": False},
    "nasbench101": {"channels": 8, "cells": 1},
    "nasbench1shot1": {"channels": 8, "cells": 1},
    "nasbench201": {"channels": 4, "cells": 1},
    "transnas_micro": {"channels": 4},
    "transnas_macro": {"channels": 4},
    "nasbench_asr": {"filters": (8, 8, 8, 8), "lstm": 8},
    "nasbench_nlp": {"nodes": 8, "embedding": 4, "hidden": (6,)},
    "nasbench_graph": {"width": 8},
}
"""Options that keep a space's networks small."""

INPUTS: dict[str, tuple[str, ...]] = {
    "mlp": ("vector",),
    "sequencenet": ("sequence", "masked"),
    "seqnas": ("sequence", "masked"),
    "transformer": ("image", "masked"),
    "nasbench_asr": ("sequence", "masked"),
    "nasbench_nlp": ("tokens",),
    "nasbench_graph": ("graph",),
}
"""What a space is tried on, if not on images."""

ROW = "{:<28}{:<10}{:>9}  {:<7}{:>12}{:>12}{:>9}  {}"


def data(kind: str) -> tuple[tuple[Signal, ...], Arrays]:
    """The input signals of a kind of data, and 100 rows of it."""
    from sklearn.datasets import load_digits

    digits = (load_digits().images[:ROWS].astype(np.float32) - 4.9) / 6.0
    real = np.cumsum((digits.max(2) > digits.min())[:, ::-1], axis=1)[:, ::-1] > 0
    if kind == "vector":
        return (vector(64),), (digits.reshape(ROWS, 64),)
    if kind == "sequence":
        return (sequence(8, 8),), (digits,)
    if kind == "masked":
        real[::3, 5:] = False
        return (sequence(8, 8, mask=True),), (np.where(real[:, :, None], digits, 0), real)
    if kind == "tokens":
        text = (Path(__file__).resolve().parents[1] / "README.md").read_text()[: ROWS * 12]
        letters = {letter: number for number, letter in enumerate(sorted(set(text)))}
        return (tokens(12, len(letters)),), (np.array([letters[letter] for letter in text]).reshape(ROWS, 12),)
    if kind == "graph":
        return (nodes(NODES, 3), edges()), graphs()
    return (image(1, 8, 8),), (digits[:, None],)


def graphs() -> Arrays:
    """Neighbourhoods in two social networks: features (100, nodes, 3) and edges (100, 2, edges), -1 for padding."""
    import networkx as nx

    whole = nx.disjoint_union(nx.les_miserables_graph(), nx.karate_club_graph())
    features, links = np.zeros((ROWS, NODES, 3), np.float32), np.full((ROWS, 2, LINKS), -1)
    for row, centre in enumerate(list(whole)[:ROWS]):
        graph = nx.convert_node_labels_to_integers(nx.ego_graph(whole, centre))
        clustering = nx.clustering(graph)
        for node in graph:
            features[row, node] = graph.degree(node) / 10, graph.degree(node, weight="weight") / 30, clustering[node]
        both = [pair for one, other in graph.edges for pair in ((one, other), (other, one))]
        links[row, :, : len(both)] = np.array(both).T
    return features, links


def train(architecture: Architecture, rows: Arrays, steps: int) -> Trained:
    """A network after some steps of training on the rows."""
    import torch
    from sklearn.datasets import load_digits

    torch.manual_seed(0)
    model = architecture.build()
    inputs = [torch.from_numpy(np.ascontiguousarray(values)) for values in rows]
    labels = torch.from_numpy(load_digits().target[:ROWS] % 4)
    optimiser = torch.optim.Adam(model.parameters(), lr=1e-3)
    for _ in range(steps):
        output = model.train()(*inputs)
        output = output.mean(1) if output.dim() == 3 else output
        loss = torch.nn.functional.cross_entropy(output, labels)
        optimiser.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimiser.step()
    return Trained(model.eval(), architecture, tuple(tensor.numpy() for tensor in inputs))


def main() -> None:
    """Print one row for each space, kind of data and format."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("spaces", nargs="*", default=list(spaces.SPACES))
    parser.add_argument("--formats", nargs="+", default=list(FORMATS), choices=list(FORMATS))
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--steps", type=int, default=20)
    given = parser.parse_args()
    failed = 0
    print(ROW.format("space", "data", "params", "format", "difference", "allowed", "seconds", ""))
    for name in given.spaces:
        for kind in INPUTS.get(name, ("image",)):
            signals, rows = data(kind)
            space = spaces.make(name, signals, 4, **SMALL.get(name, {}))
            architecture = space.sample(np.random.default_rng(given.seed))
            network = train(architecture, rows, given.steps)
            params = architecture.count()["params"]
            for suffix in given.formats:
                begun, said, numbers = time.perf_counter(), "", ("", "")
                with tempfile.TemporaryDirectory() as folder:
                    try:
                        made = export(network, Path(folder) / f"net{suffix}")
                        numbers = f"{made.difference:.1e}", f"{made.bound:.1e}"
                    except NasturtiumError as error:
                        failed, said = failed + 1, f"FAILED: {error}"
                spent = f"{time.perf_counter() - begun:.1f}"
                print(ROW.format(name, kind, f"{params:,}", suffix, *numbers, spent, said), flush=True)
    print(f"{failed} exports failed" if failed else "all exports agree")
    raise SystemExit(bool(failed))


if __name__ == "__main__":
    main()
