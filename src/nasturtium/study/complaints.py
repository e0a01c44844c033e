"""What a user is told of trials that fail: the last lines of each error, once, however many trials meet it."""

from __future__ import annotations

import re

from nasturtium.trial import State, Trial

NUMBERS = re.compile(r"\d+(?:\.\d+)?(?:e[-+]?\d+)?")
MOST = 5
"""So many different errors are shown; a study whose every trial fails in its own way must not fill the screen."""


class Complaints:
    """Remembers which errors were shown."""

    def __init__(self) -> None:
        self.shown: set[str] = set()

    def about(self, trial: Trial) -> str:
        """What to say of a trial that ended: nothing unless it failed in a way that was not shown yet."""
        if trial.state is not State.FAILED or not trial.reason:
            return ""
        kind = kind_of(trial.reason)
        if kind in self.shown or len(self.shown) > MOST:
            return ""
        self.shown.add(kind)
        if len(self.shown) > MOST:
            return f"trial {trial.number} failed; other errors follow, each trial's reason is kept in the study"
        return f"trial {trial.number} failed: {trial.reason}\n(said once; other trials may fail in the same way)"


def kind_of(reason: str) -> str:
    """What two failures have in common: the kind of the error and the line of code, whatever its numbers say.

    >>> kind_of("accuracy is nan") == kind_of("out of memory")
    False
    >>> kind_of("the loss is 1.5e+30 at step 7") == kind_of("the loss is 2e+9 at step 12")
    True
    """
    first, *places = reason.splitlines()
    if places:
        return "\n".join([first.partition(":")[0], places[-1]])
    return NUMBERS.sub("", first)
