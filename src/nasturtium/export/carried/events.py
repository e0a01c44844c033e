"""Events as sequences for a network, one for each entity, as they were in training."""

from __future__ import annotations

import math
import re
import warnings
from collections.abc import Iterable
from datetime import date, datetime, timedelta
from typing import Any

import torch
from torch import Tensor

from nasturtium.export.carried.tables import as_moment, number_features, read_moment, values_of


def encode_events(raw: Any, coding: dict[str, Any]) -> tuple[Tensor, ...]:
    """Events (a dict of columns, a list of rows as dicts, or a data frame) as the tensors that the network takes.

    Entities come in the order of their first event, and their events in the order of time, the newest ones.

    Raises:
        ValueError: If a column is absent, or a time, an entity or a number cannot be used.
    """
    kinds, when = kinds_of_times(coding), values_of(raw, coding["timestamp"])
    if not coding.get("day_first", True):
        refuse_two_readings(when, coding["timestamp"])
    times = [seconds_of(value, coding["timestamp"], kinds) for value in when]
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
    zero = -1 if coding.get("backwards") else 0  # whether times count from the last event, or from the first
    passed = [(times[event] - times[row[zero]]) / coding["unit"] for row in rows for event in row]
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
    """What times may be, as in training: moments with or without a zone (older codings: either), durations or numbers.

    The oldest codings tell it by having a clock.
    """
    moments = ("moments", "moments without a zone", "moments with a zone")
    if coding.get("times"):
        return moments if coding["times"] == "moments" else (coding["times"],)
    clock = any(column["kind"] == "clock" for column in coding["columns"])
    return (*moments, "durations") if clock else ("numbers",)


def refuse_two_readings(values: Iterable[Any], name: str) -> None:
    """Refuse dates such as 01/02/2024 where none tells whether the day or the month comes first."""
    found = [re.match(r"\s*(\d{1,2})[/-](\d{1,2})[/-]\d{4}", value) for value in values if isinstance(value, str)]
    pairs = [(int(match[1]), int(match[2]), match.string) for match in found if match]
    differ = [text for first, second, text in pairs if first != second]
    if differ and all(first <= 12 and second <= 12 for first, second, _ in pairs):
        raise ValueError(
            f"column {name!r} holds {differ[0]!r}: no date there tells whether the day or the month comes first; "
            "write dates as 2024-12-31"
        )


def seconds_of(value: Any, name: str, kinds: tuple[str, ...]) -> float:
    """A time as in training: seconds since 1970 (in UTC if it has a zone) for moments and text of moments, numbers as
    they are.
    """
    if isinstance(value, timedelta):
        found, time = "durations", value / timedelta(seconds=1)
    else:
        try:
            found, time = "numbers", float(value)
        except (TypeError, ValueError):
            if not isinstance(value, (str, date, datetime)):
                raise ValueError(f"column {name!r} holds {value!r}, which is no time") from None
            moment = read_moment(value, name)
            found = "moments without a zone" if moment.tzinfo is None else "moments with a zone"
            time = (as_moment(moment, name) - datetime(1970, 1, 1)) / timedelta(seconds=1)
    if not math.isfinite(time):
        raise ValueError(f"column {name!r} holds {value!r}, which is no time")
    if found not in kinds:
        raise ValueError(f"column {name!r} holds {value!r}, but times were {kinds[0]} in training; give {kinds[0]}")
    return time


def category_ids(values: list[Any], column: dict[str, Any]) -> list[int]:
    """0 for what has no id of its own, 1 and so on for the categories, then one for what is missing.

    Warns where not one of the values is known, so that the column tells nothing.
    """
    known = {category: number for number, category in enumerate(column["categories"], 1)}
    missing = len(known) + 1 if column["gaps"] else 0
    lower = {category.lower(): number for category, number in known.items()}
    logical = lower if set(lower) <= {"true", "false"} and len(lower) == len(known) else {}
    exact = bool(column.get("text"))
    ids = [missing if value is None else category_id(value, known, logical, exact) for value in values]
    there = [value for value in values if value is not None]
    if known and there and not any(number for number, value in zip(ids, values, strict=True) if value is not None):
        seen, trained = (", ".join(str(each) for each in list(dict.fromkeys(some))[:3]) for some in (there, known))
        warnings.warn(
            f"not one of the {len(there)} values of column {column['name']!r} is known from training: the events have "
            f"{seen}, training had {trained}; all of them count as unknown, so check how the column is written",
            stacklevel=2,
        )
    return ids


def category_id(value: Any, known: dict[str, int], logical: dict[str, int], exact: bool) -> int:
    """The id of a category; 3.0 is the same as 3, but ``exact`` for text where they were text.

    Where categories are true and false, as ``logical`` has them in lower case, 1 and 0 are these as well.
    """
    plain = plain_number(value)
    text = value if isinstance(value, str) else plain
    if text in known:
        return known[text]
    if logical:
        return logical.get({"1": "true", "0": "false"}.get(plain, text.lower()), 0)
    return 0 if exact else known.get(plain, 0)


def plain_number(value: Any) -> str:
    """A number as it is written plainly, 3.0 and 03 as 3, a boolean as true; what is neither as it is."""
    text = str(value).lower() if isinstance(value, bool) else str(value)
    try:
        whole = str(int(value)) if isinstance(value, float) and value == int(value) else str(int(float(text)))
    except (ValueError, OverflowError):
        return text
    return whole if float(text) == float(whole) else str(float(text))


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
