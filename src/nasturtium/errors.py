"""The exceptions of Nasturtium: each says what is wrong, where, and what would help."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class NasturtiumError(Exception):
    """Base of all errors raised on purpose; its text is meant for the user as it stands."""


class Mismatch(NasturtiumError):
    """A layer cannot work on the signal that reaches it.

    Args:
        why: What is wrong; may hold ``{}`` for what follows, so that the text is only made when somebody reads it
            (millions of options are refused while grammars are sampled).
        values: What stands for the ``{}``.
    """

    # No __init__: every exception keeps its arguments, and one of Python's would double the time that a refusal takes.

    def __str__(self) -> str:
        why, *values = self.args
        return str(why).format(*values) if values else str(why)


class SpaceError(NasturtiumError):
    """A search space is ill-formed, empty, or does not contain what was asked for."""


class ParseError(NasturtiumError):
    """A text or JSON form of an architecture cannot be read."""


class UnknownLayer(ParseError):
    """The text of an architecture names a layer that no imported module has defined."""


class TaskError(NasturtiumError):
    """Data, labels or metrics cannot be used as given."""


class ObjectiveError(NasturtiumError):
    """An objective or a limit cannot be understood."""


class StudyError(NasturtiumError):
    """A study cannot be opened, continued or written."""


class TrainingError(NasturtiumError):
    """A training cannot go on: a loss that is not finite, or a checkpoint that does not fit."""


class MissingExtra(NasturtiumError):
    """An optional dependency is not installed."""

    def __init__(self, package: str, extra: str) -> None:
        super().__init__(f"this needs the package {package!r}: pip install 'nasturtium[{extra}]'")


def did_you_mean(name: object, known: Iterable[str]) -> str:
    """A hint such as ``; did you mean 'Conv2d'?`` for a misspelt name, or an empty string."""
    lowered = {candidate.lower(): candidate for candidate in known}
    near = difflib.get_close_matches(str(name).lower(), lowered, n=1, cutoff=0.6)
    return f"; did you mean {lowered[near[0]]!r}?" if near else ""
