"""The parts that evolutions are put together from: selection, variation and survival."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
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
class Ranked:
    """The best placed of a few members of a population that is sorted, best first (NSGA-II's crowded tournament)."""

    size: int = 2

    def __call__(self, population: Sequence[Member], rng: np.random.Generator) -> Member:
        """The winner."""
        return population[int(rng.integers(len(population), size=self.size).min())]


@dataclass(frozen=True)
class Roulette:
    """A member with a probability in proportion to its lead over the worst (Xie and Yuille 2017, section 3.3).

    The first objective counts; what breaks a limit is only chosen where nothing keeps all.
    """

    def __call__(self, population: Sequence[Member], rng: np.random.Generator) -> Member:
        """The chosen one; any with equal probability where all are equally good."""
        least = min(member.losses[0] for member in population)
        losses = np.array([m.losses[1] if m.losses[0] == least else np.inf for m in population])
        lead = np.where(np.isfinite(losses), np.max(losses[np.isfinite(losses)], initial=-np.inf) - losses, 0.0)
        total = np.cumsum(lead)
        if not total[-1] > 0:
            return population[int(rng.random() * len(population))]
        return population[int(np.searchsorted(total, rng.random() * total[-1], side="right"))]


@dataclass(frozen=True)
class Scalarised:
    """The best of a few members by one number made of all objectives with random weights, new for each trial.

    Objectives are scaled to 0..1 over the population; weights are uniform on the simplex (Knowles 2006, ParEGO;
    Paria et al. 2019). What breaks a limit loses to what does not.

    Args:
        size: How many members are drawn, with replacement.
        kind: ``"chebyshev"`` (augmented: the largest weighted loss plus ``rho`` times their sum) or ``"linear"``.
        rho: The share of the sum; ParEGO's 0.05.
    """

    size: int = 10
    kind: str = "chebyshev"
    rho: float = 0.05

    def __call__(self, population: Sequence[Member], rng: np.random.Generator) -> Member:
        """The winner."""
        weights = rng.dirichlet(np.ones(len(population[0].losses) - 1))
        drawn = rng.integers(len(population), size=self.size)
        losses = np.array([member.losses for member in population])
        scores = self.scalar(losses[:, 1:], weights)[drawn]
        return population[int(drawn[np.lexsort((scores, losses[drawn, 0]))[0]])]

    def scalar(self, losses: np.ndarray, weights: np.ndarray) -> np.ndarray:
        """One number for each row of losses (members, objectives); less is better."""
        high = np.max(losses, axis=0, where=np.isfinite(losses), initial=-np.inf)
        losses = np.minimum(losses, np.where(np.isfinite(high), high, 0.0))  # what was refused has infinite losses
        low, high = losses.min(axis=0), losses.max(axis=0)
        weighted = weights * (losses - low) / np.where(high > low, high - low, 1.0)  # (members, objectives)
        total: np.ndarray = weighted.sum(axis=1)
        return total if self.kind == "linear" else weighted.max(axis=1) + self.rho * total


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
class Exchange:
    """The variation of Genetic CNN (Xie and Yuille 2017, section 3.3): crossover, else mutation, by decisions.

    The paper exchanges whole stages; here every decision is exchanged by itself, as spaces have few stages or none.

    Args:
        crossover: How often two parents are crossed (p_C).
        exchange: How likely a decision then comes from the second parent (q_C), where each has the same choices.
        mutation: How often a parent that was not crossed is mutated (p_M).
        rate: How likely each of its decisions then changes (q_M).
    """

    crossover: float = 0.2
    exchange: float = 0.2
    mutation: float = 0.8
    rate: float = 0.05

    def __call__(self, parent: Parent, space: Space, rng: np.random.Generator) -> Architecture:
        """The child; it may be its parent."""
        first = parent()
        if rng.random() < self.crossover:
            return self._crossed(first, parent(), space, rng)
        changes = int(rng.binomial(len(first.decisions), self.rate)) if rng.random() < self.mutation else 0
        return space.mutate(first, rng, changes) if changes else first

    def _crossed(
        self, first: Architecture, second: Architecture, space: Space, rng: np.random.Generator
    ) -> Architecture:
        if space.radices is None:
            return space.cross(first, second, rng)
        swapped = (rng.random(len(first.decisions)) < self.exchange).tolist()
        pairs = zip(first.decisions, second.decisions, swapped, strict=True)
        child = space.architecture([other if swap else one for one, other, swap in pairs])
        return child if space.admits(child) else first


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


VARIATIONS: dict[str, Callable[[], Variation]] = {"mutate": Mutate, "cross": Cross, "exchange": Exchange}
SURVIVALS: dict[str, Callable[[], Survival]] = {"oldest": Oldest, "worst": Worst}


def selections(size: int) -> dict[str, Callable[[], Selection]]:
    """The selections by name, those that draw some members with this size."""
    return {
        "tournament": partial(Tournament, size),
        "roulette": Roulette,
        "chebyshev": partial(Scalarised, size),
        "linear": partial(Scalarised, size, "linear"),
    }
