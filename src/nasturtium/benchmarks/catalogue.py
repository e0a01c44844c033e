"""Loads a benchmark: finds the files it is read from, in a folder or in an installed package."""

from __future__ import annotations

import importlib.util
import zipfile
import zlib
from pathlib import Path
from typing import NamedTuple

from nasturtium.benchmarks import sources
from nasturtium.benchmarks.built import facts_of, read_built
from nasturtium.benchmarks.published import BENCHMARKS, Published, Reader
from nasturtium.benchmarks.table import Benchmark, BenchmarkError
from nasturtium.errors import NasturtiumError, ParseError, SpaceError, did_you_mean


def load(name: str, dataset: str | None = None, data: Path | str | None = None) -> Benchmark:
    """A benchmark.

    Args:
        name: A name in ``BENCHMARKS``: that of its space, or ``suite_zero``, ``event_sequences``, ...; or the path of a
            file that :func:`nasturtium.benchmarks.build` wrote.
        dataset: Its data set; the first one if None.
        data: A file or folder as downloaded, or the folder with the prepared tables; None for what is installed.

    Raises:
        BenchmarkError: If there is no such benchmark or data set, or its files are not there.
    """
    if _built(name):
        return read_built(Path(name).expanduser())
    place = _place(name, dataset, data)
    return _read(place.reader, place.path, name, place.dataset)


DAMAGED = (LookupError, TypeError, ValueError, AttributeError, OSError, EOFError, zipfile.BadZipFile, zlib.error)
"""What readers raise where a file is not as its format has it."""


class Place(NamedTuple):
    """Where a table is: what reads it, the file or folder, the data set."""

    reader: Reader
    path: Path
    dataset: str


def _built(name: str) -> bool:
    return name not in BENCHMARKS and Path(name).suffix == ".parquet"


def check(name: str, dataset: str | None = None, data: Path | str | None = None) -> None:
    """Makes sure, without reading it, that a table is there that :func:`load` would read; takes what that takes.

    Raises:
        BenchmarkError: If there is no such benchmark or data set, or its files are not there.
    """
    if _built(name):
        facts_of(Path(name).expanduser())
    else:
        _place(name, dataset, data)


def _place(name: str, dataset: str | None, data: Path | str | None) -> Place:
    if name not in BENCHMARKS:
        raise BenchmarkError(
            f"unknown benchmark {name!r}{did_you_mean(name, BENCHMARKS)} (there are: {', '.join(BENCHMARKS)})"
        )
    published = BENCHMARKS[name]
    chosen = _dataset(name, published.datasets, dataset)
    if data is None:
        return _installed(name, published, chosen)
    folder = Path(data).expanduser()
    if not folder.exists():
        raise BenchmarkError(f"{folder} does not exist; give the file or folder that holds {name} ({published.where})")
    for reader in published.readers:
        if not reader.package and reader.holds(chosen):
            found = sources.find(folder, _named(reader, chosen))
            if found:
                return Place(reader, found[0], chosen)
    looked = ", ".join(each for reader in published.readers if reader.holds(chosen) for each in _named(reader, chosen))
    raise BenchmarkError(
        f"{folder} holds no file of {name} for {chosen!r} (looked for {looked}); get it: {published.where}"
    )


def _read(reader: Reader, path: Path, name: str, dataset: str) -> Benchmark:
    """Reads a file; whatever a reader does not find where its format has it, the file is to blame."""
    try:
        return reader(path, dataset)
    except (ParseError, SpaceError) as error:
        raise BenchmarkError(f"{path} holds an architecture that {name} does not know: {error}") from None
    except NasturtiumError:
        raise
    except (*DAMAGED, sources.table_error()) as error:
        raise BenchmarkError(
            f"{path} is damaged, or no file of {name} as it is published ({type(error).__name__}: {error})"
        ) from error


def _named(reader: Reader, dataset: str) -> list[str]:
    """The patterns of a reader for a data set."""
    return [each.format(dataset=dataset, first=dataset.partition("/")[0]) for each in reader.patterns]


def _dataset(name: str, datasets: tuple[str, ...], asked: str | None) -> str:
    if asked is None:
        return datasets[0]
    lowered = {each.lower(): each for each in datasets}
    if asked.lower() not in lowered:
        raise BenchmarkError(
            f"{name} has no data set {asked!r}{did_you_mean(asked, datasets)} (there are: {', '.join(datasets)})"
        )
    return lowered[asked.lower()]


def _installed(name: str, published: Published, dataset: str) -> Place:
    for reader in published.readers:
        found = importlib.util.find_spec(reader.package) if reader.package else None
        if found is not None and found.origin and reader.holds(dataset):
            return Place(reader, Path(found.origin).parent, dataset)
    which = f" for {dataset!r}" if len(published.datasets) > 1 else ""
    raise BenchmarkError(
        f"the table of {name}{which} is not here: {published.where}; then data=FOLDER (--data on the command line)"
    )
