"""Screening: proxies choose among what a strategy proposes, and their scores are kept with the trials."""

from __future__ import annotations

import math
import warnings
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from nasturtium.errors import NasturtiumError
from nasturtium.objective import Goal
from nasturtium.options import at_least, between
from nasturtium.space import Architecture
from nasturtium.strategies.base import Seeded, Strategy
from nasturtium.strategies.filtered import ProxyFilter

if TYPE_CHECKING:
    from nasturtium.proxies import Scorer
    from nasturtium.tasks import Task

SCORE = "proxy_{}"
"""The name under which a trial keeps the score of a proxy."""

KEEP, START = 0.25, 5
"""What stands where nothing else is given."""

COUNTED = ("params", "flops")
"""Costs that are counted, not measured, and that every trial has: limits on them are the same whenever candidates are
screened."""


@dataclass(frozen=True)
class Wish:
    """What was asked of proxies.

    Attributes:
        names: Of the proxies, several with commas; screens nothing if None.
        keep: Share of a strategy's candidates that are tried.
        start: How many of the best of a drawn pool are tried first.
    """

    names: str | None
    keep: float
    start: int

    @classmethod
    def of(cls, names: str | Iterable[str] | None, keep: float, start: int) -> Wish:
        """What was asked, with the names in one order and form.

        Raises:
            NasturtiumError: If a name is unknown, a number cannot be used, or there is one and no proxy.
        """
        between("proxy_keep", keep, 1e-6, 1)
        at_least("proxy_start", start, 0)
        if names is None:
            if (keep, start) != (KEEP, START):
                raise NasturtiumError(
                    "proxy_keep and proxy_start say how proxies screen, and no proxy is given; give one"
                )
            return cls(None, keep, start)
        from nasturtium.proxies import chosen  # torch, where it is needed

        return cls(",".join(chosen(names)), keep, start)

    @property
    def scores(self) -> list[str]:
        """The names under which trials keep the scores of the proxies."""
        return [SCORE.format(name) for name in self.names.split(",")] if self.names else []

    @property
    def header(self) -> dict[str, Any]:
        """What must stay the same while a study lives."""
        given = {"proxy": self.names, "proxy_keep": self.keep, "proxy_start": self.start}
        return given if self.names else dict.fromkeys(given)


class Screen:
    """Judges candidates by the mean rank of their scores; those that break a limit come last and are not scored.

    Args:
        scorer: Gives scores, of an architecture always the same.
        goal: Whose limits on parameters and FLOPs hold.
    """

    def __init__(self, scorer: Scorer, goal: Goal) -> None:
        from nasturtium.proxies import together

        self.scorer, self.lengths = scorer, scorer.task.lengths
        self.limits = [each for each in goal.limits if each.metric in COUNTED]
        self.judged = together(self.scores, scorer.names)
        self.met = False

    def __call__(self, candidates: Sequence[Architecture]) -> list[float]:
        """A number for each, better ones larger; NaN where there is none."""
        values = self.judged(candidates)
        self.met = self.met or any(map(self.kept, candidates))
        if not self.met:
            self._say(candidates)
        return values

    def scores(self, architecture: Architecture) -> Mapping[str, float]:
        """The scores of an architecture, NaN where one has no value; none at all where it breaks a limit."""
        return self.scorer(architecture) if self.able(architecture) else {}

    def able(self, architecture: Architecture) -> bool:
        """Whether an architecture keeps the limits that are counted."""
        from nasturtium.estimators import structural

        costs = structural(architecture, [each.metric for each in self.limits], None, self.lengths)
        return all(each.satisfied(costs) for each in self.limits)

    def kept(self, architecture: Architecture) -> dict[str, float]:
        """The scores that have a value, under the names by which a trial keeps them."""
        found = self.scores(architecture)
        return {SCORE.format(name): value for name, value in found.items() if math.isfinite(value)}

    def _say(self, candidates: Sequence[Architecture]) -> None:
        self.met = True
        reasons = (self.scorer.known[each.hash].reasons for each in candidates if each.hash in self.scorer.known)
        why = next((text for found in reasons for text in found.values()), "all break a limit")
        warnings.warn(
            f"{', '.join(self.scorer.names)}: none of the first {len(candidates)} candidates has a value, so that none "
            f"is preferred ({why})",
            stacklevel=2,
        )


def screened(strategy: Any, wish: Wish, task: Task, goal: Goal, device: str | None) -> tuple[Any, Screen | None]:
    """A strategy whose candidates are screened, and what screens them; the strategy itself if no proxy was asked for.

    What is to be tried first (``start``) is tried first still, then the warm start.

    Raises:
        NasturtiumError: If the strategy cannot be filtered, or an option cannot be used.
    """
    if wish.names is None:
        return strategy, None
    if not isinstance(strategy, Strategy):
        raise NasturtiumError(
            f"{type(strategy).__name__} cannot be filtered by proxies: derive it from nasturtium.strategies.Strategy, "
            "or leave the proxy out"
        )
    from nasturtium.estimators.device import resolve_device
    from nasturtium.proxies import Scorer

    screen = Screen(Scorer(task, wish.names, seed=strategy.seed, device=resolve_device(device)), goal)
    filtered = partial(ProxyFilter, judge=screen, keep=wish.keep, start=wish.start, able=screen.able)
    if isinstance(strategy, Seeded):
        return Seeded(filtered(strategy.strategy, after=len(strategy.start)), strategy.start), screen
    return filtered(strategy), screen
