"""What predictors see of architectures as vectors of what was decided."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nasturtium.predictors.contents import choices_of, fixed, places
from nasturtium.space.architecture import Architecture
from nasturtium.space.encoding import adjacency, one_hot, token_offsets, tokens
from nasturtium.space.sampling import template
from nasturtium.space.space import Space

Array = NDArray[Any]


class Encoder(ABC):
    """Turns architectures into what a regressor reads; ``fit`` is given the training set first.

    Args:
        space: The space of the architectures.
    """

    def __init__(self, space: Space) -> None:
        self.space = space

    def fit(self, architectures: Sequence[Architecture]) -> None:  # noqa: B027 - most remember nothing
        """Remembers what it needs of the training set."""

    @abstractmethod
    def __call__(self, architectures: Sequence[Architecture]) -> Any:
        """The rows of architectures."""

    def blocks(self, architectures: Sequence[Architecture], most: int) -> Iterator[slice]:
        """Where to cut a list of architectures that is too long to be encoded at once, at the latest after ``most``."""
        return (slice(begin, begin + most) for begin in range(0, len(architectures), most))


class OneHot(Encoder):
    """One column for each option of each choice; how often each was taken where those are too many (:func:`fixed`)."""

    def __call__(self, architectures: Sequence[Architecture]) -> Array:
        """(n, options)."""
        if not fixed(self.space):
            return counts(self.space, architectures)
        return one_hot(self.space, architectures)


class Ordered(Encoder):
    """One-hot rows in which ordered options are thermometers and subsets show their members.

    Where those are too many (:func:`fixed`), how often each option was taken instead.
    """

    def __init__(self, space: Space) -> None:
        super().__init__(space)
        self.plain = OneHot(space)
        self.places = places(choices_of(space))

    def __call__(self, architectures: Sequence[Architecture]) -> Array:
        """(n, columns)."""
        return np.asarray(self.plain(architectures) @ self.places, np.float32)


class Counts(Encoder):
    """How often each option was taken."""

    def __call__(self, architectures: Sequence[Architecture]) -> Array:
        """(n, options)."""
        return counts(self.space, architectures)


class Nothing(Encoder):
    """No columns: for predictors that only see other features."""

    def __call__(self, architectures: Sequence[Architecture]) -> Array:
        """(n, 0)."""
        return np.zeros((len(architectures), 0), np.float32)


class Tokens(Encoder):
    """The option taken at each decision as a number from 1, padded by 0 to the longest of the training set."""

    width = 1

    def fit(self, architectures: Sequence[Architecture]) -> None:
        """Remembers the longest."""
        self.width = max(1, *(len(architecture.decisions) for architecture in architectures))

    def __call__(self, architectures: Sequence[Architecture]) -> Array:
        """(n, longest); what is longer is cut."""
        if self.space.radices is not None:
            return numbers(self.space, architectures)[:, : self.width]
        return tokens(self.space, architectures, size=self.width)


class Adjacency(Encoder):
    """Upper triangle of the adjacency matrix and one-hot operations of the whole network."""

    size = 1

    def fit(self, architectures: Sequence[Architecture]) -> None:
        """Remembers the size of the largest network."""
        from nasturtium.space.graph import nodes_of

        self.size = max(len(nodes_of(each.value, each.input)) for each in architectures)

    def __call__(self, architectures: Sequence[Architecture]) -> Array:
        """(n, size (size - 1) / 2 + size * operations); of what is larger the last nodes are cut."""
        from nasturtium.space.graph import nodes_of

        largest = max([self.size, *(len(nodes_of(each.value, each.input)) for each in architectures)])
        rows = adjacency(self.space, architectures, size=largest)
        inside = np.triu_indices(largest, 1)[1] < self.size
        operations = (rows.shape[1] - len(inside)) // largest
        kept = np.append(inside, np.arange(largest * operations) < self.size * operations)
        return np.asarray(rows[:, kept])


def numbers(space: Space, architectures: Sequence[Architecture]) -> Array:
    """The tokens of architectures of a product space, whose choices are always the same; (n, decisions)."""
    offsets = token_offsets(space)
    begins = [offsets[step.point.choice] for step in template(space)]
    taken = np.array([architecture.decisions for architecture in architectures], np.int64)
    return taken.reshape(-1, len(begins)) + np.array(begins, np.int64) + 1


def counts(space: Space, architectures: Sequence[Architecture]) -> Array:
    """How often each option of each choice was taken; (n, options)."""
    offsets = token_offsets(space)
    width = sum(len(choice.options) for choice in offsets)
    rows = np.zeros((len(architectures), width), np.float32)
    for row, architecture in zip(rows, architectures, strict=True):
        for step in architecture.steps:
            row[offsets[step.point.choice] + step.taken] += 1.0
    return rows
