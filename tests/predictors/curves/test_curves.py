"""Curve predictors: units and directions, short curves, spreads; and scores of curves by hand."""

from __future__ import annotations

import numpy as np
import pytest

from nasturtium.predictors import PredictorError
from nasturtium.predictors.curves import CURVE_SCORES, CURVES, make
from nasturtium.predictors.curves.scores import moving_sum, sum_of_losses
from tests.benchmarks.data import folder

RISING = 0.9 - 0.7 * np.arange(1.0, 31.0) ** -np.array([[0.5], [0.8], [1.2]])
ALONE = [name for name in CURVES if not getattr(make(name), "learns", False)]
QUICK = {"combined": {"samples": 60, "burn": 40, "walkers": 40}}


def made(name, **options):
    return make(name, **{**QUICK.get(name, {}), **options})


@pytest.mark.parametrize("name", ALONE)
def test_percent_and_fractions_mean_the_same(name):
    mean, std = made(name).extrapolate(RISING[:, :15], 60)
    percent, wider = made(name).extrapolate(100 * RISING[:, :15], 60)
    np.testing.assert_allclose(percent, 100 * mean, rtol=1e-6)
    np.testing.assert_allclose(wider, 100 * std, rtol=1e-6)


@pytest.mark.parametrize("name", ALONE)
def test_losses_fall_as_their_mirror_image_rises(name):
    losses = 2.0 + 3.0 * (1 - RISING[:, :15])
    mean, std = made(name, maximise=False).extrapolate(losses, 60)
    again, same = made(name).extrapolate(-losses, 60)
    np.testing.assert_allclose(mean, -again, rtol=1e-6)
    np.testing.assert_allclose(std, same, rtol=1e-6)


@pytest.mark.parametrize("name", ALONE)
def test_each_curve_is_judged_by_itself_whatever_its_length(name):
    ragged = RISING.copy()
    ragged[0, 12:] = np.nan
    ragged[1, 20:] = np.nan
    ragged[2, 4] = np.nan
    mean, std = made(name).extrapolate(ragged, 60)
    if name == "combined":  # walkers of all curves draw from one generator
        return
    for row, length in enumerate((12, 20, 30)):
        one, spread = made(name).extrapolate(ragged[row : row + 1, :length], 60)
        assert (mean[row], std[row]) == (pytest.approx(one[0], rel=1e-5), pytest.approx(spread[0], rel=1e-5))


@pytest.mark.parametrize("name", ALONE)
def test_little_to_go_by_gives_a_wide_guess_and_an_ended_curve_itself(name):
    mean, std = made(name).extrapolate(RISING[:, :1], 60)
    np.testing.assert_allclose(mean, RISING[:, 0])
    assert (std >= 0.2).all()
    mean, std = made(name).extrapolate(RISING, 30)
    np.testing.assert_allclose(mean, RISING[:, -1])
    assert (std < 1e-3).all()


def test_the_power_law_is_found_far_beyond_the_curve():
    mean, std = make("pow3").extrapolate(RISING[:, :15], 200)
    expected = 0.9 - 0.7 * 200.0 ** -np.array([0.5, 0.8, 1.2])
    np.testing.assert_allclose(mean, expected, atol=2e-3)
    averaged, _ = make("averaged").extrapolate(RISING[:, :15], 200)
    np.testing.assert_allclose(averaged, expected, atol=2e-2)
    assert (np.abs(mean - expected) < 2 * std).all()


def test_extrapolation_beats_the_last_value_on_real_losses():
    import polars as pl

    path = folder("nas_bench_nlp") / "wikitext2_logs.parquet"
    lines = [line for line in pl.read_parquet(path)["val_losses"].to_list() if len(line) == 50][:120]
    curves = np.array(lines, float)
    off = {
        name: np.abs(make(name, maximise=False).extrapolate(curves[:, :12], 50)[0] - curves[:, -1])
        for name in ("pow3", "averaged", "last_value")
    }
    assert np.median(off["pow3"]) < 0.5 * np.median(off["last_value"])
    assert np.median(off["averaged"]) < 0.6 * np.median(off["last_value"])


def test_what_cannot_be_read_is_said():
    with pytest.raises(PredictorError, match="curve 1 holds no number"):
        make("pow3").extrapolate([[0.1, 0.2], [np.nan, np.nan]], 5)
    with pytest.raises(PredictorError, match="horizon 1 lies before the end of a curve of 2 epochs"):
        make("pow3").extrapolate([[0.1, 0.2]], 1)
    with pytest.raises(PredictorError, match=r"curves of shape \(2,\)"):
        make("pow3").extrapolate([0.1, 0.2], 5)
    assert [len(each) for each in make("pow3").extrapolate(np.zeros((0, 4)), 5)] == [0, 0]


def test_scores_are_the_sums_of_their_papers():
    losses = np.array([[3.0, 2.0, 1.0, np.nan], [4.0, 1.0, 0.5, 0.1]])  # three epochs in common
    np.testing.assert_allclose(CURVE_SCORES["sotl"](losses), [-6.0, -5.5])
    np.testing.assert_allclose(CURVE_SCORES["sotl_e"](losses), [-1.0, -0.5])
    np.testing.assert_allclose(sum_of_losses(losses, epochs=2), [-3.0, -1.5])
    np.testing.assert_allclose(CURVE_SCORES["sovl"](losses, maximise=True), [6.0, 5.5])
    np.testing.assert_allclose(CURVE_SCORES["early_stopping"](losses, maximise=True), [1.0, 0.5])
    averages = [3.0, 0.1 * 3 + 0.9 * 2, 0.1 * (0.1 * 3 + 0.9 * 2) + 0.9 * 1]
    assert moving_sum(losses[:1], weight=0.9)[0] == pytest.approx(-sum(averages))
    np.testing.assert_allclose(CURVE_SCORES["sotl_ema"](losses), [-6.0201, -5.5353])  # 0.01 of what was, nearly SoTL
    with pytest.raises(PredictorError, match="no first epoch in common"):
        sum_of_losses([[np.nan, 1.0], [1.0, 1.0]])
