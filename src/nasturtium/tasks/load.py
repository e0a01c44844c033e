"""Loading a task from whatever the user brings: a name, a path, arrays, a table, or a task."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np

from nasturtium.errors import TaskError, did_you_mean
from nasturtium.tasks.arrays import from_arrays, from_parts
from nasturtium.tasks.dataset_items import Given, is_dataset
from nasturtium.tasks.datasets import from_dataset
from nasturtium.tasks.digits import digits
from nasturtium.tasks.events import from_events, load_events
from nasturtium.tasks.images import load_images
from nasturtium.tasks.metrics import METRICS, Metric, metrics_for
from nasturtium.tasks.npz import load_npz
from nasturtium.tasks.origin import origin_of
from nasturtium.tasks.own import with_own
from nasturtium.tasks.tables import from_frame, load_table
from nasturtium.tasks.task import Task

TASKS: dict[str, Callable[..., Task]] = {"digits": digits}

READERS: dict[str, Callable[..., Task]] = {
    ".npz": load_npz, ".csv": load_table, ".tsv": load_table, ".parquet": load_table
}  # fmt: skip
OF_TABLES, OF_ARRAYS = ("target", "kind"), ("layout", "kind")
OF_DATASETS = ("kind", "inputs", "classes", "lazy")
OF_EVENTS = ("entity", "timestamp", "labels", "categorical", "numeric", "ignore", "max_events", "split", "groups")
EVENTS: dict[Callable[..., Task], Callable[..., Task]] = {load_table: load_events, from_frame: from_events}
"""What reads a table whose rows are events."""
ACCEPTS: dict[Callable[..., Task], tuple[str, ...]] = {
    digits: (), load_images: (), load_npz: (*OF_ARRAYS, "groups"), load_table: OF_TABLES, from_frame: OF_TABLES,
    from_arrays: (*OF_ARRAYS, "classes"), from_parts: (*OF_ARRAYS, "classes"), from_dataset: OF_DATASETS,
    load_events: (*OF_TABLES, *OF_EVENTS), from_events: (*OF_TABLES, *OF_EVENTS),
}  # fmt: skip


def load(
    source: object,
    *,
    seed: int = 0,
    target: str | None = None,
    metric: str | Metric | None = None,
    kind: str | None = None,
    name: str | None = None,
    layout: str | None = None,
    metrics: Iterable[Metric] = (),
    loss: str | Callable[[Any, Any], Any] | None = None,
    inputs: Any = None,
    classes: Sequence[str] | None = None,
    lazy: bool | None = None,
    entity: str | None = None,
    timestamp: str | None = None,
    labels: object = None,
    categorical: Sequence[str] | None = None,
    numeric: Sequence[str] | None = None,
    ignore: Sequence[str] | None = None,
    max_events: int | None = None,
    split: str | None = None,
    groups: str | None = None,
) -> Task:
    """The task that a user means.

    Args:
        source: A task; a registered name (``digits``); the path of an .npz, .csv, .tsv or .parquet file or
            of a folder with a folder of images for each class; arrays ``(x, y)`` or ``(x, y, x_test,
            y_test)``; a polars frame; a map-style ``torch.utils.data.Dataset``, or (train, test) or (train,
            valid, test) of them.
        seed: Of the split, where the data has none.
        target: The column of a table to predict.
        metric: The primary metric, one of ``METRICS`` or a :class:`Metric` of your own; by default accuracy or
            RMSE.
        kind: ``classification`` or ``regression``, to force it (see
            ``nasturtium.tasks.targets.decide_kind``).
        name: Of the task.
        layout: ``vector``, ``sequence``, ``image``, ``channels_first``, ``channels_last`` or ``tokens``, to
            force how arrays are read (see ``nasturtium.tasks.layout.choose_layout``).
        metrics: Further metrics of your own, to be reported.
        loss: ``cross_entropy``, ``mse``, or a function of your own (see ``Task.loss``).
        inputs: Signals of a dataset's items, where the first item does not tell them.
        classes: Names of classes 0, 1, ... of arrays and datasets.
        lazy: Whether a dataset's items stay with it rather than in memory; decided by their size if not given.
        entity: Of a table whose rows are events, the column that says whose event it is; with ``timestamp`` (see
            ``nasturtium.tasks.events.from_events``, also for the following).
        timestamp: The column that says when an event happened.
        labels: A frame or file of the label of each entity.
        categorical: Columns of events that are categories whatever their type.
        numeric: Columns of events that are numbers whatever their type.
        ignore: Columns of events to leave out.
        max_events: Events kept of each entity, the newest.
        split: ``temporal`` or ``stratified``.
        groups: Of an .npz file the array, of labels the column, whose equal values never come into two parts.

    >>> load("digits").summary()
    'digits: image 1x8x8 -> 10 classes; 1,184/253/360 rows train/valid/test; judged by accuracy'

    Raises:
        TaskError: With one line on what cannot be used, where, and what would help.
    """
    options = {
        "target": target, "kind": kind, "layout": layout, "inputs": inputs, "classes": classes, "lazy": lazy,
        "entity": entity, "timestamp": timestamp, "labels": labels, "categorical": categorical, "numeric": numeric,
        "ignore": ignore, "max_events": max_events, "split": split, "groups": groups,
    }  # fmt: skip
    metrics = tuple(metrics)
    known = metric if isinstance(metric, str) else None
    brought = None if isinstance(metric, str) else metric
    if brought is None and known is not None and known not in METRICS:
        chosen = next((each for each in metrics if getattr(each, "name", None) == known), None)
        brought, known = (None, known) if chosen is None else (chosen, None)
    task = _loaded(source, seed, known, name, options)
    task = with_own(task, brought, [each for each in metrics if each is not brought], loss)
    before = source.origin if isinstance(source, Task) else None
    if isinstance(source, Task) and before is None:  # made by hand
        return task
    given = {**options, "metric": metric, "name": name, "metrics": metrics, "loss": loss}
    return replace(task, origin=origin_of(source, seed, given, before))


def _loaded(source: object, seed: int, metric: str | None, name: str | None, options: dict[str, Any]) -> Task:
    if isinstance(source, Task):
        return _again(source, metric, name, options)
    loader, arguments = _find(source)
    if any(options[each] is not None for each in ("entity", "timestamp", "labels")):
        loader = EVENTS.get(loader, loader)
    accepted = ACCEPTS.get(loader, tuple(options))
    for option, value in options.items():
        if value is not None and option not in accepted:
            table = loader in EVENTS and option in OF_EVENTS
            way = "; it is for event tables: give entity and timestamp too" if table else ""
            raise TaskError(f"{option}={value!r} does not apply to {_describe(source)}{way}")
    chosen = {key: value for key, value in {**options, "metric": metric, "name": name}.items() if value is not None}
    return loader(*arguments, seed=seed, **chosen)


def _again(task: Task, metric: str | None, name: str | None, options: dict[str, Any]) -> Task:
    for option, value in options.items():
        if value is not None and not (option == "kind" and value == task.kind):
            raise TaskError(f"{option}={value!r} does not apply to a task that is already made")
    metrics = metrics_for(task.kind, metric, task.own) if metric else (task.metric, *task.metrics)
    return replace(task, metric=metrics[0], metrics=tuple(dict.fromkeys(metrics)), name=name or task.name)


def _describe(source: object) -> str:
    return repr(str(source)) if isinstance(source, (str, PathLike)) else f"a {type(source).__name__}"


def _find(source: object) -> tuple[Callable[..., Task], tuple[Any, ...]]:
    """The function that loads a source, and its positional arguments."""
    if isinstance(source, (str, PathLike)):
        return _find_by_name(str(source))
    if isinstance(source, Given) or is_dataset(source):
        return from_dataset, (Given.of(source),)
    if isinstance(source, (tuple, list)) and len(source) == 2:
        return from_arrays, tuple(source)
    if isinstance(source, (tuple, list)) and len(source) == 4:
        x, y, x_test, y_test = source
        return from_parts, ({"train": (x, y), "test": (x_test, y_test)},)
    if type(source).__module__.partition(".")[0] == "polars":
        return from_frame, (_frame(source),)
    if isinstance(source, (tuple, list, np.ndarray)):
        raise TaskError(f"{len(source)} arrays are no task; give (x, y) or (x, y, x_test, y_test)")
    raise TaskError(
        f"cannot make a task of {type(source).__name__}; give a name ({', '.join(TASKS)}), a path, "
        "arrays (x, y) or (x, y, x_test, y_test), a polars frame, a torch Dataset, or a Task"
    )


def _frame(source: Any) -> Any:
    """A polars frame, if it is one.

    Raises:
        TaskError: If it is something else of polars.
    """
    import polars as pl

    if isinstance(source, pl.DataFrame):
        return source
    way = "call its .collect()" if isinstance(source, pl.LazyFrame) else "give a frame with inputs and target"
    raise TaskError(f"a polars {type(source).__name__} is no task; {way}")


def _find_by_name(source: str) -> tuple[Callable[..., Task], tuple[Any, ...]]:
    if not source.strip():
        raise TaskError(f"the task is empty; give one of {', '.join(TASKS)}, or a path")
    if source in TASKS:
        return TASKS[source], ()
    path = Path(source).expanduser()
    if path.is_dir():
        return load_images, (path,)
    if path.exists():
        reader = READERS.get(path.suffix.lower())
        if reader is None:
            raise TaskError(f"cannot read {source}: use {', '.join(READERS)}, or a folder of images by class")
        return reader, (path,)
    looks_like_path = path.suffix.lower() in READERS or "/" in source
    if looks_like_path:
        siblings = [entry.name for entry in path.parent.iterdir()] if path.parent.is_dir() else []
        raise TaskError(f"there is no file {source}{did_you_mean(path.name, siblings)}")
    known = ", ".join(TASKS)
    raise TaskError(f"unknown task {source!r}; give one of {known}, or the path of a file{did_you_mean(source, TASKS)}")
