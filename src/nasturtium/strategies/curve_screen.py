"""Curve screen: train many for a few epochs, extrapolate their learning curves, train the best to the end."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Unpack

import numpy as np

from nasturtium.errors import NasturtiumError
from nasturtium.objective import Objective
from nasturtium.options import at_least, between
from nasturtium.strategies.fidelity import Staged
from nasturtium.strategies.halving import Bracket, Hyperband
from nasturtium.trial import Budget, State, Trial, curve_values

if TYPE_CHECKING:
    from nasturtium.predictors.curves import CurvePredictor
    from nasturtium.space import Space


class CurveScreen(Hyperband):
    """Trains architectures for a few epochs, extrapolates their curves, and trains the most promising to the end.

    The framework for learning-curve extrapolation of NAS-Bench-x11 (Yan et al. 2021, arXiv:2111.03602) around any
    strategy: of each ``count`` architectures that the other strategy proposes, the ``keep`` whose extrapolated end is
    best go on from their checkpoint. The other strategy is told the extrapolated scores, of each objective whose metric
    is in the curves. Where a trial has no curve, its score stands for itself. Predictors that learn see the complete
    curves so far, and the last value stands for the end before there are three.

    Args:
        share: The part of the budget that all are trained for.
        count: How many architectures a round has.
        keep: How many of them are trained to the end.
        predictor: What extrapolates: a name in ``nasturtium.predictors.curves.CURVES``.
        predictor_options: Of the predictor.
        **common: As in :class:`MultiFidelity`.

    Raises:
        NasturtiumError: If an option's value cannot be used.
    """

    reads_curves = True

    def __init__(
        self,
        space: Space,
        *,
        share: float = 0.2,
        count: int = 10,
        keep: int = 2,
        predictor: str = "pow3",
        predictor_options: Mapping[str, Any] | None = None,
        **common: Unpack[Staged],
    ) -> None:
        self.counts = (at_least("count", count, 1), at_least("keep", keep, 1))
        self.share = between("share", share, 0.0, 1.0)
        if keep > count or not 0 < share < 1:
            raise NasturtiumError(
                f"options keep={keep}, count={count}, share={share}: keep at most count, share below 1"
            )
        self.predictor, self.predictor_options = predictor, dict(predictor_options or {})
        self.begun_curves: dict[int, list[Mapping[str, float]]] = {}
        self.whole: list[list[Mapping[str, float]]] = []
        self.fitted: dict[tuple[str, int], CurvePredictor] = {}
        super().__init__(space, factor=2, least=common.get("budget", 1), **common)
        for objective in self.goal.objectives:
            self.extrapolating(objective)  # complains of what cannot be used before anything is trained

    def next(self) -> Bracket:
        """The same round again."""
        early: Budget = self.share * self.budget
        if isinstance(self.budget, int):
            early = min(max(1, round(early)), self.budget)
        if early >= self.budget:
            return Bracket(self.counts[:1], (self.budget,))
        return Bracket(self.counts, (early, self.budget))

    def tell(self, trial: Trial) -> None:
        """Takes note; what was trained for a few epochs has its extrapolated scores."""
        curve = [*self.begun_curves.pop(trial.number if trial.parent is None else trial.parent, []), *trial.curve]
        if trial.state is State.COMPLETE and trial.budget >= self.budget and curve:
            self.whole.append(curve)
        early = trial.number in self.new and trial.budget < self.budget
        if early and trial.state is State.COMPLETE:
            self.begun_curves[trial.number] = curve
            trial = replace(trial, scores={**trial.scores, **self.foreseen(curve)})
        super().tell(trial)
        if not self.bracket.entered:
            self.begun_curves.clear()  # a new round: of the last nothing goes on

    def foreseen(self, curve: list[Mapping[str, float]]) -> dict[str, float]:
        """The objectives at the end of a curve, as far as the curve has them."""
        found = {}
        horizon = max(round(self.budget), int(curve[-1]["step"])) if curve else 0
        for objective in self.goal.objectives:
            values = np.array(curve_values(curve, objective.metric))
            if np.isfinite(values).any():
                (mean,), _ = self.extrapolating(objective).extrapolate(values[None], horizon)
                found[objective.metric] = float(mean)
        return found

    def extrapolating(self, objective: Objective) -> CurvePredictor:
        """The predictor for an objective; if it learns, it has seen the complete curves so far."""
        from nasturtium.predictors.curves import make

        key = (objective.metric, len(self.whole))
        if key not in self.fitted:
            made = make(self.predictor, maximise=objective.maximise, **self.predictor_options)
            if made.learns:
                lines = [curve_values(curve, objective.metric) for curve in self.whole]
                lines = [line for line in lines if line and np.isfinite(line[-1])]
                made = (
                    made.fit(_ragged(lines)) if len(lines) >= LEAST else make("last_value", maximise=objective.maximise)
                )
            self.fitted = {other: each for other, each in self.fitted.items() if other[0] != objective.metric}
            self.fitted[key] = made
        return self.fitted[key]


LEAST = 3
"""So many complete curves a predictor that learns must see."""


def _ragged(lines: list[list[float]]) -> Any:
    """Curves of different lengths as rows that end in NaN."""
    found = np.full((len(lines), max(map(len, lines))), np.nan)
    for row, line in enumerate(lines):
        found[row, : len(line)] = line
    return found
