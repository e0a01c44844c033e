"""Sums of kernels, each of which looks at a part of what is known."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nasturtium.predictors.kernels import Kernel

Array = NDArray[Any]
Pick = Callable[[Any], Any]


class Sum(Kernel):
    """The sum of kernels with variances of their own: of a process that adds independent ones up.

    Args:
        parts: Each kernel with what it sees of the rows.
    """

    def __init__(self, parts: Sequence[tuple[Kernel, Pick]]) -> None:
        self.parts = tuple(parts)

    def variants(self, x: Any) -> int:
        """All combinations of the settings of its parts."""
        self.counts = [kernel.variants(pick(x)) for kernel, pick in self.parts]
        return int(np.prod(self.counts))

    def choose(self, variant: int) -> None:
        """Takes one of the combinations that ``variants`` counted."""
        for (kernel, _), count in zip(self.parts, self.counts, strict=True):
            variant, own = divmod(variant, count)
            kernel.choose(own)

    def prepared(self, x: Any) -> list[Any]:
        """What each part needs."""
        return [kernel.prepared(pick(x)) for kernel, pick in self.parts]

    def bounds(self, prepared: list[Any]) -> list[tuple[float, float]]:
        """Those of all parts in a row."""
        return [bound for (kernel, _), part in zip(self.parts, prepared, strict=True) for bound in kernel.bounds(part)]

    def start(self, prepared: list[Any]) -> Array:
        """Where each part begins, their variances adding up to 1."""
        starts = [kernel.start(part) for (kernel, _), part in zip(self.parts, prepared, strict=True)]
        for each in starts:
            each[0] -= np.log(len(starts))
        self.ends = np.cumsum([len(each) for each in starts])[:-1]
        return np.concatenate(starts)

    def _shared(self, theta: Array) -> list[Array]:
        return np.split(theta, self.ends)

    def covariance(self, theta: Array, prepared: list[Any]) -> Array:
        """Of the training rows."""
        several = zip(self.parts, self._shared(theta), prepared, strict=True)
        return np.asarray(sum(kernel.covariance(own, part) for (kernel, _), own, part in several))

    def pullback(self, theta: Array, prepared: list[Any], outer: Array) -> Array:
        """By the hyperparameters of all parts in a row."""
        several = zip(self.parts, self._shared(theta), prepared, strict=True)
        return np.concatenate([kernel.pullback(own, part, outer) for (kernel, _), own, part in several])

    def between(self, theta: Array, x: Any, training: Any) -> tuple[Array, Array]:
        """Covariance of new and training rows."""
        several = zip(self.parts, self._shared(theta), strict=True)
        told = [kernel.between(own, pick(x), pick(training)) for (kernel, pick), own in several]
        return np.asarray(sum(cross for cross, _ in told)), np.asarray(sum(own for _, own in told))
