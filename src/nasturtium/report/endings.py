"""How trials ended and why: states with their numbers, and the reasons they were given, alike ones together."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from nasturtium.trial import State, Trial

NUMBER = re.compile(r"(?<![A-Za-z_])[-+]?\d[\d,]*(?:\.\d+)?(?:[eE][-+]?\d+)?(?:[kMGT]\b)?")
"""Numbers in which reasons differ that are otherwise the same."""

MEANINGS = {
    State.COMPLETE: "trained and scored",
    State.STOPPED: "ended early by the search",
    State.FAILED: "gave no scores",
    State.INFEASIBLE: "broke a limit before training",
    State.LOST: "its worker died; it is tried again",
    State.RUNNING: "running",
    State.WAITING: "waiting to be run",
}
"""What each state means, in the order in which states are shown."""


@dataclass(frozen=True, slots=True)
class Ending:
    """Trials that ended alike.

    Attributes:
        state: How.
        reason: Why: that of the first of them in full.
        trials: Which.
        seconds: How long they ran in all.
    """

    state: State
    reason: str
    trials: tuple[int, ...]
    seconds: float

    @property
    def headline(self) -> str:
        """The first line of the reason."""
        return self.reason.splitlines()[0] if self.reason else ""


def endings(trials: Iterable[Trial]) -> list[Ending]:
    """Trials by state and by reason (numbers in it apart), in the order of the states, the most frequent first."""
    found: dict[tuple[State, str], list[Trial]] = {}
    for trial in trials:
        headline = trial.reason.splitlines()[0] if trial.reason else ""
        found.setdefault((trial.state, NUMBER.sub("#", headline)), []).append(trial)
    made = [
        Ending(state, alike[0].reason, tuple(trial.number for trial in alike), sum(trial.seconds for trial in alike))
        for (state, _), alike in found.items()
    ]
    order = list(MEANINGS)
    return sorted(made, key=lambda each: (order.index(each.state), -len(each.trials)))


def trials_text(numbers: tuple[int, ...], most: int = 8) -> str:
    """Numbers of trials in a line: 3, 8, 11 and 12 more."""
    shown = ", ".join(str(number) for number in numbers[:most])
    return shown if len(numbers) <= most else f"{shown} and {len(numbers) - most:,} more"
