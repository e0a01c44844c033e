"""Curve predictors that learn from complete curves of others: columns by hand, and what they learn."""

from __future__ import annotations

import numpy as np
import pytest

from nasturtium.predictors import PredictorError
from nasturtium.predictors.curves import make
from nasturtium.predictors.curves.regression import Model, columns

QUICK = {"svr": {"draws": 30}, "bayesian_network": {"warm": 250, "steps": 100, "chains": 1, "width": 16}}
LEARNERS = list(QUICK)


def curves(count, seed, epochs=30):
    """The end shows in how the curve bends, not in how high it stands after some epochs."""
    rng = np.random.default_rng(seed)
    power, end = rng.uniform(0.3, 1.5, (count, 1)), rng.uniform(0.7, 0.95, (count, 1))
    lines = end - (end - 0.1) * np.arange(1.0, epochs + 1) ** -power
    return lines + rng.normal(0, 0.003, lines.shape), np.hstack([power, end])


def test_columns_are_those_of_the_paper():
    found = columns(np.array([[0.1, 0.3, 0.4]]), np.array([[7.0]]))
    expected = [0.1, 0.3, 0.4, 0.2, 0.1, -0.1, np.mean([0.1, 0.3, 0.4]), np.std([0.1, 0.3, 0.4]), 7.0]
    np.testing.assert_allclose(found, [expected])
    np.testing.assert_allclose(columns(np.array([[np.nan, 0.3, np.nan]]), None)[0, :3], 0.3)


def test_the_model_is_scikit_learns_with_the_best_of_its_draws():
    from sklearn.model_selection import cross_val_predict
    from sklearn.svm import NuSVR

    rng = np.random.default_rng(0)
    x = rng.normal(size=(60, 3))
    y = x[:, 0] + 0.3 * x[:, 1] ** 2
    model = Model(x, y, 20, 0)
    chosen = model.regressor.get_params()
    rows = (x - x.mean(0)) / x.std(0)
    held = cross_val_predict(NuSVR(C=chosen["C"], gamma=chosen["gamma"], nu=chosen["nu"]), rows, y, cv=3)
    assert np.corrcoef(held, y)[0, 1] > 0.8
    assert model.std == pytest.approx(np.sqrt(np.mean((held - y) ** 2)), rel=0.5)  # other folds


@pytest.mark.parametrize("name", LEARNERS)
def test_it_learns_from_others_how_beginnings_end(name):
    known, _ = curves(60, 0)
    asked, _ = curves(40, 1)
    asked[:10, 6:] = np.nan  # two lengths
    mean, std = make(name, **QUICK[name]).fit(known).extrapolate(asked[:, :8], 30)
    off = np.abs(mean - asked[:, -1])[10:]
    last = np.abs(asked[10:, 7] - asked[10:, -1])
    assert np.median(off) < 0.5 * np.median(last)
    assert np.mean(off < 2 * std[10:]) > 0.7
    assert np.isfinite(mean).all()


@pytest.mark.parametrize("name", LEARNERS)
def test_losses_and_seeds(name):
    known, _ = curves(30, 0)
    losses = 5 - 3 * known
    predictor = make(name, maximise=False, **QUICK[name]).fit(losses[:24])
    mean, _ = predictor.extrapolate(losses[24:, :8], 30)
    assert np.median(np.abs(mean - losses[24:, -1])) < 0.5
    again, _ = make(name, maximise=False, **QUICK[name]).fit(losses[:24]).extrapolate(losses[24:, :8], 30)
    np.testing.assert_array_equal(mean, again)


@pytest.mark.parametrize("name", LEARNERS)
def test_features_tell_what_the_curve_does_not_yet(name):
    known, features = curves(80, 0)
    asked, theirs = curves(60, 1)
    blind, _ = make(name, **QUICK[name]).fit(known).extrapolate(asked[:, :2], 30)
    told, _ = make(name, **QUICK[name]).fit(known, features).extrapolate(asked[:, :2], 30, theirs)
    assert np.abs(told - asked[:, -1]).mean() < np.abs(blind - asked[:, -1]).mean()


@pytest.mark.parametrize("name", LEARNERS)
def test_curves_without_a_value_in_the_beginning_are_left_out(name):
    known, _ = curves(30, 0)
    asked, _ = curves(12, 1)
    holed = known.copy()
    holed[3, :12] = np.nan
    found = make(name, **QUICK[name]).fit(holed).extrapolate(asked[:, :10], 30)
    without = make(name, **QUICK[name]).fit(np.delete(known, 3, axis=0)).extrapolate(asked[:, :10], 30)
    np.testing.assert_allclose(found, without)
    holed[7, 5:10], holed[8, 2:4] = np.nan, np.nan  # gaps that end with the beginning, and in it
    found = make(name, **QUICK[name]).fit(holed).extrapolate(asked[:, :10], 30)
    assert np.isfinite(found).all()
    holed[5:, :12] = np.nan  # four with a beginning are too few
    mean, _ = make(name, **QUICK[name]).fit(holed).extrapolate(asked[:, :10], 30)
    np.testing.assert_allclose(mean, asked[:, 9])


@pytest.mark.parametrize("name", LEARNERS)
def test_features_are_finite_and_the_same_columns_in_both_calls(name):
    known, features = curves(10, 0)
    holed = features.copy()
    holed[4, 1] = np.nan
    begun = known[:, :5]
    with pytest.raises(PredictorError, match=r"feature 1 of architecture 4 is nan \(1 are not finite\)"):
        make(name).fit(known, holed)
    learner = make(name, **QUICK[name]).fit(known, features)
    with pytest.raises(PredictorError, match="feature 1 of architecture 4 is nan"):
        learner.extrapolate(begun, 30, holed)
    with pytest.raises(PredictorError, match="1 features were given to extrapolate, but 2 to fit"):
        learner.extrapolate(begun, 30, features[:, 0])
    with pytest.raises(PredictorError, match="10 curves and features of 3 architectures"):
        learner.extrapolate(begun, 30, features[:3])
    with pytest.raises(PredictorError, match="features are rows of numbers"):
        make(name).fit(known, [["wide"]] * 10)
    column = features[:, 0]
    flat = make(name, **QUICK[name]).fit(known, column).extrapolate(begun, 30, column)
    same = make(name, **QUICK[name]).fit(known, column[:, None]).extrapolate(begun, 30, column[:, None])
    np.testing.assert_array_equal(flat, same)


@pytest.mark.parametrize("name", LEARNERS)
def test_what_is_missing_is_said_and_too_few_curves_teach_nothing(name):
    known, features = curves(8, 0)
    with pytest.raises(PredictorError, match=r"call fit\(curves\) first"):
        make(name).extrapolate(known[:, :5], 30)
    with pytest.raises(PredictorError, match="features were given to fit or to extrapolate alone"):
        make(name).fit(known, features).extrapolate(known[:, :5], 30)
    with pytest.raises(PredictorError, match="8 curves and features of 3 architectures"):
        make(name).fit(known, features[:3])
    mean, _ = make(name, **QUICK[name]).fit(known[:4]).extrapolate(known[4:, :5], 30)
    np.testing.assert_allclose(mean, known[4:, 4])
