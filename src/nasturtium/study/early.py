"""Early stopping: rules that end a trial whose learning curve does not promise enough; ``EARLY_STOPS`` names them."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, is_dataclass
from functools import partial
from itertools import chain
from statistics import NormalDist, median
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from nasturtium.errors import NasturtiumError, did_you_mean
from nasturtium.objective import Goal, Objective
from nasturtium.study.study import Study
from nasturtium.trial import Budget, State, Trial, curve_values

if TYPE_CHECKING:
    from nasturtium.predictors.curves import CurvePredictor

Array = NDArray[Any]
Rule = Callable[[Study, Trial], bool | str]
"""Called after each report: whether the trial stops, or why; nothing, or an empty text, lets it go on."""


LAST = 50
"""Of so many trials before, the latest, the curves are compared with what was foreseen of them."""


@dataclass
class Before:
    """Which trials were complete before another was asked.

    Rules look at these alone. They are the same however often a study is stopped, resumed or run by other workers,
    because they follow from the recorded order of asked and told; so a trial that is run again is judged as before.
    What was read of a trial that has ended is kept, as rules are called at every report.
    """

    history: list[int] | None = None
    place: int = 0
    complete: list[int] = field(default_factory=list)
    counts: list[int] = field(default_factory=list)
    read: dict[tuple[str, int], Any] = field(default_factory=dict)

    def trials(self, study: Study, trial: Trial) -> list[Trial]:
        """The complete trials that were told before ``trial`` was asked, in the order in which they ended."""
        if self.history is not study.history:  # the rule was used for another study before
            self.history, self.place, self.complete, self.counts, self.read = study.history, 0, [], [], {}
        for mark in study.history[self.place :]:
            if mark >= 0:
                self.counts.append(len(self.complete))
            elif study.trials[~mark].state is State.COMPLETE:
                self.complete.append(~mark)
        self.place = len(study.history)
        return [study.trials[number] for number in self.complete[: self.counts[trial.number]]]

    def once(self, what: str, trial: Trial, read: Callable[[], Any]) -> Any:
        """What ``read`` gives of a trial of the study that :meth:`trials` was asked of, read once."""
        key = what, trial.number
        if key not in self.read:
            self.read[key] = read()
        return self.read[key]


@dataclass
class CurveStop:
    """Ends a trial that will hardly beat the best: the predictive termination of Domhan et al. 2015, section 4.

    After each epoch the curve is extrapolated to the trial's budget. If it ends above the best complete trial of no
    larger budget with a probability below ``1 - probability``, the trial is stopped. The best is that known when the
    trial was asked (see :class:`Before`).

    Differs from the paper in one thing: complete trials of the same budget are extrapolated from the same epoch too,
    their mean miss is added, and its spread. Where the learning rate falls to nothing at the end, accuracies leap, and
    every family of curves misses that; but they leap in the trials before as well.

    Args:
        predictor: What extrapolates: a name in ``nasturtium.predictors.curves.CURVES`` that learns from single curves.
        probability: How sure one must be.
        after: Share of the budget before which no trial is stopped.
        least: How many epochs it must have had at least.
        trials: How many complete trials of the same budget there must be.

    Raises:
        NasturtiumError: If an option cannot be used.
    """

    predictor: str = "pow3"
    probability: float = 0.95
    after: float = 0.2
    least: int = 5
    trials: int = 3
    before: Before = field(default_factory=Before, repr=False, compare=False)

    def __post_init__(self) -> None:
        if not 0.5 <= self.probability < 1 or not 0 <= self.after <= 1 or self.least < 1:
            raise NasturtiumError(
                f"{self!r}: probability from 0.5 to 1, after from 0 to 1, least from 1 up are expected"
            )
        if self.extrapolating(True, None).learns:
            raise NasturtiumError(f"predictor={self.predictor!r} needs complete curves to learn from; take 'pow3'")

    def extrapolating(self, maximise: bool, bound: float | None) -> CurvePredictor:
        """The predictor for an objective."""
        from nasturtium.predictors.curves import make

        return make(self.predictor, maximise=maximise, bound=bound)

    def __call__(self, study: Study, trial: Trial) -> str:
        """Why a trial shall stop, or nothing."""
        objective = study.goal.objectives[0]
        horizon = round(trial.budget)
        values = values_of(study, trial, objective.metric)
        if not max(self.least, self.after * horizon) <= len(values) < horizon or not math.isfinite(values[-1]):
            return ""
        before = self.before.trials(study, trial)
        best = self.before.once("best", trial, lambda: best_of(study, before, trial.budget))
        ended = [
            self.before.once("curve", each, partial(values_of, study, each, objective.metric))
            for each in before
            if each.budget == trial.budget
        ]
        ended = [each[:horizon] for each in ended if len(each) >= horizon and math.isfinite(each[horizon - 1])]
        if best is None or len(ended) < self.trials:
            return ""
        goal = best.scores[objective.metric]
        chance, mean, std = self.chance(values, np.stack(ended[-LAST:]), objective, goal)
        if chance >= 1 - self.probability:
            return ""
        return (
            f"stopped early after {len(values)} of {horizon} epochs: {objective.metric} would end at {mean:.4g} "
            f"± {std:.2g}, and trial {best.number} has {goal:.4g}"
        )

    def chance(self, values: Array, ended: Array, objective: Objective, best: float) -> tuple[float, float, float]:
        """The probability that a curve ends beyond ``best``, and the mean and standard deviation of its end.

        Args:
            values: The curve so far, (t,).
            ended: Complete curves of trials before, (k, horizon).
            objective: What is optimised.
            best: What is to be beaten.
        """
        from nasturtium.predictors.curves import bound_of

        bound = bound_of(np.append(ended[np.isfinite(ended)], best), objective.maximise)
        begun = ended[np.isfinite(ended[:, : len(values)]).any(1)]
        lines = np.vstack([values, begun[:, : len(values)]])
        means, stds = self.extrapolating(objective.maximise, bound).extrapolate(lines, ended.shape[1])
        missed = begun[:, -1] - means[1:]
        mean = float(means[0] + missed.mean())
        std = math.hypot(float(stds[0]), float(missed.std(ddof=1)) * math.sqrt(1 + 1 / len(missed)))
        return NormalDist(0.0, std).cdf(mean - best if objective.maximise else best - mean), mean, std


def best_of(study: Study, trials: Iterable[Trial], budget: Budget) -> Trial | None:
    """The best of some complete trials that keeps all limits and had no larger budget."""
    able = [
        each
        for each in trials
        if each.budget <= budget and not study.goal.missing(each.scores) and study.goal.feasible(each.scores)
    ]
    return min(able, key=lambda each: study.goal.objectives[0].loss(each.scores), default=None)


@dataclass
class MedianStop:
    """Ends a trial that is worse than the median of the others at the same epoch (Golovin et al. 2017, section 3.2.2).

    The best value of the trial so far is compared with the median of the running averages, up to the same epoch, of
    the complete trials before it (see :class:`Before`) that had the same budget.

    Args:
        after: Share of the budget before which no trial is stopped.
        trials: How many complete trials there must be.

    Raises:
        NasturtiumError: If an option cannot be used.
    """

    after: float = 0.2
    trials: int = 5
    before: Before = field(default_factory=Before, repr=False, compare=False)

    def __post_init__(self) -> None:
        if not 0 <= self.after <= 1 or self.trials < 1:
            raise NasturtiumError(f"{self!r}: after from 0 to 1 and trials from 1 up are expected")

    def __call__(self, study: Study, trial: Trial) -> str:
        """Why a trial shall stop, or nothing."""
        objective = study.goal.objectives[0]
        sign = 1.0 if objective.maximise else -1.0
        values = sign * values_of(study, trial, objective.metric)
        step = len(values)
        if not max(1, self.after * trial.budget) <= step < trial.budget or not np.isfinite(values).any():
            return ""
        others = [each for each in self.before.trials(study, trial) if each.budget == trial.budget]
        running = [self.before.once("averages", each, partial(averages_of, study, each, objective)) for each in others]
        averages = [average for each in running for average in each[step - 1 :][:1] or each[-1:] if average == average]
        if len(averages) < self.trials or np.nanmax(values) >= median(averages):
            return ""
        return (
            f"stopped early after {step} of {trial.budget:g} epochs: its best {objective.metric} is "
            f"{sign * np.nanmax(values):.4g}, half of the trials before had {sign * median(averages):.4g} on average"
        )


def averages_of(study: Study, trial: Trial, objective: Objective) -> list[float]:
    """The mean of a curve up to each of its epochs, more being better; NaN up to the first finite value."""
    values = (1.0 if objective.maximise else -1.0) * values_of(study, trial, objective.metric)
    begun = np.logical_or.accumulate(np.isfinite(values))
    return [float(np.nanmean(values[: place + 1])) if begun[place] else math.nan for place in range(len(values))]


def values_of(study: Study, trial: Trial, metric: str) -> Array:
    """The curve of a trial from its first epoch on, (t,), with those of the trials it continues; NaN where missing.

    A trial that was given the scores of another has the curve of that one.
    """
    curves: list[Iterable[Mapping[str, float]]] = []
    each: Trial | None = trial
    while each is not None:
        curves.append(study.trials[study.source(each.number)].curve)
        each = None if each.parent is None else study.trials[each.parent]
    return np.array(curve_values(chain.from_iterable(reversed(curves)), metric))


EARLY_STOPS: dict[str, Callable[[], Rule]] = {"curve": CurveStop, "median": MedianStop}
"""The rules by name."""


def early_stop(given: str | Rule | None, goal: Goal) -> Rule | None:
    """The rule that was given or named.

    Raises:
        NasturtiumError: If the name is unknown, or there are several objectives: a trial that is worse than the best in
            one may be better in another.
    """
    if given is None:
        return None
    if len(goal.objectives) > 1:
        raise NasturtiumError(
            f"early_stop looks at one objective, not at {', '.join(map(str, goal.objectives))}; leave it out, "
            "or make limits of the others"
        )
    if not isinstance(given, str):
        return given
    if given not in EARLY_STOPS:
        raise NasturtiumError(
            f"unknown early_stop {given!r}{did_you_mean(given, EARLY_STOPS)} (there are: {', '.join(EARLY_STOPS)})"
        )
    return EARLY_STOPS[given]()


def text_of(rule: Rule | None) -> str | None:
    """What a study notes of its rule, so that it goes on under the same: its options, or the name of a function."""
    if rule is None or is_dataclass(rule):
        return None if rule is None else repr(rule)
    return str(getattr(rule, "__qualname__", type(rule).__qualname__))
