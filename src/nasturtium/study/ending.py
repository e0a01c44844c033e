"""Why a run of a study comes to its end, and what is then said."""

from __future__ import annotations

from enum import StrEnum

FULL = "the disk is full; all that was recorded is kept: make room and run the same command again"
DEADLY = (
    "trial {} was running when the search was killed, {} times now; if it is the trial that ends it, "
    "run with two workers: a worker's death costs one trial, never the search"
)


class Ending(StrEnum):
    """Why a run came to its end."""

    TRIALS = "trials"
    TIME = "time"
    NOTHING = "nothing left to try"
    INTERRUPTED = "interrupted"
