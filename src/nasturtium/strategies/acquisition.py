"""Acquisitions: how much it would be worth to try what a predictor has guessed the scores of; more is better."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from nasturtium.strategies.likeness import likeness

if TYPE_CHECKING:
    from nasturtium.space import Architecture

Array = NDArray[Any]

LEAST = 1e-12
"""Spreads are not taken to be smaller, relative to the best score where that is above 1."""


class Guess(NamedTuple):
    """What a predictor says of candidates; more is better.

    Attributes:
        mean: Their scores, (n,).
        std: How far they may be off, (n,).
        best: The best score told so far.
        architectures: The candidates, (n,).
    """

    mean: Array
    std: Array
    best: float
    architectures: Sequence[Architecture] = ()

    @property
    def safe(self) -> Array:
        """The spreads, kept above 0."""
        return np.maximum(self.std, LEAST * max(1.0, abs(self.best)))


class Acquisition(Protocol):
    """Says of each candidate how much it is worth to try, (n,); the largest is tried."""

    def __call__(self, guess: Guess, rng: np.random.Generator) -> Array: ...


@dataclass(frozen=True)
class ExpectedImprovement:
    """E[max(f - best - margin, 0)] = (m - best - margin) Phi(z) + s phi(z), z = (m - best - margin) / s.

    Jones et al. 1998, equation 15, with the signs of maximisation.

    Args:
        margin: By how much the best must be exceeded, in the unit of the score.
    """

    margin: float = 0.0

    def __call__(self, guess: Guess, rng: np.random.Generator) -> Array:
        """In the unit of the score."""
        from scipy.special import ndtr

        lead = guess.mean - guess.best - self.margin
        z = lead / guess.safe
        density = np.exp(-0.5 * np.square(z)) / np.sqrt(2 * np.pi)
        return np.asarray(lead * ndtr(z) + guess.safe * density)


@dataclass(frozen=True)
class ProbabilityOfImprovement:
    """P(f > best + margin) = Phi((m - best - margin) / s), as its logarithm, which still differs far from the best.

    Kushner 1964.

    Args:
        margin: By how much the best must be exceeded, in the unit of the score.
    """

    margin: float = 0.0

    def __call__(self, guess: Guess, rng: np.random.Generator) -> Array:
        """Logarithms of probabilities."""
        from scipy.special import log_ndtr

        return np.asarray(log_ndtr((guess.mean - guess.best - self.margin) / guess.safe))


@dataclass(frozen=True)
class UpperConfidence:
    """m + weight s (Srinivas et al. 2010, equation 6); for a loss this is the lower confidence bound m - weight s.

    Args:
        weight: How much a spread counts; naszilla's and NASLib's 0.5.
    """

    weight: float = 0.5

    def __call__(self, guess: Guess, rng: np.random.Generator) -> Array:
        """In the unit of the score."""
        return np.asarray(guess.mean + self.weight * guess.std)


@dataclass(frozen=True)
class IndependentThompson:
    """A number drawn from N(m, s^2) for each candidate by itself (White et al. 2021, BANANAS, section 5)."""

    def __call__(self, guess: Guess, rng: np.random.Generator) -> Array:
        """In the unit of the score."""
        return np.asarray(guess.mean + guess.std * rng.standard_normal(len(guess.mean)))


@dataclass(frozen=True)
class Thompson:
    """One function drawn for all candidates at once, so that those that are alike deviate alike (Thompson 1933).

    Predictors give the spread of each candidate but not how they vary together. Here the correlation of two is
    exp(-d / scale), d the part of their decisions in which they differ (see :mod:`nasturtium.strategies.likeness`).

    Args:
        scale: At which part of decisions that differ the correlation has fallen to 1/e.
    """

    scale: float = 0.25

    def __call__(self, guess: Guess, rng: np.random.Generator) -> Array:
        """In the unit of the score."""
        noise = rng.standard_normal(len(guess.mean))
        correlation = likeness(guess.architectures, guess.architectures, self.scale)
        root = np.linalg.cholesky(correlation + 1e-6 * np.eye(len(noise)))
        return np.asarray(guess.mean + guess.std * (root @ noise))


@dataclass(frozen=True)
class Exploit:
    """The predicted score alone (NPENAS-NP; Wen et al. 2020)."""

    def __call__(self, guess: Guess, rng: np.random.Generator) -> Array:
        """In the unit of the score."""
        return guess.mean


ACQUISITIONS: dict[str, Callable[[], Acquisition]] = {
    "expected_improvement": ExpectedImprovement,
    "probability_of_improvement": ProbabilityOfImprovement,
    "upper_confidence": UpperConfidence,
    "thompson": Thompson,
    "independent_thompson": IndependentThompson,
    "mean": Exploit,
}
"""Every acquisition by its name."""
