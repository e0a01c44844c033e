"""Small tables for tests, made from a formula."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from nasturtium import Space, choice
from nasturtium.benchmarks import Benchmark, DecisionRows, Metric, Surrogate, load
from nasturtium.layers import Linear, ReLU, Sequential
from nasturtium.trial import Proposal

DATA = Path(__file__).resolve().parents[2].parent / "shared" / "data" / "benchmarks"

OPTIONS, PLACES = 4, 5


def space() -> Space:
    net = Sequential(*[choice(*[Linear(4 + extra) for extra in range(OPTIONS)]) for _ in range(PLACES)], ReLU())
    return Space(net, input=(4,), name="small")


def every() -> list[tuple[int, ...]]:
    return list(itertools.product(range(OPTIONS), repeat=PLACES))


def table(
    rows: Sequence[tuple[int, ...]] | None = None,
    epochs: tuple[int, ...] = (),
    seeds: int = 1,
    separate: bool = False,
) -> Benchmark:
    """Validation is the weighted sum of the decisions, test a permutation of that, seconds 10 plus the first one."""
    held = every() if rows is None else list(rows)
    plain = np.array(held, dtype=float) @ np.array([5.0, 4.0, 3.0, 2.0, 1.0])
    noise = np.random.default_rng(0).normal(size=(len(held), seeds))
    runs = plain[:, None] + noise if seeds > 1 else plain
    seconds = 10.0 + np.array(held, dtype=float)[:, 0]
    kind = "seeds" if seeds > 1 else "mean"
    validation = {e: runs * e / epochs[-1] for e in epochs} if epochs else runs
    return Benchmark(
        "small", "data", space(), DecisionRows(held),
        [
            Metric("val_accuracy", "The sum.", "validation", epochs=epochs, repeats=kind, separate=separate),
            Metric("test_accuracy", "The sum, from below.", "test"),
            Metric("train_seconds", "Ten and more.", "cost", maximise=False, unit="s"),
        ],
        {"val_accuracy": validation, "test_accuracy": plain - 0.5, "train_seconds": seconds},
        signal="val_accuracy", verdict="test_accuracy", cost="train_seconds", seeds=tuple(range(seeds)) * (seeds > 1),
    )  # fmt: skip


CURVE = tuple(range(1, 11))
"""The epochs of the surrogate."""


def surrogate(by: float = 0.0, spread: float | None = None) -> Surrogate:
    """Answers with a curve: the weighted sum of the decisions, moved, that is reached from below like 1 - 1/epoch."""

    def answer(decisions: tuple[int, ...]) -> list[float]:
        end = by + float(np.dot(decisions, [5.0, 4.0, 3.0, 2.0, 1.0]))
        return [end * (1 - 1 / epoch) for epoch in CURVE]

    metric = Metric("val_accuracy", "The sum.", "validation", epochs=CURVE)
    return Surrogate(
        "small", "answers", space(), [metric], answer, signal="val_accuracy", verdict="val_accuracy",
        spread=None if spread is None else lambda decisions: len(CURVE) * [spread],
    )  # fmt: skip


def nasbench201() -> Benchmark:
    """The prepared table; the test is skipped where it is missing."""
    if not (DATA / "nats_tss").exists():
        pytest.skip("the table of NAS-Bench-201 is not here")
    return load("nasbench201", "cifar10", DATA)


class Scripted:
    """Asks what it was given, and keeps what it was told."""

    reads_curves = True

    def __init__(self, space: Space, proposals: Sequence[tuple[tuple[int, ...], float, int | None]]) -> None:
        self.space, self.proposals = space, list(proposals)
        self.told: list[tuple[int, str, dict[str, float]]] = []
        self.curves: list[list[dict[str, float]]] = []

    def ask(self, n: int = 1) -> list[Proposal]:
        if not self.proposals:
            return []
        decisions, budget, parent = self.proposals.pop(0)
        return [Proposal(self.space.architecture(decisions), budget, parent)]

    def asked(self, proposal: Proposal) -> None:
        """Nothing to note."""

    def tell(self, trial) -> None:
        self.told.append((trial.number, str(trial.state), dict(trial.scores)))
        self.curves.append(list(trial.curve))
