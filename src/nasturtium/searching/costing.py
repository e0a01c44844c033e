"""What limits before training need of an architecture: costs that are counted, and those that are measured once."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nasturtium.objective import STRUCTURAL, Goal
from nasturtium.searching.screening import COUNTED
from nasturtium.study.identity import key_of

if TYPE_CHECKING:
    from nasturtium.estimators import Training
    from nasturtium.space import Architecture
    from nasturtium.study import Study


class Costing:
    """The costs of architectures, those that take a run of the network once for each architecture of a study.

    A latency is never twice the same, so that a network that was admitted at 9.9 ms would break a limit of 10 ms when
    its training goes on at a larger budget. What was measured of an architecture (in its canonical form, as a study
    knows it) holds as long as the study, however often it is stopped and whatever else runs on the machine.

    Args:
        training: Knows recipe and data, by which costs are counted.
        goal: Its objectives and limits say what is measured.
        study: Its trials say what was measured before.
    """

    def __init__(self, training: Training, goal: Goal, study: Study) -> None:
        self.training = training
        self.measured = STRUCTURAL.intersection(goal.metrics).difference(COUNTED)
        self.names = sorted({*COUNTED, *self.measured})
        self.known: dict[str, dict[str, float]] = {}
        for key, trial in zip(study.keys, study.trials, strict=True):
            self._keep(key, trial.scores)

    def __call__(self, architecture: Architecture) -> dict[str, float]:
        """Parameters and FLOPs, which any user wants to know, and what the goal asks for, by name."""
        key = key_of(architecture) if self.measured else ""
        before = self.known.get(key, {})
        costs = self.training.costs(architecture, [name for name in self.names if name not in before])
        self._keep(key, costs)
        return {name: costs[name] if name in costs else before[name] for name in self.names}

    def _keep(self, key: str, scores: dict[str, float]) -> None:
        """Takes note of what was measured, unless something else was first."""
        found = {name: scores[name] for name in self.measured if name in scores}
        if found:
            self.known[key] = {**found, **self.known.get(key, {})}
