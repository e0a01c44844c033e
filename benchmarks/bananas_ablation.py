"""Ablation of BANANAS: one part at a time is replaced, on two tables; prints regrets, and resumes with --out."""

from __future__ import annotations

import argparse
import os
from pathlib import Path
from typing import Any

import numpy as np

from nasturtium.benchmarks import load
from nasturtium.comparison import compare

DATA = Path(__file__).resolve().parents[2] / "shared" / "data" / "benchmarks"
TABLES = (("nasbench201", "cifar100"), ("transnas_micro", "class_scene"))
SECONDS = 1.5
"""Of a run, at most, on one quiet core."""

FOREST: dict[str, Any] = {"predictor": "random_forest", "predictor_options": {"trees": 50}}
CELLS: dict[str, tuple[str, str, dict[str, Any]]] = {
    "bananas": ("", "bananas", {}),
    "one_hot": ("encoding", "bananas", {"encoding": "one_hot"}),
    "tokens": ("encoding", "bananas", {"encoding": "tokens"}),
    "one_network": ("ensemble", "bananas", {"predictor_options": {"members": 1}}),
    "ten_networks": ("ensemble", "bananas", {"predictor_options": {"members": 10}}),
    "calibrated": ("ensemble", "bananas", {"predictor_options": {"holding_out": True}}),
    "gaussian_process": ("predictor", "bananas", {"predictor": "gp", "encoding": "path"}),
    "forest": ("predictor", "bananas", {**FOREST, "encoding": "path"}),
    "forest_mutation": ("predictor, encoding, acquisition", "bananas", {**FOREST, "acquisition": "mean"}),
    "expected_improvement": ("acquisition", "bananas", {"acquisition": "expected_improvement"}),
    "upper_confidence": ("acquisition", "bananas", {"acquisition": "upper_confidence"}),
    "thompson": ("acquisition", "bananas", {"acquisition": "thompson"}),
    "mean": ("acquisition", "bananas", {"acquisition": "mean"}),
    "drawn": ("candidates", "bananas", {"candidates": "random"}),
    "mixed": ("candidates", "bananas", {"candidates": "mixed"}),
    "local_search": ("candidates", "bananas", {"candidates": "local_search"}),
    "evolution": ("no predictor", "evolution", {}),
    "random": ("no predictor", "random", {}),
}  # fmt: skip
"""What takes part: which part is another than that of BANANAS, the strategy and its options.

Cells of both tables have fixed edges, so ``one_hot`` is their adjacency encoding.

``forest_mutation`` is the ablation of "Mutation is all you need" (arXiv:2107.07343): a random forest on one-hot rows
whose best guess among mutations is tried.
"""


def main() -> None:
    """Print for each cell the mean regret on each table, its standard error, and CPU seconds allowed for."""
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--data", type=Path, default=DATA)
    asked.add_argument("--runs", type=int, default=100)
    asked.add_argument("--queries", type=int, default=150)
    asked.add_argument("--cells", nargs="*", choices=CELLS, default=list(CELLS))
    asked.add_argument("--out", type=Path, help="where finished runs are kept; the same command goes on there")
    asked.add_argument("--workers", type=int, default=os.cpu_count() or 1)
    given = asked.parse_args()
    if not given.data.exists():
        print(f"the tables are not in {given.data}; give --data")
        return
    count = len(TABLES) * len(given.cells) * given.runs
    print(f"{count} runs, at most {count * SECONDS / 60 / given.workers:.0f} minutes with {given.workers} workers\n")
    tables = [load(name, dataset, given.data) for name, dataset in TABLES]
    options = {name: CELLS[name][2] for name in given.cells}
    found = compare(
        [(name, dataset) for name, dataset in TABLES], [f"{name}={CELLS[name][1]}" for name in given.cells],
        given.queries, given.runs, options=options, data=given.data, workers=given.workers, out=given.out,
    )  # fmt: skip
    print(f"| {'cell':20} | other than BANANAS | {' | '.join(each.title for each in tables)} |")
    print(f"|---|---|{'---|' * len(tables)}")
    for number, name in enumerate(given.cells):
        told = []
        for place, table in enumerate(tables):
            left = np.nanmax(table.column()) - found.values(place, number, "validation")[:, -1]
            error = left.std(ddof=1) / np.sqrt(len(left)) if len(left) > 1 else float("nan")
            told.append(f"{left.mean():.3f} ± {error:.3f}")
        print(f"| {name:20} | {CELLS[name][0]} | {' | '.join(told)} |")


if __name__ == "__main__":
    main()
