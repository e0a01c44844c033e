"""Candidates: ways to make the architectures among which an acquisition chooses."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from nasturtium.errors import SpaceError
from nasturtium.options import at_least
from nasturtium.strategies.known import Known

if TYPE_CHECKING:
    from nasturtium.space import Architecture, Space

Array = NDArray[Any]

Drawing = TypeVar("Drawing")

PATIENCE = 3
"""How many draws are made for each candidate that is wanted, at most."""

FURTHER = 5
"""So many groups of parents are looked at where all mutations of the best are known (naszilla's patience)."""


class Ground(NamedTuple):
    """What candidates are made from.

    Attributes:
        space: Where architectures come from.
        known: What was asked already, which is no candidate.
        best: What was told, best first.
        worth: The acquisition of architectures, (n,), all in one batch; more is better.
    """

    space: Space
    known: Known
    best: Sequence[Architecture]
    worth: Callable[[Sequence[Architecture]], Array]


class Candidates(Protocol):
    """Makes new architectures to choose from, none of them known and none twice; it may find none."""

    def __call__(self, ground: Ground, rng: np.random.Generator) -> list[Architecture]: ...


@dataclass(frozen=True)
class Drawn:
    """Random architectures.

    Args:
        count: How many.
    """

    count: int = 100

    def __call__(self, ground: Ground, rng: np.random.Generator) -> list[Architecture]:
        """Sampled by the weights of the space."""
        drawn = (ground.space.sample(rng) for _ in range(PATIENCE * self.count))
        return distinct(drawn, ground.known, self.count)


@dataclass(frozen=True)
class Mutated:
    """Mutations of the best; each is made from one of them, never from another candidate.

    Args:
        count: How many.
        parents: Of how many of the best; each gives as many.
        changes: Most decisions that a mutation changes; how many is drawn.
    """

    count: int = 100
    parents: int = 2
    changes: int = 1

    def __call__(self, ground: Ground, rng: np.random.Generator) -> list[Architecture]:
        """Around the best; where nothing around them is new, around the next best."""
        for first in range(0, min(len(ground.best), FURTHER * self.parents), self.parents):
            found = self.around(ground.best[first : first + self.parents], ground, rng)
            if found:
                return found
        return []

    def around(self, best: Sequence[Architecture], ground: Ground, rng: np.random.Generator) -> list[Architecture]:
        """New mutations of these."""
        parents = itertools.cycle(best)

        def mutation() -> Architecture:
            changes = 1 if self.changes == 1 else int(rng.integers(1, self.changes + 1))
            return ground.space.mutate(next(parents), rng, changes)

        return distinct(attempts(mutation, PATIENCE * self.count), ground.known, self.count)


@dataclass(frozen=True)
class Climbed:
    """Local search of the acquisition: from the best and from random architectures to better neighbours.

    All starts climb at once, so that each step scores one batch; everything met on the way is a candidate.

    Args:
        count: How many candidates are kept, the best by the acquisition.
        starts: From how many of the best it begins, and from as many random ones.
        around: How many neighbours of each place are looked at.
        steps: How far it goes at most.
    """

    count: int = 100
    starts: int = 4
    around: int = 24
    steps: int = 4

    def __call__(self, ground: Ground, rng: np.random.Generator) -> list[Architecture]:
        """Everything met on the way that is not known."""
        space = ground.space
        places = [*ground.best[: self.starts], *(space.sample(rng) for _ in range(self.starts))]
        worth = _judged({}, [[place] for place in places], ground)
        met = {each.decisions: each for each in places}
        for _ in range(self.steps):
            around = [list(space.neighbours(place, rng, self.around)) for place in places]
            worth = _judged(worth, around, ground)
            met.update({each.decisions: each for group in around for each in group})
            moved = [
                max([place, *group], key=lambda each: worth[each.decisions])
                for place, group in zip(places, around, strict=True)
            ]
            up = [new for old, new in zip(places, moved, strict=True) if new.decisions != old.decisions]
            places = list({each.decisions: each for each in up}.values())
            if not places:
                break
        ordered = sorted(met.values(), key=lambda each: -worth[each.decisions])
        return distinct(ordered, ground.known, self.count)


@dataclass(frozen=True)
class Mixed:
    """Half mutations of the best, half random architectures.

    Args:
        count: How many.
        parents: Of how many of the best.
        changes: Most decisions that a mutation changes.
    """

    count: int = 100
    parents: int = 2
    changes: int = 1

    def __call__(self, ground: Ground, rng: np.random.Generator) -> list[Architecture]:
        """Around the best, and elsewhere."""
        near = Mutated(self.count // 2, self.parents, self.changes)(ground, rng)
        taken = {each.decisions for each in near}
        far = Drawn(self.count - self.count // 2)(ground, rng)
        return [*near, *(each for each in far if each.decisions not in taken)]


def attempts(draw: Callable[[], Drawing], count: int) -> Iterator[Drawing]:
    """So many draws; none where a space has no other architecture to vary to."""
    for _ in range(count):
        try:
            yield draw()
        except SpaceError:
            return


def distinct(drawn: Iterable[Architecture], known: Known, count: int) -> list[Architecture]:
    """The first ``count`` of what is drawn that are new, each once."""
    found: dict[tuple[int, ...], Architecture] = {}
    for each in drawn:
        if each.decisions not in known.seen:
            found.setdefault(each.decisions, each)
        if len(found) >= count:
            break
    return list(found.values())


def _judged(
    worth: dict[tuple[int, ...], float], groups: Sequence[Sequence[Architecture]], ground: Ground
) -> dict[tuple[int, ...], float]:
    """What is known of acquisitions, and those of the groups beside, scored in one batch."""
    new = {each.decisions: each for group in groups for each in group if each.decisions not in worth}
    scored = ground.worth(list(new.values())).tolist() if new else []
    return {**worth, **dict(zip(new, scored, strict=True))}


def makers(count: int, parents: int) -> dict[str, Callable[[], Candidates]]:
    """The ways to make candidates by name, so many of them, from so many of the best.

    Raises:
        NasturtiumError: If a number is below 1.
    """
    count, parents = at_least("count", count, 1), at_least("parents", parents, 1)
    return {
        "random": partial(Drawn, count),
        "mutation": partial(Mutated, count, parents),
        "local_search": partial(Climbed, count),
        "mixed": partial(Mixed, count, parents),
    }


CANDIDATES = tuple(makers(1, 1))
"""The names of all ways to make candidates."""
