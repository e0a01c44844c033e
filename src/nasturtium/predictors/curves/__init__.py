"""Learning curves: predictors of their end, and scores of their beginning. ``CURVES`` names the predictors."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

from nasturtium.errors import did_you_mean
from nasturtium.predictors.base import PredictorError
from nasturtium.predictors.curves.base import CurveLearner, CurvePredictor, LastValue, Scaled, bound_of, scaled
from nasturtium.predictors.curves.combined import Combined
from nasturtium.predictors.curves.families import DOMHAN, FAMILIES, MIXED, Family
from nasturtium.predictors.curves.parametric import Averaged, Parametric
from nasturtium.predictors.curves.regression import Regression
from nasturtium.predictors.curves.scores import CURVE_SCORES

Maker = Callable[..., CurvePredictor]


class Row(NamedTuple):
    """A curve predictor in the table.

    Attributes:
        summary: What it does.
        paper: Where it comes from.
        load: Imports the class, or what else makes one.
    """

    summary: str
    paper: str
    load: Callable[[], Maker]


def _last_value() -> Maker:
    return LastValue


def _averaged() -> Maker:
    return Averaged


def _combined() -> Maker:
    return Combined


def _regression() -> Maker:
    return Regression


def _bayesian_network() -> Maker:
    from nasturtium.predictors.curves.bayesian import BayesianCurves  # torch

    return BayesianCurves


def _family(name: str) -> Maker:
    return partial(Parametric, name)


CURVES: dict[str, Row] = {
    "last_value": Row("the last value stands for the end", "early stopping", _last_value),
    "averaged": Row("eleven families fitted, by Akaike weights", "Domhan et al. 2015", _averaged),
    "combined": Row("families weighted by MCMC", "Domhan et al. 2015", _combined),
    "svr": Row("support vectors, learns from complete curves", "Baker et al. 2017", _regression),
    "bayesian_network": Row("a network of curves, learns from complete ones", "Klein et al. 2017", _bayesian_network),
    **{
        name: Row(family.text, "Domhan et al. 2015" if name in DOMHAN else "White et al. 2021", partial(_family, name))
        for name, family in FAMILIES.items()
    },
}
"""Every curve predictor by its name: the last value, averages, those that learn, and each family by itself."""


def make(name: str | Maker, *, maximise: bool = True, bound: float | None = None, **options: Any) -> CurvePredictor:
    """The curve predictor called ``name``, or made by a class or function.

    Args:
        name: A name in ``CURVES``, or a class or function that takes ``maximise``, ``bound`` and the options.
        maximise: Whether more is better (accuracies), or less (losses).
        bound: The largest value there can be where more is better: 1 or 100; from the curves if None.
        **options: Those of the predictor, as its docstring lists them.

    Raises:
        PredictorError: If the name or an option is unknown.
    """
    if isinstance(name, str) and name not in CURVES:
        raise PredictorError(
            f"unknown curve predictor {name!r}{did_you_mean(name, CURVES)} (there are: {', '.join(CURVES)})"
        )
    maker = CURVES[name].load() if isinstance(name, str) else name
    allowed = [each for each in inspect.signature(maker).parameters if each not in ("maximise", "bound")]
    for option in options:
        if option not in allowed:
            raise PredictorError(
                f"curve predictor {name!r} has no option {option!r}{did_you_mean(option, allowed)} "
                f"(its options: {', '.join(allowed) or 'none'})"
            )
    return maker(maximise=maximise, bound=bound, **options)


__all__ = [
    "CURVES", "CURVE_SCORES", "DOMHAN", "FAMILIES", "MIXED", "Averaged", "Combined", "CurveLearner", "CurvePredictor",
    "Family", "LastValue", "Parametric", "Regression", "Row", "Scaled", "bound_of", "make", "scaled",
]  # fmt: skip
