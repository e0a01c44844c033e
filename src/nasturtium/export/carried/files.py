"""Reading .npz and .csv files without numpy."""

from __future__ import annotations

import ast
import csv
import math
import zipfile
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

ARRAY_TYPES = {
    "f8": torch.float64, "f4": torch.float32, "f2": torch.float16, "i8": torch.int64, "i4": torch.int32,
    "i2": torch.int16, "i1": torch.int8, "u1": torch.uint8, "b1": torch.bool, "u2": torch.uint16, "u4": torch.uint32,
}  # fmt: skip
MISSING = ("", "NA", "N/A", "NaN", "nan", "null", "?")


def read_npz(path: Path) -> dict[str, Tensor]:
    """The arrays of numbers in an .npz file."""
    with path.open("rb") as file:
        if not zipfile.is_zipfile(file):
            raise ValueError("it is no .npz file")
    with zipfile.ZipFile(path) as archive:
        contents = {name.removesuffix(".npy"): archive.read(name) for name in archive.namelist()}
    return {name: array for name, content in contents.items() if (array := read_npy(content)) is not None}


def read_npy(content: bytes) -> Tensor | None:
    """An array in the .npy format, or None if it holds no numbers."""
    wide = content[6] > 1  # version 2 and 3 write the header's length in 4 bytes
    start = 12 if wide else 10
    size = int.from_bytes(content[8:start], "little")
    header = ast.literal_eval(content[start : start + size].decode("latin1"))
    order, kind = header["descr"][0], ARRAY_TYPES.get(header["descr"][1:])
    if kind is None or order == ">":
        return None
    data, shape = bytearray(content[start + size :]), header["shape"]
    flat = (
        torch.frombuffer(data, dtype=kind, count=math.prod(shape)) if math.prod(shape) else torch.empty(0, dtype=kind)
    )
    if header["fortran_order"]:
        return flat.reshape(shape[::-1]).permute(*range(len(shape) - 1, -1, -1))
    return flat.reshape(shape)


def read_csv(path: Path) -> dict[str, list[Any]]:
    """The columns of a .csv file (separated by , ; tab or |) as text; None stands for what is missing.

    Raises:
        ValueError: If it is empty, or a row has another length than the header.
    """
    with path.open(encoding="utf-8-sig", newline="") as file:
        separator = max(",;\t|", key=file.readline().count)
        file.seek(0)
        rows = [row for row in csv.reader(file, delimiter=separator) if row]
    names = rows.pop(0) if rows else []
    odd = next((number for number, row in enumerate(rows, 1) if len(row) != len(names)), None)
    if not names or odd is not None:
        raise ValueError(f"row {odd} has {len(rows[odd - 1])} cells, the header {len(names)}" if odd else "it is empty")
    table = [[None if cell in MISSING else cell for cell in row] for row in rows]
    return {name: [row[place] for row in table] for place, name in enumerate(names)}
