"""Each law of predictors can be broken, and says what is at fault; one's own predictors keep them all."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from nasturtium.predictors import PredictorError, Regressor
from nasturtium.predictors.linear import BayesianLinear
from nasturtium.testing import PREDICTOR_LAWS, LawBroken, check_predictor
from nasturtium.testing.small_spaces import conditional


class Own:
    """Guesses by the number of decisions; others here spoil it."""

    slope = None

    def __init__(self, space: Any = None, seed: int = 0) -> None:
        self.seed = seed

    def fit(self, architectures: Any, scores: Any) -> Own:
        self.slope = float(np.mean(scores)) / np.mean([len(each.decisions) for each in architectures])
        return self

    def predict(self, architectures: Any) -> tuple[Any, Any]:
        if self.slope is None:
            raise PredictorError("it has learned nothing yet")
        mean = self.slope * np.array([len(each.decisions) for each in architectures], dtype=float)
        return mean, np.ones(len(architectures))


class Silent(Own):
    """Predicts before it has learned."""

    slope = 1.0


class Crashing(Own):
    """Says nothing that helps before it has learned."""

    def predict(self, architectures: Any) -> tuple[Any, Any]:
        mean = np.array([self.slope * len(each.decisions) for each in architectures], dtype=float)
        return mean, np.ones(len(architectures))


class Columns(Own):
    """Gives a column for the mean."""

    def predict(self, architectures: Any) -> tuple[Any, Any]:
        mean, std = super().predict(architectures)
        return mean[:, None], std


class Negative(Own):
    """Gives a spread below 0."""

    def predict(self, architectures: Any) -> tuple[Any, Any]:
        mean, std = super().predict(architectures)
        return mean, -std


class Restless(Own):
    """Answers otherwise each time."""

    asked = 0

    def predict(self, architectures: Any) -> tuple[Any, Any]:
        mean, std = super().predict(architectures)
        self.asked += 1
        return mean + self.asked, std


class Ordered(Own):
    """Answers by the place of an architecture among those that are asked for."""

    def predict(self, architectures: Any) -> tuple[Any, Any]:
        mean, std = super().predict(architectures)
        return mean + np.arange(len(mean)), std


class Global(Own):
    """Draws from numpy's global generator."""

    def fit(self, architectures: Any, scores: Any) -> Own:
        return super().fit(architectures, scores + np.random.rand(len(scores)))


class Standardising(Own):
    """Divides by a deviation that may be 0."""

    def fit(self, architectures: Any, scores: Any) -> Own:
        with np.errstate(invalid="ignore"):
            return super().fit(architectures, (scores - scores.mean()) / scores.std())


BROKEN = [
    ("says_when_it_has_learned_nothing", Silent, "before it is fitted it predicts something"),
    ("says_when_it_has_learned_nothing", Crashing, "before it is fitted it raises no NasturtiumError .*TypeError"),
    ("answers", Columns, r"mean and spread have not the shape \(16,\)"),
    ("answers", Negative, "a spread is below 0"),
    ("answers", Restless, "asked again, it answers otherwise"),
    ("answers", Ordered, "asked in another order, it answers otherwise"),
    ("follows_from_its_seed", Global, "a global generator of random numbers moved"),
    ("learns_from_little", Standardising, "fitted on 2 equal scores, it predicts no numbers"),
]


@pytest.mark.parametrize(("law", "kind", "said"), BROKEN, ids=[kind.__name__ for _, kind, _ in BROKEN])
def test_laws_can_be_broken(law: str, kind: type[Own], said: str) -> None:
    with pytest.raises(LawBroken, match=said):
        PREDICTOR_LAWS[law](kind, conditional(), 0)
    with pytest.raises(LawBroken, match=said):
        check_predictor(kind)


def test_ones_own_predictors_keep_all_of_them() -> None:
    check_predictor(Own)
    regressor = BayesianLinear()
    check_predictor(regressor, encoding="counts")
    assert vars(regressor) == vars(BayesianLinear())  # it is the user's, and was not fitted
    check_predictor("random_forest", trees=5)


def test_a_regressor_is_made_into_a_predictor() -> None:
    class Odd(Regressor):
        """Gives a spread that is no number."""

        def fit(self, x: Any, y: Any) -> None:
            self.mean = float(np.mean(y))

        def predict(self, x: Any) -> tuple[Any, Any]:
            return np.full(len(x), self.mean), np.full(len(x), np.nan)

    with pytest.raises(LawBroken, match="a mean or spread is not finite"):
        check_predictor(Odd())
