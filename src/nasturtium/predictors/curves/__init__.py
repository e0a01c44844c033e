"""Learning curves: predictors of their end, and scores of their beginning. ``CURVES`` names the predictors."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from functools import partial
from typing import Any

from nasturtium.errors import did_you_mean
from nasturtium.predictors.base import PredictorError
from nasturtium.predictors.curves.base import CurvePredictor, LastValue, Scaled, bound_of, scaled
from nasturtium.predictors.curves.families import DOMHAN, FAMILIES, MIXED, Family
from nasturtium.predictors.curves.parametric import Averaged, Parametric
from nasturtium.predictors.curves.scores import CURVE_SCORES

Maker = Callable[..., CurvePredictor]

CURVES: dict[str, Maker] = {
    "last_value": LastValue,
    "averaged": Averaged,
    **{name: partial(Parametric, name) for name in FAMILIES},
}
"""Every curve predictor by its name: the last value, averages, each family by itself, and those that learn."""


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
    maker = CURVES[name] if isinstance(name, str) else name
    allowed = [each for each in inspect.signature(maker).parameters if each not in ("maximise", "bound")]
    for option in options:
        if option not in allowed:
            raise PredictorError(
                f"curve predictor {name!r} has no option {option!r}{did_you_mean(option, allowed)} "
                f"(its options: {', '.join(allowed) or 'none'})"
            )
    return maker(maximise=maximise, bound=bound, **options)


__all__ = [
    "CURVES", "CURVE_SCORES", "DOMHAN", "FAMILIES", "MIXED", "Averaged", "CurvePredictor", "Family", "LastValue",
    "Parametric", "Scaled", "bound_of", "make", "scaled",
]  # fmt: skip
