"""Training whose scores tell of the test rows too: for building benchmarks, never for a search."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from nasturtium.estimators import Training
from nasturtium.trial import Report, Scores

if TYPE_CHECKING:
    from nasturtium.estimators.fit import Fit
    from nasturtium.space import Architecture


class RecordedTraining(Training):
    """As :class:`Training`; beside the validation scores those of the test rows, as ``test_<metric>``.

    What the test rows cannot say (AUROC of rows of one class) is left out; the training is no worse for it.
    """

    def conclude(self, architecture: Architecture, fit: Fit, report: Report, scores: Scores) -> Scores:
        """Scores on validation and test rows."""
        from nasturtium.estimators.scoring import scores_of

        tested = scores_of(fit.model, self._data().scoring("test", fit.mode.channels_last), self.task, "test")
        named = {"test_" + name.removeprefix("test_"): value for name, value in tested.items() if math.isfinite(value)}
        return {**super().conclude(architecture, fit, report, scores), **named}
