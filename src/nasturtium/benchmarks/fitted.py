"""Fitted surrogates: models that were fitted to a table answer for its whole space, and are kept in a file."""

from __future__ import annotations

import json
import struct
import zipfile
import zlib
from collections.abc import Callable, Sequence
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

import numpy as np

from nasturtium.benchmarks import forest, process
from nasturtium.benchmarks.forest import Numbers
from nasturtium.benchmarks.noise import Spread, smallest
from nasturtium.benchmarks.rows import Decisions
from nasturtium.benchmarks.surrogate import Surrogate
from nasturtium.benchmarks.table import BenchmarkError, Metric
from nasturtium.space.architecture import Architecture
from nasturtium.space.encoding import choice_table, encode

if TYPE_CHECKING:
    from nasturtium.space.space import Space

FORMAT = 1

DAMAGED = (
    OSError, ValueError, LookupError, TypeError, AttributeError, RuntimeError, EOFError, struct.error,
    zipfile.BadZipFile, zlib.error,
)  # fmt: skip
"""What numpy and Python raise on an archive that is none, or was changed or cut short."""


class Model(Protocol):
    """Arrays that answer for one example.

    ``predict`` gives predictions (members,), whose deviation says how unsure the model is; ``mean`` is what counts.
    """

    def predict(self, row: Numbers) -> Numbers: ...

    def mean(self, row: Numbers) -> float: ...

    def _asdict(self) -> dict[str, Any]: ...


class Kind(NamedTuple):
    """A kind of model.

    Attributes:
        made: Its arrays.
        fit: Fits it to (n, features) and (n,), with so many trees and a seed; gives it, and for each example what the
            parts of it say that have not seen it.
        trees: How many unless told otherwise.
        called: What it is called when one says what a surrogate is.
        most: How many examples it can be fitted on; None for as many as there are.
    """

    made: Callable[..., Model]
    fit: Callable[[Numbers, Numbers, int, int], tuple[Model, Numbers]]
    trees: int
    called: str
    most: int | None = None


KINDS: dict[str, Kind] = {
    "forest": Kind(forest.Forest, forest.fit, 100, "forests"),
    "boosted": Kind(forest.Boosted, forest.fit_boosted, 50, "boosted trees"),
    "process": Kind(process.Process, process.fit, 0, "Gaussian processes", process.MOST),
}
"""Every kind of model by its name."""


