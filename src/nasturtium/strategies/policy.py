"""What policies share: architectures derived decision by decision, and scores turned into rewards."""

from __future__ import annotations

import math
import sys
from bisect import insort
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, NamedTuple

from nasturtium.errors import NasturtiumError
from nasturtium.options import between
from nasturtium.space.limits import TooLarge
from nasturtium.space.points import Exhausted
from nasturtium.space.sampling import template

if TYPE_CHECKING:
    import numpy as np

    from nasturtium.space import Architecture, Space
    from nasturtium.space.choice import Choice

ATTEMPTS = 20
"""How many derivations may fail the constraints before one is drawn at random."""
FAR, COUNTED = 1e3, 2.0
"""A reward of ``FAR`` times what is usual counts as ``COUNTED`` times that."""


class Site(NamedTuple):
    """A choice that a policy decides on.

    Attributes:
        address: Its path in the space.
        choice: The choice.
        offered: Indices of the options that may be taken.
    """

    address: str
    choice: Choice
    offered: tuple[int, ...]


class Taken(NamedTuple):
    """A decision: where, and which option."""

    site: Site
    option: int


Pick = Callable[[Sequence[Taken], Site], int]
"""A policy: the option to take at a site, after the decisions taken so far."""


def derived(
    space: Space, pick: Pick, rng: np.random.Generator, rejected: Callable[[Architecture], None] | None = None
) -> Architecture:
    """The architecture that a policy derives; one at random if what it derives keeps failing the constraints.

    Where a derivation meets a dead end, it goes back, and the policy is asked again among what remains. ``rejected`` is
    told what failed the constraints.
    """
    for _ in range(ATTEMPTS):
        try:
            architecture = _product(space, pick) if space.radices is not None else _followed(space, pick)
        except (TooLarge, Exhausted):
            continue
        if space.admits(architecture):
            return architecture
        if rejected is not None:
            rejected(architecture)
    return space.sample(rng)


def _product(space: Space, pick: Pick) -> Architecture:
    taken: list[Taken] = []
    for site in sites(space):
        taken.append(Taken(site, pick(taken, site) if len(site.offered) > 1 else site.offered[0]))
    return space.architecture([each.option for each in taken])


def _followed(space: Space, pick: Pick) -> Architecture:
    derivation = space.derive()
    taken: list[Taken] = []
    while (point := derivation.point) is not None:
        if derivation.count != len(taken):  # a dead end has led back
            taken = [Taken(Site(s.point.address, s.point.choice, s.point.offered), s.taken) for s in derivation.taken()]
        site = Site(point.address, point.choice, point.remaining)
        index = pick(taken, site) if len(site.offered) > 1 else site.offered[0]
        taken.append(Taken(site, index))
        derivation.take(index)
    return space.finished(derivation)


def sites(space: Space) -> tuple[Site, ...]:
    """The choices of a product space, which are the same for every architecture."""
    known: tuple[Site, ...] | None = space.__dict__.get("_sites")
    if known is None:
        points = [step.point for step in template(space)]
        known = tuple([Site(point.address, point.choice, point.offered) for point in points])
        space.__dict__["_sites"] = known
    return known


def path(space: Space, decisions: Sequence[int]) -> list[Taken]:
    """The decisions of an architecture with their sites, which follow from the decisions alone.

    The steps of an architecture that was just derived also know what its limits left to offer; those of one that
    was recorded do not, and a replayed strategy has to learn the same from both.
    """
    if space.radices is not None:
        return [Taken(site, index) for site, index in zip(sites(space), decisions, strict=True)]
    steps = space.replay(decisions).taken()
    return [Taken(Site(s.point.address, s.point.choice, s.point.offered), s.taken) for s in steps]


class MovingAverage:
    """An exponential moving average without the bias of its start (Kingma and Ba 2015, section 3).

    Args:
        momentum: The weight of what was.
    """

    def __init__(self, momentum: float) -> None:
        self.momentum = momentum
        self.total = 0.0
        self.weight = 0.0

    def update(self, value: float) -> float:
        """Takes in a value; gives the average."""
        self.total = self.momentum * self.total + (1 - self.momentum) * value
        self.weight = self.momentum * self.weight + (1 - self.momentum)
        return self.total / self.weight


