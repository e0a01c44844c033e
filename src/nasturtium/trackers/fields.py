"""In which values architectures differ: the fields of their closed parts, by place, without their space."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from nasturtium.errors import NasturtiumError
from nasturtium.space import Architecture
from nasturtium.space.part import Part
from nasturtium.trial import Trial

Plain = bool | int | float | str | None
WHOLE = "network"
MOST = 200
"""So many fields are kept, those of the most trials first: networks of a grammar may differ in thousands."""


def varying_fields(trials: Sequence[Trial]) -> list[dict[str, Plain]]:
    """For each trial the fields in which the trials differ: place to value.

    Places read as in the text of an architecture (``body[2].kernel``). A place that an architecture does not have
    is missing there.
    """
    found = [fields_of(trial.architecture) for trial in trials]
    values: dict[str, set[tuple[str, str]]] = {}
    present: dict[str, int] = {}
    for each in found:
        for place, value in each.items():
            values.setdefault(place, set()).add((type(value).__name__, repr(value)))
            present[place] = present.get(place, 0) + 1
    kept = [place for place in values if len(values[place]) > 1 or present[place] < len(found)]
    kept = sorted(kept, key=lambda place: -present[place])[:MOST]
    return [{place: each[place] for place in kept if place in each} for each in found]


def fields_of(architecture: Any) -> dict[str, Plain]:
    """All fields of an architecture; the numbers of its decisions where its text cannot be read here."""
    try:
        value = Architecture.parse(str(architecture)).value
    except NasturtiumError:  # a layer of the user's own that is not imported here
        return {f"decision {number}": taken for number, taken in enumerate(architecture.decisions)}
    found: dict[str, Plain] = {}
    collect(value, "", found)
    return found


def collect(value: Any, place: str, found: dict[str, Plain]) -> None:
    """Puts the plain values inside ``value`` into ``found``."""
    if isinstance(value, Part):
        found[place or WHOLE] = type(value).__name__
        inner: Mapping[str, Any] = {name: getattr(value, name) for name in value.fields}
        for name, each in inner.items():
            collect(each, f"{place}.{name}" if place else name, found)
    elif isinstance(value, tuple):
        for number, each in enumerate(value):
            collect(each, f"{place}[{number}]", found)
    else:
        found[place] = value if value is None or isinstance(value, bool | int | float | str) else str(value)
