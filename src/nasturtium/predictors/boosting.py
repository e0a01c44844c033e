"""Boosted trees: of scikit-learn, and of XGBoost, LightGBM and NGBoost where they are installed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nasturtium.errors import MissingExtra, did_you_mean
from nasturtium.options import integers, reals
from nasturtium.predictors.base import PredictorError, Regressor
from nasturtium.predictors.calibration import Held, split_off
from nasturtium.predictors.forest import columned

Array = NDArray[Any]


class Bagged(Regressor):
    """Boosted trees on bootstrap samples (Breiman 1996); mean and spread are those of the members.

    Args:
        kind: ``gradient_boosting``, ``xgboost`` or ``lightgbm``.
        members: Bootstrap samples.
        trees: Rounds of boosting for each.
        seed: Of the samples and trees.
        options: Of the library's regressor, over the defaults in ``MAKERS``.

    Raises:
        PredictorError: If the kind is unknown.
        MissingExtra: If its library is not installed.
    """

    def __init__(
        self,
        kind: str = "gradient_boosting",
        members: int = 10,
        trees: int = 50,
        seed: int = 0,
        options: dict[str, Any] | None = None,
    ) -> None:
        if kind not in MAKERS:
            raise PredictorError(f"unknown boosting {kind!r}{did_you_mean(kind, MAKERS)} (there are: {[*MAKERS]})")
        integers(members=members, trees=trees)
        self.make, self.members, self.trees = MAKERS[kind], members, trees
        self.seed, self.options = seed, options or {}
        self.make(1, 0, self.options)  # so that a missing library shows now

    def fit(self, x: Any, y: Array) -> None:
        """Fits each member to a bootstrap sample."""
        rng = np.random.default_rng(self.seed)
        rows = columned(x)
        options = self.options if len(y) > 1 else {**self.options, "subsample": 1.0}  # of one row no part can be drawn
        self.models, out = [], np.ones((self.members, len(y)), bool)
        for member in range(self.members):
            drawn = rng.integers(len(y), size=len(y))
            out[member, drawn] = False
            model = self.make(self.trees, int(rng.integers(2**31)), options)
            self.models.append(model.fit(rows[drawn], y[drawn]))
        self._held = self._out_of_bag(self._outputs(rows), out, y)

    def _outputs(self, x: Any) -> Array:
        rows = columned(x)
        return np.stack([np.asarray(model.predict(rows), np.float64) for model in self.models])

    def _out_of_bag(self, outputs: Array, out: Array, y: Array) -> Held:
        count = np.where(out.sum(0) >= 2, out.sum(0), np.nan)
        mean = (outputs * out).sum(0) / count
        return mean, np.sqrt(((outputs - mean) ** 2 * out).sum(0) / (count - 1)), y

    def predict(self, x: Any) -> tuple[Array, Array]:
        """Mean and spread of the members."""
        found = self._outputs(x)
        return found.mean(0), found.std(0, ddof=1) if self.members > 1 else np.ones(found.shape[1])

    def held_out(self) -> Held | None:
        """Out-of-bag predictions: of each row by the members that did not draw it, where there are two."""
        return self._held


def _sklearn(trees: int, seed: int, options: dict[str, Any]) -> Any:
    from sklearn.ensemble import GradientBoostingRegressor

    settings = {"max_depth": 4, "learning_rate": 0.1, "subsample": 0.8, "max_features": 0.5, **options}
    return GradientBoostingRegressor(n_estimators=trees, random_state=seed, **settings)


def _xgboost(trees: int, seed: int, options: dict[str, Any]) -> Any:
    try:
        from xgboost import XGBRegressor  # type: ignore[import-untyped, import-not-found, unused-ignore]
    except ImportError:
        raise MissingExtra("xgboost", "surrogates") from None
    settings = {"max_depth": 4, "learning_rate": 0.1, "subsample": 0.8, "colsample_bytree": 0.5, **options}
    return XGBRegressor(n_estimators=trees, random_state=seed, n_jobs=1, **settings)


def _lightgbm(trees: int, seed: int, options: dict[str, Any]) -> Any:
    try:
        from lightgbm import LGBMRegressor  # type: ignore[import-untyped, import-not-found, unused-ignore]
    except ImportError:
        raise MissingExtra("lightgbm", "surrogates") from None
    settings = {
        "num_leaves": 31, "learning_rate": 0.05, "colsample_bytree": 0.9, "subsample": 0.8, "subsample_freq": 5,
        "min_child_samples": 5, **options,
    }  # fmt: skip
    return LGBMRegressor(n_estimators=trees, random_state=seed, n_jobs=1, verbose=-1, **settings)


MAKERS: dict[str, Callable[[int, int, dict[str, Any]], Any]] = {
    "gradient_boosting": _sklearn,
    "xgboost": _xgboost,
    "lightgbm": _lightgbm,
}


class NaturalBoosting(Regressor):
    """NGBoost: a normal distribution for each row, by boosting along the natural gradient (Duan et al. 2020).

    Args:
        trees: Rounds of boosting.
        rate: Learning rate.
        part: Part of the columns tried in each round.
        seed: Of the trees.

    Raises:
        MissingExtra: If the library is not installed.
    """

    def __init__(self, trees: int = 300, rate: float = 0.05, part: float = 0.8, seed: int = 0) -> None:
        try:
            from ngboost import NGBRegressor  # type: ignore[import-untyped, import-not-found, unused-ignore]
        except ImportError:
            raise MissingExtra("ngboost", "surrogates") from None
        integers(trees=trees)
        reals(rate=rate)
        reals(0, 1, part=part)
        self.kind = NGBRegressor
        self.options = {"n_estimators": trees, "learning_rate": rate, "col_sample": part}
        self.seed = seed

    def fit(self, x: Any, y: Array) -> None:
        """Boosts mean and standard deviation."""
        rows = columned(x, np.float64)
        self.model = self._fitted(rows, y)
        self._held = None
        split = split_off(len(y), self.seed)
        if len(split):
            seen = np.setdiff1d(np.arange(len(y)), split)
            self._held = (*_told(self._fitted(rows[seen], y[seen]), rows[split]), y[split])

    def _fitted(self, rows: Array, y: Array) -> Any:
        return self.kind(random_state=self.seed, verbose=False, **self.options).fit(rows, y)

    def predict(self, x: Any) -> tuple[Array, Array]:
        """Mean and standard deviation."""
        return _told(self.model, columned(x, np.float64))

    def held_out(self) -> Held | None:
        """What a model that did not see a fifth of the rows says of them."""
        return self._held


def _told(model: Any, rows: Array) -> tuple[Array, Array]:
    found = model.pred_dist(rows)
    return np.asarray(found.loc), np.asarray(found.scale)
