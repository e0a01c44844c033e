"""Forests of regression trees, with a spread from the trees."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from nasturtium.options import integers, reals
from nasturtium.predictors.base import Regressor
from nasturtium.predictors.calibration import Held

Array = NDArray[Any]


class Forest(Regressor):
    """A forest of scikit-learn's; the spread follows from the law of total variance.

    The variance of a prediction is the mean over trees of the variance within the leaf it falls into, plus the
    variance over trees of the leaves' means (Hutter et al. 2014, arXiv:1211.0906, section 4.3.2).

    Args:
        trees: How many.
        least: Fewest training rows in a leaf.
        features: Part of the columns tried at each split.
        extra: Whether splits are drawn at random (Geurts et al. 2006, extremely randomised trees; there each tree sees
            all rows, here a bootstrap sample, so that what it did not see can tell how far it is off).
        seed: Of the trees.
    """

    def __init__(
        self, trees: int = 100, least: int = 1, features: float = 0.5, extra: bool = False, seed: int = 0
    ) -> None:
        integers(trees=trees, least=least)
        reals(0, 1, features=features)
        self.options = {"n_estimators": trees, "min_samples_leaf": least, "max_features": features}
        self.extra, self.seed = extra, seed

    def fit(self, x: Any, y: Array) -> None:
        """Grows the trees, each on a bootstrap sample."""
        from sklearn.ensemble import ExtraTreesRegressor, RandomForestRegressor

        kind = ExtraTreesRegressor if self.extra else RandomForestRegressor
        self.model = kind(bootstrap=True, random_state=self.seed, n_jobs=1, **self.options)
        rows = columned(x)
        self.model.fit(rows, y)
        self.samples = [np.asarray(drawn) for drawn in self.model.estimators_samples_]
        self._x, self._y = rows, y

    def predict(self, x: Any) -> tuple[Array, Array]:
        """Mean over the trees, and the root of the total variance."""
        means, variances = self._leaves(columned(x))
        return means.mean(0), np.sqrt(variances.mean(0) + means.var(0))

    def _leaves(self, x: Array) -> tuple[Array, Array]:
        """Mean and variance of the leaf each row falls into, (trees, n) each."""
        means, variances = [], []
        for each in self.model.estimators_:
            leaf = each.tree_.apply(x)
            means.append(each.tree_.value[leaf, 0, 0])
            variances.append(np.maximum(each.tree_.impurity[leaf], 0.0))  # squared error: the variance within the leaf
        return np.stack(means), np.stack(variances)

    def held_out(self) -> Held | None:
        """Out-of-bag predictions: of each row by the trees that did not draw it, where there are two (Breiman 2001)."""
        means, variances = self._leaves(self._x)
        out = np.ones(means.shape, bool)
        for tree, drawn in enumerate(self.samples):
            out[tree, drawn] = False
        count = np.where(out.sum(0) >= 2, out.sum(0), np.nan)
        mean = (means * out).sum(0) / count
        variance = (variances * out).sum(0) / count + ((means - mean) ** 2 * out).sum(0) / count
        return mean, np.sqrt(variance), self._y


class ExtraTrees(Forest):
    """A forest whose splits are drawn at random.

    Args:
        trees: How many.
        least: Fewest training rows in a leaf.
        features: Part of the columns tried at each split.
        seed: Of the trees.
    """

    def __init__(self, trees: int = 100, least: int = 1, features: float = 0.5, seed: int = 0) -> None:
        super().__init__(trees, least, features, extra=True, seed=seed)


def columned(x: Any, kind: type[np.floating[Any]] = np.float32) -> Array:
    """Rows as trees take them, (n, d); a constant column where there is none, as of a space of one architecture."""
    rows = np.ascontiguousarray(x, kind)
    return rows if rows.shape[1] else np.zeros((len(rows), 1), kind)
