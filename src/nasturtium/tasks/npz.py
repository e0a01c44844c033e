"""Tasks from .npz files: x, y and perhaps split; or x_train, y_train, x_test, y_test."""

from __future__ import annotations

import zipfile
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from nasturtium.errors import TaskError
from nasturtium.tasks.arrays import from_arrays, from_parts
from nasturtium.tasks.assembly import name_of
from nasturtium.tasks.task import Task

Array = npt.NDArray[Any]

KNOWN = (
    "x",
    "y",
    "split",
    "classes",
    *(f"{array}_{part}" for part in ("train", "valid", "test") for array in "xy"),
)


def load_npz(path: Path, *, name: str | None = None, **options: Any) -> Task:
    """A task from a file of arrays, read without pickle.

    Args:
        path: Holds ``x`` and ``y``, with an optional ``split`` (train, valid, test; or 0, 1, 2), or
            ``x_train``, ``y_train`` and the same with ``_valid`` and ``_test``. An array ``classes`` names
            the classes.
        name: Of the task; by default the file's.
        options: As of ``from_arrays``.

    Raises:
        TaskError: If the file cannot be read, or lacks these arrays.
    """
    held = _read(path)
    options = {"name": name or name_of(path), **options}
    if "classes" in held:
        options.setdefault("classes", held["classes"].tolist())
    if "x" in held and "y" in held:
        return from_arrays(held["x"], held["y"], split=held.get("split"), **options)
    parts = {}
    for part in ("train", "valid", "test"):
        present = [f"{array}_{part}" for array in "xy" if f"{array}_{part}" in held]
        if len(present) == 1:
            raise TaskError(f"{path} holds {present[0]} alone; x_{part} and y_{part} belong together")
        if present:
            parts[part] = (held[f"x_{part}"], held[f"y_{part}"])
    if "train" not in parts:
        found = ", ".join(held) or "nothing"
        raise TaskError(f"{path} holds {found}; it needs arrays x and y, or x_train and y_train")
    return from_parts(parts, **options)


def _read(path: Path) -> dict[str, Array]:
    """The arrays that we know, by name."""
    try:
        loaded = np.load(path, allow_pickle=False)
        if not isinstance(loaded, np.lib.npyio.NpzFile):
            raise TaskError(f"{path} is a single array; save x and y together with numpy.savez")
        with loaded as file:
            names = [name for name in file.files if name in KNOWN] or file.files[:8]
            return {name: _array(path, file, name) for name in names}
    except (OSError, EOFError, zipfile.BadZipFile) as error:
        raise TaskError(f"cannot read {path} as .npz: {error}") from error
    except ValueError as error:
        raise TaskError(f"cannot read {path}: it is no .npz file ({error})") from error


def _array(path: Path, file: Any, name: str) -> Array:
    try:
        return np.asarray(file[name])
    except ValueError as error:
        if "allow_pickle" not in str(error):
            raise TaskError(f"array {name} in {path} cannot be read: {error}") from error
        raise TaskError(
            f"array {name} in {path} is pickled (of type object), which is not read for safety; save plain "
            "numbers, or pass rows of unequal length as a list of arrays in Python"
        ) from error
    except (OSError, EOFError, zipfile.BadZipFile, zlib.error) as error:
        raise TaskError(f"array {name} in {path} is damaged: {error}") from error
