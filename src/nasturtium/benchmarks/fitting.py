"""Surrogates of our own: a forest fitted to a table answers for the whole space, with noise like that of training."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from nasturtium.benchmarks import forest
from nasturtium.benchmarks.forest import Forest, Numbers
from nasturtium.benchmarks.rows import Decisions
from nasturtium.benchmarks.surrogate import Surrogate
from nasturtium.benchmarks.table import Benchmark, BenchmarkError, Metric
from nasturtium.space.architecture import Architecture
from nasturtium.space.encoding import choice_table, encode

if TYPE_CHECKING:
    from nasturtium.space.space import Space

FORMAT = 1
LEAST = 20
"""Fewest architectures that a surrogate is fitted on."""


class FittedSurrogate(Surrogate):
    """A surrogate whose metrics are forests on the options taken.

    ``query(..., seed=s)`` adds noise of a run, with the standard deviation between the runs of the table. ``quality``
    holds for each metric the rank correlation (``spearman``) and the root of the mean squared error (``rmse``) on
    architectures that the trees asked had not seen, and that standard deviation (``noise``; where the table has no
    runs, the error instead).
    """

    def __init__(
        self, space: Space, facts: dict[str, Any], forests: Sequence[Forest], quality: dict[str, dict[str, float]]
    ) -> None:
        self.facts, self.forests, self.quality = facts, list(forests), quality
        self._asked: Architecture | None = None
        metrics = [Metric(**{**each, "epochs": (), "separate": False}) for each in facts["metrics"]]
        roles = {role: facts[role] for role in ("signal", "verdict", "cost")}
        source = f"forests fitted on {facts['rows']} rows of {facts['source']}"
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
        return [float(each.predict(row).mean()) for each in self.forests]

    def _noise(self, decisions: Decisions) -> list[float]:
        return [each["noise"] for each in self.quality.values()]

    def spread(self, architecture: Architecture, metric: str | None = None) -> float:
        """The standard deviation of the trees' predictions: how unsure the forest is."""
        place = list(self.metrics).index(self.metric(metric).name)
        row = features(self.space, [self.space.adopt(architecture)])[0]
        return float(self.forests[place].predict(row).std())

    def save(self, path: Path | str) -> Path:
        """Writes the surrogate to an ``.npz`` file: arrays, and their meaning as JSON text."""
        file = Path(path).with_suffix(".npz")
        arrays = {
            f"{place}.{name}": value
            for place, each in enumerate(self.forests)
            for name, value in each._asdict().items()
        }
        content = {"format": FORMAT, "facts": self.facts, "quality": self.quality, "space": self.space.fingerprint}
        file.parent.mkdir(parents=True, exist_ok=True)
        np.savez_compressed(file, content=np.array(json.dumps(content)), **arrays)
        return file


def features(space: Space, architectures: Sequence[Architecture]) -> Numbers:
    """What the forests see: the option taken at each choice, also as numbers where all are made; (n, features)."""
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


def fit_surrogate(
    table: Benchmark, metrics: Sequence[str] | None = None, *, trees: int = 100, rows: int | None = None, seed: int = 0
) -> FittedSurrogate:
    """A surrogate that answers for the whole space of a table.

    Random forests with noise, as the surrogate benchmarks of Siems et al. (2020, arXiv:2008.09777) have them; theirs
    are ensembles of ten models, ours are one forest a metric, whose trees are kept as arrays.

    Args:
        table: A benchmark of fixed rows.
        metrics: What it shall answer; signal, verdict and cost of the table if None. The last epoch is fitted.
        trees: Of each forest.
        rows: Fit on so many rows, drawn at random; all if None.
        seed: Of the forests, and of that draw.

    Raises:
        BenchmarkError: If the table has too few rows, or has no fixed rows.
    """
    roles = dict.fromkeys(name for name in (table.signal, table.verdict, table.cost) if name)
    names = list(dict.fromkeys([*roles, *(metrics or ())]))
    rng = np.random.default_rng(seed)
    chosen = np.arange(len(table)) if rows is None else np.sort(rng.permutation(len(table))[:rows])
    if table.grows or len(chosen) < LEAST:
        raise BenchmarkError(f"a surrogate is fitted on a table of at least {LEAST} rows, not on {table!r}")
    listed = table.architectures()
    examples = features(table.space, [listed[int(row)] for row in chosen])
    fitted = {name: _fitted(table, name, chosen, examples, trees, seed) for name in names}
    facts = {
        "name": table.name, "dataset": table.dataset, "source": table.source or table.title, "rows": len(chosen),
        "signal": table.signal, "verdict": table.verdict, "cost": table.cost,
        "metrics": [asdict(table.metric(name)) for name in names],
    }  # fmt: skip
    quality = {name: held for name, (_, held) in fitted.items()}
    return FittedSurrogate(table.space, facts, [made for made, _ in fitted.values()], quality)


def _fitted(
    table: Benchmark, name: str, chosen: Any, examples: Numbers, trees: int, seed: int
) -> tuple[Forest, dict[str, float]]:
    """The forest of one metric, and how good it is."""
    targets = table.column(name)[chosen]
    known = np.isfinite(targets)
    if known.sum() < LEAST:
        raise BenchmarkError(f"{table.title} holds {name} of {known.sum()} architectures alone; it needs {LEAST}")
    made, unseen = forest.fit(examples[known], targets[known], trees, seed)
    return made, _quality(targets[known], unseen, table.runs(name))


def _quality(targets: Numbers, unseen: Numbers, runs: Numbers) -> dict[str, float]:
    """Rank correlation and error on what the trees had not seen, and the noise between runs."""
    from scipy.stats import spearmanr

    asked = np.isfinite(unseen)
    error = float(np.sqrt(np.mean((targets[asked] - unseen[asked]) ** 2)))
    noise = error
    if runs.ndim == 2:
        several = runs[np.isfinite(runs).sum(axis=1) > 1]
        noise = float(np.sqrt(np.nanmean(np.nanvar(several, axis=1, ddof=1)))) if len(several) else error
    ranks = float(spearmanr(targets[asked], unseen[asked])[0]) if np.ptp(targets) > 0 else 0.0
    return {"spearman": ranks, "rmse": error, "noise": noise}


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
            count = len(content["facts"]["metrics"])
            forests = [Forest(*(held[f"{place}.{name}"] for name in Forest._fields)) for place in range(count)]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise BenchmarkError(f"{path} is no surrogate that nasturtium has written: {error}") from None
    if content.get("format") != FORMAT:
        raise BenchmarkError(f"{path} has format {content.get('format')}, this version reads {FORMAT}")
    if content["space"] != space.fingerprint:
        raise BenchmarkError(f"{path} was fitted for another space than {space.name!r} with these options")
    return FittedSurrogate(space, content["facts"], forests, content["quality"])
