"""Benchmarks that were built by training: our open format, a Parquet file with one row for each training.

Columns: ``architecture`` (text), ``seed``, ``seconds``, ``params``, ``flops``; for each metric m of the task a list
``val_<m>`` with one value an epoch, and ``test_<m>``, measured once at the end; ``train_loss``, a list. What the space,
the task and the recipe were is JSON in the file's metadata, under ``nasturtium``.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from nasturtium import spaces
from nasturtium.benchmarks import sources
from nasturtium.benchmarks.own import read_decisions
from nasturtium.benchmarks.rows import DecisionRows
from nasturtium.benchmarks.table import Benchmark, BenchmarkError, Metric, Values
from nasturtium.errors import NasturtiumError
from nasturtium.space.architecture import from_json_signal
from nasturtium.writing import replacing

if TYPE_CHECKING:
    from nasturtium.space.space import Space

KEY = "nasturtium"
FORMAT = 1
COSTS = {"seconds": ("Seconds of the training.", "s"), "params": ("Parameters.", ""), "flops": ("FLOPs of a row.", "")}

Row = Mapping[str, Any]

GIVE = "give it: read_built(path, space=...)"


def write_built(path: Path, rows: Sequence[Row], facts: Mapping[str, Any]) -> Path:
    """Write a table, at once or not at all.

    Args:
        path: The file.
        rows: One for each training, with the columns of the format.
        facts: What the table is of: ``space``, ``space_options``, ``signals``, ``outputs``, ``task``, ``metric``,
            ``maximise`` (of each metric), ``epochs`` and whatever else is worth knowing.

    Raises:
        BenchmarkError: If it cannot be written.
    """
    import polars

    frame = polars.DataFrame(rows, infer_schema_length=None)
    metadata = {KEY: json.dumps({"format": FORMAT, **facts})}
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with replacing(path) as draft:
            frame.write_parquet(draft, compression="zstd", compression_level=19, metadata=metadata)
    except OSError as error:
        raise BenchmarkError(f"cannot write {path}: {error.strerror}; give another place") from None
    return path


def facts_of(path: Path) -> dict[str, Any]:
    """What a table is of.

    Raises:
        BenchmarkError: If the file is none of ours.
    """
    import polars

    try:
        content = json.loads(polars.read_parquet_metadata(path)[KEY])
    except (OSError, KeyError, ValueError, polars.exceptions.PolarsError) as error:
        raise BenchmarkError(f"{path} is no table that build-benchmark wrote ({error!r:.200})") from None
    if not isinstance(content, dict):
        raise BenchmarkError(
            f"{path} is no table that build-benchmark wrote (its metadata are {type(content).__name__})"
        )
    if content.get("format") != FORMAT:
        raise BenchmarkError(f"{path} has format {content.get('format')!r}, known is {FORMAT}; use a newer release")
    facts: dict[str, Any] = content
    return facts


def read_built(path: Path | str, space: Space | None = None) -> Benchmark:
    """The benchmark in a file that :func:`nasturtium.benchmarks.build` wrote.

    Args:
        path: The file.
        space: The space its architectures are of; made from what the file says if not given.

    Raises:
        BenchmarkError: If the file cannot be read, or says nothing of its space.
    """
    file = Path(path)
    facts = facts_of(file)
    try:
        return _read(file, facts, space)
    except NasturtiumError:
        raise
    except (LookupError, TypeError, ValueError, AttributeError, sources.table_error()) as error:
        raise BenchmarkError(f"{file} is damaged, or not as build-benchmark writes it ({error!r:.200})") from error


def _read(file: Path, facts: Mapping[str, Any], space: Space | None) -> Benchmark:
    whole = sources.table(file)
    sources.table(file, ["architecture", "seed", *COSTS])  # complains of what is missing
    opened = space if space is not None else _space(facts, file)
    texts, seeds_of = whole["architecture"].to_list(), whole["seed"].to_list()
    first = {text: row for row, text in reversed(list(enumerate(texts)))}
    order = {text: number for number, text in enumerate(dict.fromkeys(texts))}
    if len(set(zip(texts, seeds_of, strict=True))) < len(texts):
        raise BenchmarkError(f"{file} holds an architecture twice with the same seed; keep one of the rows")
    seeds = sorted(set(seeds_of))
    places = np.array([order[text] for text in texts]), np.array([seeds.index(each) for each in seeds_of])
    shape = len(order), len(seeds)
    rows = [read_decisions(opened, text, file, first[text]) for text in order]
    metrics, columns = [], {}
    for metric, held in _columns(whole, facts, file):
        placed = {epoch: _placed(values, places, shape) for epoch, values in held.items()}
        metrics.append(metric)
        columns[metric.name] = placed if metric.epochs else placed[0]
    main = str(facts["metric"])
    return Benchmark(
        str(facts["name"]), str(facts["task"]), opened, DecisionRows(rows),
        metrics, columns, signal=f"val_{main}", verdict=f"test_{main}" if f"test_{main}" in columns else f"val_{main}",
        cost="train_seconds", seeds=tuple(seeds), source=file.name,
    )  # fmt: skip


def _columns(frame: Any, facts: Mapping[str, Any], file: Path) -> list[tuple[Metric, dict[int, Values]]]:
    """Every metric of a table with its values (trainings,) by epoch; by 0 where there is only the end."""
    found = []
    epochs = tuple(range(1, int(facts["epochs"]) + 1))
    for name, maximise in facts["maximise"].items():
        for split, prefix in (("validation", "val_"), ("test", "test_")):
            if prefix + name not in frame.columns:
                continue
            said = f"{name} on the {split} rows"
            if split == "validation":
                curves = frame[prefix + name].to_list()
                held = {epoch: sources.floats(_at(curve, epoch) for curve in curves) for epoch in epochs}
                found.append((Metric(prefix + name, f"{said}.", split, maximise, epochs, "seeds"), held))
            else:
                last = {0: sources.numbers(frame, prefix + name, file)}
                found.append((Metric(prefix + name, f"{said}, at the end.", split, maximise, (), "seeds"), last))
    for name, (meaning, unit) in COSTS.items():
        called = "train_seconds" if name == "seconds" else name
        cost = {0: sources.numbers(frame, name, file)}
        found.append((Metric(called, meaning, "cost", maximise=False, repeats="seeds", unit=unit), cost))
    return found


def _at(curve: Sequence[float] | None, epoch: int) -> float | None:
    """The value of a curve after an epoch; None where it has none."""
    return None if curve is None or len(curve) < epoch else curve[epoch - 1]


def _placed(values: Values, places: tuple[Values, Values], shape: tuple[int, int]) -> Values:
    """Values of trainings as (architectures, seeds), NaN where nothing was trained."""
    held = np.full(shape, np.nan)
    held[places] = values
    return held


def _space(facts: Mapping[str, Any], file: Path) -> Space:
    name, options = facts.get("space"), facts.get("space_options")
    if name not in spaces.SPACES or options is None:
        raise BenchmarkError(f"{file} is of a space {name!r} that has to be given; {GIVE}")
    signals = tuple(from_json_signal(each) for each in facts["signals"])
    made = spaces.make(str(name), signals, int(facts["outputs"]), **options)
    if made.fingerprint != facts.get("fingerprint"):
        raise BenchmarkError(f"{file} is of another space {name!r} than this release or these options make; {GIVE}")
    return made
