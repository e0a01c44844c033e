"""What a trial must pass: limits on its structure before training, scores that can be judged after it."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from nasturtium.errors import ObjectiveError, StudyError
from nasturtium.objective import Goal, Limit, score_of
from nasturtium.trial import Scores, State

if TYPE_CHECKING:
    from nasturtium.space import Architecture

IN_A_ROW = 1_000
"""After so many architectures in a row that break a limit the search ends and says so."""


class Gate:
    """Checks trials against the limits of a goal.

    Args:
        goal: The objectives and limits.
        cost: Gives the structural metrics of an architecture before training.
    """

    def __init__(self, goal: Goal, cost: Callable[[Architecture], Scores] | None = None) -> None:
        self.goal = goal
        self.cost = cost
        self.refused: list[tuple[Limit, float]] = []

    def costs(self, architecture: Architecture) -> dict[str, float]:
        """The structural metrics, as far as they are known before training."""
        return {} if self.cost is None else dict(self.cost(architecture))

    def refuse(self, costs: Scores) -> str:
        """Why an architecture is infeasible, or nothing if it may be trained."""
        for limit in self.goal.limits:
            if limit.structural and limit.metric in costs and not limit.satisfied(costs):
                self.refused.append((limit, costs[limit.metric]))
                return limit.complaint(costs)
        self.refused.clear()
        return ""

    def check(self) -> None:
        """Gives up when nothing has passed for too long.

        Raises:
            StudyError: Then; it says which limit, and how near it came.
        """
        if len(self.refused) < IN_A_ROW:
            return
        limits = [limit for limit, _ in self.refused]
        worst = max(dict.fromkeys(limits), key=limits.count)
        values = [value for limit, value in self.refused if limit == worst]
        nearest = min(values) if worst.relation[0] == "<" else max(values)
        raise StudyError(
            f"the last {len(limits)} architectures all broke a limit, {limits.count(worst)} of them {worst} "
            f"(the nearest had {nearest:.6g}); loosen it, or choose another space"
        )

    def verdict(self, state: State, scores: Scores, reason: str) -> tuple[State, str]:
        """State and reason of a trial that gave scores.

        It is failed if a metric that is needed is missing. A score beyond its limit is a remark: such a trial
        never wins, but strategies learn from it.
        """
        try:
            for metric in self.goal.missing(scores):
                score_of(metric, scores)
        except ObjectiveError as error:
            return State.FAILED, str(error)
        broken = [limit.complaint(scores) for limit in self.goal.limits if not limit.satisfied(scores)]
        return state, "; ".join(filter(None, [reason, *broken]))
