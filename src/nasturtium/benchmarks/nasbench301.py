"""NAS-Bench-301 (Siems et al. 2020) and NAS-Bench-311 (Yan et al. 2021): the surrogates their authors released."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from nasturtium.benchmarks import captured, sources
from nasturtium.benchmarks.forest import Forest, Numbers
from nasturtium.benchmarks.rows import Decisions
from nasturtium.benchmarks.surrogate import Surrogate
from nasturtium.benchmarks.table import BenchmarkError, Metric
from nasturtium.errors import MissingExtra
from nasturtium.space.space import Space
from nasturtium.spaces.darts import darts
from nasturtium.spaces.genotype import COMPACT, read_genotype

CELLS = ("normal", "reduce")
PAIRS = {node: tuple(f"{a}_{b}" for a in range(node) for b in range(a + 1, node)) for node in (3, 4, 5)}
"""For each later node of a cell the pairs of states it may read, in the order of the published space."""

STARTS = (0, 2, 5, 9)
"""The number of the first edge to each node."""


def _integer(value: float, low: float, high: float, logarithm: bool = False) -> float:
    """Where a whole number stands between bounds, in ConfigSpace's way of giving each as much room."""
    low, high = low - 0.49999, high + 0.49999
    if logarithm:
        value, low, high = math.log(value), math.log(low), math.log(high)
    return (value - low) / (high - low)


FIXED = {
    "CreateImageDataLoader:batch_size": _integer(96, 64, 128, logarithm=True),
    "ImageAugmentation:augment": 0.0,
    "ImageAugmentation:autoaugment": 0.0,
    "ImageAugmentation:cutout": 0.0,
    "ImageAugmentation:cutout_holes": _integer(1, 1, 3),
    "ImageAugmentation:cutout_length": _integer(16, 1, 50),
    "ImageAugmentation:fastautoaugment": 0.0,
    "LossModuleSelectorIndices:loss_module": 0.0,
    "NetworkSelectorDatasetInfo:darts:auxiliary": 0.0,
    "NetworkSelectorDatasetInfo:darts:drop_path_prob": 0.0,
    "NetworkSelectorDatasetInfo:darts:init_channels": _integer(32, 1, 10_000),
    "NetworkSelectorDatasetInfo:darts:layers": _integer(8, 1, 10_000),
    "NetworkSelectorDatasetInfo:network": 0.0,
    "OptimizerSelector:optimizer": 0.0,
    "OptimizerSelector:sgd:learning_rate": math.log(0.025),
    "OptimizerSelector:sgd:momentum": (0.9 - 0.1) / (0.99 - 0.1),
    "OptimizerSelector:sgd:weight_decay": math.log(0.0003),
    "SimpleLearningrateSchedulerSelector:cosine_annealing:T_max": _integer(100, 1, 10_000),
    "SimpleLearningrateSchedulerSelector:cosine_annealing:eta_min": 1e-8 / 10_000,
    "SimpleLearningrateSchedulerSelector:lr_scheduler": 0.0,
    "SimpleTrainNode:batch_loss_computation_technique": 0.0,
    "SimpleTrainNode:mixup:alpha": math.log(0.2 / 0.01) / math.log(0.7 / 0.01),
}
"""What all networks of the benchmark have in common, as numbers in ConfigSpace's way."""

DARTS = "NetworkSelectorDatasetInfo:darts:"
ALWAYS = sorted([
    *FIXED,
    *(f"{DARTS}edge_{cell}_{edge}" for cell in CELLS for edge in range(STARTS[1])),
    *(f"{DARTS}inputs_node_{cell}_{node}" for cell in CELLS for node in PAIRS),
])  # fmt: skip
SOMETIMES = sorted(f"{DARTS}edge_{cell}_{edge}" for cell in CELLS for edge in range(STARTS[1], 14))
COLUMNS = {name: place for place, name in enumerate([*ALWAYS, *SOMETIMES])}
"""The columns that the models see: what is always there by name, then what depends on it by name."""


@cache
def space() -> Space:
    """The space ``darts`` with the benchmark's 32 channels and eight cells."""
    return darts(channels=32, cells=8)


