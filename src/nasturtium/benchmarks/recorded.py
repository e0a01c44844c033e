"""Training whose scores tell of the test rows too: for building benchmarks, never for a search."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nasturtium.estimators import Training
from nasturtium.trial import Report, Scores

if TYPE_CHECKING:
    from nasturtium.estimators.fit import Fit
    from nasturtium.space import Architecture


class RecordedTraining(Training):
    """As :class:`Training`; beside the validation scores those of the test rows, as ``test_<metric>``."""

    def conclude(self, architecture: Architecture, fit: Fit, report: Report, scores: Scores) -> Scores:
        """Scores on validation and test rows."""
        from nasturtium.estimators.scoring import scores_of

        tested = scores_of(fit.model, self._data().scoring("test", fit.mode.channels_last), self.task, "test")
        named = {name if name.startswith("test_") else f"test_{name}": value for name, value in tested.items()}
        return {**super().conclude(architecture, fit, report, scores), **named}
