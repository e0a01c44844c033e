"""NAS-Bench-111 (Yan et al. 2021): learning curves for the networks of NAS-Bench-101, from its final accuracies."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import numpy as np

from nasturtium.benchmarks import captured, nasbench101, nasbench301, sources
from nasturtium.benchmarks.forest import Numbers
from nasturtium.benchmarks.rows import Decisions
from nasturtium.benchmarks.surrogate import Surrogate
from nasturtium.benchmarks.table import Benchmark, BenchmarkError, Metric, NotInTable
from nasturtium.spaces.graph_cells import OPERATIONS
from nasturtium.spaces.nasbench101 import PAIRS

CODES = {"conv1x1-bn-relu": 0.0, "conv3x3-bn-relu": 0.5, "maxpool3x3": 1.0}
"""The operations as numbers."""

BUDGETS = (4, 12, 36, 108)


def encoded(table: Benchmark, decisions: Decisions) -> Numbers:
    """What the models see of an architecture: (30,).

    The upper triangle of the adjacency matrix in the table, its operations, and the mean validation accuracy there
    after a training of each budget.

    Raises:
        NotInTable: If NAS-Bench-101 has not trained it.
    """
    row = table.index(decisions)
    if row is None:
        raise NotInTable(f"NAS-Bench-111 knows the networks of NAS-Bench-101 alone, not the one of {decisions}")
    held = table.rows.decisions(row)
    codes = [CODES[list(OPERATIONS)[number]] for number in held[len(PAIRS) :]]
    accuracies = [table.at(row, "val_accuracy", budget) for budget in BUDGETS]
    return np.array([*held[: len(PAIRS)], *codes, *accuracies], dtype=np.float64)


def curves(path: Path, dataset: str) -> Surrogate:
    """The folder ``nb111-v0.5`` with ``nasbench_full.tfrecord`` beside or above it, whose accuracies the models take.

    Raises:
        BenchmarkError: If the table of NAS-Bench-101 is not there, or lacks a budget.
    """
    files = sources.find(path.parent, ["nasbench_full.tfrecord"]) or sources.find(path, ["nasbench_full.tfrecord"])
    if not files:
        raise BenchmarkError(f"the models in {path} need the final accuracies: put nasbench_full.tfrecord beside them")
    table = nasbench101.official(files[0], "cifar10")
    if table.metric("val_accuracy").epochs != BUDGETS:
        raise BenchmarkError(f"{files[0]} has no trainings of 4, 12, 36 and 108 epochs each")
    members = [nasbench301.curve(file) for file in captured.members(path)]
    made = nasbench301.Ensembles([members], partial(encoded, table))
    epochs = tuple(range(1, members[0].basis.shape[1] + 1))
    meaning = "What the ensemble predicts for the validation accuracy after each epoch, from those of whole trainings."
    metric = Metric("val_accuracy", meaning, "validation", epochs=epochs)
    return Surrogate(
        "nasbench101", dataset, nasbench101.space(), [metric], made.answer, spread=made.spread, source=path.name,
        signal="val_accuracy", verdict="val_accuracy",
    )  # fmt: skip
