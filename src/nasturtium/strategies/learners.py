"""What strategies need of a predictor, and how one is made from its name."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, Protocol

from numpy.typing import NDArray

if TYPE_CHECKING:
    from nasturtium.space import Architecture

Array = NDArray[Any]


class Learner(Protocol):
    """What strategies need of a predictor (see :class:`nasturtium.predictors.Predictor`)."""

    def fit(self, architectures: Sequence[Architecture], scores: Any) -> Any: ...

    def predict(self, architectures: Sequence[Architecture]) -> tuple[Array, Array]: ...


Maker = Callable[..., Learner]
"""Makes a predictor: called with ``space`` and ``seed``."""


def learner(predictor: str, **options: Any) -> Learner:
    """Makes a predictor. With some options bound by ``partial`` it is a :data:`Maker`; what is given later counts."""
    from nasturtium import predictors

    return predictors.make(predictor, **options)


def by_name(predictor: str | Maker) -> bool:
    """Whether a predictor is named, some options bound or not, so that it takes those of every predictor."""
    return isinstance(predictor, str) or (isinstance(predictor, partial) and predictor.func is learner)
