"""The protocol of predictors, and the one way they are put together: an encoder and a regressor."""

from __future__ import annotations

import copy
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nasturtium.errors import NasturtiumError
from nasturtium.predictors.calibration import Held, folds, joined, scale
from nasturtium.predictors.graphs import Graphs
from nasturtium.predictors.scaling import Standard, StandardColumns, Warped
from nasturtium.predictors.vectors import Encoder
from nasturtium.predictors.views import Views
from nasturtium.space.architecture import Architecture
from nasturtium.threads import one_thread

Array = NDArray[Any]
Features = Callable[[Sequence[Architecture]], Any]
"""Gives columns of numbers for architectures, (n, k): costs, zero-cost proxies, learning curves."""

Scale = Callable[[Array], Array]
"""Brings columns to the scale that the training set has."""

CHUNK = 2500
"""How many architectures are encoded and scored at a time at most."""


class PredictorError(NasturtiumError):
    """A predictor cannot be made, fitted or asked as it was."""


class Regressor(ABC):
    """Learns numbers from rows; scores come standardised (mean 0, standard deviation 1).

    Attributes:
        graphs: Whether it reads graphs (see :class:`Graphs`), and no rows.
        most: From how many rows a search has it learn at most, as its cost grows much faster; None for all.
        noise: The variance of the noise of single scores that its spreads contain; 0 where it tells none apart.
    """

    graphs: bool = False
    most: int | None = None
    noise: float = 0.0

    @abstractmethod
    def fit(self, x: Any, y: Array) -> None:
        """Learns from rows ``x`` (n, d), or graphs, and standardised scores ``y`` (n,)."""

    @abstractmethod
    def predict(self, x: Any) -> tuple[Array, Array]:
        """Mean and standard deviation for each row, (m,) each."""

    def held_out(self) -> Held | None:
        """Predictions for training rows that were not seen where it costs nothing (or little); None otherwise."""
        return None


