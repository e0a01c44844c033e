"""Preprocessing: how raw data becomes inputs, and outputs answers, as a value that JSON can carry."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from nasturtium.errors import TaskError
from nasturtium.space.signal import Signal
from nasturtium.tasks.array_coding import ArrayCoding
from nasturtium.tasks.event_coding import EventCoding
from nasturtium.tasks.event_columns import EventColumn
from nasturtium.tasks.table_coding import Column, TableCoding
from nasturtium.tasks.targets import TargetCoding
from nasturtium.tasks.tensor_coding import TensorCoding

if TYPE_CHECKING:
    import polars as pl

    from nasturtium.tasks.task import Split

Array = npt.NDArray[Any]


KINDS: dict[str, Any] = {"table": TableCoding, "arrays": ArrayCoding, "tensors": TensorCoding, "events": EventCoding}
"""The codings by what their JSON calls them."""


@dataclass(frozen=True)
class Preprocessing:
    """What was fitted on the training rows, for use on new rows.

    Attributes:
        inputs: Turns raw rows into a network's inputs.
        target: Turns raw targets into what is learned, and outputs back.
    """

    inputs: ArrayCoding | TableCoding | TensorCoding | EventCoding
    target: TargetCoding

    def apply(self, raw: object) -> tuple[Array, ...]:
        """A network's inputs for new raw rows, shaped as the data the task was made from.

        Raises:
            TaskError: If they do not fit.
        """
        return self.inputs.apply(raw)

    def rows(self, raw: object) -> tuple[Split, pl.Series | None]:
        """New raw rows as a split without targets, and the entities they are of where raw rows are events.

        Args:
            raw: As of ``apply``, or the path of a .csv or .parquet table.

        Raises:
            TaskError: If they do not fit, or the file cannot be read.
        """
        from nasturtium.tasks.task import Split

        if isinstance(raw, (str, PathLike)):
            path = Path(raw).expanduser()
            if not path.is_file():
                raise TaskError(f"there is no file {raw}")
            raw = self._read(path)
        flat = self.inputs.steps(raw) if isinstance(self.inputs, ArrayCoding) and self.inputs.is_flat else None
        if flat is not None:
            values, offsets = flat
            return Split((values,), np.zeros(len(offsets) - 1, dtype=np.int64), None, offsets), None
        if not isinstance(self.inputs, EventCoding):
            inputs = self.apply(raw)
            return Split(inputs, np.zeros(len(inputs[0]), dtype=np.int64)), None
        ordered = self.inputs.order(raw)
        none = np.zeros(len(ordered.entities), dtype=np.int64)
        split = Split(self.inputs.encode_new(ordered), none, None, ordered.offsets)
        return split, ordered.entities.rename(self.inputs.entity)

    def _read(self, path: Path) -> pl.DataFrame:
        from nasturtium.tasks.event_entities import read_events
        from nasturtium.tasks.table_files import read_table

        if isinstance(self.inputs, EventCoding):
            events = self.inputs
            return read_events(path, events.entity, events.timestamp, events.text, events.named).frame
        return read_table(path, getattr(self.inputs, "text", ())).frame

    def decode(self, outputs: Array) -> Array:
        """Class names (N,), or values (N, K) in the target's unit, for outputs (N, K)."""
        return self.target.decode(outputs)

    def to_json(self) -> str:
        """A text that ``from_json`` reads."""
        kind = next(kind for kind, coding in KINDS.items() if isinstance(self.inputs, coding))
        return json.dumps({"kind": kind, "inputs": asdict(self.inputs), "target": asdict(self.target)})

    @classmethod
    def from_json(cls, text: str) -> Preprocessing:
        """Read what ``to_json`` wrote.

        Raises:
            TaskError: If the text is something else.
        """
        try:
            held = json.loads(text)
            inputs = _tuples(held["inputs"])
            if held["kind"] == "table":
                inputs["columns"] = tuple(Column(**column) for column in inputs["columns"])
            if held["kind"] == "events":
                inputs["columns"] = tuple(EventColumn(**column) for column in inputs["columns"])
            if held["kind"] == "tensors":
                inputs["signals"] = tuple(Signal(*signal) for signal in inputs["signals"])
            coding = KINDS[held["kind"]](**inputs)
            return cls(coding, TargetCoding(**_tuples(held["target"])))
        except (ValueError, KeyError, TypeError) as error:
            raise TaskError(f"this is not the JSON of a preprocessing: {error}") from error


def _tuples(value: Any) -> Any:
    """JSON knows lists only; our fields are tuples."""
    if isinstance(value, list):
        return tuple(_tuples(item) for item in value)
    if isinstance(value, dict):
        return {key: _tuples(item) for key, item in value.items()}
    return value
