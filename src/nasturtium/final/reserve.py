"""The time that is kept for the final trainings: what fits into it, and whether the search may still go on."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from functools import cached_property
from typing import TYPE_CHECKING

from nasturtium.final.baselines import plain_network
from nasturtium.final.classical import fitting
from nasturtium.final.leaders import leading
from nasturtium.final.plan import Plan, fitted, foreseen, pace_of, paces
from nasturtium.space import Architecture
from nasturtium.trial import State, Trial

if TYPE_CHECKING:
    from nasturtium.estimators import Training
    from nasturtium.final.finishing import Wanted
    from nasturtium.study import Study

TUNING_SHARE = 0.4
"""Share of the time left that tuning may take."""
CLASSICAL_SHARE = 0.2
"""Share of what is left then that is kept for the scikit-learn model."""
CAUTION = 1.25
"""So many times what is foreseen must be left where a trial starts in the time that is kept."""


class Reserve:
    """What the final trainings of a study need, by what its trials took.

    Args:
        training: How trials were trained.
        wanted: What is to be done in the end, and by when.
    """

    def __init__(self, training: Training, wanted: Wanted) -> None:
        self.training, self.wanted = training, wanted
        self._needed = (-1, math.inf)

    def plan(self, study: Study, recommended: Sequence[Architecture] = ()) -> Plan:
        """What fits into the time that is left."""
        left = None if self.wanted.left is None else self.share * self.wanted.left
        pace = 0.0 if left is None else self._plain_pace(study)
        return fitted(self.whole, self._leaders(study, recommended), self.rows, self.wanted.workers, left, pace)

    def spares(self, study: Study, recommended: Callable[[], Sequence[Architecture]] = tuple) -> bool:
        """Whether one more trial, as long as the longest could be, leaves time for all that is wanted.

        Where recipes are tuned, none does: tuning uses whatever there is.

        Args:
            study: The search.
            recommended: What its strategy takes to be best, asked for if it matters.
        """
        left = self.wanted.left
        if left is None or self.wanted.tune:
            return False
        if self._needed[0] != len(study.history):
            self._needed = len(study.history), self.needed(study, recommended())
        return left >= CAUTION * self._needed[1]

    def needed(self, study: Study, recommended: Sequence[Architecture]) -> float:
        """Seconds of one more trial and of all final trainings; infinite if nothing tells."""
        leaders = self._leaders(study, recommended)
        pace = pace_of(self.whole, leaders, self.rows, self.wanted.workers, self._plain_pace(study))
        if pace is None:
            return math.inf
        timed = [trial for trial in study.trials if trial.seconds > 0]
        others = [trial.seconds for trial in timed if trial.number > 0]  # the first also waits for imports
        longest = max(others or [trial.seconds for trial in timed])
        # what goes on at a larger budget than any before takes longer than they did
        return pace.seconds(self.whole) / self.share + max(longest, max(paces(timed)) * self.wanted.search_epochs)

    @property
    def whole(self) -> Plan:
        """All that is wanted."""
        return Plan(self.wanted.finalists, self.wanted.seeds, self.wanted.epochs, self.wanted.baselines)

    @property
    def rows(self) -> float:
        """Rows of a final training for each row of a trial."""
        task = self.training.task
        return (len(task.train) + len(task.valid)) / len(task.train)

    @cached_property
    def share(self) -> float:
        """Of the time left, what trainings of networks may take."""
        share = 1 - TUNING_SHARE if self.wanted.tune else 1.0
        classical = self.wanted.baselines and fitting(self.training.task) is not None
        return share * (1 - CLASSICAL_SHARE) if classical else share

    @cached_property
    def flops(self) -> float | None:
        """Of the plain network; None if there is none."""
        plain = plain_network(self.training.task) if self.wanted.baselines else None
        return None if plain is None else self.training.costs(plain, ["flops"])["flops"]

    def _plain_pace(self, study: Study) -> float:
        """Seconds that an epoch of the plain network would take in the search; 0 if there is none, or none tells."""
        complete = [trial for trial in study.trials if trial.state is State.COMPLETE]
        return 0.0 if self.flops is None else foreseen(complete, self.flops)

    def _leaders(self, study: Study, recommended: Sequence[Architecture]) -> list[Trial]:
        """Those whose pace counts: the finalists, and one that tells how slow the first trial is by itself."""
        return leading(study, self.wanted.finalists + 1, recommended)
