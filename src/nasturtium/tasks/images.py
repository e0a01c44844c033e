"""Tasks from a folder of images: one folder a class, perhaps inside train, valid and test folders."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from nasturtium.errors import TaskError
from nasturtium.tasks.array_coding import ArrayCoding, fit_arrays, listed
from nasturtium.tasks.assembly import Labels, assemble, name_of
from nasturtium.tasks.image_files import (
    ENDINGS,
    ImageDataset,
    ImageFormat,
    find_format,
    read_image,
    read_images,
)
from nasturtium.tasks.layout import Layout
from nasturtium.tasks.split import WORDS
from nasturtium.tasks.task import Split, Task

Array = npt.NDArray[Any]

Found = tuple[Path, str, int | None]
"""A file of an image, its class, and its part where folders say one."""

MEMORY_SHARE = 0.5
SAMPLE = 2000


def _layout(images: Array) -> Layout:
    """How new images come: (N, H, W) if grey, else (N, H, W, 3)."""
    return Layout("image", "none" if images.shape[1] == 1 else "last")


class ImageRows:
    """Images held in memory, (N, C, H, W) of uint8."""

    def __init__(self, values: Array) -> None:
        self.values = values

    def __len__(self) -> int:
        return len(self.values)

    def fit(self, train: Array) -> tuple[ArrayCoding, tuple[str, ...]]:
        """The normalisation of the training rows (indices), and notes."""
        return fit_arrays(self.values, None, _layout(self.values), train)

    def split(self, coding: ArrayCoding, rows: Array, targets: Array) -> Split:
        """These rows (indices), normalised, with their encoded targets."""
        return Split(coding.scale(self.values[rows], None), targets)


class ImagePaths:
    """Image files that memory cannot hold; each is read when a batch needs it."""

    def __init__(self, paths: list[Path], form: ImageFormat) -> None:
        self.paths, self.form = paths, form

    def __len__(self) -> int:
        return len(self.paths)

    def fit(self, train: Array) -> tuple[ArrayCoding, tuple[str, ...]]:
        """The normalisation of at most 2000 training rows, evenly spaced, and notes."""
        sample = train[np.linspace(0, len(train) - 1, min(SAMPLE, len(train))).astype(int)]
        values = np.stack([read_image(self.paths[row], self.form) for row in sample])
        coding, notes = fit_arrays(values, None, _layout(values), np.arange(len(values)))
        return coding, (*notes, "the images do not fit in memory: each is read from its file when needed")

    def split(self, coding: ArrayCoding, rows: Array, targets: Array) -> Split:
        """These rows (indices) as a torch Dataset, with their encoded targets."""
        dataset: Any = ImageDataset([self.paths[row] for row in rows], self.form, coding, targets)
        return Split((), targets, dataset)


def load_images(
    folder: Path,
    *,
    name: str | None = None,
    seed: int = 0,
    metric: str | None = None,
    memory: float | None = None,
) -> Task:
    """A task from images sorted into one folder a class.

    All are resized to the median size (at most 224 pixels a side) and are grey if all files are.

    Args:
        folder: Holds a folder of images for each class; or folders train, test and perhaps valid, which hold
            those.
        name: Of the task; by default the folder's.
        seed: Of the split, where there is none.
        metric: The primary metric.
        memory: How many bytes the images may take; by default half of what is free. Beyond it they stay
            files.

    Raises:
        TaskError: If there are no classes, or no image can be read.
    """
    found = _find(folder)
    form, broken = find_format([path for path, _, _ in found])
    rows = _without(found, broken)
    held: ImageRows | ImagePaths
    if len(rows) * form.channels * form.height * form.width * 5 > (free_memory() if memory is None else memory):
        held = ImagePaths([path for path, _, _ in rows], form)
    else:
        values, damaged = read_images([path for path, _, _ in rows], form)
        rows, broken = _without(rows, damaged), broken + damaged
        held = ImageRows(values)
    if not rows:
        raise TaskError(f"none of {len(found)} image files in {folder} can be read, such as {found[0][0]}")
    codes = None if rows[0][2] is None else np.array([code for _, _, code in rows], dtype=np.int8)
    if codes is not None and not (codes == 0).any():
        raise TaskError(f"{folder} has no readable image in its train folder")
    names = [str(path.relative_to(folder)) for path in broken]
    notes = (f"skipped {len(names)} files that are no readable images: {listed(names)}",) if names else ()
    labels = Labels([label for _, label, _ in rows], f"the class folders of {folder}", codes)
    called = name or name_of(folder)
    return assemble(held, labels, name=called, seed=seed, metric=metric, kind="classification", notes=notes)


def _without(rows: list[Found], paths: list[Path]) -> list[Found]:
    """The rows but those of some files."""
    left_out = set(paths)
    return [row for row in rows if row[0] not in left_out]


def free_memory() -> float:
    """The bytes that images may take: half of what the machine has free."""
    import psutil

    return float(psutil.virtual_memory().available) * MEMORY_SHARE


def _find(folder: Path) -> list[Found]:
    """Each image file with its class and, where the folder is so divided, its part."""
    inner = _folders(folder)
    parts = {path: WORDS[path.name.lower()] for path in inner if path.name.lower() in WORDS}
    found: list[Found]
    if 0 in parts.values():
        found = [(path, label, code) for part, code in parts.items() for path, label in _classes(part)]
    else:
        found = [(path, label, None) for path, label in _classes(folder)]
    if not found:
        direct = [path for path in folder.iterdir() if path.suffix.lower() in ENDINGS]
        held = f"{len(direct)} images but no class folders" if direct else "no class folders with images"
        raise TaskError(f"{folder} holds {held}; put the images of each class into a folder of its own")
    return found


def _classes(folder: Path) -> list[tuple[Path, str]]:
    return [
        (path, inner.name)
        for inner in _folders(folder)
        for path in sorted(inner.rglob("*"))
        if path.suffix.lower() in ENDINGS and path.is_file()
    ]


def _folders(folder: Path) -> list[Path]:
    return sorted(path for path in folder.iterdir() if path.is_dir() and not path.name.startswith("."))
