"""What the options of choices hold: ordered ones as thermometers, subsets by their members, totals over all choices."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nasturtium.space.choice import Choice
from nasturtium.space.encoding import choices_at, token_offsets
from nasturtium.space.part import Part
from nasturtium.space.sampling import template
from nasturtium.space.space import Space

Array = NDArray[Any]

LONGEST = 80
"""An option is known by so many characters of its text."""


WIDEST = 10_000
"""A space has a column for each option at each place where there are so many at most."""


def fixed(space: Space) -> bool:
    """Whether each place at which a choice may stand has columns of its own; else options are counted.

    They are counted in recursive spaces, whose places have no end, and in those of very many places (80,000 options in
    hierarchical spaces of NAS-Bench-201).
    """
    if space.recursive or space.radices is not None:
        return not space.recursive
    return sum(len(choice.options) for choice in choices_at(space).values()) <= WIDEST


def choices_of(space: Space) -> list[Choice]:
    """The choice behind each group of columns of the encoding ``one_hot``, in their order."""
    if not fixed(space):
        return list(token_offsets(space))
    if space.radices is not None:
        return [step.point.choice for step in template(space)]
    return list(choices_at(space).values())


def in_order(choice: Choice) -> list[int] | None:
    """The level of each option where options are numbers or ranges, from 0; None where they have no order."""
    numbers = all(isinstance(each, int | float) and not isinstance(each, bool) for each in choice.options)
    if numbers:
        values = sorted(set(choice.options))
        return [values.index(each) for each in choice.options]
    return list(range(len(choice.options))) if choice.ordered else None


def places(choices: Sequence[Choice]) -> Array:
    """From one-hot rows (n, options) to ordered ones by a product: (options, columns).

    An option of an ordered choice has a column for each level up to its own, so that rows differ by how far apart two
    options are; any other option has its own, and one for each member it holds beside others (subsets).
    """
    return _stacked([_place(choice) for choice in choices])


def _place(choice: Choice) -> Array:
    levels = in_order(choice)
    if levels is not None:
        return np.array([[float(step <= level) for step in range(max(levels) + 1)] for level in levels])
    held = [set(_members(each)) for each in choice.options]
    every = sorted(set().union(*held)) if any(len(each) > 1 for each in held) else []
    return np.hstack([np.eye(len(held)), np.array([[float(name in each) for name in every] for each in held])])


def _stacked(parts: Sequence[Array]) -> Array:
    """Matrices along a diagonal."""
    found = np.zeros((sum(len(part) for part in parts), sum(part.shape[1] for part in parts)))
    row = column = 0
    for part in parts:
        found[row : row + len(part), column : column + part.shape[1]] = part
        row, column = row + len(part), column + part.shape[1]
    return found


def totals(choices: Sequence[Choice]) -> Array:
    """From one-hot rows (n, options) to what all choices hold together by a product: (options, columns).

    How often each member was taken wherever it stands, the sum of levels of each kind of ordered choice, and the
    number of decisions.
    """
    lines: list[dict[str, float]] = []
    for choice in choices:
        levels = in_order(choice)
        for number, option in enumerate(choice.options):
            line = {"": 1.0} | dict.fromkeys(_members(option, choice.name), 1.0)
            if levels is not None:
                line[f"level {choice.name or _kind(choice)}"] = float(levels[number])
            lines.append(line)
    columns = sorted({name for line in lines for name in line})
    return np.array([[line.get(name, 0.0) for name in columns] for line in lines]).reshape(len(lines), len(columns))


def _members(option: Any, name: str | None = None) -> list[str]:
    """What an option holds, each by its text; open parts by their class, values by the name of their choice."""
    if isinstance(option, tuple):
        return [text for each in option for text in _members(each, name)]
    if isinstance(option, Choice):
        return [_kind(option)]
    if isinstance(option, Part):
        return [type(option).__name__ if option.is_open else str(option)[:LONGEST]]
    return [f"{name or ''} {option}"[:LONGEST]]


def _kind(choice: Choice) -> str:
    return f"choice {choice.name or len(choice.options)}"