class FittedSurrogate(Surrogate):
    """A surrogate whose metrics are models of the options taken.

    ``query(..., seed=s)`` adds noise of a run, with the standard deviation between the runs of the table. ``quality``
    holds for each metric the rank correlation (``spearman``) and the root of the mean squared error (``rmse``) on
    architectures that the members asked had not seen, and that standard deviation (``noise``; where the table has no
    runs, the error instead). Where a second table of trainings was given the noise depends on how good an architecture
    is (see :func:`nasturtium.benchmarks.noise.noise_bounds`), and ``noise`` is that of a middling one.
    """

    def __init__(
        self, space: Space, facts: dict[str, Any], models: Sequence[Model], quality: dict[str, dict[str, float]]
    ) -> None:
        self.facts, self.models, self.quality = facts, list(models), quality
        bounds: dict[str, list[list[float]]] = facts.get("bounds", {})
        self.bounds = [
            [Spread(*each) for each in bounds[name]] if name in bounds else [Spread(held["noise"])]
            for name, held in quality.items()
        ]
        self._asked: Architecture | None = None
        metrics = [Metric(**{**each, "epochs": (), "separate": False}) for each in facts["metrics"]]
        roles = {role: facts[role] for role in ("signal", "verdict", "cost")}
        source = f"{KINDS[facts['kind']].called} fitted on {facts['rows']} rows of {facts['source']}"
        super().__init__(
            facts["name"],
            facts["dataset"],
            space,
            metrics,
            self._answer,
            spread=self._noise,
            source=source,
            **roles,
        )

    def row(self, architecture: Architecture) -> int | None:
        """The row of an architecture, a new one for a new one."""
        self._asked = architecture if architecture.space is self.space else None
        return super().row(architecture)

    def _answer(self, decisions: Decisions) -> list[float]:
        asked = self._asked  # it may know its derivation, which need not be made again
        known = asked is not None and asked.decisions == decisions
        row = features(self.space, [asked if asked is not None and known else self.space.architecture(decisions)])[0]
        return [each.mean(row) for each in self.models]

    def _noise(self, decisions: Decisions) -> list[float]:
        row = self.rows.index(decisions) or 0
        return [smallest(bounds, self.at(row, name)) for name, bounds in zip(self.metrics, self.bounds, strict=True)]

    def spread(self, architecture: Architecture, metric: str | None = None) -> float:
        """The standard deviation of the members' predictions: how unsure the model is."""
        place = list(self.metrics).index(self.metric(metric).name)
        row = features(self.space, [self.space.adopt(architecture)])[0]
        return float(self.models[place].predict(row).std())

    def save(self, path: Path | str) -> Path:
        """Writes the surrogate to a file: arrays, and their meaning as JSON text.

        Args:
            path: The file; ``.npz`` is put behind its name where that does not end so.

        Returns:
            The file that was written.
        """
        file = Path(path)
        file = file if file.suffix == ".npz" else file.with_name(f"{file.name}.npz")
        arrays = {
            f"{place}.{name}": value for place, each in enumerate(self.models) for name, value in each._asdict().items()
        }
        content = {"format": FORMAT, "facts": self.facts, "quality": self.quality, "space": self.space.fingerprint}
        file.parent.mkdir(parents=True, exist_ok=True)
        np.savez_compressed(file, content=np.array(json.dumps(content)), **arrays)
        return file


def features(space: Space, architectures: Sequence[Architecture]) -> Numbers:
    """What the models see: the option taken at each choice, also as numbers where all are made; (n, features)."""
    if space.radices is not None:
        taken = np.array([each.decisions for each in architectures], dtype=np.float32)
        return np.concatenate([encode(space, architectures, "one_hot"), taken], axis=1)
    columns, width = _columns(space)
    rows = np.zeros((len(architectures), width), dtype=np.float32)
    for row, architecture in zip(rows, architectures, strict=True):
        for step in architecture.steps:
            row[columns[step.point.place] + step.taken] = 1.0
    return rows


@lru_cache(maxsize=16)
def _columns(space: Space) -> tuple[dict[str, int], int]:
    """Where the options of each choice of a space begin, and how many there are."""
    columns, width = {}, 0
    for place, options in choice_table(space).items():
        columns[place] = width
        width += options
    return columns, width


def load_surrogate(path: Path | str, space: Space) -> FittedSurrogate:
    """Reads what :meth:`FittedSurrogate.save` wrote; nothing in it is executed.

    Args:
        path: The ``.npz`` file.
        space: The space it was fitted for.

    Raises:
        BenchmarkError: If it is no such file, or of another space.
    """
    try:
        with np.load(path, allow_pickle=False) as held:
            content = json.loads(str(held["content"]))
            content["facts"].setdefault("kind", "forest")  # files of before there were others
            made = KINDS[content["facts"]["kind"]].made
            fields: tuple[str, ...] = made._fields  # type: ignore[attr-defined]
            count = len(content["facts"]["metrics"])
            models = [made(*(held[f"{place}.{name}"] for name in fields)) for place in range(count)]
            quality, fingerprint = content["quality"], content["space"]
    except DAMAGED as error:
        raise BenchmarkError(
            f"{path} is no surrogate that nasturtium has written, or is damaged ({type(error).__name__}: {error}); "
            "save it anew"
        ) from None
    if content.get("format") != FORMAT:
        raise BenchmarkError(f"{path} has format {content.get('format')}, this version reads {FORMAT}")
    if fingerprint != space.fingerprint:
        raise BenchmarkError(f"{path} was fitted for another space than {space.name!r} with these options")
    return FittedSurrogate(space, content["facts"], models, quality)
