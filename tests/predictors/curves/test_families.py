"""Families of curves: against formulas written by hand, another least squares, and what references got wrong."""

from __future__ import annotations

from math import exp, log

import numpy as np
import pytest
from scipy.optimize import curve_fit

from nasturtium.predictors import PredictorError
from nasturtium.predictors.curves import DOMHAN, FAMILIES, Parametric, make
from nasturtium.predictors.curves.fitting import fit, jacobian

X = 7.0
BY_HAND = {
    "vap": ((-0.2, -1.5, 0.05), exp(-0.2 - 1.5 / 7 + 0.05 * log(7))),
    "pow2": ((0.3, -0.4), 0.3 * 7**0.4),
    "pow3": ((0.9, 0.6, 0.7), 0.9 - 0.6 * 7**-0.7),
    "pow4": ((0.9, 2.0, 1.5, 0.7), 0.9 - (2.0 * 7 + 1.5) ** -0.7),
    "log_power": ((0.9, 1.2, -1.1), 0.9 / (1 + (7 / exp(1.2)) ** -1.1)),
    "loglog_linear": ((0.3, 1.2), log(0.3 * log(7) + 1.2)),
    "mmf": ((0.9, 0.1, 0.2, 1.3), 0.9 - 0.8 / (1 + (0.2 * 7) ** 1.3)),
    "weibull": ((0.9, 0.1, 0.2, 1.3), 0.9 - 0.8 * exp(-((0.2 * 7) ** 1.3))),
    "janoschek": ((0.9, 0.1, 0.2, 1.3), 0.9 - 0.8 * exp(-0.2 * 7**1.3)),
    "ilog2": ((0.9, 0.4), 0.9 - 0.4 / log(8)),
    "exp3": ((0.9, 0.3, -0.2), 0.9 - exp(-0.3 * 7 - 0.2)),
    "exp4": ((0.9, 0.3, -0.2, 0.8), 0.9 - exp(-0.3 * 7**0.8 - 0.2)),
    "hill3": ((0.9, 1.3, 4.0), 0.9 * 7**1.3 / (4.0**1.3 + 7**1.3)),
    "hill4": ((0.1, 0.8, 1.3, 4.0), 0.1 + 0.8 * 7**1.3 / (4.0**1.3 + 7**1.3)),
    "sat_growth": ((0.9, 3.0), 0.9 * 7 / 10),
    "gompertz": ((0.9, 2.0, 0.3), 0.9 * exp(-2.0 * exp(-2.1))),
    "logistic": ((0.9, 0.4, 5.0), 0.9 / (1 + exp(-0.4 * 2))),
    "bertalanffy": ((0.9, 0.3), 0.9 * (1 - exp(-2.1))),
    "logx_linear": ((0.2, 0.3), 0.2 * log(7) + 0.3),
    "linear": ((0.02, 0.3), 0.44),
}


def test_every_family_of_the_paper_is_there():
    assert set(BY_HAND) == set(FAMILIES)
    assert set(DOMHAN) <= set(FAMILIES)


@pytest.mark.parametrize("name", FAMILIES)
def test_a_family_is_its_formula_in_numpy_and_in_torch(name):
    import torch

    theta, expected = BY_HAND[name]
    assert float(FAMILIES[name](X, np.array(theta))) == pytest.approx(expected, rel=1e-9)
    tensors = torch.tensor(theta, dtype=torch.float64)
    assert float(FAMILIES[name](torch.tensor(X), tensors, torch)) == pytest.approx(expected, rel=1e-6)


def test_hill3_raises_kappa_to_eta_and_vap_takes_the_exponential():
    # Both were wrong in a well-known library: kappa * eta for kappa^eta, and no exp in vapor pressure.
    # At x = kappa a Hill curve has half of its height for every eta; with kappa * eta it would not.
    for eta in (0.5, 1.0, 3.0):
        assert float(FAMILIES["hill3"](9.0, np.array([0.8, eta, 9.0]))) == pytest.approx(0.4)
    # With b = c = 0 the curve is the constant exp(a), which is positive; without exp it would be a.
    assert float(FAMILIES["vap"](5.0, np.array([-0.5, 0.0, 0.0]))) == pytest.approx(0.6065306597126334)


@pytest.mark.parametrize("name", FAMILIES)
def test_a_fit_finds_the_curve_that_made_the_data(name):
    family = FAMILIES[name]
    theta = np.array(BY_HAND[name][0])
    x = np.arange(1.0, 31.0)
    values = np.stack([family(x, theta), np.append(family(x[:20], theta), [np.nan] * 10)])
    found = fit(family, values, np.array([30, 20]))
    assert found.loss == pytest.approx([0, 0], abs=1e-4)  # some parameters trade off, the values they give do not
    assert family(40.0, found.theta) == pytest.approx(float(family(40.0, theta)), abs=0.01)


@pytest.mark.parametrize("name", ["pow3", "mmf", "hill3", "exp4", "ilog2", "vap"])
def test_a_fit_is_as_good_as_that_of_scipy(name):
    family, theta = FAMILIES[name], np.array(BY_HAND[name][0])
    x = np.arange(1.0, 41.0)
    values = family(x, theta) + np.random.default_rng(1).normal(0, 0.01, (5, 40))
    found = fit(family, values, np.full(5, 40))
    for row, line in enumerate(values):
        (best, _) = curve_fit(
            lambda x, *p: family(x, np.array(p)[:, None]), x, line, p0=theta, bounds=(family.low, family.high)
        )
        theirs = float(((family(x, best[:, None]) - line) ** 2).sum())
        assert found.loss[row] <= theirs * 1.001


def test_spread_of_a_linear_family_is_that_of_regression():
    x = np.arange(1.0, 21.0)
    line = 0.2 + 0.01 * x + np.random.default_rng(0).normal(0, 0.01, 20)
    mean, std = Parametric("linear", recency=1.0).extrapolate(line[None], 30)
    design = np.stack([x, np.ones(20)], 1)
    weights, rest, *_ = np.linalg.lstsq(design, line, rcond=None)
    there = np.array([30.0, 1.0])
    variance = rest[0] / 18 * (1 + there @ np.linalg.inv(design.T @ design) @ there)
    doubt = 0.5 * (there @ weights - line[-1])  # the way beyond the last value, half of which is doubted
    assert mean[0] == pytest.approx(there @ weights, abs=1e-6)
    assert std[0] == pytest.approx(np.hypot(variance**0.5, doubt), rel=1e-3)


@pytest.mark.parametrize("name", ["pow3", "exp4", "log_power", "linear"])
def test_derivatives_agree_with_torch(name):
    import torch

    family, theta = FAMILIES[name], np.array(BY_HAND[name][0])
    x = np.arange(1.0, 9.0)
    ours = jacobian(family, x, theta[:, None])[:, 0]
    theirs = torch.autograd.functional.jacobian(
        lambda p: family(torch.tensor(x), p[:, None], torch)[None], torch.tensor(theta)
    )[0].T
    np.testing.assert_allclose(ours, theirs.numpy(), rtol=1e-4, atol=1e-6)


def test_a_name_that_is_none_is_said():
    with pytest.raises(PredictorError, match="unknown family of curves 'pow33'; did you mean 'pow3'"):
        Parametric("pow33")
    with pytest.raises(PredictorError, match="unknown curve predictor 'lastvalue'; did you mean 'last_value'"):
        make("lastvalue")
    with pytest.raises(PredictorError, match="has no option 'recensy'; did you mean 'recency'"):
        make("pow3", recensy=2)
