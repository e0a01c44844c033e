"""OMNI: decisions, graphs, proxies and early curves in one model, a Gaussian process beside three kinds of trees."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from nasturtium.options import integers
from nasturtium.predictors.base import PredictorError, Regressor
from nasturtium.predictors.boosting import Bagged
from nasturtium.predictors.calibration import Held
from nasturtium.predictors.forest import Forest
from nasturtium.predictors.gaussian import MOST, GaussianProcess
from nasturtium.predictors.kernels import Kernel, Matern
from nasturtium.predictors.structured import WeisfeilerLehman
from nasturtium.predictors.sums import Pick, Sum
from nasturtium.predictors.views import Views

Array = NDArray[Any]


class Model(NamedTuple):
    """A model, what it sees of views, and its share of the mean."""

    model: Regressor
    sees: Pick
    share: float


class Omni(Regressor):
    """The weighted mean of models of all views of an architecture (White et al. 2021, arXiv:2104.01177, section 5).

    There, zero-cost proxies and an early learning curve stand beside the encoding in the rows of one NGBoost or
    SemiNAS. Here, whose aim is the same, they are

    - a Gaussian process whose kernel is a sum: Matern 5/2 of the decisions and of each block of features, and the
      Weisfeiler-Lehman kernel of the graph; the marginal likelihood says how much each of them counts;
    - boosted trees, a random forest and extremely randomised trees on all columns together, which find what decisions
      and features say only jointly.

    The spread is the mean variance of the models and the variance between them, scaled to fit held-out predictions:
    leave-one-out for the process, out-of-bag for the trees.

    Where networks are large, drawing their graphs takes longest of all; ``encoding="ordered"`` leaves them out.

    Args:
        weights: Of the process and the three kinds of trees; 0 leaves a model out.
        depth: Rounds of refinement of the Weisfeiler-Lehman kernel; None leaves graphs out.
        trees: Of each forest.
        rounds: Of boosting, in each of ten bootstrap samples.
        seed: Of the trees.

    Raises:
        PredictorError: If no weight is positive.
    """

    def __init__(
        self,
        weights: Sequence[float] = (2.0, 1.0, 1.0, 1.0),
        depth: int | None = 2,
        trees: int = 100,
        rounds: int = 40,
        seed: int = 0,
    ) -> None:
        integers(trees=trees, rounds=rounds)
        if len(weights) != 4 or min(weights) < 0 or not sum(weights) > 0:
            raise PredictorError(f"option weights={tuple(weights)}: four numbers from 0, not all 0, are expected")
        self.shares = np.asarray(weights, np.float64) / sum(weights)
        self.depth, self.trees, self.rounds, self.seed = depth, trees, rounds, seed
        self.most = MOST if self.shares[0] > 0 else None  # as the process is fitted to all rows it is given

    def fit(self, x: Any, y: Array) -> None:
        """Fits the models to views.

        Raises:
            PredictorError: If the rows are no views, or there is nothing in them.
        """
        if not isinstance(x, Views):
            raise PredictorError(f"omni reads the encoding 'views', not rows of type {type(x).__name__}")
        self.models = [each for each in self._models(x) if each.share]
        if not self.models:
            raise PredictorError("omni sees nothing of these architectures: give features or another encoding")
        for each in self.models:
            each.model.fit(each.sees(x), y)

    def _models(self, x: Views) -> list[Model]:
        kernel, numbers = self.kernel(x), x.table().shape[1] > 0
        trees: list[Regressor] = [
            Bagged(trees=self.rounds, seed=self.seed),
            Forest(self.trees, seed=self.seed),
            Forest(self.trees, extra=True, seed=self.seed),
        ]
        found = [] if kernel is None else [Model(GaussianProcess(kernel), whole, self.shares[0])]
        several = zip(trees, self.shares[1:], strict=True)
        return found + [Model(tree, Views.table, share) for tree, share in several if numbers]

    def kernel(self, x: Views) -> Kernel | None:
        """The sum of a kernel for each view that has anything in it; None if none has."""
        parts: list[tuple[Kernel, Pick]] = []
        if x.encoded.shape[1]:
            parts.append((Matern(), decisions))
        parts += [(Matern(), Block(number)) for number, each in enumerate(x.extra) if each.shape[1]]
        if x.graphs is not None and self.depth is not None:
            parts.append((WeisfeilerLehman((self.depth,)), graphs))
        return Sum(parts) if parts else None

    def predict(self, x: Any) -> tuple[Array, Array]:
        """The weighted mean of what the models say, and the root of its variance."""
        return self._together([each.model.predict(each.sees(x)) for each in self.models])

    def _together(self, told: Sequence[tuple[Array, Array]]) -> tuple[Array, Array]:
        shares = np.array([each.share for each in self.models])[:, None]
        shares = shares / shares.sum()
        means, stds = (np.stack([each[k] for each in told]) for k in range(2))
        mean = (shares * means).sum(0)
        return mean, np.sqrt((shares * (stds**2 + (means - mean) ** 2)).sum(0))

    def held_out(self) -> Held | None:
        """The same from what each model says of rows it did not see."""
        held = [each.model.held_out() for each in self.models]
        known = [each for each in held if each is not None]
        if len(known) < len(held):
            return None
        return (*self._together([each[:2] for each in known]), known[0][2])


class Block:
    """Picks one block of features.

    Args:
        number: Which one.
    """

    def __init__(self, number: int) -> None:
        self.number = number

    def __call__(self, x: Views) -> Array:
        return x.extra[self.number]


def whole(x: Views) -> Views:
    """All of the views."""
    return x


def decisions(x: Views) -> Array:
    """The decisions among views."""
    return x.encoded


def graphs(x: Views) -> Any:
    """The graphs among views."""
    return x.graphs
