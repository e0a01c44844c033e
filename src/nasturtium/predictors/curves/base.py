"""The protocol of curve predictors, and how curves of any unit and direction are brought to one form."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nasturtium.predictors.base import PredictorError

Array = NDArray[Any]

FLOOR, SPAN = 0.1, 0.5
"""Curves without a bound are moved so that they lie between FLOOR and FLOOR + SPAN."""
LEAST = 1e-4
"""The smallest standard deviation of a prediction, in the unit of :class:`Scaled`."""


@dataclass(frozen=True)
class Scaled:
    """Curves as the families have them: rising, between 0 and 1 where there is a bound.

    Accuracies are divided by their bound (1 or 100). Others, such as losses, are turned so that they rise and moved to
    lie between 0.1 and 0.6, each curve by its own extremes: so 1 is 0.8 of what was gained so far above the best.

    Attributes:
        values: The curves, (n, t); NaN where there is no value.
        lengths: The place of the last value of each, from 1, (n,).
        slope: value = slope * original + offset, (n,).
        offset: See there, (n,).
    """

    values: Array
    lengths: Array
    slope: Array
    offset: Array

    @property
    def known(self) -> Array:
        """Where there is a value, (n, t)."""
        return np.isfinite(self.values)

    @property
    def last(self) -> Array:
        """The last value of each curve, (n,)."""
        found: Array = self.values[np.arange(len(self.values)), self.lengths - 1]
        return found

    @property
    def first(self) -> Array:
        """The first value of each curve, (n,)."""
        found: Array = self.values[np.arange(len(self.values)), np.argmax(self.known, axis=1)]
        return found

    def some(self, index: Any) -> Scaled:
        """Some of the curves."""
        return Scaled(self.values[index], self.lengths[index], self.slope[index], self.offset[index])

    def back(self, mean: Array, std: Array) -> tuple[Array, Array]:
        """Mean and standard deviation in the unit of the originals."""
        return (mean - self.offset) / self.slope, np.maximum(std, LEAST) / np.abs(self.slope)


def scaled(curves: Any, maximise: bool = True, bound: float | None = None) -> Scaled:
    """Curves in one form.

    Args:
        curves: (n, t), a value after each epoch from the first; NaN where there is none, as at the end of short ones.
        maximise: Whether more is better.
        bound: The largest value there can be where more is better: 1 or 100 for accuracies. If None, it is 1 where all
            values lie between 0 and 1, 100 where they lie between 0 and 100, and none otherwise.

    Raises:
        PredictorError: If curves have another shape, or one of them holds no number.
    """
    values = np.asarray(curves, np.float64)
    if values.ndim != 2 or not values.shape[1]:
        raise PredictorError(f"curves of shape {values.shape}: one row a curve, one column an epoch are expected")
    values = np.where(np.isfinite(values), values, np.nan)
    known = np.isfinite(values)
    empty = np.flatnonzero(~known.any(1))
    if len(empty):
        raise PredictorError(f"curve {empty[0]} holds no number ({len(empty)} in all); leave out what failed")
    lengths = values.shape[1] - np.argmax(known[:, ::-1], axis=1)
    slope, offset = _moved(values, maximise, bound if bound is not None else bound_of(values, maximise))
    return Scaled(slope[:, None] * values + offset[:, None], lengths, slope, offset)


def bound_of(values: Array, maximise: bool) -> float | None:
    """What values where more is better cannot exceed, to judge by those there are: 1, 100, or nothing known."""
    if not maximise or not values.size or np.nanmin(values) < 0 or np.nanmax(values) > 100:
        return None
    return 1.0 if np.nanmax(values) <= 1 else 100.0


def _moved(values: Array, maximise: bool, bound: float | None) -> tuple[Array, Array]:
    """The slope and offset of each curve."""
    if bound is not None and maximise:
        return np.full(len(values), 1.0 / bound), np.zeros(len(values))
    low, high = np.nanmin(values, axis=1), np.nanmax(values, axis=1)
    unit = SPAN / np.where(high > low, high - low, np.maximum(np.abs(high), 1.0))
    return (unit, FLOOR - unit * low) if maximise else (-unit, FLOOR + unit * high)


class CurvePredictor(ABC):
    """Extrapolates learning curves.

    Args:
        maximise: Whether more is better (accuracies), or less (losses).
        bound: The largest value there can be; see :func:`scaled`.
    """

    learns: bool = False
    """Whether it must see complete curves of others first."""

    def __init__(self, maximise: bool = True, bound: float | None = None) -> None:
        self.maximise, self.bound = maximise, bound

    def fit(self, curves: Any, features: Any = None) -> CurvePredictor:
        """Learns from complete curves of other architectures; those that read one curve at a time need none.

        Args:
            curves: (n, t); NaN where there is no value.
            features: What else is known of the architectures, (n, k).
        """
        return self

    def extrapolate(self, curves: Any, horizon: int, features: Any = None) -> tuple[Array, Array]:
        """Mean and standard deviation of the value after epoch ``horizon``, (n,) each, in the unit of the curves.

        Args:
            curves: The beginnings, (n, t), from epoch 1; NaN where there is no value, as at the end of shorter ones.
            horizon: The epoch asked for. What is known already is given as it is.
            features: What else is known of the architectures, (n, k).

        Raises:
            PredictorError: If curves cannot be read, or the horizon lies before their end.
        """
        if np.ndim(curves) == 2 and not len(curves):
            return np.zeros(0), np.zeros(0)
        given = scaled(curves, self.maximise, self.bound)
        if horizon < given.lengths.max():
            raise PredictorError(f"horizon {horizon} lies before the end of a curve of {given.lengths.max()} epochs")
        mean, std = self._extrapolated(given, horizon, None if features is None else np.asarray(features, np.float64))
        ended = given.lengths == horizon
        return given.back(np.where(ended, given.last, mean), np.where(ended, 0.0, std))

    @abstractmethod
    def _extrapolated(self, given: Scaled, horizon: int, features: Array | None) -> tuple[Array, Array]:
        """Mean and standard deviation at the horizon in the unit of the scaled curves."""


class CurveLearner(CurvePredictor):
    """Learns from complete curves of other architectures, which it keeps until it is asked."""

    learns = True
    known: Array | None = None
    features: Array | None = None

    def fit(self, curves: Any, features: Any = None) -> CurveLearner:
        """Keeps curves to learn from.

        Args:
            curves: (n, t), up to the horizons that will be asked for.
            features: What else is known of the architectures, (n, k) or (n,): the columns that will be given later.

        Raises:
            PredictorError: If curves or features cannot be read.
        """
        known = np.asarray(curves, np.float64)
        scaled(known, self.maximise, self.bound)  # complains of what cannot be read
        self.features = None if features is None else feature_rows(features, len(known))
        self.known = known
        return self

    def extrapolate(self, curves: Any, horizon: int, features: Any = None) -> tuple[Array, Array]:
        """As of any curve predictor; raises too if nothing was fitted, or features do not fit those of ``fit``."""
        if self.known is None:
            raise PredictorError("this curve predictor learns from complete curves: call fit(curves) first")
        if (features is None) != (self.features is None):
            raise PredictorError("features were given to fit or to extrapolate alone; give them to both or to neither")
        if features is not None and self.features is not None:
            features = feature_rows(features, len(np.atleast_1d(curves)))
            told = self.features.shape[1]
            if features.shape[1] != told:
                raise PredictorError(f"{features.shape[1]} features were given to extrapolate, but {told} to fit")
        return super().extrapolate(curves, horizon, features)

    def complete(self, horizon: int, length: int) -> Array:
        """Which of the curves have a value at the horizon, and one in a beginning of a length, to learn from."""
        if self.known is None or self.known.shape[1] < horizon:
            return np.zeros(0, int)
        known = np.isfinite(self.known)
        return np.flatnonzero(known[:, horizon - 1] & known[:, :length].any(1))


def feature_rows(features: Any, count: int) -> Array:
    """Features of architectures as rows of numbers, (count, k).

    Raises:
        PredictorError: If there are no numbers for each architecture, or one of them is not finite.
    """
    try:
        given = np.asarray(features, np.float64)
    except (TypeError, ValueError) as error:
        raise PredictorError(f"features are rows of numbers, one row a curve: {error}") from error
    if given.ndim == 0 or len(given) != count:
        rows = len(given) if given.ndim else 0
        raise PredictorError(f"{count} curves and features of {rows} architectures do not fit")
    found: Array = given.reshape(count, int(np.prod(given.shape[1:])))
    wrong = np.argwhere(~np.isfinite(found))
    if len(wrong):
        row, column = wrong[0]
        raise PredictorError(
            f"feature {column} of architecture {row} is {found[row, column]} ({len(wrong)} are not finite); "
            "fill in what is missing, or leave that column or architecture out"
        )
    return found


class LastValue(CurvePredictor):
    """The last value stands for the final one (early stopping, as in successive halving).

    The spread is how much the curve moved in its second half, and the noise from epoch to epoch.
    """

    def _extrapolated(self, given: Scaled, horizon: int, features: Array | None) -> tuple[Array, Array]:
        return given.last, spread(given)


def spread(given: Scaled) -> Array:
    """How much each curve moved in its second half, with the noise from epoch to epoch, (n,); 0.3 of single values."""
    known = given.known
    middle = np.maximum((given.lengths + 1) // 2, 1)
    before = np.where(np.arange(1, known.shape[1] + 1) <= middle[:, None], given.values, np.nan)
    start = np.array([line[np.isfinite(line)][-1] if np.isfinite(line).any() else np.nan for line in before])
    steps = np.diff(np.where(known, given.values, np.nan), axis=1)
    steps = np.where(np.isfinite(steps), steps, 0.0)
    noise = np.sqrt((steps**2).sum(1) / np.maximum((steps != 0).sum(1), 1))
    moved = np.abs(given.last - np.where(np.isfinite(start), start, given.first))
    found: Array = np.where(known.sum(1) > 1, np.hypot(moved, noise), 0.3)
    return found
