"""The spread of forests by hand, and of whatever else is put together from members."""

import numpy as np
import pytest
from sklearn.ensemble import RandomForestRegressor

from nasturtium.predictors.boosting import Bagged
from nasturtium.predictors.calibration import calibration, folds, scale
from nasturtium.predictors.forest import ExtraTrees, Forest
from nasturtium.predictors.scaling import Standard, Warped

RNG = np.random.default_rng(0)
X = RNG.normal(size=(80, 3)).astype(np.float32)
Y = X[:, 0] ** 2 + 0.1 * RNG.normal(size=80)


@pytest.mark.parametrize("kind", [Forest, ExtraTrees])
def test_the_spread_follows_from_the_rows_in_the_leaves(kind):
    forest = kind(trees=12, least=4)
    forest.fit(X, Y)
    new = X[:5] + 0.01
    mean, std = forest.predict(new)
    means, variances = np.zeros((12, 5)), np.zeros((12, 5))
    for tree, (model, drawn) in enumerate(zip(forest.model.estimators_, forest.samples, strict=True)):
        leaves = model.apply(X)
        for row, leaf in enumerate(model.apply(new)):
            inside = Y[[i for i in drawn if leaves[i] == leaf]]
            means[tree, row], variances[tree, row] = inside.mean(), inside.var()
    np.testing.assert_allclose(mean, means.mean(0), rtol=1e-6)
    np.testing.assert_allclose(std, np.sqrt(variances.mean(0) + means.var(0)), rtol=1e-5)


def test_out_of_bag_predictions_are_scikit_learn_s():
    forest = Forest(trees=60, features=1.0)
    forest.fit(X, Y)
    other = RandomForestRegressor(60, max_features=1.0, oob_score=True, random_state=0).fit(X, Y)
    mean, std, truth = forest.held_out()
    np.testing.assert_allclose(mean, other.oob_prediction_, rtol=1e-5)
    assert len(std) == len(truth) == len(Y)


def test_members_are_fitted_to_what_they_drew_and_judged_on_the_rest():
    bagged = Bagged(members=6, trees=20)
    bagged.fit(X, Y)
    outputs = np.stack([model.predict(X) for model in bagged.models])
    np.testing.assert_allclose(bagged.predict(X)[1], outputs.std(0, ddof=1), rtol=1e-6)
    mean, _, truth = bagged.held_out()
    inside = np.mean((bagged.predict(X)[0] - Y) ** 2)
    assert np.isnan(mean).sum() == sum(np.isnan(bagged.held_out()[1]))  # drawn by five or six members
    assert np.nanmean((mean - truth) ** 2) > 2 * inside


@pytest.mark.parametrize("wrong", [0.05, 20.0])
def test_the_scale_brings_coverage_right(wrong):
    rng = np.random.default_rng(1)
    std = np.exp(rng.normal(size=4000))
    truth = std * rng.normal(size=4000)
    factor = scale(np.zeros(4000), wrong * std, truth)
    assert factor == pytest.approx(1 / wrong, rel=0.05)
    found = calibration(np.zeros(4000), factor * wrong * std, truth)
    assert found[0.5] == pytest.approx(0.5, abs=0.03)
    assert found[0.9] == pytest.approx(0.9, abs=0.02)
    assert scale(np.zeros(3), np.ones(3), np.ones(3)) == 1.0


def test_folds_are_a_partition():
    parts = folds(17, 5, np.random.default_rng(0))
    assert sorted(np.concatenate(parts)) == list(range(17))
    assert {len(part) for part in parts} == {3, 4}


def test_scores_go_there_and_back():
    scores = RNG.normal(size=50) ** 3
    for scaling in (Standard(scores), Warped(scores)):
        there = scaling.forward(scores)
        np.testing.assert_allclose(scaling.back(there, np.zeros(50))[0], scores, atol=1e-12)
        assert np.argsort(there).tolist() == np.argsort(scores).tolist()
    far = Warped(scores).back(np.array([-9.0, 0.0, 9.0]), np.full(3, 0.1))[0]
    assert far[0] < scores.min() < np.median(scores) < scores.max() < far[2]
    assert np.isfinite(Warped(np.ones(5)).back(np.zeros(2), np.ones(2))).all()
