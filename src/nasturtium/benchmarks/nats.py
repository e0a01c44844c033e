"""NATS-Bench as its authors release it (Dong et al. 2021): a file for each network, or one for all, old ones too."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from nasturtium.benchmarks import nasbench201, unpickle
from nasturtium.benchmarks.rows import DecisionRows
from nasturtium.benchmarks.table import Benchmark, BenchmarkError, Metric, Values
from nasturtium.space.space import Space
from nasturtium.spaces.nasbench201 import nasbench201 as published
from nasturtium.spaces.nats_size import nats_size

OLD = {"less": "12", "full": "200"}
"""What the file of 2020 calls its trainings."""

Network = tuple[str, Mapping[str, Mapping[tuple[str, int], Mapping[str, Any]]]]
"""The text of an architecture, and its records by training, data set and seed."""


class Splits(NamedTuple):
    """Where the records of a data set stand.

    Attributes:
        trained: The name of the runs that leave a validation split.
        tested: The name of the runs that are scored on the test split.
        test: The name of that split; for some data sets ``ori-test`` holds the validation images too.
    """

    trained: str
    tested: str
    test: str


def splits(dataset: str) -> Splits:
    """The records that answer for a data set."""
    if dataset == "cifar10":
        return Splits("cifar10-valid", "cifar10", "ori-test")
    name = nasbench201.DATASETS[dataset][0] if dataset in nasbench201.DATASETS else dataset
    return Splits(name, name, "x-test")


def topology(path: Path, dataset: str) -> Benchmark:
    """NAS-Bench-201: the folder ``NATS-tss-v1_0-3ffb9-simple``, one ``NATS-tss-*.pickle.pbz2``, or the old ``.pth``."""
    return benchmark("nasbench201", nasbench201.space(dataset), dataset, networks(path), path.name)


def other_data(path: Path, dataset: str) -> Benchmark:
    """NAS-Bench-360's trainings of NAS-Bench-201 on other data (Tu et al. 2022), in the same layout.

    ``darcyflow`` is a regression, so its losses are what counts.
    """
    held = list(networks(path))
    names = sorted({name for _, trainings in held for records in trainings.values() for name, _ in records})
    name = dataset if dataset in names or len(names) != 1 else names[0]
    kind = "loss" if dataset == "darcyflow" else "accuracy"
    return benchmark("nasbench201", published(), dataset, held, path.name, Splits(name, name, "x-test"), kind)


def size(path: Path, dataset: str) -> Benchmark:
    """The size space from ``NATS-sss-v1_0-50262-simple``, or one ``NATS-sss-*.pickle.pbz2``."""
    _, classes, side = nasbench201.DATASETS[dataset]
    return benchmark("nats_size", nats_size((3, side, side), classes), dataset, networks(path), path.name)


def networks(path: Path) -> Iterator[Network]:
    """The records of every network, one by one.

    Raises:
        BenchmarkError: If the path holds none.
    """
    if path.is_dir():
        files = sorted(path.glob("[0-9]*.pickle.pbz2"))
        if not files:
            raise BenchmarkError(f"{path} holds no files such as 000000.pickle.pbz2")
        for file in files:
            yield _network(unpickle.load(file))
        return
    content = unpickle.load_torch(path) if path.suffix == ".pth" else unpickle.load(path)
    if not isinstance(content, dict) or "arch2infos" not in content:
        raise BenchmarkError(f"{path} is no file of NATS-Bench or NAS-Bench-201: it has no arch2infos")
    for number in sorted(content["arch2infos"]):
        yield _network(content["arch2infos"][number])


def _network(trainings: Mapping[str, Any]) -> Network:
    records = {OLD.get(budget, budget): each["all_results"] for budget, each in trainings.items()}
    return next(iter(trainings.values()))["arch_str"], records


def benchmark(
    name: str,
    space: Space,
    dataset: str,
    found: Iterable[Network],
    source: str,
    where: Splits | None = None,
    kind: str = "accuracy",
) -> Benchmark:
    """The records of one data set as columns; ``kind`` is what a search sees, ``accuracy`` or ``loss``.

    Raises:
        BenchmarkError: If the data set is not among the records.
    """
    table = _Table(where or splits(dataset))
    for text, trainings in found:
        table.add(text, trainings)
    if not table.budgets:
        raise BenchmarkError(f"{source} holds no training on {dataset!r}")
    rows = DecisionRows([space.from_notation(text).decisions for text in table.texts])
    metrics, columns = table.columns()
    return Benchmark(
        name, dataset, space, rows, metrics, columns, seeds=table.seeds, source=source,
        signal=f"val_{kind}", verdict=f"test_{kind}", cost="train_seconds",
    )  # fmt: skip


class _Table:
    """Gathers the records of one data set, network by network."""

    def __init__(self, where: Splits) -> None:
        self.where = where
        self.texts: list[str] = []
        self.finals: dict[tuple[str, int, int], dict[int, float]] = {}  # (metric, epochs, seed): value by row
        self.curves: dict[str, dict[int, Values]] = {}
        self.facts: dict[str, dict[int, float]] = {"params": {}, "flops": {}, "latency": {}}

    @property
    def budgets(self) -> tuple[int, ...]:
        return tuple(sorted({epochs for metric, epochs, _ in self.finals if metric == "val_accuracy"}))

    @property
    def seeds(self) -> tuple[int, ...]:
        return tuple(sorted({seed for _, _, seed in self.finals}))

    def add(self, text: str, trainings: Mapping[str, Mapping[tuple[str, int], Mapping[str, Any]]]) -> None:
        """Take up the records of a network."""
        row = len(self.texts)
        self.texts.append(text)
        for records in trainings.values():
            for (name, seed), record in records.items():
                if name == self.where.trained:
                    self._trained(row, seed, record)
                if name == self.where.tested:
                    self._tested(row, seed, record)
        longest = max(trainings, key=int)
        self._curves(row, trainings[longest])

    def _trained(self, row: int, seed: int, record: Mapping[str, Any]) -> None:
        epochs = int(record["epochs"])
        seconds = float(sum(record["train_times"].values())) if record["train_times"] else float("nan")
        self._put("val_accuracy", epochs, seed, row, record["eval_acc1es"].get(f"x-valid@{epochs - 1}"))
        self._put("val_loss", epochs, seed, row, record["eval_losses"].get(f"x-valid@{epochs - 1}"))
        self._put("train_seconds", epochs, seed, row, seconds)
        self.facts["params"][row], self.facts["flops"][row] = float(record["params"]), float(record["flop"])
        if record["latency"]:
            self.facts["latency"][row] = float(np.mean(record["latency"]))

    def _tested(self, row: int, seed: int, record: Mapping[str, Any]) -> None:
        epochs, held = int(record["epochs"]), record["eval_acc1es"]
        split = self.where.test if f"{self.where.test}@{epochs - 1}" in held else "ori-test"
        if split == "ori-test" != self.where.test and f"x-valid@{epochs - 1}" in held:
            return  # what the file calls the original test images holds the validation images here
        self._put("test_accuracy", epochs, seed, row, held.get(f"{split}@{epochs - 1}"))
        self._put("test_loss", epochs, seed, row, record["eval_losses"].get(f"{split}@{epochs - 1}"))

    def _put(self, metric: str, epochs: int, seed: int, row: int, value: Any) -> None:
        if value is not None:
            self.finals.setdefault((metric, epochs, seed), {})[row] = float(value)

    def _curves(self, row: int, records: Mapping[tuple[str, int], Mapping[str, Any]]) -> None:
        """The mean over the seeds after each epoch of the longest training."""
        trained = [record for (name, _), record in records.items() if name == self.where.trained]
        tested = [record for (name, _), record in records.items() if name == self.where.tested]
        for metric, chosen, held, key in (
            ("train_curve", trained, "train_acc1es", "{}"),
            ("val_curve", trained, "eval_acc1es", "x-valid@{}"),
            ("test_curve", tested, "eval_acc1es", self.where.test + "@{}"),
        ):
            lines = [
                [
                    record[held].get(int(key.format(i)) if key == "{}" else key.format(i))
                    for i in range(record["epochs"])
                ]
                for record in chosen
                if record[held]
            ]
            if lines and all(value is not None for line in lines for value in line):
                self.curves.setdefault(metric, {})[row] = np.mean(lines, axis=0).astype(np.float32)

    def columns(self) -> tuple[list[Metric], dict[str, Any]]:
        """Metrics with their columns."""
        count, seeds = len(self.texts), self.seeds
        metrics: list[Metric] = []
        columns: dict[str, Any] = {}
        for metric, (meaning, split, more, unit) in MEANINGS.items():
            epochs = tuple(sorted({each for name, each, _ in self.finals if name == metric}))
            if epochs:
                columns[metric] = {each: self._filled(metric, each, seeds, count) for each in epochs}
                metrics.append(Metric(metric, meaning, split, more, epochs, "seeds", unit, separate=True))
        for metric, curves in self.curves.items():
            length = len(next(iter(curves.values())))
            held = np.full((count, length), np.nan, dtype=np.float32)
            for row, curve in curves.items():
                held[row] = curve
            columns[metric] = {epoch: held[:, epoch - 1] for epoch in range(1, length + 1)}
            meaning = (
                f"Accuracy on the {CURVES[metric]} split after each epoch of the longest training, mean over seeds."
            )
            metrics.append(Metric(metric, meaning, CURVES[metric], True, tuple(range(1, length + 1)), "mean", "%"))
        for fact, (meaning, unit) in FACTS.items():
            columns[fact] = np.array([self.facts[fact].get(row, np.nan) for row in range(count)])
            metrics.append(Metric(fact, meaning, "cost", maximise=False, unit=unit))
        return metrics, columns

    def _filled(self, metric: str, epochs: int, seeds: tuple[int, ...], count: int) -> Values:
        held = np.full((count, len(seeds)), np.nan)
        for place, seed in enumerate(seeds):
            for row, value in self.finals.get((metric, epochs, seed), {}).items():
                held[row, place] = value
        return held


MEANINGS = {
    "val_accuracy": ("Accuracy on the validation split after a whole training of so many epochs.",
                     "validation", True, "%"),
    "test_accuracy": ("Accuracy on the test split, which shares no image with the validation split, after a whole "
                      "training of so many epochs (CIFAR-10: trained on all training images).", "test", True, "%"),
    "val_loss": ("Cross-entropy on the validation split.", "validation", False, ""),
    "test_loss": ("Cross-entropy on the test split.", "test", False, ""),
    "train_seconds": ("Seconds of a whole training of so many epochs that leaves a validation split, without the "
                      "evaluation.", "cost", False, "s"),
}  # fmt: skip
CURVES = {"train_curve": "train", "val_curve": "validation", "test_curve": "test"}
FACTS = {
    "params": ("Parameters.", "M"),
    "flops": ("What the authors call FLOPs: multiply-accumulates.", "M"),
    "latency": ("Seconds of one batch as the authors measured it.", "s"),
}
