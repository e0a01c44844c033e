"""Why a run of a study comes to its end, and what is then said."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from nasturtium.study.study import Study

FULL = "the disk is full; all that was recorded is kept: make room and run the same command again"
DEADLY = (
    "trial {} was running when the search was killed, {} times now; if it is the trial that ends it, "
    "run with two workers: a worker's death costs one trial, never the search"
)

TICK, LEAST_TICK = 1.0, 0.05
"""Seconds between two looks at what runs."""


class Ending(StrEnum):
    """Why a run came to its end."""

    TRIALS = "trials"
    TIME = "time"
    NOTHING = "nothing left to try"
    INTERRUPTED = "interrupted"


class Closing:
    """When no more trials start.

    Args:
        seconds: After so many from now; never if None.
        spares: Says after that, before each further trial, whether there is time for it yet.
    """

    def __init__(self, seconds: float | None, spares: Callable[[Study], bool] | None = None) -> None:
        self.end = math.inf if seconds is None else time.monotonic() + seconds
        self.spares = spares

    def over(self, study: Study) -> bool:
        """Whether none starts any more."""
        return self.left <= 0 and not (self.spares is not None and self.spares(study))

    @property
    def left(self) -> float:
        """Seconds of the time; infinite without one."""
        return self.end - time.monotonic()

    @property
    def tick(self) -> float:
        """Seconds that the loop may wait at most: until the time is over, if that is soon."""
        return min(max(self.left, LEAST_TICK), TICK) if self.left > 0 else TICK
