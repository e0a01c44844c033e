"""Loads a benchmark: finds the files it is read from, in a folder or in an installed package."""

from __future__ import annotations

import importlib.util
import zipfile
from pathlib import Path

from nasturtium.benchmarks import sources
from nasturtium.benchmarks.built import read_built
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
    if name not in BENCHMARKS and Path(name).suffix == ".parquet":
        return read_built(Path(name).expanduser())
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
                return _read(reader, found[0], name, chosen)
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
    except (LookupError, TypeError, ValueError, AttributeError, OSError, zipfile.BadZipFile) as error:
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


def _installed(name: str, published: Published, dataset: str) -> Benchmark:
    for reader in published.readers:
        found = importlib.util.find_spec(reader.package) if reader.package else None
        if found is not None and found.origin and reader.holds(dataset):
            return _read(reader, Path(found.origin).parent, name, dataset)
    raise BenchmarkError(
        f"the table of {name} is not here: {published.where}; then data=FOLDER (--data on the command line)"
    )
