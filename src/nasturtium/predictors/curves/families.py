"""Families of learning curves: a formula each, with bounds and starting points; ``FAMILIES`` names them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nasturtium.errors import did_you_mean
from nasturtium.predictors.base import PredictorError
from nasturtium.predictors.curves import formulas

Array = NDArray[Any]
Formula = Callable[[Any, Any, Any], Any]
"""Gives y for x, the parameters and the library (numpy or torch) that has the functions."""
Starts = Callable[[Array, Array, Array], list[tuple[Any, ...]]]
"""Gives starting points from the first and the last value of curves and their lengths, (n,) each."""


@dataclass(frozen=True)
class Family:
    """A family of curves that rise (or fall) with the epoch x = 1, 2, ...

    Values are those of accuracies between 0 and 1 (see :class:`nasturtium.predictors.curves.base.Scaled`).

    Attributes:
        name: What it is called.
        parameters: The names of its parameters and the bounds between which each is searched.
        formula: What computes it.
        starts: Gives starting points.
        text: The formula as people write it.
    """

    name: str
    parameters: dict[str, tuple[float, float]]
    formula: Formula
    starts: Starts
    text: str

    def __call__(self, x: Any, theta: Any, library: Any = np) -> Any:
        """The value at epochs ``x``.

        Args:
            x: Epochs from 1, broadcast against each parameter.
            theta: The parameters, (P, ...), in the order of ``parameters``.
            library: ``numpy``, or ``torch`` for tensors.
        """
        return self.formula(x, theta, library)

    @property
    def low(self) -> Array:
        """The lower bounds, (P,)."""
        return np.array([low for low, _ in self.parameters.values()])

    @property
    def high(self) -> Array:
        """The upper bounds, (P,)."""
        return np.array([high for _, high in self.parameters.values()])

    def begin(self, first: Array, last: Array, length: Array) -> Array:
        """Starting points, (S, P, n), within the bounds.

        Args:
            first: The first value of each curve, (n,).
            last: Its last value, (n,).
            length: How many epochs it has, (n,).
        """
        first, last = np.maximum(first, 1e-3), np.maximum(last, 2e-3)
        made = [
            np.stack([np.broadcast_to(np.asarray(value, float), first.shape) for value in start])
            for start in self.starts(first, last, np.maximum(length, 2.0))
        ]
        found: Array = np.clip(np.stack(made), self.low[:, None], self.high[:, None])
        return found


def _above(first: Array, last: Array, share: float = 0.2) -> Array:
    """Where a curve may end that has come from ``first`` to ``last``."""
    found: Array = last + share * np.maximum(last - first, 0.01)
    return found


def _gap(first: Array, last: Array) -> Array:
    """How far a curve that rises is from its end at its first value; the exponential families do nothing but rise."""
    return np.asarray(np.maximum(_above(first, last, 0.1) - first, 1e-3))


def _odds(top: Array, value: Array) -> Array:
    return np.asarray(np.maximum(top / value - 1.0, 1e-3))


TOP, LEVEL, RATE, POWER = (0.0, 1.0), (-1.0, 1.0), (1e-4, 10.0), (0.02, 5.0)
SCALE = (1e-2, 1e4)

FAMILIES: dict[str, Family] = {
    family.name: family
    for family in (
        Family(
            "vap", {"a": (-10.0, 2.0), "b": (-10.0, 10.0), "c": (-2.0, 2.0)}, formulas.vap,
            lambda s, e, n: [(np.log(e), np.log(s / e), 0.01), (np.log(s), 0.0, np.log(e / s) / np.log(n))],
            "exp(a + b/x + c ln x)",
        ),
        Family(
            "pow2", {"a": (0.0, 2.0), "alpha": (-2.0, 2.0)}, formulas.pow2,
            lambda s, e, n: [(s, -np.log(e / s) / np.log(n))], "a x^-alpha",
        ),
        Family(
            "pow3", {"c": LEVEL, "a": (-1.0, 10.0), "alpha": POWER}, formulas.pow3,
            lambda s, e, n: [(_above(s, e), _above(s, e) - s, power) for power in (0.3, 1.0)], "c - a x^-alpha",
        ),
        Family(
            "pow4", {"c": LEVEL, "a": (1e-3, 1e4), "b": (0.0, 1e4), "alpha": POWER}, formulas.pow4,
            lambda s, e, n: [
                (_above(s, e), *[0.5 * np.maximum(_above(s, e) - s, 0.01) ** (-1 / power)] * 2, power)
                for power in (0.5, 1.0)
            ],
            "c - (a x + b)^-alpha",
        ),
        Family(
            "log_power", {"a": TOP, "b": (-20.0, 20.0), "c": (-5.0, 2.0)}, formulas.log_power,
            lambda s, e, n: [(_above(s, e), np.log(_odds(_above(s, e), s)) / -c, c) for c in (-0.5, -1.5)],
            "a / (1 + (x/e^b)^c)",
        ),
        Family(
            "loglog_linear", {"a": (-1.0, 3.0), "b": (1e-3, 4.0)}, formulas.loglog_linear,
            lambda s, e, n: [((np.exp(e) - np.exp(s)) / np.log(n), np.exp(s))], "ln(a ln x + b)",
        ),
        Family(
            "mmf", {"alpha": TOP, "beta": LEVEL, "kappa": RATE, "delta": POWER}, formulas.mmf,
            lambda s, e, n: [(_above(s, e), s, 5.0 / n, power) for power in (0.6, 1.5)],
            "alpha - (alpha - beta) / (1 + (kappa x)^delta)",
        ),
        Family(
            "weibull", {"alpha": TOP, "beta": LEVEL, "kappa": RATE, "delta": POWER}, formulas.weibull,
            lambda s, e, n: [(_above(s, e, 0.1), s, 3.0 / n, power) for power in (0.4, 1.0)],
            "alpha - (alpha - beta) exp(-(kappa x)^delta)",
        ),
        Family(
            "janoschek", {"a": TOP, "beta": LEVEL, "k": RATE, "delta": POWER}, formulas.janoschek,
            lambda s, e, n: [(_above(s, e, 0.1), s, (3.0 / n) ** power, power) for power in (0.4, 1.0)],
            "a - (a - beta) exp(-k x^delta)",
        ),
        Family(
            "ilog2", {"c": (-1.0, 2.0), "a": (-1.0, 2.0)}, formulas.ilog2,
            lambda s, e, n: [(e, 0.7 * (e - s))], "c - a / ln(1 + x)",
        ),
        Family(
            "exp3", {"c": LEVEL, "a": RATE, "b": (-10.0, 10.0)}, formulas.exp3,
            lambda s, e, n: [(_above(s, e, 0.1), a, np.log(_gap(s, e)) + a) for a in (1.0 / n, 4.0 / n)],
            "c - exp(-a x + b)",
        ),
        Family(
            "exp4", {"c": LEVEL, "a": RATE, "b": (-10.0, 10.0), "alpha": POWER}, formulas.exp4,
            lambda s, e, n: [
                (_above(s, e, 0.1), (3.0 / n) ** p, np.log(_gap(s, e)) + (3.0 / n) ** p, p)
                for p in (0.4, 1.0)
            ],
            "c - exp(-a x^alpha + b)",
        ),
        Family(
            "hill3", {"theta": TOP, "eta": POWER, "kappa": SCALE}, formulas.hill3,
            lambda s, e, n: [(_above(s, e), p, _odds(_above(s, e), s) ** (1 / p)) for p in (0.5, 1.5)],
            "theta x^eta / (kappa^eta + x^eta)",
        ),
        Family(
            "hill4", {"alpha": LEVEL, "theta": (0.0, 2.0), "eta": POWER, "kappa": SCALE}, formulas.hill4,
            lambda s, e, n: [(s, 1.3 * np.maximum(e - s, 0.01), p, n / 4.0) for p in (0.6, 1.5)],
            "alpha + theta x^eta / (kappa^eta + x^eta)",
        ),
        Family(
            "sat_growth", {"a": TOP, "b": (0.0, 1e4)}, formulas.sat_growth,
            lambda s, e, n: [(_above(s, e), _odds(_above(s, e), s))], "a x / (b + x)",
        ),
        Family(
            "gompertz", {"a": TOP, "b": (0.0, 50.0), "c": RATE}, formulas.gompertz,
            lambda s, e, n: [(_above(s, e, 0.05), np.log(_above(s, e) / s) * np.exp(c), c) for c in (1 / n, 4 / n)],
            "a exp(-b exp(-c x))",
        ),
        Family(
            "logistic", {"a": TOP, "k": RATE, "b": (-1e3, 1e3)}, formulas.logistic,
            lambda s, e, n: [(_above(s, e, 0.05), k, 1 + np.log(_odds(_above(s, e), s)) / k) for k in (1 / n, 4 / n)],
            "a / (1 + exp(-k (x - b)))",
        ),
        Family(
            "bertalanffy", {"a": TOP, "k": RATE}, formulas.bertalanffy,
            lambda s, e, n: [(_above(s, e, 0.05), -np.log(1.0 - np.minimum(s / _above(s, e, 0.05), 0.99)))],
            "a (1 - exp(-k x))",
        ),
        Family(
            "logx_linear", {"a": (-1.0, 1.0), "b": (-2.0, 2.0)}, formulas.logx_linear,
            lambda s, e, n: [((e - s) / np.log(n), s)], "a ln x + b",
        ),
        Family(
            "linear", {"a": (-1.0, 1.0), "b": (-2.0, 2.0)}, formulas.linear,
            lambda s, e, n: [((e - s) / n, s)], "a x + b",
        ),
    )
}  # fmt: skip
"""The families of Domhan et al. 2015 and of NAS-Bench-Suite by name."""

DOMHAN = ("vap", "pow3", "loglog_linear", "hill3", "log_power", "pow4", "mmf", "exp4", "janoschek", "weibull", "ilog2")
"""The eleven that Domhan et al. 2015 combine."""

MIXED = ("mmf", "loglog_linear", "hill3", "log_power")
"""The four that learning-curve extrapolation on NAS benchmarks combines (White et al. 2021, arXiv:2104.01177)."""


def families(names: Sequence[str]) -> list[Family]:
    """The families of these names.

    Raises:
        PredictorError: If there is none of a name.
    """
    for name in names:
        if name not in FAMILIES:
            raise PredictorError(
                f"unknown family of curves {name!r}{did_you_mean(name, FAMILIES)} (there are: {', '.join(FAMILIES)})"
            )
    return [FAMILIES[name] for name in names]
