"""The ensemble sampler against densities whose moments are known, and the combination it samples."""

from __future__ import annotations

import numpy as np
import pytest

from nasturtium.predictors import PredictorError
from nasturtium.predictors.curves import Combined
from nasturtium.predictors.curves.base import scaled
from nasturtium.predictors.curves.combined import Posterior
from nasturtium.predictors.curves.ensemble import ensemble
from nasturtium.predictors.curves.families import FAMILIES


def test_the_ensemble_has_the_moments_of_badly_scaled_normals():
    covariances = np.array([[[1.0, 0.9], [0.9, 1.0]], [[100.0, 0.0], [0.0, 0.01]]])
    means = np.array([[0.0, 3.0], [-5.0, 1.0]])
    inverses = np.linalg.inv(covariances)

    def density(walkers):  # (2, n, W)
        off = walkers - means.T[:, :, None]
        return -0.5 * np.einsum("inw,nij,jnw->nw", off, inverses, off)

    rng = np.random.default_rng(0)
    begin = rng.normal(size=(2, 2, 40))
    kept = np.stack([each.copy() for each in ensemble(density, begin, 3000, rng)][500:])  # (S, D, n, W)
    found = kept.transpose(2, 1, 0, 3).reshape(2, 2, -1)
    for target in range(2):
        unit = np.sqrt(np.diag(covariances[target]))
        np.testing.assert_allclose(found[target].mean(1), means[target], atol=0.1 * unit.max())
        correlation = np.cov(found[target]) / np.outer(unit, unit)
        np.testing.assert_allclose(correlation, covariances[target] / np.outer(unit, unit), atol=0.15)


def test_the_ensemble_stays_where_there_is_density():
    rng = np.random.default_rng(1)
    begin = rng.uniform(0.4, 0.6, (1, 1, 20))
    kept = [
        walkers.copy()
        for walkers in ensemble(lambda w: np.where((w[0] > 0) & (w[0] < 1), 0.0, -np.inf), begin, 2000, rng)
    ]
    values = np.stack(kept[200:]).ravel()
    assert values.min() > 0
    assert values.max() < 1
    assert values.mean() == pytest.approx(0.5, abs=0.02)
    assert values.std() == pytest.approx(12**-0.5, abs=0.02)  # of the uniform distribution


def test_the_posterior_is_that_of_the_formula_and_its_rule():
    model = Combined(["linear", "logx_linear"])
    given = scaled([[0.2, 0.25, 0.28]], bound=1.0)
    posterior = Posterior(model, given, 10)
    walker = np.array([0.03, 0.2, 0.05, 0.2, 0.4, 0.6, np.log(0.02)])
    x = np.array([1.0, 2.0, 3.0])
    fitted = 0.4 * (0.03 * x + 0.2) + 0.6 * (0.05 * np.log(x) + 0.2)
    expected = -0.5 * ((fitted - [0.2, 0.25, 0.28]) ** 2).sum() / 0.02**2 - 3 * np.log(0.02)
    assert posterior(walker[:, None, None])[0, 0] == pytest.approx(expected)
    for place, value in ((0, -0.05), (4, -0.1), (0, 0.9), (6, np.log(0.5))):  # falls; w < 0; above 1; too noisy
        other = walker.copy()
        other[place] = value
        assert posterior(other[:, None, None])[0, 0] == -np.inf


def test_the_combination_holds_the_truth_and_knows_what_it_does_not_know():
    x = np.arange(1.0, 61.0)
    truth = np.stack([FAMILIES["mmf"](x, np.array(t)) for t in ((0.9, 0.1, 0.2, 1.0), (0.7, 0.3, 0.1, 1.4))])
    noisy = truth + np.random.default_rng(0).normal(0, 0.005, truth.shape)
    short, wide = Combined(samples=400, burn=200).extrapolate(noisy[:, :8], 60)
    long, narrow = Combined(samples=400, burn=200).extrapolate(noisy[:, :30], 60)
    assert (np.abs(short - truth[:, -1]) < 3 * wide).all()
    assert (np.abs(long - truth[:, -1]) < 0.03).all()
    assert (narrow < wide).all()
    assert (long > noisy[:, 29] - 0.02).all()  # the rule: the end is not below the last


def test_the_same_seed_gives_the_same_and_a_curve_that_falls_its_last_value():
    falling = np.linspace(0.9, 0.1, 12)[None]
    mean, _ = Combined(samples=60, burn=20).extrapolate(falling, 20)
    assert 0.05 < mean[0] < 0.5
    rising = 0.9 - 0.5 / np.arange(1.0, 10.0)[None]
    first = Combined(samples=60, burn=20, seed=4).extrapolate(rising, 20)
    assert first == Combined(samples=60, burn=20, seed=4).extrapolate(rising, 20)
    assert first != Combined(samples=60, burn=20, seed=5).extrapolate(rising, 20)
    with pytest.raises(PredictorError, match="an even number of walkers"):
        Combined(walkers=7)
