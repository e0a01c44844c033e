"""The tasks of the comparisons on event sequences and time series, read from a folder of data sets."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np

from nasturtium import tasks
from nasturtium.estimators import default_recipe
from nasturtium.tasks import Task
from nasturtium.tasks.arrays import from_arrays, from_parts

ROW_NUMBER = "__index_level_0__"
"""A column that some tables carry along; it counts rows over all time, so that test rows lie outside what was seen."""

HELD_OUT = (9, 10)
"""The persons of ``har_watch`` whose windows are the test rows."""

STEPS = 1_500
"""Of a whole training, about."""

REFERENCE = {
    "bpic2012_next": "most frequent successor of the last activity 0.642",
    "sepsis_next": "most frequent successor of the last activity 0.508",
    "bpic2012_day7": "boosted trees on counts and last values 0.602",
    "cdnow_repurchase": "embedding + GRU of 32, 2 epochs 0.688",
    "ElectricDevices": "FCN of 32-64-64, 4 epochs 0.590",
    "CricketX": "–",
    "har_watch": "GRU of 48, 5 epochs 0.709",
    "JapaneseVowels": "–",
}
"""What was known of each before, on the same test rows."""


def events(folder: Path, name: str, metric: str | None = None) -> Task:
    """A table of events with its labels, which say what the test rows are."""
    tables = {part: folder / "events" / f"{name}_{part}.parquet" for part in ("events", "labels")}
    import polars as pl

    frame = pl.read_parquet(tables["events"])
    ignore = [ROW_NUMBER] if ROW_NUMBER in frame.columns else []
    return tasks.load(frame, labels=str(tables["labels"]), entity="case_id", timestamp="t", target="label",
                      ignore=ignore, metric=metric, name=name)  # fmt: skip


def series(folder: Path, name: str, place: str = "ucr") -> Task:
    """Time series (N, T) or (N, T, C) with the test rows of their archive."""
    return tasks.load(str(folder / place / f"{name}.npz"), layout="sequence", name=name)


def vowels(folder: Path, name: str) -> Task:
    """Series of unequal length as the archive writes them, from the folder or from an installed ``aeon``."""
    parts = {}
    place = ts_folder(folder, name)
    if place is None:
        raise SystemExit(f"{name}: neither in {folder / 'ucr'} nor in an installed aeon (pip install --no-deps aeon)")
    for part in ("train", "test"):
        lines = (place / f"{name}_{part.upper()}.ts").read_text().splitlines()
        rows = [line.split(":") for line in lines if line and line[0] not in "#@"]
        x = [np.array([channel.split(",") for channel in row[:-1]], dtype=np.float32).T for row in rows]  # (T, C)
        parts[part] = (x, np.array([row[-1] for row in rows]))
    return from_parts(parts, layout="sequence", name=name)


def ts_folder(folder: Path, name: str) -> Path | None:
    """Where the files of a data set of the archive are; nothing is imported."""
    if (folder / "ucr" / f"{name}_TRAIN.ts").exists():
        return folder / "ucr"
    found = find_spec("aeon")
    roots = [] if found is None else list(found.submodule_search_locations or [])
    places = (Path(root) / "datasets" / "data" / name for root in roots)
    return next((place for place in places if (place / f"{name}_TRAIN.ts").exists()), None)


def watch(folder: Path, name: str) -> Task:
    """Windows of 128 steps of a watch; no person is in two parts."""
    with np.load(folder / "har_watch" / "windows128.npz", allow_pickle=False) as held:
        persons = held["subject"]
        split = np.where(np.isin(persons, HELD_OUT), "test", "train")
        return from_arrays(held["x"].astype(np.float32), held["y"], split=split, groups=persons, name=name,
                           layout="sequence", classes=held["classes"].tolist())  # fmt: skip


TASKS: dict[str, Callable[..., Task]] = {
    "bpic2012_next": events,
    "sepsis_next": events,
    "bpic2012_day7": partial(events, metric="auroc"),
    "cdnow_repurchase": events,
    "ElectricDevices": series,
    "CricketX": series,
    "har_watch": watch,
    "JapaneseVowels": vowels,
}


def load(name: str, folder: Path) -> Task:
    """A task by its name."""
    return TASKS[name](folder, name)


def there(name: str, folder: Path) -> bool:
    """Whether the folder has what a task needs; of one of them not every copy has it."""
    return name != "JapaneseVowels" or ts_folder(folder, name) is not None


def epochs_for(task: Task) -> int:
    """Epochs of a whole training: the power of two that comes next to 1,500 steps of the default batches."""
    steps = len(task.train) / default_recipe(task).batch_size
    return int(2 ** round(math.log2(max(STEPS / steps, 4))))


def judged_by_valid(task: Task) -> Task:
    """The task with its validation rows in the place of the test rows."""
    return replace(task, valid=task.valid.take(np.arange(0)), test=task.valid)


def worth(task: Task, scores: dict[str, Any]) -> float:
    """The score that counts; NaN where there is none."""
    return float(scores.get(task.metric, math.nan))
