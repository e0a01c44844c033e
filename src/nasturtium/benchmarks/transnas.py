"""TransNAS-Bench-101 (Duan et al. 2021): the prepared tables of four tasks, and the authors' file of all seven."""

from __future__ import annotations

from functools import cache, partial
from pathlib import Path
from typing import Any

import numpy as np

from nasturtium.benchmarks import sources, unpickle
from nasturtium.benchmarks.rows import DecisionRows
from nasturtium.benchmarks.table import Benchmark, BenchmarkError, Metric
from nasturtium.space.space import Space
from nasturtium.spaces.transnas_macro import transnas_macro
from nasturtium.spaces.transnas_micro import transnas_micro

CLASSES = {"class_object": 75, "class_scene": 47, "jigsaw": 1000, "segmentsemantic": 17}
"""Outputs of the tasks whose head is that of our space; the other tasks stand on the same cells."""

MAIN = {
    "class_object": "accuracy", "class_scene": "accuracy", "jigsaw": "accuracy", "segmentsemantic": "accuracy",
    "room_layout": "negative_loss", "autoencoder": "ssim", "normal": "ssim",
}  # fmt: skip
"""The score of each task."""

NAMES = {
    "top1": ("accuracy", "Top-1 accuracy", True, "%"),
    "acc": ("accuracy", "Pixel accuracy", True, "%"),
    "top5": ("top5", "Top-5 accuracy", True, "%"),
    "mIoU": ("miou", "Mean intersection over union", True, "%"),
    "ssim": ("ssim", "Structural similarity of images", True, ""),
    "neg_loss": ("negative_loss", "The loss with its sign changed", True, ""),
    "l1_loss": ("l1_loss", "Mean absolute error", False, ""),
    "loss": ("loss", "The loss", False, ""),
}
"""What the authors call a score, our name, what it is, whether more is better, its unit."""

SPLITS = {"train": ("train", "train"), "valid": ("val", "validation"), "test": ("test", "test")}


@cache
def space(kind: str, task: str) -> Space:
    """The space of ``micro`` or ``macro`` with the outputs of a task."""
    made = transnas_micro if kind == "micro" else transnas_macro
    return made(outputs=CLASSES.get(task, 75))


def prepared(kind: str, path: Path, task: str) -> Benchmark:
    """The prepared table: one number for each network and task."""
    frame = sources.table(path, ["arch", task])
    meaning = (
        f"{'Pixel' if task == 'segmentsemantic' else 'Top-1'} accuracy as NASLib gives it for validation; which epoch "
        "and split of the authors' records it is has not been checked."
    )
    metric = Metric("val_accuracy", meaning, "validation", unit="%")
    decisions = [space(kind, task).from_notation(text).decisions for text in frame["arch"].to_list()]
    return Benchmark(
        f"transnas_{kind}", task, space(kind, task), DecisionRows(decisions), [metric],
        {"val_accuracy": sources.numbers(frame, task, path)}, signal="val_accuracy", verdict="val_accuracy",
        source=path.name,
    )  # fmt: skip


prepared_micro, prepared_macro = partial(prepared, "micro"), partial(prepared, "macro")


def official(kind: str, path: Path, task: str) -> Benchmark:
    """The authors' file ``transnas-bench_v10141024.pth``: curves of every score of seven tasks.

    Raises:
        BenchmarkError: If the file holds no such task.
    """
    content = unpickle.load_torch(path)
    if not isinstance(content, dict) or not {"data", "metrics_dict"} <= set(content):
        raise BenchmarkError(f"{path} is no file of TransNAS-Bench-101: it has no data and metrics_dict")
    if task not in content["metrics_dict"] or kind not in content["data"]:
        raise BenchmarkError(f"{path} holds {', '.join(content['metrics_dict'])}, not {task!r} of {kind!r}")
    held = {arch: tasks[task] for arch, tasks in content["data"][kind].items()}
    metrics, columns = [], {}
    for name in content["metrics_dict"][task]:
        metric, values = _curve(name, [each["metrics"][name] for each in held.values()])
        metrics.append(metric)
        columns[metric.name] = values
    for fact in content.get("info_names", ()):
        metrics.append(Metric(fact, f"What the file calls {fact}.", "cost", maximise=False))
        columns[fact] = sources.floats(each["model_info"].get(fact) for each in held.values())
    decisions = [space(kind, task).from_notation(text).decisions for text in held]
    main = MAIN[task]
    return Benchmark(
        f"transnas_{kind}", task, space(kind, task), DecisionRows(decisions), metrics, columns,
        signal=f"val_{main}", verdict=f"test_{main}", source=path.name,
    )  # fmt: skip


official_micro, official_macro = partial(official, "micro"), partial(official, "macro")


def _curve(name: str, lines: list[list[float]]) -> tuple[Metric, Any]:
    """A score after each epoch; runs that stopped early are NaN behind their end."""
    length = max(len(line) for line in lines)
    values = np.full((len(lines), length), np.nan, dtype=np.float32)
    for row, line in enumerate(lines):
        values[row, : len(line)] = line
    epochs = tuple(range(1, length + 1))
    split, _, score = name.partition("_")
    if split in SPLITS and score in NAMES:
        short, what, more, unit = NAMES[score]
        prefix, where = SPLITS[split]
        metric = Metric(f"{prefix}_{short}", f"{what} on the {where} split.", where, more, epochs, unit=unit)
    elif split in SPLITS:
        metric = Metric(name, f"What the file calls {name}.", SPLITS[split][1], "loss" not in score, epochs)
    else:
        metric = Metric(name, f"What the file calls {name} (for time, seconds).", "cost", False, epochs)
    return metric, {epoch: values[:, epoch - 1] for epoch in epochs}
