"""The parts that evolutions are put together from: selection, variation and survival."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from operator import attrgetter
from typing import TYPE_CHECKING, NamedTuple, Protocol

import numpy as np

from nasturtium.objective import fronts, ranking

if TYPE_CHECKING:
    from nasturtium.space import Architecture, Space


class Member(NamedTuple):
    """One of the population: its losses (violation of limits, then objectives; less is better) and itself."""

    losses: tuple[float, ...]
    architecture: Architecture


Parent = Callable[[], "Architecture"]
"""Draws a parent each time it is called."""
LOSSES = attrgetter("losses")


class Selection(Protocol):
    """Chooses a parent."""

    def __call__(self, population: Sequence[Member], rng: np.random.Generator) -> Member: ...


class Variation(Protocol):
    """Makes a child; ``parent`` draws a parent each time it is called."""

    def __call__(self, parent: Parent, space: Space, rng: np.random.Generator) -> Architecture: ...


class Survival(Protocol):
    """Removes one member from a population that has grown too large."""

    def __call__(self, population: deque[Member]) -> None: ...


@dataclass(frozen=True)
class Tournament:
    """The best of a few members drawn at random; with several objectives, a random one of the first front.

    Args:
        size: How many are drawn.
        replacement: Whether one may be drawn twice (Real et al. 2019, algorithm 1, draws with replacement).
    """

    size: int = 10
    replacement: bool = True

    def __call__(self, population: Sequence[Member], rng: np.random.Generator) -> Member:
        """The winner."""
        if self.replacement:
            drawn: list[int] = rng.integers(len(population), size=self.size).tolist()
        else:
            drawn = rng.permutation(len(population))[: self.size].tolist()
        members: list[Member] = [population[i] for i in drawn]
        if len(members[0].losses) == 2:
            return min(members, key=LOSSES)
        first = fronts([member.losses for member in members])[0]
        return members[first[int(rng.integers(len(first)))]]


@dataclass(frozen=True)
class Mutate:
    """One mutation of one parent."""

    def __call__(self, parent: Parent, space: Space, rng: np.random.Generator) -> Architecture:
        """The child."""
        return space.mutate(parent(), rng)


@dataclass(frozen=True)
class Cross:
    """Crossover of two parents, then perhaps a mutation.

    Args:
        probability: How often two parents are crossed; otherwise one is mutated.
        mutation: How often the crossed child is mutated as well.
    """

    probability: float = 0.5
    mutation: float = 0.5

    def __call__(self, parent: Parent, space: Space, rng: np.random.Generator) -> Architecture:
        """The child."""
        if rng.random() >= self.probability:
            return space.mutate(parent(), rng)
        child = space.cross(parent(), parent(), rng)
        return space.mutate(child, rng) if rng.random() < self.mutation else child


@dataclass(frozen=True)
class Oldest:
    """The oldest dies: what makes evolution regularised (Real et al. 2019)."""

    def __call__(self, population: deque[Member]) -> None:
        """Removes it."""
        population.popleft()


@dataclass(frozen=True)
class Worst:
    """The worst dies (with several objectives: of the last front, the most crowded)."""

    def __call__(self, population: deque[Member]) -> None:
        """Removes it."""
        del population[ranking([member.losses for member in population])[-1]]


VARIATIONS = {"mutate": Mutate, "cross": Cross}
SURVIVALS = {"oldest": Oldest, "worst": Worst}