def encoded(decisions: Decisions) -> Numbers:
    """What the models see of an architecture: (58,), -1 for an edge that is not there."""
    genotype = read_genotype(space().to_notation(space().architecture(decisions)))
    row = np.full(len(COLUMNS), -1.0)
    for name, value in FIXED.items():
        row[COLUMNS[name]] = value
    for cell in CELLS:
        for number, steps in enumerate(genotype.nodes(cell)):
            for name, source in steps:
                row[COLUMNS[f"{DARTS}edge_{cell}_{STARTS[number] + source}"]] = COMPACT.index(name)
            if number:
                pair = "_".join(map(str, sorted(source for _, source in steps)))
                row[COLUMNS[f"{DARTS}inputs_node_{cell}_{number + 2}"]] = PAIRS[number + 2].index(pair)
    return row


class Boosted(NamedTuple):
    """Trees whose predictions are added."""

    trees: Forest

    def __call__(self, row: Numbers) -> Numbers:
        return np.array([self.trees.predict(row).sum()])


class Buffered(NamedTuple):
    """A booster of the library xgboost."""

    booster: Any

    def __call__(self, row: Numbers) -> Numbers:
        found: Numbers = np.asarray(self.booster.inplace_predict(row[None].astype(np.float32)), dtype=np.float64)
        return found


class Curve(NamedTuple):
    """A chain of boosted trees that gives components, each of which may read those before it.

    Attributes:
        steps: The trees of each component.
        order: Which component each gives.
        mean: Of the components, (components,).
        scale: Of the components, (components,).
        basis: What a component is as a curve, (components, epochs).
    """

    steps: Sequence[Forest]
    order: Sequence[int]
    mean: Numbers
    scale: Numbers
    basis: Numbers

    def __call__(self, row: Numbers) -> Numbers:
        found, seen = np.zeros(len(self.steps)), row
        for place, step in zip(self.order, self.steps, strict=True):
            found[place] = step.predict(seen).sum()
            seen = np.append(seen, found[place])
        made: Numbers = (found * self.scale + self.mean) @ self.basis
        return made


class Ensembles(NamedTuple):
    """For each metric the members of its ensemble; the answer is their mean, the spread their standard deviation.

    Attributes:
        members: Of each metric.
        encode: What they see of an architecture.
    """

    members: Sequence[Sequence[Boosted | Buffered | Curve]]
    encode: Callable[[Decisions], Numbers]

    def answer(self, decisions: Decisions) -> list[float]:
        """The value of each metric, or of each of its epochs."""
        return [float(value) for held in self._predicted(decisions) for value in held.mean(axis=0)]

    def spread(self, decisions: Decisions) -> list[float]:
        """How much the members differ in each of these."""
        return [float(value) for held in self._predicted(decisions) for value in held.std(axis=0)]

    def _predicted(self, decisions: Decisions) -> list[Numbers]:
        row = self.encode(decisions)
        return [np.stack([member(row) for member in each]) for each in self.members]


def official(path: Path, dataset: str) -> Surrogate:
    """The folder ``nb_models_1.0`` with ``xgb_v1.0`` or ``lgb_v1.0``, and ``lgb_runtime_v1.0`` for the seconds.

    Noise by seed is normal with the standard deviation of the ensemble, as the authors draw it.

    Raises:
        BenchmarkError: If the models are not there, or of another kind (the graph networks are not read).
        MissingExtra: If the models need xgboost.
    """
    kind = dataset.partition("/")[2] or "xgb"
    ensembles = [_ensemble(_folder(path, kind), kind)]
    metrics = [Metric("val_accuracy", "What the ensemble predicts for the validation accuracy after 100 epochs.",
                      "validation", repeats="mean", unit="%")]  # fmt: skip
    seconds = sorted(path.glob("lgb_runtime*"))
    if seconds:
        ensembles.append(_ensemble(seconds[0], "lgb"))
        metrics.append(Metric("train_seconds", "What the ensemble predicts for the seconds of the training.", "cost",
                              maximise=False, unit="s"))  # fmt: skip

    made = Ensembles(ensembles, encoded)
    return Surrogate(
        "nasbench301", dataset, space(), metrics, made.answer, spread=made.spread, source=path.name,
        signal="val_accuracy", verdict="val_accuracy", cost="train_seconds" if seconds else None,
    )  # fmt: skip