class Rewards:
    """Turns losses into rewards: the first objective, signed so that more is better.

    What breaks a limit is worth less than the worst that kept all limits, by the share of the range of those that its
    relative violation is (at most 1). Before anything has kept them, it is worth minus its violation.

    Attributes:
        feasible: Least and largest reward of what kept all limits.
        missed: Least and largest violation of what did not, at most 1.
        range: Least and largest reward of all, as they count now.
    """

    def __init__(self) -> None:
        self.feasible = self.missed = self.range = (math.inf, -math.inf)

    def __call__(self, losses: Sequence[float]) -> float:
        """The reward as it counts now; takes note of what was seen."""
        violation, loss = min(losses[0], 1.0), losses[1]
        if violation > 0:
            self.missed = min(self.missed[0], violation), max(self.missed[1], violation)
        else:
            self.feasible = min(self.feasible[0], -loss), max(self.feasible[1], -loss)
        low, high = self.feasible
        if self.missed[1] > 0:
            low, high = self.broken(self.missed[1]), high if self.any else -self.missed[0]
        self.range = low, high
        return self.broken(violation) if violation > 0 else -loss

    @property
    def any(self) -> bool:
        """Whether anything has kept all limits."""
        return self.feasible[0] <= self.feasible[1]

    def broken(self, violation: float) -> float:
        """What a violation from 0 to 1, or the mean of several, is worth now."""
        if not self.any:
            return -violation
        worst, best = self.feasible
        return worst - violation * (best - worst or abs(worst) or 1.0)


class Proportion:
    """What rewards usually are: the median of their magnitudes, those that are 0 left out.

    One that is ``FAR`` times that (a loss of 1e40 of a network that diverged) counts as ``COUNTED`` times it. As it
    stands it would be all that a policy and its optimiser ever learn from.
    """

    def __init__(self) -> None:
        self.seen: list[float] = []

    @property
    def farthest(self) -> float:
        """The largest magnitude that is in proportion."""
        return FAR * self.seen[(len(self.seen) - 1) // 2] if self.seen else math.inf

    def __call__(self, reward: float) -> float:
        """The reward as it counts; takes note of it."""
        if reward:
            insort(self.seen, abs(reward))
        farthest = self.farthest
        return reward if abs(reward) <= farthest else math.copysign(farthest / FAR * COUNTED, reward)


class Advantages:
    """How far rewards lie above their moving average, as a policy learns from them.

    Violations before anything has kept the limits have an average of their own, as theirs is another unit. An average
    that turns out to be out of proportion (see :class:`Proportion`) begins anew.

    Args:
        momentum: Of the moving average; below 1.
        power: Rewards are raised to it, keeping their sign.
    """

    def __init__(self, momentum: float, power: float = 1.0) -> None:
        if between("momentum", momentum, 0, 1) == 1:
            raise NasturtiumError(f"option momentum={momentum!r}: a number from 0 to below 1 is expected")
        self.rewards = Rewards()
        self.momentum, self.power = momentum, power
        self.baseline, self.before = (MovingAverage(momentum), Proportion()), (MovingAverage(momentum), Proportion())

    def __call__(self, losses: Sequence[float]) -> float:
        """The advantage; takes note of what was seen."""
        reward = self.rewards(losses)
        average, proportion = self.baseline if self.rewards.any else self.before
        reward = self.raised(proportion(reward))
        if average.weight and abs(average.total / average.weight) > self.raised(proportion.farthest):
            average.total = average.weight = 0.0
        return reward - average.update(reward)

    def raised(self, reward: float) -> float:
        """To the power, keeping its sign."""
        if self.power == 1:
            return reward
        with suppress(OverflowError):
            return math.copysign(abs(reward) ** self.power, reward)
        return math.copysign(sys.float_info.max, reward)
