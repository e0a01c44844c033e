"""The formulas of learning curves, each for numpy and torch alike: x is the epoch, from 1."""

from __future__ import annotations

from typing import Any

TINY = 1e-12


def _least(value: Any, library: Any) -> Any:
    return library.clip(value, TINY, None)


def _exp(value: Any, library: Any) -> Any:
    return library.exp(library.clip(value, -50.0, 50.0))


def _share(x: Any, scale: Any, power: Any, library: Any) -> Any:
    """x^power / (scale^power + x^power), which no power overflows."""
    return 1.0 / (1.0 + _exp(-power * library.log(x / scale), library))


def vap(x: Any, theta: Any, library: Any) -> Any:
    a, b, c = theta
    return _exp(a + b / x + c * library.log(x), library)


def pow2(x: Any, theta: Any, library: Any) -> Any:
    a, alpha = theta
    return a * x**-alpha


def pow3(x: Any, theta: Any, library: Any) -> Any:
    c, a, alpha = theta
    return c - a * x**-alpha


def pow4(x: Any, theta: Any, library: Any) -> Any:
    c, a, b, alpha = theta
    return c - _least(a * x + b, library) ** -alpha


def log_power(x: Any, theta: Any, library: Any) -> Any:
    a, b, c = theta
    return a / (1.0 + _exp(c * (library.log(x) - b), library))


def loglog_linear(x: Any, theta: Any, library: Any) -> Any:
    a, b = theta
    return library.log(_least(a * library.log(x) + b, library))


def mmf(x: Any, theta: Any, library: Any) -> Any:
    alpha, beta, kappa, delta = theta
    return alpha - (alpha - beta) * (1.0 - _share(x, 1.0 / kappa, delta, library))


def weibull(x: Any, theta: Any, library: Any) -> Any:
    alpha, beta, kappa, delta = theta
    return alpha - (alpha - beta) * library.exp(-((kappa * x) ** delta))


def janoschek(x: Any, theta: Any, library: Any) -> Any:
    a, beta, k, delta = theta
    return a - (a - beta) * library.exp(-k * x**delta)


def ilog2(x: Any, theta: Any, library: Any) -> Any:
    c, a = theta
    return c - a / library.log(1.0 + x)


def exp3(x: Any, theta: Any, library: Any) -> Any:
    c, a, b = theta
    return c - _exp(b - a * x, library)


def exp4(x: Any, theta: Any, library: Any) -> Any:
    c, a, b, alpha = theta
    return c - _exp(b - a * x**alpha, library)


def hill3(x: Any, theta: Any, library: Any) -> Any:
    top, eta, kappa = theta
    return top * _share(x, kappa, eta, library)


def hill4(x: Any, theta: Any, library: Any) -> Any:
    alpha, top, eta, kappa = theta
    return alpha + top * _share(x, kappa, eta, library)


def sat_growth(x: Any, theta: Any, library: Any) -> Any:
    a, b = theta
    return a * x / (b + x)


def gompertz(x: Any, theta: Any, library: Any) -> Any:
    a, b, c = theta
    return a * library.exp(-b * library.exp(-c * x))


def logistic(x: Any, theta: Any, library: Any) -> Any:
    a, k, b = theta
    return a / (1.0 + _exp(-k * (x - b), library))


def bertalanffy(x: Any, theta: Any, library: Any) -> Any:
    a, k = theta
    return a * (1.0 - library.exp(-k * x))


def logx_linear(x: Any, theta: Any, library: Any) -> Any:
    a, b = theta
    return a * library.log(x) + b


def linear(x: Any, theta: Any, library: Any) -> Any:
    a, b = theta
    return a * x + b
