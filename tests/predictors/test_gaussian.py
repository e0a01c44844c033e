"""Gaussian processes and Bayesian linear regression against scikit-learn and finite differences."""

import tracemalloc

import numpy as np
import pytest
from scipy.optimize import approx_fprime
from scipy.stats import multivariate_normal
from sklearn.gaussian_process import GaussianProcessRegressor
from sklearn.gaussian_process.kernels import RBF, ConstantKernel, WhiteKernel
from sklearn.gaussian_process.kernels import Matern as SklearnMatern
from sklearn.linear_model import BayesianRidge

from nasturtium.predictors import make
from nasturtium.predictors.calibration import calibration
from nasturtium.predictors.drawn import GraphEncoder
from nasturtium.predictors.gaussian import GaussianProcess, kernel_called
from nasturtium.predictors.linear import BayesianLinear
from nasturtium.predictors.vectors import OneHot
from nasturtium.spaces import nasbench201
from tests.predictors.common import scored, small_space

RNG = np.random.default_rng(0)
X = RNG.normal(size=(40, 4))
Y = np.sin(X[:, 0]) + 0.3 * X[:, 1] + 0.1 * RNG.normal(size=40)
NEW = RNG.normal(size=(15, 4))


def in_sklearn(kind, theta, ard):
    scales = np.exp(theta[1:-1]) if ard else np.exp(theta[1])
    shape = RBF(scales) if kind == "rbf" else SklearnMatern(scales, nu=2.5)
    return ConstantKernel(np.exp(theta[0])) * shape + WhiteKernel(np.exp(theta[-1]))


@pytest.mark.parametrize("kind", ["rbf", "matern"])
@pytest.mark.parametrize("ard", [False, True])
def test_likelihood_gradient_and_posterior_are_those_of_scikit_learn(kind, ard):
    process = GaussianProcess(kind, ard=ard)
    process.fit(X, Y)
    prepared = process.kernel.prepared(X)
    for theta in (process.theta, RNG.uniform(-1, 1, len(process.theta))):
        other = GaussianProcessRegressor(in_sklearn(kind, theta, ard), optimizer=None, alpha=0.0).fit(X, Y)
        likelihood, gradient = other.log_marginal_likelihood(other.kernel_.theta, eval_gradient=True)
        loss, slope = process.loss(theta, prepared, Y)
        np.testing.assert_allclose(-loss, likelihood, rtol=1e-8)
        np.testing.assert_allclose(-slope, gradient, rtol=1e-5, atol=1e-7)
    fixed = GaussianProcessRegressor(in_sklearn(kind, process.theta, ard), optimizer=None, alpha=0.0).fit(X, Y)
    mean, std = fixed.predict(NEW, return_std=True)
    np.testing.assert_allclose(process.predict(NEW)[0], mean, rtol=1e-6, atol=1e-8)
    np.testing.assert_allclose(process.predict(NEW)[1], std, rtol=1e-6)


def test_no_better_likelihood_is_found_by_scikit_learn_s_search():
    process = GaussianProcess("matern")
    process.fit(X, Y)
    kernel = ConstantKernel(1.0, (1e-2, 1e2)) * SklearnMatern(2.0, (0.1, 50), nu=2.5) + WhiteKernel(0.1, (1e-5, 2))
    other = GaussianProcessRegressor(kernel, n_restarts_optimizer=3, random_state=0, alpha=0.0).fit(X, Y)
    assert process.likelihood >= other.log_marginal_likelihood_value_ - 1e-3


@pytest.mark.parametrize("kind", ["hamming", "wl", "transport"])
def test_gradients_of_structured_kernels_by_finite_differences(kind):
    space = small_space()
    trained, scores = scored(space, 25)
    y = (scores - scores.mean()) / scores.std()
    rows = OneHot(space)(trained) if kind == "hamming" else GraphEncoder(space)(trained)
    process = GaussianProcess(kernel_called(kind, False))
    process.kernel.choose(2)
    prepared = process.kernel.prepared(rows)
    theta = np.append(process.kernel.start(prepared) + 0.3, -1.0)
    by_differences = approx_fprime(theta, lambda t: process.loss(t, prepared, y)[0], 1e-6)
    np.testing.assert_allclose(process.loss(theta, prepared, y)[1], by_differences, rtol=1e-4, atol=1e-4)


def test_hamming_kernel_counts_decisions_that_differ():
    space = small_space()
    every, _ = scored(space, 30)
    rows = OneHot(space)(every)
    decisions = np.array([each.decisions for each in every])
    differ = (decisions[:, None] != decisions[None]).sum(2)
    kernel = kernel_called("hamming", False)
    np.testing.assert_array_equal(kernel.prepared(rows), differ)
    np.testing.assert_array_equal(kernel.prepared(2 * rows), 2 * differ)


