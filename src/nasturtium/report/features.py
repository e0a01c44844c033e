"""What trials are told apart by: the decisions of a space, or how often operations occur in an architecture."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from nasturtium.errors import NasturtiumError
from nasturtium.report.reading import Reading
from nasturtium.report.wording import layer_text
from nasturtium.space.part import Part
from nasturtium.trial import Trial

if TYPE_CHECKING:
    from nasturtium.space import Space
    from nasturtium.space.choice import Choice

MOST_TRIALS = 1_000
"""Of larger studies so many trials are looked at, evenly spread over the study."""

LONGEST = 36
"""Texts of options are cut to so many characters."""

OPERATION = re.compile(r"([A-Za-z_]\w*)\(")
NOT_REACHED = "not reached"


@dataclass(frozen=True, slots=True)
class Feature:
    """Something in which architectures differ.

    Attributes:
        name: The address of a decision, or the name of an operation.
        about: What it decides, for people; may be empty.
        levels: What it can be, as text.
        values: Which level each trial has, by index; (n,).
        ordered: Whether the levels are numbers, whose order means something.
    """

    name: str
    about: str
    levels: tuple[str, ...]
    values: npt.NDArray[np.int64]
    ordered: bool = False


@dataclass(frozen=True, slots=True)
class Table:
    """Trials by features.

    Attributes:
        features: Those in which the trials differ.
        scores: Of the first objective, (n,).
        kind: ``decisions`` or ``operations``.
        note: What was taken and why, for the reader.
    """

    features: tuple[Feature, ...]
    scores: npt.NDArray[np.float64]
    kind: str
    note: str


def table_of(reading: Reading) -> Table:
    """The trials that gave a score, each architecture once, by what they differ in.

    Decisions where the space can be made again and its decisions stand at fixed places; else the numbers of times
    that each operation occurs in the text of the architecture.
    """
    from nasturtium.report.rebuilding import space_of, why_not

    trials, used = _chosen(reading)
    scores = np.array([trial.scores[reading.metric] for trial in trials], dtype=np.float64)
    try:
        space = space_of(reading)
        if not space.recursive:
            return Table(decisions(space, trials), scores, "decisions", f"{used} described by their decisions.")
        why = "the space is recursive, so that decisions have no fixed places"
    except NasturtiumError as error:
        why = why_not(error)
    return Table(
        operations(trials), scores, "operations", f"{used} described by how often each operation occurs ({why})."
    )


def _chosen(reading: Reading) -> tuple[list[Trial], str]:
    study = reading.study
    trials = [trial for trial in reading.scored() if trial.number not in study.copies]
    budgets = {trial.budget for trial in trials}
    longest = [trial for trial in trials if trial.budget == max(budgets)]
    used = f"{len(trials):,} trials,"
    if len(budgets) > 1 and 2 * len(longest) >= len(trials):
        trials, used = longest, f"The {len(longest):,} trials of the largest budget,"
    elif len(budgets) > 1:
        used = f"{len(trials):,} trials of different budgets,"
    if len(trials) > MOST_TRIALS:
        places = np.linspace(0, len(trials) - 1, MOST_TRIALS).astype(int)
        trials, used = [trials[place] for place in places], f"{MOST_TRIALS:,} of {len(trials):,} trials,"
    return trials, used


def decisions(space: Space, trials: Sequence[Trial]) -> tuple[Feature, ...]:
    """A feature for each place of a choice at which the trials differ, in the order in which places are met."""
    taken: dict[str, dict[int, int]] = {}
    met: dict[str, tuple[Choice, Part | None]] = {}
    for row, trial in enumerate(trials):
        for step in space.architecture(trial.architecture.decisions).steps:
            met.setdefault(step.point.address, (step.point.choice, step.point.part))
            taken.setdefault(step.point.address, {}).setdefault(row, step.taken)
    made = [_decision(address, *met[address], rows, len(trials)) for address, rows in taken.items()]
    return tuple(feature for feature in made if len(set(feature.values.tolist())) > 1)


def _decision(address: str, choice: Choice, part: Part | None, rows: dict[int, int], count: int) -> Feature:
    levels = labels(choice.options)
    if len(rows) < count:
        levels = (*levels, NOT_REACHED)
    values = np.full(count, len(levels) - 1, dtype=np.int64)
    values[list(rows)] = list(rows.values())
    owner = "" if part is None else type(part).__name__
    about = f"{choice.name or ''}{' of ' if choice.name and owner else ''}{owner}"
    return Feature(address, about, levels, values)


def labels(options: Sequence[Any]) -> tuple[str, ...]:
    """Short texts of options that tell them apart."""
    short = [layer_text(option) if isinstance(option, Part) else _text(option) for option in options]
    cut = [text if len(text) <= LONGEST else f"{text[: LONGEST - 1]}…" for text in short]
    twice = Counter(cut)
    return tuple(f"{place + 1}: {text}" if twice[text] > 1 else text for place, text in enumerate(cut))


def _text(option: Any) -> str:
    return getattr(option, "__name__", "computed") if callable(option) else str(option)


def operations(trials: Sequence[Trial]) -> tuple[Feature, ...]:
    """How often each operation occurs in the text of each architecture, where the trials differ in it."""
    counts = [Counter(OPERATION.findall(str(trial.architecture))) for trial in trials]
    names = sorted({name for each in counts for name in each})
    made = []
    for name in names:
        found = np.array([each[name] for each in counts], dtype=np.int64)
        present, values = np.unique(found, return_inverse=True)
        if len(present) > 1:
            levels = tuple(str(number) for number in present)
            made.append(Feature(name, "occurrences", levels, values.astype(np.int64), ordered=True))
    return tuple(made)
