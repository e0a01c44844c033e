"""What is exported: a trained network with its architecture, what surrounds it, and rows to verify an export on."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from nasturtium.errors import NasturtiumError, StudyError
from nasturtium.export.program import unique
from nasturtium.space import Architecture, Signal

if TYPE_CHECKING:
    import torch

    from nasturtium.searching import Result

Array = npt.NDArray[Any]

MOST_ROWS = 100


@dataclass(frozen=True, eq=False)
class Trained:
    """A trained network, ready to be exported.

    Attributes:
        model: On the CPU.
        architecture: What it is.
        rows: For each tensor that the network takes the same rows, up to 100; made up where there are none.
        output: What the network gave for them when it was trained, if that is known.
        preprocessing: How raw data becomes inputs and outputs answers, as ``Preprocessing.to_json`` writes it.
        classes: What the outputs are called, where there is no preprocessing.
        title: One line on where it comes from.
        real: Whether the rows are data.
    """

    model: torch.nn.Module
    architecture: Architecture
    rows: tuple[Array, ...] = ()
    output: Array | None = None
    preprocessing: Mapping[str, Any] | None = None
    classes: tuple[str, ...] = ()
    title: str = ""
    real: bool = field(default=True)

    def __post_init__(self) -> None:
        expected = len(input_names(self.architecture.input))
        if not self.rows:
            object.__setattr__(self, "rows", made_up_rows(self.architecture))
            object.__setattr__(self, "output", None)
            object.__setattr__(self, "real", False)
        if len(self.rows) != expected:
            raise NasturtiumError(
                f"the network takes {expected} tensors, but the rows to verify it on {len(self.rows)}"
            )
        if len(self.rows[0]) == 1:  # tracing takes a batch of one for a constant
            object.__setattr__(self, "rows", tuple(np.repeat(values, 2, axis=0) for values in self.rows))
            object.__setattr__(self, "output", None if self.output is None else np.repeat(self.output, 2, axis=0))

    @classmethod
    def of_folder(cls, folder: str | Path) -> Trained:
        """What a search left in its folder.

        Raises:
            StudyError: If no network was trained in the end.
        """
        from nasturtium.final.files import read_winner

        loaded = read_winner(Path(folder))
        content = loaded.content
        rows, output = _of_file(loaded.rows)
        held = content.get("preprocessing")
        title = title_of(content["task"], content["metric"], content.get("runs") or (), content["scores"])
        return cls(
            loaded.model, Architecture.from_json(content["json"]), rows, output,
            None if held is None else json.loads(held), tuple(content.get("classes", ())), title,
        )  # fmt: skip

    @classmethod
    def of_result(cls, result: Result) -> Trained:
        """The best network of a search.

        Raises:
            StudyError: If no network was trained in the end.
        """
        from nasturtium.tasks import Batches

        best, task = result.best, result.task
        if best.model is None:
            raise StudyError("no network was trained in the end; search with final_epochs above 0")
        split = task.test if len(task.test) else task.train
        held = task.preprocessing
        preprocessing = None if held is None else json.loads(held.to_json())
        some = split.take(np.arange(min(MOST_ROWS, len(split))))
        rows = tuple(tensor.numpy() for tensor in next(iter(Batches(some, len(some))))[0])
        done = () if result.finals is None else [run for run in result.finals.best.runs if run.state == "complete"]
        title = title_of(task.name, task.metric, [run.scores for run in done], best.scores)
        return cls(best.model, best.architecture, rows, None, preprocessing, task.classes, title)


def title_of(task: str, metric: str, runs: Sequence[Mapping[str, float]], scores: Mapping[str, float]) -> str:
    """Where a network comes from: its task, its own test score, and the mean of its trainings if there were several.

    Args:
        task: Name of the task.
        metric: The task's metric.
        runs: The test scores of each completed training; the first is that of the network.
        scores: Their means as ``test_<metric>``.

    >>> title_of("digits", "accuracy", [{"accuracy": 0.97}, {"accuracy": 0.95}], {"test_accuracy": 0.96})
    'task digits, test accuracy 0.9700; mean of 2 trainings 0.9600'
    """
    mean = scores.get(f"test_{metric}")
    own = runs[0].get(metric) if runs else mean
    title = f"task {task}" + ("" if own is None else f", test {metric} {own:.4f}")
    return title + (f"; mean of {len(runs)} trainings {mean:.4f}" if len(runs) > 1 and mean is not None else "")


def input_names(signals: tuple[Signal, ...]) -> tuple[str, ...]:
    """A name for each tensor that stands for the input signals, in the order of ``forward``; good for an argument."""
    names: list[str] = []
    for signal in signals:
        hint = "x" if len(signals) == 1 or signal.kind not in ("nodes", "edges", "tokens") else signal.kind
        names += _names(signal, hint)
    taken: set[str] = set()
    return tuple([unique(re.sub(r"\W|^(?=\d)", "_", name), taken) for name in names])


def open_lengths(trained: Trained) -> list[tuple[Array, bool]]:
    """The rows of each tensor that the network takes, and whether its length differs from batch to batch."""
    found = [each for signal in trained.architecture.input for each in _open(signal)]
    return list(zip(trained.rows, found, strict=True))


def _open(signal: Signal) -> list[bool]:
    inner = [each for _, member in signal.members for each in _open(member)]
    own = inner if signal.kind == "group" else [signal.kind in ("sequence", "tokens") and signal.shape[0] is None]
    return own + ([any(own)] if signal.mask else [])


def _names(signal: Signal, hint: str) -> list[str]:
    inner = [name for key, member in signal.members for name in _names(member, key)]
    return (inner if signal.kind == "group" else [hint]) + (["mask"] if signal.mask else [])


def made_up_rows(architecture: Architecture) -> tuple[Array, ...]:
    """Random rows for the inputs of an architecture, always the same."""
    from nasturtium.proxies.generators import own_numbers
    from nasturtium.testing.running import UNKNOWN, made_up

    with own_numbers(0):
        nodes = next((s.shape[0] for s in architecture.input if s.kind == "nodes"), None) or UNKNOWN
        made = [tensor for signal in architecture.input for tensor in made_up(signal, MOST_ROWS, nodes)]
    return tuple(tensor.numpy() for tensor in made)


def _of_file(rows: Mapping[str, Array] | None) -> tuple[tuple[Array, ...], Array | None]:
    """Inputs and output of what ``best_rows.npz`` holds."""
    if rows is None:
        return (), None
    inputs = [rows[f"input{number}"][:MOST_ROWS] for number in range(len(rows)) if f"input{number}" in rows]
    output = rows.get("output")
    return tuple(inputs), None if output is None else np.asarray(output)[:MOST_ROWS]
