"""Image files: reading them with Pillow in one size, at once or one by one."""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from nasturtium.errors import TaskError
from nasturtium.tasks.array_coding import ArrayCoding

Array = npt.NDArray[Any]

ENDINGS = (".png", ".jpg", ".jpeg", ".bmp", ".gif", ".tif", ".tiff", ".webp", ".ppm", ".pgm")
LARGEST = 224
GREY = ("1", "L", "LA", "I", "I;16", "I;16B", "I;16L", "I;16N")
ORIENTATION = 0x0112
"""The tag of EXIF that says how a camera was held."""
ON_ITS_SIDE = 5
"""The first of its values, 1 to 8, with which height and width change places."""


@dataclass(frozen=True)
class ImageFormat:
    """What all images are brought to.

    Attributes:
        channels: 1 (grey) or 3 (red, green, blue).
        height: In pixels.
        width: Likewise.
    """

    channels: int
    height: int
    width: int


def read_image(path: Path, form: ImageFormat) -> Array:
    """One image (C, H, W) of uint8, upright as its EXIF says, resized (bilinear).

    Raises:
        TaskError: If the file is no image, damaged, or of grey levels whose range is not known.
    """
    from PIL import Image

    try:
        with Image.open(path) as picture:
            _check_range(picture, path)
            plain = _eight_bits(_upright(picture)).convert("L" if form.channels == 1 else "RGB")
            if plain.size != (form.width, form.height):
                plain = plain.resize((form.width, form.height), Image.Resampling.BILINEAR)
            values = np.asarray(plain)
    except _broken() as error:
        raise TaskError(f"{path} cannot be read as an image: {error}") from error
    return values[None] if form.channels == 1 else np.moveaxis(values, -1, 0)


def _check_range(picture: Any, path: Path) -> None:
    if picture.mode == "F" or (picture.mode == "I" and picture.format != "PPM"):  # of .pgm files, I holds 16 bits
        kind = "32-bit floats" if picture.mode == "F" else "32-bit integers"
        raise TaskError(
            f"the grey levels of {path} are {kind}, whose range is not known; "
            "save the images with 8 or 16 bits, or give an array with a row an image"
        )


def _eight_bits(picture: Any) -> Any:
    """Pillow cuts 16-bit grey off at 255 when it converts; scale it instead."""
    deep = picture.mode.startswith("I")
    return picture.convert("I").point(lambda value: value / 256).convert("L") if deep else picture


def _upright(picture: Any) -> Any:
    """A picture turned as its EXIF says; as it is where that is damaged."""
    from PIL import ImageOps

    picture.load()
    try:
        return ImageOps.exif_transpose(picture)
    except _damaged():
        return picture


def _upright_size(picture: Any) -> tuple[int, int]:
    """Width and height of an upright picture, by its header."""
    width, height = picture.size
    if picture.format == "TIFF" or "exif" not in picture.info:  # of TIFF, Pillow gives the upright size
        return width, height
    try:
        turned = picture.getexif().get(ORIENTATION, 1) >= ON_ITS_SIDE
    except _damaged():
        turned = False
    return (height, width) if turned else (width, height)


def _broken() -> tuple[type[Exception], ...]:
    """What Pillow raises for files that are damaged, no images, or far too large."""
    from PIL import Image

    return (OSError, SyntaxError, ValueError, EOFError, Image.DecompressionBombError)


def _damaged() -> tuple[type[Exception], ...]:
    """What Pillow raises for EXIF that is damaged."""
    return (*_broken(), struct.error, TypeError, KeyError)


def find_format(paths: Sequence[Path]) -> tuple[ImageFormat, list[Path]]:
    """The common format of images, and which of them are broken (by their headers).

    Height and width are the medians, shrunk together so that neither exceeds 224; grey if all are grey.

    Raises:
        TaskError: If none can be read, or the range of grey levels is not known.
    """
    from PIL import Image

    sizes, modes, broken = [], set(), []
    for path in paths:
        try:
            with Image.open(path) as picture:
                _check_range(picture, path)
                sizes.append(_upright_size(picture))
                modes.add(picture.mode)
        except _broken():
            broken.append(path)
    if not sizes:
        raise TaskError(f"none of {len(paths)} image files can be read, such as {paths[0]}")
    width, height = np.median(np.array(sizes), axis=0)
    shrink = min(1.0, LARGEST / max(width, height))
    form = ImageFormat(1 if modes <= set(GREY) else 3, max(1, round(height * shrink)), max(1, round(width * shrink)))
    return form, broken


def read_images(paths: Iterable[Path], form: ImageFormat) -> tuple[Array, list[Path]]:
    """All images (N, C, H, W) of uint8 that can be read, and the files that cannot."""
    images, broken = [], []
    for path in paths:
        try:
            images.append(read_image(path, form))
        except TaskError:
            broken.append(path)
    shape = (0, form.channels, form.height, form.width)
    return (np.stack(images) if images else np.zeros(shape, dtype=np.uint8)), broken


class ImageDataset:
    """A torch Dataset of image files, read when they are asked for.

    Items are ``((image (C, H, W) float32,), class)``. A file that has become unreadable raises a TaskError.
    """

    def __init__(self, paths: Sequence[Path], form: ImageFormat, coding: ArrayCoding, targets: Array) -> None:
        self.paths, self.form, self.coding, self.targets = list(paths), form, coding, targets

    def __len__(self) -> int:
        return len(self.paths)

    def __getitem__(self, row: int) -> tuple[tuple[Array], int]:
        image = self.coding.scale(read_image(self.paths[row], self.form)[None], None)[0][0]
        return (image,), int(self.targets[row])

    @cached_property
    def fingerprint(self) -> str:
        """A hash of names, sizes and format of the files; their pixels are too many."""
        stamps = [(path.parent.name, path.name, path.stat().st_size) for path in self.paths]
        return hashlib.blake2b(repr((self.form, stamps)).encode(), digest_size=16).hexdigest()
