"""Reports of running trials, which are stored some at a time."""

from __future__ import annotations

import time

from nasturtium.study.store import Event, event
from nasturtium.study.study import Study
from nasturtium.trial import Scores

SECONDS = 0.5
"""How long reports may wait to be stored together; a trial that is killed is run again, so none is missed."""


class Reports:
    """Those that came since the last were stored.

    Args:
        study: Where they are stored.
    """

    def __init__(self, study: Study) -> None:
        self.study = study
        self.waiting: list[Event] = []
        self.stored = 0.0

    def add(self, number: int, step: int, scores: Scores) -> None:
        """Takes in a report."""
        self.waiting.append(event("reported", number, **{**scores, "step": step}))

    @property
    def due(self) -> bool:
        """Whether they have waited long enough."""
        return time.monotonic() - self.stored > SECONDS

    def store(self) -> None:
        """Stores them in one transaction."""
        if self.waiting:
            batch, self.waiting = self.waiting, []
            self.study.record(batch)
        self.stored = time.monotonic()
