"""Tasks from .npz files: x, y and perhaps split; or x_train, y_train, x_test, y_test."""

from __future__ import annotations

import zipfile
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from nasturtium.errors import TaskError, did_you_mean
from nasturtium.tasks.arrays import from_arrays, from_parts
from nasturtium.tasks.assembly import name_of
from nasturtium.tasks.task import Task

Array = npt.NDArray[Any]

KNOWN = (
    "x",
    "y",
    "split",
    "classes",
    "offsets",
    *(f"{array}_{part}" for part in ("train", "valid", "test") for array in ("x", "y", "offsets")),
)


def load_npz(path: Path, *, name: str | None = None, groups: str | None = None, **options: Any) -> Task:
    """A task from a file of arrays, read without pickle.

    Args:
        path: Holds ``x`` and ``y``, with an optional ``split`` (train, valid, test; or 0, 1, 2), or
            ``x_train``, ``y_train`` and the same with ``_valid`` and ``_test``. An array ``classes`` names
            the classes. Rows of unequal length lie one after another in ``x``, and ``offsets`` (``offsets_train``
            and so on), one more than rows, says where each begins.
        name: Of the task; by default the file's.
        groups: The array whose equal values never come into two parts, such as persons.
        options: As of ``from_arrays``.

    Raises:
        TaskError: If the file cannot be read, or lacks these arrays.
    """
    held = _read(path, groups)
    options = {"name": name or name_of(path), **options}
    if "classes" in held:
        options.setdefault("classes", held["classes"].tolist())
    if any(name.startswith("offsets") for name in held):
        held, layout = _cut(path, held)
        options.setdefault("layout", layout)
    if groups is not None and "x" not in held:
        raise TaskError(f"groups={groups!r} goes with arrays x and y, but {path} holds its parts already")
    if "x" in held and "y" in held:
        return from_arrays(held["x"], held["y"], split=held.get("split"), groups=held.get(groups or ""), **options)
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


def _cut(path: Path, held: dict[str, Any]) -> tuple[dict[str, Any], str]:
    """The arrays with a list of rows for each whose offsets are there, and how they are read."""
    cut, layout = {**held}, "sequence"
    for name in [name for name in held if name.startswith("offsets")]:
        rows = name.replace("offsets", "x")
        offsets, values = np.asarray(held[name]), held.get(rows)
        if values is None:
            raise TaskError(f"{path} holds {name} without {rows}, the values of its rows")
        fits = offsets.ndim == 1 and len(offsets) > 1 and offsets.dtype.kind in "iu" and values.ndim > 0
        if not fits or offsets[0] != 0 or offsets[-1] != len(values) or (np.diff(offsets) < 0).any():
            raise TaskError(
                f"{name} in {path} ({offsets.shape} of {offsets.dtype}) must rise from 0 to the length of {rows}, "
                f"{values.shape[:1]}, with one number more than there are rows"
            )
        cut[rows] = np.split(values, offsets[1:-1])
        layout = "tokens" if values.ndim == 1 and values.dtype.kind in "iu" else "sequence"
    return cut, layout


def _read(path: Path, groups: str | None = None) -> dict[str, Any]:
    """The arrays that we know, and the one of groups, by name."""
    try:
        loaded = np.load(path, allow_pickle=False)
        if not isinstance(loaded, np.lib.npyio.NpzFile):
            raise TaskError(f"{path} is a single array; save x and y together with numpy.savez")
        with loaded as file:
            if groups is not None and groups not in file.files:
                there = f"it holds {', '.join(file.files)}{did_you_mean(groups, file.files)}"
                raise TaskError(f"there is no array {groups!r} in {path}; {there}")
            names = [name for name in file.files if name in (*KNOWN, groups)] or file.files[:8]
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
