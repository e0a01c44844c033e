"""Whether a spread says how far off a prediction is, and the factor that makes it so."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

LEVELS = {0.5: 0.6744897501960817, 0.9: 1.6448536269514722}
"""How many standard deviations to each side hold half, and nine tenths, of a normal distribution."""

LEAST = 1e-6
"""The smallest spread, in standard deviations of the training scores."""

HELD = 0.2
"""Part of the training rows that is held out where a model of its own has to be fitted to scale the spread."""

FACTORS = (0.02, 50.0)
"""Between these a spread is scaled."""


def calibration(mean: Any, std: Any, truth: Any) -> dict[float, float]:
    """Which part of the truth lies in the central intervals of the predictions.

    Args:
        mean: Predicted means, (n,).
        std: Predicted standard deviations, (n,).
        truth: What came true, (n,).

    Returns:
        The coverage of the 50 % and the 90 % interval, by 0.5 and 0.9; right if equal to their names.
    """
    off = np.abs(np.asarray(truth) - np.asarray(mean))
    return {level: float(np.mean(off <= width * np.asarray(std))) for level, width in LEVELS.items()}


def scale(mean: NDArray[Any], std: NDArray[Any], truth: NDArray[Any]) -> float:
    """The factor on ``std`` that brings the coverage of held-out predictions right.

    The geometric mean of the factors that the 50 % and the 90 % interval ask for: two quantiles of the standardised
    residuals, of which a few outliers move neither much. Rows without a prediction (NaN) are left out.
    """
    known = np.isfinite(mean) & np.isfinite(std)
    mean, std, truth = mean[known], std[known], truth[known]
    if len(mean) < 5:
        return 1.0
    off = np.abs(truth - mean) / np.maximum(std, LEAST)
    asked = [max(float(np.quantile(off, level)) / width, LEAST) for level, width in LEVELS.items()]
    return float(np.clip(np.sqrt(np.prod(asked)), *FACTORS))


def folds(count: int, parts: int, rng: np.random.Generator) -> list[NDArray[np.int64]]:
    """A random partition of ``count`` rows into ``parts`` of nearly equal size."""
    return [np.sort(part) for part in np.array_split(rng.permutation(count), min(parts, count))]


def split_off(count: int, seed: int, part: float = HELD) -> NDArray[np.int64]:
    """Which rows are held out; none where there are fewer than 20."""
    held = int(count * part) if count >= 20 else 0
    return np.sort(np.random.default_rng(seed).permutation(count)[:held])


Held = tuple[NDArray[Any], NDArray[Any], NDArray[Any]]
"""Means, standard deviations and truth of rows that the prediction did not see, (m,) each; NaN where there is none."""


def joined(parts: Sequence[Held]) -> Held:
    """Held-out predictions of several folds together."""
    mean, std, truth = (np.concatenate([part[k] for part in parts]) for k in range(3))
    return mean, std, truth
