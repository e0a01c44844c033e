"""Rows of a table as a network's input, as they were in training."""

from __future__ import annotations

import math
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import torch
from torch import Tensor


def encode_table(raw: Any, coding: dict[str, Any]) -> tuple[Tensor, ...]:
    """A table (a dict of columns, a list of rows as dicts, or a data frame) as the tensor that the network takes.

    Raises:
        ValueError: If a column is absent, or holds what it cannot.
    """
    features: list[list[float]] = []
    for column in coding["columns"]:
        features += encode_column(values_of(raw, column["name"]), column)
    values = torch.tensor(features, dtype=torch.float64).T  # (N, features)
    mean, std = (torch.tensor(coding[name], dtype=torch.float64) for name in ("mean", "std"))
    return (((values[:, list(coding["kept"])] - mean) / std).float(),)


def values_of(raw: Any, name: str) -> list[Any]:
    """One column of a table; None stands for what is missing."""
    if isinstance(raw, (list, tuple)):
        if not any(name in row for row in raw):
            raise no_column(name, dict.fromkeys(key for row in raw for key in row))
        values = [row.get(name) for row in raw]
    else:
        if name not in (raw.columns if hasattr(raw, "columns") else raw):
            raise no_column(name, raw.columns if hasattr(raw, "columns") else raw)
        values = list(raw[name])
    return [None if is_gap(value) else value for value in values]


def is_gap(value: Any) -> bool:
    """Whether a cell is empty: None, NaN, or the NA of a data frame, which cannot be compared."""
    return value is None or type(value).__name__ == "NAType" or bool(value != value)


def no_column(name: str, there: Any) -> ValueError:
    """That a column which the network was trained on is absent."""
    names = ", ".join(map(str, there))
    return ValueError(
        f"there is no column {name!r}, only {names}; without its values, give the column with empty cells"
    )


def encode_column(values: list[Any], column: dict[str, Any]) -> list[list[float]]:
    """The features of a column: a number, what a date consists of, or one for each category; then one for gaps."""
    missing = [float(value is None) for value in values]
    gaps = [missing] if column["gaps"] else []
    if column["kind"] == "category":
        texts = [None if value is None else str(value) for value in values]
        known = [[float(text == category) for text in texts] for category in column["categories"]] + gaps
        rare = [1.0 - sum(features[row] for features in known) for row in range(len(values))]
        return [*known, rare]
    convert, count = (date_features, 7) if column["kind"] == "date" else (number_features, 1)
    filled = [column["fill"]] + [0.0] * (count - 1)
    rows = [filled if value is None else convert(value, column["name"]) for value in values]
    return [[row[place] for row in rows] for place in range(count)] + gaps


def number_features(value: Any, name: str) -> list[float]:
    """A number as it is, a time in hours, a duration in seconds; all may be text, numbers with a decimal comma."""
    if isinstance(value, timedelta):
        return [value / timedelta(seconds=1)]
    if isinstance(value, str) and value.lower() in ("true", "false"):
        return [float(value.lower() == "true")]
    try:
        if isinstance(value, str) and ":" in value:
            value = time.fromisoformat(value)
        if isinstance(value, time):
            return [value.hour + value.minute / 60 + value.second / 3600 + value.microsecond / 3.6e9]
        if isinstance(value, str) and value.count(",") == 1:
            value = value.replace(".", "").replace(",", ".")
        number = float(value)
    except (TypeError, ValueError):
        raise ValueError(f"column {name!r} holds {str(value)!r}, which is no number") from None
    if math.isinf(number):
        raise ValueError(f"column {name!r} holds an infinite value")
    if abs(number) > 1e100:
        raise ValueError(f"column {name!r} holds {number:g}; if that marks what is missing, leave the cell empty")
    return [number]


def date_features(value: Any, name: str) -> list[float]:
    """Days since 1970-01-01, then sine and cosine of the place in the week, the year and the day."""
    moment = as_moment(value, name)
    days = (moment - datetime(1970, 1, 1)) / timedelta(microseconds=1) / 86_400e6
    year = moment.timetuple().tm_yday / 365.25
    shares = (math.floor(days) / 7, year, days % 1)
    return [days, *(wave(2 * math.pi * share) for share in shares for wave in (math.sin, math.cos))]


def as_moment(value: Any, name: str) -> datetime:
    """A date, a moment, or text of one, as a moment; in UTC if it has a zone."""
    moment = read_moment(value, name)
    return moment if moment.tzinfo is None else moment.astimezone(UTC).replace(tzinfo=None)


def read_moment(value: Any, name: str) -> datetime:
    """A date, a moment, or text of one (2024-01-31, 31.01.2024, with a time or without), as a moment."""
    if isinstance(value, str):
        text = value.strip().replace("/", "-").replace(".", "-", 2 if value[2:3] == "." else 0)
        if text[2:3] == "-" and text[5:6] == "-":  # the day first
            text = f"{text[6:10]}-{text[3:5]}-{text[:2]}{text[10:]}"
        try:
            value = datetime.fromisoformat(text)
        except ValueError:
            raise ValueError(f"column {name!r} holds {value!r}, which is no date") from None
    if isinstance(value, datetime):
        return value
    if isinstance(value, date):
        return datetime(value.year, value.month, value.day)
    raise ValueError(f"column {name!r} holds {value!r}, which is no date")
