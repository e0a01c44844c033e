"""Early stopping: rules that end a trial whose learning curve does not promise enough; ``EARLY_STOPS`` names them."""

from __future__ import annotations

import itertools
import math
from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, is_dataclass
from functools import partial
from statistics import NormalDist, median
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from nasturtium.errors import NasturtiumError, did_you_mean
from nasturtium.objective import Goal, Objective
from nasturtium.sameness import told
from nasturtium.study.study import Study
from nasturtium.trial import Budget, State, Trial, curve_values

if TYPE_CHECKING:
    from nasturtium.predictors.curves import CurvePredictor

Array = NDArray[Any]
Rule = Callable[[Study, Trial], bool | str]
"""Called after each report: whether the trial stops, or why; nothing, or an empty text, lets it go on."""


LAST = 50
"""Of so many trials before, the latest, the curves are compared with what was foreseen of them."""
TINY = 1e-12
"""The least deviation: where every curve was foreseen exactly there is none, and no normal distribution of it."""


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
    places: dict[Budget, list[int]] = field(default_factory=dict)
    counts: list[int] = field(default_factory=list)
    read: dict[tuple[str, int], Any] = field(default_factory=dict)

    def trials(self, study: Study, trial: Trial) -> list[Trial]:
        """The complete trials that were told before ``trial`` was asked, in the order in which they ended."""
        count = self.count(study, trial)
        return [study.trials[number] for number in self.complete[:count]]

    def alike(self, study: Study, trial: Trial) -> Iterator[Trial]:
        """Those of them that had the same budget, the latest first; who needs the latest alone reads no others."""
        count = self.count(study, trial)
        places = self.places.get(trial.budget, [])
        for at in reversed(range(bisect_left(places, count))):
            yield study.trials[self.complete[places[at]]]

    def count(self, study: Study, trial: Trial) -> int:
        """How many they are, once what was told since is taken in."""
        if self.history is not study.history:  # the rule was used for another study before
            self.history, self.place, self.complete, self.places = study.history, 0, [], {}
            self.counts, self.read = [], {}
        for mark in study.history[self.place :]:
            if mark >= 0:
                self.counts.append(len(self.complete))
            elif (ended := study.trials[~mark]).state is State.COMPLETE:
                self.places.setdefault(ended.budget, []).append(len(self.complete))
                self.complete.append(ended.number)
        self.place = len(study.history)
        return self.counts[trial.number]

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
        predictor: What extrapolates: a name in ``nasturtium.predictors.curves.CURVES`` that learns from single curves,
            or a class or function that makes such a predictor.
        probability: How sure one must be.
        after: Share of the budget before which no trial is stopped.
        least: How many epochs it must have had at least.
        trials: How many complete trials of the same budget there must be; two at least, as one has no spread.

    Raises:
        NasturtiumError: If an option cannot be used.
    """

    predictor: str | Callable[..., CurvePredictor] = "pow3"
    probability: float = 0.95
    after: float = 0.2
    least: int = 5
    trials: int = 3
    before: Before = field(default_factory=Before, repr=False, compare=False)

    def __post_init__(self) -> None:
        if not 0.5 <= self.probability < 1 or not 0 <= self.after <= 1 or self.least < 1 or self.trials < 2:
            wanted = "probability from 0.5 to 1, after from 0 to 1, least from 1 up and trials from 2 up"
            raise NasturtiumError(f"{self!r}: {wanted} are expected")
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
        ended = list(itertools.islice(self.ended(study, trial, horizon), max(LAST, self.trials)))
        best = self.before.once("best", trial, lambda: self.best(study, trial))
        if best is None or len(ended) < self.trials:
            return ""
        goal = best.scores[objective.metric]
        chance, mean, std = self.chance(values, np.stack(ended[:LAST][::-1]), objective, goal)
        if not math.isfinite(std) or chance >= 1 - self.probability:
            return ""
        return (
            f"stopped early after {len(values)} of {horizon} epochs: {objective.metric} would end at {mean:.4g} "
            f"± {std:.2g}, and trial {best.number} has {goal:.4g}"
        )

    def best(self, study: Study, trial: Trial) -> Trial | None:
        """What a trial has to beat."""
        return best_of(study, self.before.trials(study, trial), trial.budget)

    def ended(self, study: Study, trial: Trial, horizon: int) -> Iterator[Array]:
        """The whole curves of trials before it that had the same budget, the latest first."""
        metric = study.goal.objectives[0].metric
        for each in self.before.alike(study, trial):
            curve = self.before.once("curve", each, partial(values_of, study, each, metric))
            if len(curve) >= horizon and math.isfinite(curve[horizon - 1]):
                yield curve[:horizon]

    def chance(self, values: Array, ended: Array, objective: Objective, best: float) -> tuple[float, float, float]:
        """The probability that a curve ends beyond ``best``, and the mean and standard deviation of its end.

        The deviation is infinite where fewer than two curves have begun by then, so that no spread is known.

        Args:
            values: The curve so far, (t,).
            ended: Complete curves of trials before, (k, horizon).
            objective: What is optimised.
            best: What is to be beaten.
        """
        from nasturtium.predictors.curves import bound_of

        bound = bound_of(np.append(ended[np.isfinite(ended)], best), objective.maximise)
        begun = ended[np.isfinite(ended[:, : len(values)]).any(1)]
        if len(begun) < 2:
            return 0.5, math.nan, math.inf
        lines = np.vstack([values, begun[:, : len(values)]])
        means, stds = self.extrapolating(objective.maximise, bound).extrapolate(lines, ended.shape[1])
        missed = begun[:, -1] - means[1:]
        mean = float(means[0] + missed.mean())
        std = math.hypot(float(stds[0]), float(missed.std(ddof=1)) * math.sqrt(1 + 1 / len(missed)))
        gain = mean - best if objective.maximise else best - mean
        return NormalDist(0.0, max(std, TINY)).cdf(gain), mean, std


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
        others = self.before.alike(study, trial)
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
    return np.array(curve_values(itertools.chain.from_iterable(reversed(curves)), metric))


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
        return None if rule is None else told(rule)
    return str(getattr(rule, "__qualname__", type(rule).__qualname__))