class Predictor:
    """Guesses the scores of architectures from those that were tried.

    Args:
        encoder: Turns architectures into rows.
        regressor: Learns from rows.
        features: Gives further columns for architectures, (n, k), or several that do; what is not finite becomes the
            training median.
        calibrate: Whether spreads are scaled so that held-out residuals fit: True where the regressor has held-out
            predictions of its own, ``"folds"`` by five refits everywhere, False nowhere.
        warp: Whether scores become the normal quantiles of their ranks before they are learned, instead of being
            standardised: better for ranking where some architectures fail to learn and score far below the others.
        seed: Of the folds.
        name: What it is called.
        columns: Brings the columns of features to one scale, as it learns from those of the training set.

    Attributes:
        factor: What spreads are multiplied by.
    """

    def __init__(
        self,
        encoder: Encoder,
        regressor: Regressor,
        features: Features | Sequence[Features] | None = None,
        calibrate: bool | str = True,
        warp: bool = False,
        seed: int = 0,
        name: str = "",
        columns: Callable[[Array], Scale] = StandardColumns,
    ) -> None:
        if calibrate not in (True, False, "folds"):
            raise PredictorError(f"option calibrate={calibrate!r}: True, False or 'folds' is expected")
        self.encoder, self.regressor = encoder, regressor
        self.features = () if features is None else (features,) if callable(features) else tuple(features)
        self.calibrate, self.warp, self.seed, self.name = calibrate, warp, seed, name
        self.columns, self.factor = columns, 1.0
        self.scaling: Standard | Warped | None = None
        self._scales: list[Scale] | None = None

    def __repr__(self) -> str:
        return f"Predictor({self.name!r}, {type(self.encoder).__name__}, {type(self.regressor).__name__})"

    def fit(self, architectures: Sequence[Architecture], scores: Any) -> Predictor:
        """Learns from architectures and their scores (n,); neither more nor less is taken to be better.

        Raises:
            PredictorError: If there is nothing to learn from, the numbers differ, or a score is not finite.
        """
        values = np.asarray(scores, np.float64)
        if values.shape != (len(architectures),) or not len(values):
            raise PredictorError(f"{len(architectures)} architectures and scores of shape {values.shape} do not fit")
        wrong = np.flatnonzero(~np.isfinite(values))
        if len(wrong):
            raise PredictorError(
                f"the score of architecture {wrong[0]} is {values[wrong[0]]} ({len(wrong)} in all are not finite); "
                "leave out what failed before fitting"
            )
        scaling = Warped(values) if self.warp else Standard(values)
        own = [self.encoder.space.adopt(architecture) for architecture in architectures]
        self.encoder.fit(own)
        self._scales = None
        rows, targets = self.rows(own), scaling.forward(values)
        with one_thread():
            self.regressor.fit(rows, targets)
            self.factor = self._factor(rows, targets)
        self.scaling = scaling
        return self

    def predict(self, architectures: Sequence[Architecture]) -> tuple[Array, Array]:
        """Mean and standard deviation of the score of each architecture, (n,) each, in the unit of the scores.

        Raises:
            PredictorError: If nothing was fitted yet.
        """
        if self.scaling is None:
            raise PredictorError(f"{self!r} has learned nothing yet: call fit(architectures, scores) first")
        own = [self.encoder.space.adopt(architecture) for architecture in architectures]
        parts = [self._predicted(self.rows(own[part])) for part in self.encoder.blocks(own, CHUNK)]
        if not parts:
            return np.zeros(0), np.zeros(0)
        mean = np.concatenate([part[0] for part in parts]).astype(np.float64)
        std = np.concatenate([part[1] for part in parts]).astype(np.float64)
        return self.scaling.back(mean, self.factor * std)

    @property
    def noise(self) -> float:
        """The standard deviation of the noise of single scores that every spread contains, in their unit.

        0 where the regressor tells none apart, and where scores were warped, so that it differs from score to score.
        """
        unit = self.scaling.unit if isinstance(self.scaling, Standard) else 0.0
        return float(self.factor * unit * np.sqrt(self.regressor.noise))

    def _predicted(self, rows: Any) -> tuple[Array, Array]:
        with one_thread():
            return self.regressor.predict(rows)

    def rows(self, architectures: Sequence[Architecture]) -> Any:
        """What the regressor sees of architectures: their encoding and further features, standardised."""
        encoded = self.encoder(architectures)
        if not self.features:
            return encoded
        count = len(architectures)
        given = [np.asarray(each(architectures), np.float64).reshape(count, -1) for each in self.features]
        if self._scales is None:
            self._scales = [self.columns(block) for block in given]
        blocks = [scale(block) for scale, block in zip(self._scales, given, strict=True)]
        if isinstance(encoded, Views):
            return encoded._replace(extra=tuple(blocks))
        if isinstance(encoded, Graphs):
            return encoded._replace(extra=np.hstack(blocks).astype(np.float32))
        return np.hstack([encoded, *blocks])

    def _factor(self, rows: Any, targets: Array) -> float:
        if not self.calibrate:
            return 1.0
        held = self.regressor.held_out()
        if held is None and self.calibrate == "folds":
            held = self._refitted(rows, targets)
        return 1.0 if held is None else scale(*held)

    def _refitted(self, rows: Any, targets: Array) -> Held:
        """Held-out predictions by fitting five times."""
        parts = []
        for part in folds(len(targets), 5, np.random.default_rng(self.seed)):
            kept = np.setdiff1d(np.arange(len(targets)), part)
            other = copy.deepcopy(self.regressor)
            other.fit(_some(rows, kept), targets[kept])
            mean, std = other.predict(_some(rows, part))
            parts.append((mean, std, targets[part]))
        return joined(parts)


def _some(rows: Any, index: Array) -> Any:
    return rows.rows(index) if isinstance(rows, Graphs | Views) else rows[index]
