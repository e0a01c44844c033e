"""Small tasks, networks and a report that notes what it is told."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest

from nasturtium import tasks
from nasturtium.layers import BatchNorm, ConvBlock, Dropout, GlobalPool, Linear, MaxPool, ReLU, Sequential
from nasturtium.space import Architecture


@dataclass
class Notes:
    """A report that notes what it is told, and asks to stop after so many epochs."""

    seed: int = 0
    folder: Path | None = None
    previous: Path | None = None
    deadline: float | None = None
    stop_after: int | None = None
    crash_after: int | None = None
    curve: list[dict[str, float]] = field(default_factory=list)

    def __call__(self, step, scores):
        self.curve.append({"step": step, **scores})
        if self.crash_after is not None and step >= self.crash_after:
            raise KeyboardInterrupt
        return self.stop_after is None or step < self.stop_after


@pytest.fixture
def notes():
    return Notes


@pytest.fixture(scope="session")
def digits():
    return tasks.load("digits")


@pytest.fixture(scope="session")
def blobs():
    """Three classes of points in the plane, far apart."""
    rng = np.random.default_rng(0)
    y = np.arange(240) % 3
    return tasks.load((rng.normal(size=(240, 2)) + 4 * np.eye(3)[y][:, :2], y))


@pytest.fixture(scope="session")
def line():
    """A linear function of four numbers, with a little noise, in units far from one."""
    rng = np.random.default_rng(1)
    x = rng.normal(size=(400, 4))
    return tasks.load((x, 1000 + 50 * (x @ [1.0, -2.0, 0.5, 3.0]) + rng.normal(size=400)))


@pytest.fixture(scope="session")
def convnet():
    layers = ConvBlock(8), MaxPool(2), ConvBlock(16), GlobalPool("max"), Dropout(0.1), Linear(10)
    return Architecture(Sequential(*layers), input=(1, 8, 8))


@pytest.fixture(scope="session")
def mlp():
    return Architecture(Sequential(Linear(16), BatchNorm(), ReLU(), Linear(3)), input=(2,))
