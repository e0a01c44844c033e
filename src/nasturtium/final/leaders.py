"""Leaders: the best trials of a study by their validation scores, and why there may be none."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence

from nasturtium.objective import Goal
from nasturtium.space import Architecture
from nasturtium.study import Study
from nasturtium.trial import State, Trial

Standing = tuple[float, float]
"""What leaders are sorted by; less is better."""


def leading(study: Study, count: int, recommended: Sequence[Architecture] = ()) -> list[Trial]:
    """The best complete trials that keep all limits, each architecture once, by the first objective.

    Where several are equally good, the one with the least validation loss comes first: on small validation splits
    many networks make no error at all, and the loss still tells them apart. What the strategy recommends comes before
    all of them, in its order (see :meth:`nasturtium.strategies.Strategy.recommended`).
    """
    places = {str(architecture): place for place, architecture in reversed(list(enumerate(recommended)))}

    def order(trial: Trial) -> tuple[float, float, float, int]:
        place = places.get(str(trial.architecture), math.inf) if places else math.inf
        return place, *standing(study.goal, trial.scores), trial.number

    return sorted(study.top(len(study.trials)), key=order)[:count]


def noted(study: Study, numbers: Iterable[int] | None) -> list[Architecture]:
    """The architectures of the trials that a search noted as recommended, in its order."""
    return [study.trials[number].architecture for number in numbers or () if 0 <= number < len(study.trials)]


def standing(goal: Goal, scores: Mapping[str, float]) -> Standing:
    """What leaders are sorted by: the loss of the first objective, then the validation loss."""
    return goal.objectives[0].loss(scores), scores.get("valid_loss", math.inf)


def by_gain(standings: Sequence[tuple[Standing, Standing]]) -> list[int]:
    """The order of leaders after some of them were improved: each moves up by what it gained, and by nothing else.

    One passes the leader before it if it stands better than that one now. Where the strategy had recommended that one
    although it scored worse, its score is no measure of its lead, and the gains are compared instead; so what a lucky
    score alone did not put in front is not put there now.

    Args:
        standings: Of each leader, in their order, :func:`standing` before and now.

    >>> by_gain([((-0.80, 0.4), (-0.80, 0.4)), ((-0.85, 0.3), (-0.85, 0.3))])  # recommended, and lucky
    [0, 1]
    >>> by_gain([((-0.85, 0.3), (-0.85, 0.3)), ((-0.80, 0.4), (-0.86, 0.3))])  # the second was tuned past the first
    [1, 0]
    """
    order: list[int] = []
    for place in range(len(standings)):
        at = len(order)
        while at > 0 and _passes(standings[place], standings[order[at - 1]]):
            at -= 1
        order.insert(at, place)
    return order


def _passes(later: tuple[Standing, Standing], earlier: tuple[Standing, Standing]) -> bool:
    if earlier[0] <= later[0]:
        return later[1] < earlier[1]
    gained, other = ([before - now for before, now in zip(*pair, strict=True)] for pair in (later, earlier))
    return gained > other


def winner(study: Study, recommended: Sequence[Architecture] = ()) -> Trial | None:
    """The first of the leading trials, if there is one."""
    return next(iter(leading(study, 1, recommended)), None)


def no_winner(study: Study) -> str:
    """Why a study has no best trial, for the user."""
    if not study.trials:
        return "nothing was tried: give more trials or more time"
    counts = ", ".join(f"{count} {state}" for state, count in study.counts.items() if count)
    reasons = [t.reason for t in study.trials if t.state in (State.FAILED, State.INFEASIBLE) and t.reason]
    last = f"; the last reason: {reasons[-1]}" if reasons else ""
    limits = f" that keeps {', '.join(map(str, study.goal.limits))}" if study.goal.limits else ""
    return f"no trial ended with a score{limits} ({counts}){last}"
