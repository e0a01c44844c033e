"""Reads TFRecord files and protocol buffers without TensorFlow, as far as NAS-Bench-101 needs them."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, NamedTuple

from nasturtium.benchmarks.table import BenchmarkError

LARGEST = 1 << 24
"""Bytes of the largest record that is read."""

VARINT, DOUBLE, BYTES, FLOAT = 0, 1, 2, 5
"""How protocol buffers write a field."""


IN_ORDER, TAGS = struct.Struct("<BdBdBdBdBd"), (9, 17, 25, 33, 41)
"""Five doubles in the order of their fields, and the tags before them."""


class Evaluation(NamedTuple):
    """One measurement during a training.

    Attributes:
        epoch: After how many epochs.
        seconds: Of the training until then.
        train: Accuracy on the training split, between 0 and 1.
        validation: Accuracy on the validation split.
        test: Accuracy on the test split.
    """

    epoch: float = 0.0
    seconds: float = 0.0
    train: float = 0.0
    validation: float = 0.0
    test: float = 0.0


class Training(NamedTuple):
    """One training of NAS-Bench-101.

    Attributes:
        evaluations: At the start, half way, and at the end.
        params: Trainable parameters.
        seconds: Of training and evaluation together.
    """

    evaluations: tuple[Evaluation, ...]
    params: int
    seconds: float


def records(path: Path) -> Iterator[bytes]:
    """The records of a TFRecord file; their checksums are not compared.

    Raises:
        BenchmarkError: If the file ends within a record, or is none.
    """
    with open(path, "rb") as file:
        while head := file.read(12):
            if len(head) < 12:
                raise BenchmarkError(f"{path} ends within a record: it is damaged, or was not downloaded to its end")
            yield _body(file, struct.unpack("<Q", head[:8])[0], path)


def _body(file: BinaryIO, length: int, path: Path) -> bytes:
    if length > LARGEST:
        raise BenchmarkError(f"{path} is no TFRecord file: a record would have {length:,} bytes")
    content = file.read(length + 4)
    if len(content) < length + 4:
        raise BenchmarkError(f"{path} ends within a record: it is damaged, or was not downloaded to its end")
    return content[:length]


def training(content: bytes) -> Training:
    """A ``ModelMetrics`` message of NAS-Bench-101.

    Raises:
        BenchmarkError: If it is none.
    """
    evaluations, params, seconds = [], 0, 0.0
    for field, value in _fields(content):
        if field == 1 and isinstance(value, bytes):
            evaluations.append(_evaluation(value))
        elif field == 2 and isinstance(value, int):
            params = value
        elif field == 3 and isinstance(value, float):
            seconds = value
    return Training(tuple(evaluations), params, seconds)


def _evaluation(content: bytes) -> Evaluation:
    """An ``EvaluationData`` message, at once where its five numbers stand in order, as protocol buffers write them."""
    if len(content) >= IN_ORDER.size:
        held = IN_ORDER.unpack_from(content)
        if held[::2] == TAGS:
            return Evaluation(*held[1::2])
    measured = {place: held for place, held in _fields(content) if isinstance(held, float)}
    return Evaluation(*(measured.get(place, 0.0) for place in range(1, 6)))


def _fields(content: bytes) -> Iterator[tuple[int, int | float | bytes]]:
    """The fields of a message: their numbers and values."""
    place = 0
    while place < len(content):
        tag, place = _varint(content, place)
        field, kind = tag >> 3, tag & 7
        if kind == VARINT:
            value, place = _varint(content, place)
            yield field, value
            continue
        if kind == BYTES:
            size, place = _varint(content, place)
        elif kind in (DOUBLE, FLOAT):
            size = 8 if kind == DOUBLE else 4
        else:
            raise BenchmarkError(f"no record of NAS-Bench-101: field {field} is written in the unknown way {kind}")
        held, place = content[place : place + size], place + size
        if place > len(content):
            raise BenchmarkError(f"no record of NAS-Bench-101: field {field} is longer than the record")
        if kind == BYTES:
            yield field, held
        else:
            yield field, struct.unpack("<d" if kind == DOUBLE else "<f", held)[0]


def _varint(content: bytes, place: int) -> tuple[int, int]:
    value, shift = 0, 0
    while place < len(content) and shift < 70:
        byte = content[place]
        value |= (byte & 0x7F) << shift
        place, shift = place + 1, shift + 7
        if byte < 0x80:
            return value, place
    raise BenchmarkError("no record of NAS-Bench-101: it ends within a number")
