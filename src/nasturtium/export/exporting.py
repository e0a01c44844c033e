"""Writes a trained network to a file, and keeps the file only if it computes what the network computes."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from nasturtium.errors import NasturtiumError
from nasturtium.export.checking import TOLERANCE, Array, check_source, expected_output
from nasturtium.export.trained import Trained

if TYPE_CHECKING:
    from nasturtium.searching import Result


class Format(NamedTuple):
    """How a format is written and verified."""

    write: Callable[[Trained, Path], None]
    check: Callable[[Trained, Path, Array], float]
    beside: tuple[str, ...] = ()


class Exported(NamedTuple):
    """What an export left.

    Attributes:
        files: What was written, the named one first.
        difference: The largest difference between its outputs and the trained network's.
        bound: What it may be: 1e-4 (1 + max |y|).
        rows: How many rows were compared.
        real: Whether these were data; made-up numbers otherwise.
        note: What else should be known: that the search went on since this network was trained.
    """

    files: tuple[Path, ...]
    difference: float
    bound: float
    rows: int
    real: bool
    note: str = ""


def export(network: Trained | Result | str | Path, file: str | Path) -> Exported:
    """Write the trained network of a search as ``.py``, ``.onnx`` or ``.pt2``, verified on real rows.

    Nothing is left under the file's name unless the export gives what the trained network gives, within
    1e-4 (1 + max |y|), on up to 100 rows of data. A ``.py`` is run in a process that can import torch alone.

    Args:
        network: The folder of a search, the result of ``nasturtium.search``, or a :class:`Trained`.
        file: Where to write it. Weights of a ``.py`` lie beside it, as ``.safetensors``.

    Raises:
        StudyError: If no network was trained in the end.
        MissingExtra: If a format needs a package that is not installed.
        NasturtiumError: If the suffix is another one, the network cannot be written so, or differs; or if the weights
            of a ``.py`` would take the place of those of the search, or of another file that no export wrote.
    """
    file = Path(file)
    chosen = _format(file)
    _spare(file, chosen, network)
    trained = as_trained(network)
    expected = expected_output(trained)
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        work = Path(tempfile.mkdtemp(prefix=f".{file.stem}-", dir=file.parent))
    except OSError as error:
        raise NasturtiumError(f"cannot write to {file.parent}: {error.strerror}; give another place") from None
    try:
        made = work / file.name
        chosen.write(trained, made)
        difference = chosen.check(trained, made, expected)
        written = (file, *(file.with_suffix(suffix) for suffix in chosen.beside))
        for target in reversed(written):
            os.replace(work / target.name, target)
    finally:
        shutil.rmtree(work, ignore_errors=True)
    bound = TOLERANCE * (1 + float(abs(expected).max()))
    return Exported(written, difference, bound, len(expected), trained.real, _note(network))


def as_trained(network: Trained | Result | str | Path) -> Trained:
    """What is to be exported, from a folder or a result."""
    if isinstance(network, Trained):
        return network
    return Trained.of_folder(network) if isinstance(network, (str, Path)) else Trained.of_result(network)


def _note(network: Trained | Result | str | Path) -> str:
    from nasturtium.final import read_best
    from nasturtium.final.earlier import EARLIER, gone_on

    if not isinstance(network, (str, Path)):
        return ""
    name = (read_best(Path(network)) or {}).get("name")
    return f"{EARLIER}; what was exported is the winner of then" if gone_on(Path(network), name) else ""


def _format(file: Path) -> Format:
    if file.suffix not in FORMATS:
        raise NasturtiumError(f"cannot export to {file.name!r}: the name must end in {', '.join(FORMATS)}")
    if file.is_dir():
        raise NasturtiumError(f"cannot export to {file}: it is a folder; give the name of a file")
    return FORMATS[file.suffix]


def _spare(file: Path, chosen: Format, network: Trained | Result | str | Path) -> None:
    """Makes sure that what is written beside a file takes the place of nothing but an earlier export."""
    from nasturtium.export.weights import exported
    from nasturtium.final import WEIGHTS

    folder = Path(network) if isinstance(network, (str, Path)) else getattr(network, "out", None)
    for beside in map(file.with_suffix, chosen.beside):
        own = folder is not None and beside.resolve() == (folder / WEIGHTS).resolve()
        if own or (beside.exists() and not exported(beside)):
            what = "which holds the trained network of the search itself" if own else "which no export wrote"
            raise NasturtiumError(
                f"cannot export to {file}: its weights would take the place of {beside}, {what}; give another name"
            )


def _source(trained: Trained, file: Path) -> None:
    from nasturtium.export.source import write_source

    write_source(trained, file)


def _onnx(trained: Trained, file: Path) -> None:
    from nasturtium.export.graphs import write_onnx

    write_onnx(trained, file)


def _program(trained: Trained, file: Path) -> None:
    from nasturtium.export.graphs import write_program

    write_program(trained, file)


def _check_source(trained: Trained, file: Path, expected: Array) -> float:
    return check_source(file, trained, expected)


def _check_onnx(trained: Trained, file: Path, expected: Array) -> float:
    from nasturtium.export.graphs import check_onnx

    return check_onnx(file, trained, expected)


def _check_program(trained: Trained, file: Path, expected: Array) -> float:
    from nasturtium.export.graphs import check_program

    return check_program(file, trained, expected)


FORMATS = {
    ".py": Format(_source, _check_source, (".safetensors",)),
    ".onnx": Format(_onnx, _check_onnx),
    ".pt2": Format(_program, _check_program),
}
"""Formats by the suffix of the file."""