def _folder(path: Path, kind: str) -> Path:
    found = [each for each in sorted(path.glob(f"{kind}_v*")) if each.is_dir()]
    if not found:
        there = ", ".join(sorted(each.name for each in path.iterdir() if each.is_dir())) or "no folders"
        raise BenchmarkError(f"{path} holds {there}, not {kind}_v1.0; the data sets are cifar10 (xgb) and cifar10/lgb")
    return found[0]


def _ensemble(folder: Path, kind: str) -> list[Boosted | Buffered | Curve]:
    """The members of an ensemble."""
    made: list[Boosted | Buffered | Curve] = []
    for file in captured.members(folder):
        config = file.with_name("model_config.json")
        named = sources.json_file(config).get("model", kind) if config.exists() else kind
        if str(named).startswith("lgb"):
            made.append(Boosted(captured.lightgbm(captured.model(file), file)))
        elif str(named).startswith("xgb"):
            made.append(_xgboost(file))
        else:
            raise BenchmarkError(f"{file} is a model {named!r}; those of xgboost and LightGBM are read")
    return made


def _xgboost(file: Path) -> Buffered:
    """A booster of xgboost, whose buffer that library reads itself.

    Raises:
        MissingExtra: If xgboost is not there.
        BenchmarkError: If this version of xgboost does not read the buffer.
    """
    try:
        import xgboost
    except ImportError:
        raise MissingExtra("xgboost-cpu", "surrogates") from None
    held = captured.model(file)
    content = held.state.get("handle") if isinstance(held, captured.Captured) else None
    if not isinstance(content, bytes | bytearray):
        raise BenchmarkError(f"{file} holds no model of xgboost")
    booster = xgboost.Booster()
    try:
        booster.__setstate__({"handle": bytearray(content)})
    except xgboost.core.XGBoostError as error:
        raise BenchmarkError(
            f"xgboost {xgboost.__version__} does not read the model {file} of an older version; "
            f"pip install 'xgboost<3.1', or take the data set cifar10/lgb ({str(error).splitlines()[0][:100]})"
        ) from None
    return Buffered(booster)


def curves(path: Path, dataset: str) -> Surrogate:
    """NAS-Bench-311's folder ``nb311-v0.5``: whole learning curves from a singular value decomposition.

    Raises:
        BenchmarkError: If the folder holds other models.
    """
    members = [curve(file) for file in captured.members(path)]
    made, epochs = Ensembles([members], encoded), tuple(range(1, members[0].basis.shape[1] + 1))
    metric = Metric("val_accuracy", "What the ensemble predicts for the validation accuracy after each epoch.",
                    "validation", epochs=epochs, unit="%")  # fmt: skip
    return Surrogate(
        "nasbench301", dataset, space(), [metric], made.answer, spread=made.spread, source=path.name,
        signal="val_accuracy", verdict="val_accuracy",
    )  # fmt: skip


def curve(file: Path) -> Curve:
    """One member of an ensemble of curves.

    Raises:
        BenchmarkError: If it is a model of another kind.
    """
    held: Any = captured.model(file)
    if not isinstance(held, list) or len(held) < 5 or not all(isinstance(each, captured.Captured) for each in held[:2]):
        raise BenchmarkError(f"{file} is no model 'svd_lgb' of NAS-Bench-x11")
    chain, scaler, strengths, directions, count = held[:5]
    steps = [captured.lightgbm(each.state.get("_Booster"), file) for each in chain.state["estimators_"]]
    order: Sequence[int] = [int(place) for place in chain.state.get("order_", range(len(steps)))]
    mean, scale = (np.asarray(scaler.state[name]) for name in ("mean_", "scale_"))
    basis = np.asarray(strengths)[:count, None] * np.asarray(directions)[:count]
    return Curve(steps, order, mean, scale, basis)