def test_left_out_predictions_are_those_of_refits():
    process = GaussianProcess("rbf")
    process.fit(X, Y)
    mean, std, truth = process.held_out()
    kernel = in_sklearn("rbf", process.theta, False)
    for row in (0, 7, 33):
        kept = np.arange(len(Y)) != row
        other = GaussianProcessRegressor(kernel, optimizer=None, alpha=0.0).fit(X[kept], Y[kept])
        expected = other.predict(X[row : row + 1], return_std=True)
        np.testing.assert_allclose((mean[row], std[row]), np.ravel(expected), rtol=1e-6)
        assert truth[row] == Y[row]


def test_bayesian_regression_is_that_of_scikit_learn():
    ridge = BayesianRidge(
        alpha_1=0, alpha_2=0, lambda_1=0, lambda_2=0, fit_intercept=False, max_iter=10000, tol=1e-12, compute_score=True
    ).fit(X, Y)
    linear = BayesianLinear(intercept=False)
    linear.fit(X, Y)
    np.testing.assert_allclose([1 / linear.noise, 1 / linear.prior], [ridge.alpha_, ridge.lambda_], rtol=1e-3)
    mean, std = ridge.predict(NEW, return_std=True)
    np.testing.assert_allclose(linear.predict(NEW)[0], mean, rtol=1e-3, atol=1e-5)
    np.testing.assert_allclose(linear.predict(NEW)[1], std, rtol=1e-3)


def test_evidence_is_the_density_of_the_scores():
    linear = BayesianLinear(intercept=False)
    linear.fit(X, Y)
    covariance = linear.prior * X @ X.T + linear.noise * np.eye(len(Y))
    np.testing.assert_allclose(linear.evidence, multivariate_normal(np.zeros(len(Y)), covariance).logpdf(Y), rtol=1e-8)
    inverse = np.linalg.inv(covariance)
    np.testing.assert_allclose(linear.held_out()[0], Y - inverse @ Y / np.diag(inverse), rtol=1e-6)


def test_coverage_by_hand():
    assert calibration([0, 0, 0, 0], [1, 1, 1, 1], [0.1, -0.5, 1.0, 3.0]) == {0.5: 0.5, 0.9: 0.75}


@pytest.mark.parametrize("columns", [0, 7, 60])
def test_fewer_columns_than_rows_are_decomposed_by_columns_with_the_same_result(columns, monkeypatch):
    rng = np.random.default_rng(columns)
    rows = (rng.random((50, columns)) < 0.3).astype(float)  # some columns equal, some empty
    rows = np.hstack([rows, rows[:, :3]])
    y = rows[:, :4].sum(1) + 0.1 * rng.standard_normal(50)
    found = BayesianLinear()
    found.fit(rows, y)

    def by_rows(design):
        values, vectors = np.linalg.eigh(design @ design.T)
        return vectors, np.maximum(values, 0.0)

    monkeypatch.setattr("nasturtium.predictors.linear._decomposed", by_rows)
    other = BayesianLinear()
    other.fit(rows, y)
    assert found.evidence == pytest.approx(other.evidence, rel=1e-6)
    np.testing.assert_allclose(found.predict(rows), other.predict(rows), rtol=1e-3, atol=1e-4)
    np.testing.assert_allclose(found.held_out(), other.held_out(), rtol=1e-3, atol=1e-4)


def test_a_linear_model_of_many_rows_needs_no_table_of_each_with_each():
    rng = np.random.default_rng(0)
    rows = rng.random((4000, 10))
    tracemalloc.start()
    BayesianLinear().fit(rows, rows.sum(1) + rng.standard_normal(4000))
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert most < 20e6  # each with each would be 128 MB, several times


def test_a_prediction_does_not_depend_on_what_else_is_asked():
    """The lift that makes a matrix of edit distances positive is no covariance of the training networks with each
    other: where all of them were asked for and nothing else, predictions were the noisy scores themselves."""
    space, rng = nasbench201(cells=1), np.random.default_rng(0)
    nets = [space.sample(rng) for _ in range(40)]
    scores = np.array([sum(net.decisions) for net in nets]) + rng.normal(size=40)
    predictor = make("gp_edit", space=space, warp=False).fit(nets, scores)
    process = predictor.regressor
    theta = process.theta[:-1]
    lifted = process.kernel.covariance(theta, process.kernel.prepared(process.x))
    assert np.linalg.eigvalsh(lifted)[0] > 0
    cross, own = process.kernel.between(theta, process.x, process.x)
    assert np.linalg.eigvalsh(cross)[0] < -0.01
    np.testing.assert_allclose(np.diag(cross), own)
    together, alone = predictor.predict(nets), predictor.predict(nets[:20])
    np.testing.assert_allclose(together[0][:20], alone[0], rtol=1e-9)
    np.testing.assert_allclose(together[1][:20], alone[1], rtol=1e-9)
