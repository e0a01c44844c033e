"""Events as sequences for a network, one for each entity, as they were in training."""

from __future__ import annotations

import math
from datetime import date, datetime, timedelta
from typing import Any

import torch
from torch import Tensor

from nasturtium.export.carried.tables import as_moment, number_features, values_of


def encode_events(raw: Any, coding: dict[str, Any]) -> tuple[Tensor, ...]:
    """Events (a dict of columns, a list of rows as dicts, or a data frame) as the tensors that the network takes.

    Entities come in the order of their first event, and their events in the order of time, the newest ones.

    Raises:
        ValueError: If a column is absent, or a time, an entity or a number cannot be used.
    """
    kinds = kinds_of_times(coding)
    times = [seconds_of(value, coding["timestamp"], kinds) for value in values_of(raw, coding["timestamp"])]
    rows = [sorted(events, key=lambda event: times[event])[-coding["most"] :] for events in owned(raw, coding).values()]
    starts = torch.tensor([len(row) for row in rows]).cumsum(0)[:-1].tolist()
    order = torch.tensor([event for row in rows for event in row])
    made: list[Tensor] = []
    numbers: list[Tensor] = []
    for column in coding["columns"]:
        if column["kind"] == "category":
            ids = category_ids(values_of(raw, column["name"]), column)
            made.append(torch.tensor(ids)[order])
        elif column["kind"] == "number":
            numbers.append(number_channels(values_of(raw, column["name"]), column)[order])
        else:
            numbers.append(torch.cat([time_channels([times[event] for event in row], column) for row in rows]))
    if numbers:
        made.append(torch.cat(numbers, 1).float())
    passed = [(times[event] - times[row[0]]) / coding["unit"] for row in rows for event in row]
    made.append(torch.tensor(passed, dtype=torch.float64).float().unsqueeze(1))
    pieces = [torch.tensor_split(each, starts) for each in (*made, torch.ones(len(order), dtype=torch.bool))]
    return tuple([torch.nn.utils.rnn.pad_sequence(list(piece), batch_first=True) for piece in pieces])


def owned(raw: Any, coding: dict[str, Any]) -> dict[Any, list[int]]:
    """The entities in the order of their first event, each with the numbers of its events."""
    found: dict[Any, list[int]] = {}
    for number, entity in enumerate(values_of(raw, coding["entity"])):
        if entity is None:
            raise ValueError(f"column {coding['entity']!r} has no value at row {number}")
        found.setdefault(entity, []).append(number)
    if not found:
        raise ValueError("there are no events")
    return found


def kinds_of_times(coding: dict[str, Any]) -> tuple[str, ...]:
    """What times may be, as in training: moments, durations or numbers; older codings tell it by having a clock."""
    if coding.get("times"):
        return (coding["times"],)
    clock = any(column["kind"] == "clock" for column in coding["columns"])
    return ("moments", "durations") if clock else ("numbers",)


def seconds_of(value: Any, name: str, kinds: tuple[str, ...]) -> float:
    """A time as in training: seconds since 1970 for moments and text of moments, numbers as they are."""
    if isinstance(value, timedelta):
        found, time = "durations", value / timedelta(seconds=1)
    else:
        try:
            found, time = "numbers", float(value)
        except (TypeError, ValueError):
            if not isinstance(value, (str, date, datetime)):
                raise ValueError(f"column {name!r} holds {value!r}, which is no time") from None
            found, time = "moments", (as_moment(value, name) - datetime(1970, 1, 1)) / timedelta(seconds=1)
    if not math.isfinite(time):
        raise ValueError(f"column {name!r} holds {value!r}, which is no time")
    if found not in kinds:
        raise ValueError(f"column {name!r} holds {value!r}, but times were {kinds[0]} in training; give {kinds[0]}")
    return time


def category_ids(values: list[Any], column: dict[str, Any]) -> list[int]:
    """0 for what has no id of its own, 1 and so on for the categories, then one for what is missing."""
    known = {category: number for number, category in enumerate(column["categories"], 1)}
    missing = len(known) + 1 if column["gaps"] else 0
    exact = bool(column.get("text"))
    return [missing if value is None else category_id(value, known, exact) for value in values]


def category_id(value: Any, known: dict[str, int], exact: bool = False) -> int:
    """The id of a category; 3.0 is the same as 3, and True as true, but ``exact`` for text where they were text."""
    if exact and isinstance(value, str):
        return known.get(value, 0)
    text = str(value)
    if text not in known and text.lower() in ("true", "false"):
        text = text.lower()
    try:
        whole = str(int(value)) if isinstance(value, float) and value == int(value) else str(int(float(text)))
    except (ValueError, OverflowError):
        return known.get(text, 0)
    return known.get(text, known.get(whole if float(text) == float(whole) else str(float(text)), 0))


def number_channels(values: list[Any], column: dict[str, Any]) -> Tensor:
    """A number, standardised, and perhaps a channel that marks the missing: (E, 1 or 2)."""
    channels = []
    for value in values:
        number = math.nan if value is None else number_features(value, column["name"])[0]
        bent = math.asinh(number / column["scale"]) if column["scale"] else number
        scaled = 0.0 if value is None else (bent - column["mean"]) / column["std"]
        channels.append([scaled, float(value is None)] if column["gaps"] else [scaled])
    return torch.tensor(channels, dtype=torch.float64)


def time_channels(times: list[float], column: dict[str, Any]) -> Tensor:
    """What the times of one entity tell: gaps, what is left until the last, or the time of day and week."""
    if column["kind"] == "clock":
        turns = [[2 * math.pi * (time % cycle) / cycle for cycle in (86_400.0, 604_800.0)] for time in times]
        waves = [[wave(turn) for turn in row for wave in (math.sin, math.cos)] for row in turns]
        return torch.tensor(waves, dtype=torch.float64)
    before = [times[0], *times[:-1]]
    passed = [b - a for a, b in zip(before, times, strict=True)]
    if column["kind"] == "left":
        passed = [times[-1] - time for time in times]
    scaled = [(math.log1p(time / column["scale"]) - column["mean"]) / column["std"] for time in passed]
    return torch.tensor(scaled, dtype=torch.float64).unsqueeze(1)
